#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# An ordinary user's containers, with subordinate ids and without, each against runc; and that
# user's podman.  The user is made for the test.

load helpers.bash
load systemd_helpers.bash
bats_require_minimum_version 1.5.0

TEST_USER=${TEST_USER:-moat-test-$$}

setup_file() {
	command -v runc >/dev/null || skip "runc is not installed"
	command -v newuidmap >/dev/null || skip "newuidmap is not installed"
	export TEST_USER TEST_HOME=/tmp/$TEST_USER
	# The build may be where others cannot look.
	export USER_MOAT=$TEST_HOME/moat
	useradd -M -d "$TEST_HOME" -s /bin/sh "$TEST_USER"
	mkdir -m 755 "$TEST_HOME"
	cp "$MOAT" "$USER_MOAT"
	mkdir -m 700 "$TEST_HOME/run"
	chown "$TEST_USER:" "$TEST_HOME" "$TEST_HOME/run"
	SUB_UID=$(grep "^$TEST_USER:" /etc/subuid | cut -d: -f2)
	export SUB_UID SUB_GID=$(grep "^$TEST_USER:" /etc/subgid | cut -d: -f2)
}

teardown_file() {
	[ -n "$TEST_HOME" ] || return 0
	[ ! -d "$TEST_HOME/podman" ] || as_user podman_ rm -fa >/dev/null 2>&1 || true
	[ ! -e "$TEST_HOME/podman" ] || as_user podman unshare rm -rf "$TEST_HOME/podman" || true
	# podman leaves a process that holds its namespaces, of which only it knows the number.
	local pause=$TEST_HOME/run/libpod/tmp/pause.pid
	[ ! -s "$pause" ] || kill "$(cat "$pause")" || true
	umount "$TEST_HOME"/podman/* 2>/dev/null || true
	userdel "$TEST_USER"
	rm -rf "$TEST_HOME"
}

as_user() {
	setpriv --reuid "$TEST_USER" --regid "$TEST_USER" --init-groups \
		env -i PATH="$PATH" HOME="$TEST_HOME" USER="$TEST_USER" XDG_RUNTIME_DIR="$TEST_HOME/run" \
		TEST_HOME="$TEST_HOME" bash -c "$(declare -f podman_);"'"$@"' bash "$@"
}

setup() {
	bundle_setup
	local applet
	for applet in chown chmod touch mkdir stat hostname tr cut; do
		ln -sf busybox "$BUNDLE/rootfs/bin/$applet"
	done
	HOME_BUNDLE=$TEST_HOME/bundle
	mkdir "$HOME_BUNDLE"
	mv "$BUNDLE/rootfs" "$HOME_BUNDLE/"
	chown -R "$TEST_USER:" "$HOME_BUNDLE"
	BUNDLE=$HOME_BUNDLE
	as_user "$USER_MOAT" spec --rootless -b "$BUNDLE"
	config '.process.terminal = false | .root.readonly = false
		| .process.capabilities[] += ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_SETUID", "CAP_SETGID"]'
	ID=${ID}u
}

teardown() {
	if [ -n "${SYSTEMD_PLACE:-}" ]; then
		systemd_teardown
	fi
	for id in $(as_user "$USER_MOAT" list -q); do
		as_user "$USER_MOAT" delete -f "$id"
	done
	rm -rf "$HOME_BUNDLE"
	[ -z "$(ls -A "$TEST_HOME/run/moat" 2>/dev/null)" ]
}

# all_ids: every subordinate id besides one's own.
all_ids() {
	config '.linux.uidMappings += [{"containerID": 1, "hostID": $u, "size": 65536}]
		| .linux.gidMappings += [{"containerID": 1, "hostID": $g, "size": 65536}]' \
		--argjson u "$SUB_UID" --argjson g "$SUB_GID"
}

same() {
	config '.process.args = ["sh", "-c", $script]' --arg script "$1"
	chown "$TEST_USER:" "$BUNDLE/config.json"
	observe "$BATS_TEST_TMPDIR/runc.out" as_user runc run -b "$BUNDLE" "$ID"
	observe "$BATS_TEST_TMPDIR/moat.out" as_user "$USER_MOAT" run -b "$BUNDLE" "$ID"
	diff -u "$BATS_TEST_TMPDIR/runc.out" "$BATS_TEST_TMPDIR/moat.out"
}

# refused TEXT: both say it, runc perhaps among more.
refused() {
	chown "$TEST_USER:" "$BUNDLE/config.json"
	run -1 as_user runc run -b "$BUNDLE" "$ID"
	[[ $output == *"$1"* ]]
	run_fails 1 "$1" as_user "$USER_MOAT" run -b "$BUNDLE" "$ID"
}

LOOK='id; cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups; hostname
	stat -c "%u %g" /bin/busybox /dev/null /dev/pts/ptmx /proc/1; touch /tmp/x; chown 5:6 /tmp/x
	stat -c "%u %g" /tmp/x; chown 70000 /tmp/x; echo again >/proc/self/fd/1; rm -f /tmp/x'

@test "rootless: spec --rootless is runc's" {
	mkdir "$TEST_HOME/s"
	chown "$TEST_USER:" "$TEST_HOME/s"
	as_user runc spec --rootless -b "$TEST_HOME/s"
	as_user "$USER_MOAT" spec --rootless -b "$TEST_HOME/s" 2>/dev/null && return 1
	rm "$BUNDLE/config.json"
	as_user "$USER_MOAT" spec --rootless -b "$BUNDLE"
	diff <(jq -S 'del(.hostname)' "$TEST_HOME/s/config.json") <(jq -S 'del(.hostname)' "$BUNDLE/config.json")
	rm -r "$TEST_HOME/s"
}

@test "rootless: one's own id alone" {
	same "$LOOK"
}

@test "rootless: subordinate ids, by newuidmap and newgidmap" {
	all_ids
	same "$LOOK"
	config '.process.user = {"uid": 5, "gid": 6}'
	same "id; $LOOK"
}

@test "rootless: written through, the files are the subordinate ids'" {
	all_ids
	mkdir "$TEST_HOME/shared"
	chown "$TEST_USER:" "$TEST_HOME/shared"
	config '.mounts += [{"destination": "/tmp", "type": "bind", "source": $d, "options": ["rbind"]}]' \
		--arg d "$TEST_HOME/shared"
	same 'cd /tmp; touch a; chown 5:6 a; stat -c "%u %g" a . ; chown 70000 a'
	[ "$(stat -c '%u %g' "$TEST_HOME/shared/a")" = "$((SUB_UID + 4)) $((SUB_GID + 5))" ]
	rm -r "$TEST_HOME/shared"
}

@test "rootless: what runc refuses" {
	config 'del(.linux.uidMappings)'
	refused "User namespaces enabled, but no uid mappings found."
	as_user rm "$BUNDLE/config.json"
	as_user "$USER_MOAT" spec --rootless -b "$BUNDLE"
	config '.process.terminal = false'
	cp "$BUNDLE/config.json" "$BATS_TEST_TMPDIR/good"
	config '.process.user.additionalGids = [5]'
	refused "cannot set any additional groups in a rootless container"
	cp "$BATS_TEST_TMPDIR/good" "$BUNDLE/config.json"
	config '.linux.namespaces |= map(select(.type != "user"))'
	refused "rootless container requires user namespaces"
	cp "$BATS_TEST_TMPDIR/good" "$BUNDLE/config.json"
	for id in uid gid; do
		config '.mounts += [{"destination": "/m", "type": "tmpfs", "source": "x", "options": [$o]}]' --arg o "$id=5"
		refused "cannot specify $id= mount options for unmapped $id in rootless containers"
		cp "$BATS_TEST_TMPDIR/good" "$BUNDLE/config.json"
	done
	config '.linux.cgroupsPath = "/of-root-alone"'
	refused "permission denied"
	cp "$BATS_TEST_TMPDIR/good" "$BUNDLE/config.json"
	config '.linux.resources.memory.limit = 100000000'
	refused "cgroup"
}

@test "rootless: ids of somebody else" {
	config '.linux.uidMappings[0].hostID = 5'
	chown "$TEST_USER:" "$BUNDLE/config.json"
	run -1 as_user runc run -b "$BUNDLE" "$ID"
	run_fails 1 "newuidmap failed: newuidmap: uid range [5-6) -> [5-6) not allowed" \
		as_user "$USER_MOAT" run -b "$BUNDLE" "$ID"
}

@test "rootless: nobody gets a right of the host" {
	all_ids
	args sleep 100
	chown "$TEST_USER:" "$BUNDLE/config.json"
	as_user "$USER_MOAT" run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	state=$TEST_HOME/run/moat/$ID/state.json
	uid=$(id -u "$TEST_USER")
	for pid in $(jq .sentryPid,.goferPid "$state"); do
		[ "$(grep ^Uid "/proc/$pid/status" | cut -f2- | tr '\t' '\n' | sort -u)" = "$uid" ]
		[ "$(readlink "/proc/$pid/ns/user")" != "$(readlink /proc/self/ns/user)" ]
		[ "$(grep ^NoNewPrivs "/proc/$pid/status" | cut -f2)" = 1 ]
		[ "$(grep ^Seccomp: "/proc/$pid/status" | cut -f2)" = 2 ]
		[ "$(grep ^CapBnd "/proc/$pid/status" | cut -f2)" != 000001ffffffffff ]
	done
	[ "$(as_user "$USER_MOAT" exec --user 7 "$ID" id -u)" = 7 ]
	as_user "$USER_MOAT" delete -f "$ID"
}

# podman makes the user namespace, and runs us in it.
podman_() {
	podman --root "$TEST_HOME/podman/root" --runroot "$TEST_HOME/podman/run" --storage-driver vfs \
		--cgroup-manager cgroupfs --events-backend none "$@"
}

@test "rootless: podman" {
	command -v podman >/dev/null || skip "podman is not installed"
	as_user mkdir "$TEST_HOME/podman"
	tar -C "$BUNDLE/rootfs" -c . | as_user podman_ import - box >/dev/null 2>&1
	script='id; hostname | wc -c; stat -c "%u %g" /bin/busybox; touch /x; chown 5:6 /x; stat -c "%u %g" /x; echo hi >/dev/stderr'
	for network in host none; do
		as_user podman_ --runtime runc run --rm --network $network box sh -c "$script" >"$BATS_TEST_TMPDIR/runc.out" 2>"$BATS_TEST_TMPDIR/err"
		as_user podman_ --runtime "$USER_MOAT" run --rm --network $network box sh -c "$script" >"$BATS_TEST_TMPDIR/moat.out" 2>"$BATS_TEST_TMPDIR/err"
		diff -u "$BATS_TEST_TMPDIR/runc.out" "$BATS_TEST_TMPDIR/moat.out"
		grep -q '^hi$' "$BATS_TEST_TMPDIR/err"
	done
	id=$(as_user podman_ --runtime "$USER_MOAT" run -d --network host box sleep 100 2>/dev/null)
	[ "$(as_user podman_ exec --user 9 "$id" id -u 2>/dev/null)" = 9 ]
	as_user podman_ rm -f -t 0 "$id" >/dev/null 2>&1
}

user_with_systemd() {
	"${SYSTEMD_ENTER[@]}" setpriv --reuid "$TEST_USER" --regid "$TEST_USER" --init-groups \
		env -i PATH="$PATH" HOME="$TEST_HOME" USER="$TEST_USER" XDG_RUNTIME_DIR="$TEST_HOME/run" \
		DBUS_SESSION_BUS_ADDRESS="unix:path=$SYSTEMD_DIR/bus" "$@"
}

@test "rootless: a scope of the user's systemd" {
	local runtime name pid
	[ -d /sys/fs/cgroup/unified ] || skip "this host has no hybrid hierarchies"
	SYSTEMD_DIR=$TEST_HOME/systemd
	systemd_setup v2 --control-group "/$ID_PREFIX.service" --owner "$(id -u "$TEST_USER")"
	config '.process.args = ["sleep", "100"]'
	for runtime in runc "$USER_MOAT"; do
		name=$(basename "$runtime")
		systemd_forget_calls
		user_with_systemd "$runtime" --systemd-cgroup run -d -b "$BUNDLE" "$ID" \
			</dev/null >"$BATS_TEST_TMPDIR/log" 2>&1 3>&- || cat "$BATS_TEST_TMPDIR/log"
		pid=$(user_with_systemd "$runtime" state "$ID" | jq .pid)
		grep '^0:' "/proc/$pid/cgroup" >"$BATS_TEST_TMPDIR/$name.place"
		if [ "$name" = moat ]; then
			# systemd puts what a user may not put there.
			pid=$(jq .goferPid "$TEST_HOME/run/moat/$ID/state.json")
			[ "$(grep '^0:' "/proc/$pid/cgroup")" = "$(<"$BATS_TEST_TMPDIR/moat.place")" ]
			systemd_calls | grep -q AttachProcessesToUnit
			[ "$(user_with_systemd "$runtime" exec "$ID" echo inside)" = inside ]
		fi
		user_with_systemd "$runtime" delete -f "$ID"
		systemd_calls 'select(.method != "ResetFailedUnit" and .method != "AttachProcessesToUnit") |
			if .properties then .properties |= (map(if .[0] == "PIDs" then .[2] |= length else . end) |
				map(select(.[0] | startswith("Device") | not)) | sort) else . end |
			select(.properties != [])' >"$BATS_TEST_TMPDIR/$name.calls"
	done
	diff "$BATS_TEST_TMPDIR"/{runc,moat}.place
	grep -q "/$ID_PREFIX.service/user.slice/runc-$ID.scope" "$BATS_TEST_TMPDIR/runc.place"
	diff "$BATS_TEST_TMPDIR"/{runc,moat}.calls
	find /sys/fs/cgroup -depth -type d -path "*$ID_PREFIX*" -exec rmdir {} +
	[ -z "$(our_processes)" ]
}
