#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# User namespaces of config.json: every container is run by runc first, and what it sees has to
# be the same under moat.

load helpers.bash
bats_require_minimum_version 1.5.0

HOST_ID=200000

setup() {
	command -v runc >/dev/null || skip "runc is not installed"
	bundle_setup
	# The container of runc looks for its root as the mapped user.
	chmod a+x "$BATS_RUN_TMPDIR"
	local applet
	for applet in chown chmod touch mkdir mount umount stat mknod unshare rm sort grep tr cut head ln; do
		ln -sf busybox "$BUNDLE/rootfs/bin/$applet"
	done
	mkdir "$BUNDLE/rootfs/shared" "$BUNDLE/shared"
	chown -R $HOST_ID:$HOST_ID "$BUNDLE/rootfs" "$BUNDLE/shared"
	echo secret >"$BUNDLE/rootfs/etc/of-host"
	chmod 600 "$BUNDLE/rootfs/etc/of-host"
	echo host >"$BUNDLE/shared/of-host"
	chmod 600 "$BUNDLE/shared/of-host"
	(cd "$BUNDLE" && tar -cf files.tar rootfs shared)
	config '.root.readonly = false | .linux.namespaces += [{"type": "user"}]
		| .linux.uidMappings = [{"containerID": 0, "hostID": $id, "size": 65536}]
		| .linux.gidMappings = .linux.uidMappings
		| .process.capabilities[] += ["CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_SETUID",
			"CAP_SETGID", "CAP_MKNOD", "CAP_SYS_ADMIN", "CAP_FSETID", "CAP_SETFCAP"]' \
		--argjson id $HOST_ID
}

teardown() {
	bundle_teardown
}

runc_() {
	runc --root "$BATS_TEST_TMPDIR/runc-root" "$@"
}

fresh_files() {
	(cd "$BUNDLE" && rm -rf rootfs shared && tar -xf files.tar)
}

# same SCRIPT: what it prints, and its status.
same() {
	config '.process.args = ["sh", "-c", $script]' --arg script "$1"
	fresh_files
	observe "$BATS_TEST_TMPDIR/runc.out" runc_ run -b "$BUNDLE" "$ID-r"
	fresh_files
	observe "$BATS_TEST_TMPDIR/moat.out" moat $MOAT_OPTIONS run -b "$BUNDLE" "$ID"
	diff -u "$BATS_TEST_TMPDIR/runc.out" "$BATS_TEST_TMPDIR/moat.out"
}

@test "user namespace: ids, maps, capabilities" {
	same 'id; cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups; grep Cap /proc/self/status
		grep -E "^(Uid|Gid|Groups)" /proc/self/status'
	grep -q "0 *$HOST_ID *65536" "$BATS_TEST_TMPDIR/moat.out"
	config '.process.user = {"uid": 7, "gid": 8, "additionalGids": [9, 10]}'
	same 'id; grep -E "^(Uid|Gid|Groups)" /proc/self/status; cat /etc/of-host; touch /x'
}

@test "user namespace: owners of files, of devices, of /proc and /sys" {
	same 'ls -lnd /bin /etc/* /dev /dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty /dev/shm /dev/pts \
			/dev/pts/ptmx /proc /proc/1 /proc/1/environ /proc/sys /proc/sys/kernel /proc/sys/kernel/hostname \
			/proc/sys/kernel/shmmax /proc/sys/net/ipv4/ip_forward /proc/sys/net/ipv4 /sys |
			tr -s " " | cut -d" " -f1,3,4; ls -lnd /dev/mqueue | tr -s " " | cut -d" " -f1,3'
	grep -q '^crw-rw-rw- 65534 65534' "$BATS_TEST_TMPDIR/moat.out"
}

@test "user namespace: an owner without a name has no root over it" {
	same 'cat /etc/of-host; chmod 644 /etc/of-host; chown 0 /etc/of-host; rm -f /etc/of-host; ls -ln /etc/of-host | cut -c1-40'
}

@test "user namespace: chown, set-id bits, devices, mounts" {
	same 'touch /tmp/a; chown 5:6 /tmp/a; stat -c "%u %g" /tmp/a; chown 65535:65535 /tmp/a; stat -c "%u %g" /tmp/a
		chown 65536 /tmp/a; chown :70000 /tmp/a; chmod 4755 /tmp/a; stat -c %a /tmp/a; chown 1 /tmp/a; stat -c %a /tmp/a
		mknod /tmp/n c 1 3; mkdir /tmp/m; mount -t tmpfs x /tmp/m && stat -c "%u %g %a" /tmp/m; touch /tmp/m/f
		mount -t proc p /tmp/m; mount -o bind /etc /tmp/m && ls /tmp/m; umount /tmp/m; umount /tmp/m
		mount -t tmpfs -o uid=3,gid=4 x /tmp/m && stat -c "%u %g" /tmp/m; mount -t tmpfs -o uid=70000 x /tmp/m'
}

@test "user namespace: standard files can be opened again" {
	same 'echo one >/dev/stderr; echo two >/proc/self/fd/1; stat -L -c "%u %g" /proc/self/fd/1'
	config '.process.user = {"uid": 7, "gid": 8}'
	same 'echo one >/dev/stderr; stat -L -c %u /proc/self/fd/1'
}

@test "user namespace: a bind mount, written through as the host id" {
	config '.mounts += [{"destination": "/shared", "type": "bind", "source": $dir, "options": ["rbind", "rw"]}]' \
		--arg dir "$BUNDLE/shared"
	same 'cd /shared; ls -ln | tr -s " " | cut -d" " -f1,3,4; cat of-host; rm -f f d; echo hi >f; chown 3:4 f; mkdir -p d; chown 70000 f
		ln -sf f l; ls -lnd f l d | tr -s " " | cut -d" " -f1,3,4; echo x >of-host; chown 0 of-host; chmod 666 of-host'
	[ "$(stat -c '%u %g' "$BUNDLE/shared/f")" = "$((HOST_ID + 3)) $((HOST_ID + 4))" ]
	[ "$(stat -c '%u %g' "$BUNDLE/shared/d")" = "$HOST_ID $HOST_ID" ]
	[ "$(cat "$BUNDLE/shared/of-host")" = host ]
	[ "$(stat -c '%u %a' "$BUNDLE/shared/of-host")" = "0 600" ]
}

@test "user namespace: the root file system, written through" {
	MOAT_OPTIONS=--overlay=none
	same 'touch /f; chown 3:4 /f; mkdir -p /d; cat /etc/of-host; touch /etc/of-host; ls -lnd /f /d /etc | tr -s " " | cut -d" " -f1,3,4'
	[ "$(stat -c '%u %g' "$BUNDLE/rootfs/f")" = "$((HOST_ID + 3)) $((HOST_ID + 4))" ]
}

# Whoever takes the gofer over has no more than the container's ids.
@test "user namespace: the gofer and the sentry have no id of the host" {
	args sleep 100
	run_detached "$ID"
	gofer=$(jq .goferPid "$ROOT/$ID/state.json")
	sentry=$(jq .sentryPid "$ROOT/$ID/state.json")
	[ "$(tr -s ' ' <"/proc/$gofer/uid_map")" = " $HOST_ID $HOST_ID 65536" ]
	[ "$(grep -E '^[UG]id' "/proc/$gofer/status" | cut -f2- | tr '\t' '\n' | sort -u)" = $HOST_ID ]
	[ -z "$(grep ^Groups "/proc/$gofer/status" | cut -f2 | tr -d ' ')" ]
	[ "$(readlink "/proc/$gofer/ns/user")" != "$(readlink /proc/self/ns/user)" ]
	[ "$(grep ^NoNewPrivs "/proc/$gofer/status" | cut -f2)" = 1 ]
	[ "$(grep ^CapBnd "/proc/$gofer/status" | cut -f2)" = 0000000000000000 ]
	[ "$(grep ^CapAmb "/proc/$gofer/status" | cut -f2)" = 0000000000000000 ]
	[ "$(grep -E '^[UG]id' "/proc/$sentry/status" | cut -f2- | tr '\t' '\n' | sort -u)" = 65534 ]
	moat delete -f "$ID"
	assert_nothing_left
}

@test "user namespace: exec, with users that have a name and one that has not" {
	args sleep 100
	runc_ run -d -b "$BUNDLE" "$ID-r" </dev/null >/dev/null 2>&1
	run_detached "$ID"
	for user in 0 7 7:8 65535:65535; do
		[ "$(moat exec --user "$user" "$ID" sh -c 'id; cat /proc/self/uid_map; cat /etc/of-host 2>&1')" = \
			"$(runc_ exec --user "$user" "$ID-r" sh -c 'id; cat /proc/self/uid_map; cat /etc/of-host 2>&1')" ]
	done
	run -255 runc_ exec --user 70000 "$ID-r" id
	[[ $output == *"cannot set uid to unmapped user in user namespace"* ]]
	run_fails 255 "cannot set uid to unmapped user in user namespace" moat exec --user 70000 "$ID" id
	runc_ delete -f "$ID-r"
	moat delete -f "$ID"
	assert_nothing_left
}

@test "user namespace: several ranges" {
	config '.linux.uidMappings = [{"containerID": 0, "hostID": $id, "size": 10}, {"containerID": 100, "hostID": 300000, "size": 5}]
		| .linux.gidMappings = [{"containerID": 0, "hostID": 300000, "size": 1}, {"containerID": 5, "hostID": $id, "size": 1}]' \
		--argjson id $HOST_ID
	same 'id; cat /proc/self/uid_map /proc/self/gid_map; touch /tmp/a; chown 104 /tmp/a; stat -c %u /tmp/a; chown 105 /tmp/a; chown 10 /tmp/a; ls -lnd /etc | cut -c1-40'
}

@test "user namespace: one within" {
	same 'unshare -r sh -c "id; cat /proc/self/uid_map; ls -lnd /etc /dev/null | tr -s \" \" | cut -d\" \" -f1,3,4; touch /etc/y; chown 1 /etc/y"'
}
