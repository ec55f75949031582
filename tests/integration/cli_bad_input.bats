#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Bad input: one clear line that names the cause, runc's exit status, nothing left behind.
bats_require_minimum_version 1.5.0
load helpers

setup() { bundle_setup; }
teardown() { bundle_teardown; }

refused() {
	run_fails 1 "$1" moat run -b "$BUNDLE" "${2-$ID}"
	assert_nothing_left
	run_fails 1 "$1" moat create -b "$BUNDLE" "${2-$ID}"
	assert_nothing_left
}

@test "no bundle" {
	run_fails 1 "chdir /nosuch: no such file or directory" moat run -b /nosuch "$ID"
	assert_nothing_left
}

@test "no config.json" {
	rm "$BUNDLE/config.json"
	refused "config.json not found"
}

@test "config.json: corrupt" {
	echo '{"ociVersion": "1.0.2", process}' >"$BUNDLE/config.json"
	refused "config.json:1:"
}

@test "config.json: truncated at any place" {
	size=$(wc -c <"$BUNDLE/config.json")
	cp "$BUNDLE/config.json" "$BATS_TEST_TMPDIR/whole"
	for at in 0 1 10 $((size / 3)) $((size / 2)) $((size - 3)); do
		head -c $at "$BATS_TEST_TMPDIR/whole" >"$BUNDLE/config.json"
		run_fails 1 "config.json" moat run -b "$BUNDLE" "$ID"
	done
	assert_nothing_left
}

@test "config.json: binary rubbish" {
	head -c 100000 /dev/urandom >"$BUNDLE/config.json"
	refused "config.json"
}

@test "config.json: nested too deeply" {
	python3 -c 'print("{\"a\":" * 100000 + "1" + "}" * 100000)' >"$BUNDLE/config.json"
	refused "config.json"
}

@test "config.json: 100 MB" {
	python3 -c 'print("{\"ociVersion\":\"1.0.2\",\"annotations\":{\"a\":\"" + "x" * 100000000 + "\"}}")' >"$BUNDLE/config.json"
	refused "config.json: larger than"
}

@test "config.json: a directory" {
	rm "$BUNDLE/config.json"
	mkdir "$BUNDLE/config.json"
	refused "read config.json: is a directory"
}

@test "config.json: a wrong type names its place" {
	config '.process.args = "true"'
	refused "process.args"
	config '.process.args = ["true", 7]'
	refused "process.args[1]"
}

@test "config.json: what must be there" {
	config 'del(.process)'
	refused "process"
}

@test "config.json: no arguments" {
	config '.process.args = []'
	refused "args must not be empty"
}

@test "config.json: no root" {
	config 'del(.root)'
	refused "root"
}

@test "config.json: cwd that is not absolute" {
	config '.process.cwd = "tmp"'
	refused "Cwd must be an absolute path"
}

@test "config.json: a console that is too large" {
	config '.process.terminal = true | .process.consoleSize = {"height": 70000, "width": 1}'
	run_fails 1 "process.consoleSize: larger than 65535" moat run -b "$BUNDLE" "$ID"
	assert_nothing_left
}

@test "config.json: a namespace to join" {
	for type in pid ipc uts mount cgroup user; do
		config '.linux.namespaces |= map(select(.type != $t)) + [{"type": $t, "path": "/proc/self/ns/x"}]' --arg t $type
		refused "/proc/self/ns/x: no such file or directory"
		config '.linux.namespaces |= map(if .type == $t then .path = "/proc/self/ns/net" else . end)' --arg t $type
		refused "/proc/self/ns/net is not a $type namespace"
		config '.linux.namespaces |= map(if .type == $t then .path = "/etc/passwd" else . end)' --arg t $type
		refused "/etc/passwd is not a $type namespace"
		config '.linux.namespaces |= map(if .type == $t then del(.path) else . end) | .linux.namespaces |= map(select(.type != "user"))' --arg t $type
	done
	config '.linux.namespaces += [{"type": "nosuch"}]'
	refused 'namespace {"nosuch" ""} does not exist'
}

@test "config.json: the same namespace twice" {
	config '.linux.namespaces += [{"type": "pid"}]'
	refused "duplicate ns"
}

@test "config.json: limits of unknown resources" {
	config '.process.rlimits = [{"type": "RLIMIT_NOSUCH", "soft": 1, "hard": 1}]'
	refused "RLIMIT_NOSUCH"
}

@test "config.json: users" {
	config '.linux.namespaces += [{"type": "user"}]'
	refused "User namespaces enabled, but no uid mappings found"
	config '.linux.uidMappings = [{"containerID": 0, "hostID": 1000, "size": 9}]'
	refused "User namespaces enabled, but no gid mappings found"
	config '.linux.gidMappings = [{"containerID": 1, "hostID": 1000, "size": 1}]'
	refused "User namespaces enabled, but no group mapping found"
	config '.linux.gidMappings = .linux.uidMappings | .process.user.uid = 9'
	refused "cannot set uid to unmapped user in user namespace"
	config '.process.user = {"uid": 0, "gid": 9}'
	refused "cannot set gid to unmapped user in user namespace"
	config '.process.user = {"uid": 0, "gid": 0, "additionalGids": [9]}'
	refused "setgroups: invalid argument"
	config '.linux.uidMappings += [{"containerID": 5, "hostID": 1000, "size": 1}] | del(.process.user.additionalGids)'
	refused "linux.uidMappings[1]: overlaps [0]"
	config '.linux.namespaces |= map(select(.type != "user")) | .process.user.uid = 4294967295'
	refused "uids and gids must be in range 0-2147483647"
	config '.process.user.uid = 4294967296'
	refused "config.json: process.user.uid: expected"
	config '.process.user.uid = -1'
	refused "config.json: process.user.uid: expected"
	config '.process.user = {"uid": 0, "gid": 0, "additionalGids": [2147483648]}'
	refused "uids and gids must be in range 0-2147483647"
}

@test "config.json: what this kernel cannot do" {
	config '.linux.timeOffsets = {"monotonic": {"secs": 5}}'
	refused "time namespace offsets specified, but time namespace isn't enabled in the config"
	config '.linux.namespaces += [{"type": "time"}] | .linux.timeOffsets.monotonic.secs = -9999999999'
	refused "linux.timeOffsets: numerical result out of range"
	config 'del(.linux.timeOffsets) | .linux.personality = {"domain": "BSD"}'
	refused 'linux.personality.domain: "BSD" is unknown'
	config 'del(.linux.personality) | .process.scheduler = {"policy": "SCHED_FIFO", "priority": 100}'
	refused "process.scheduler: invalid argument"
	config '.process.scheduler = {"policy": "SCHED_DEADLINE", "runtime": 5, "deadline": 4, "period": 4}'
	refused "process.scheduler: invalid argument"
	config 'del(.process.scheduler) | .mounts += [{"destination": "/m", "type": "tmpfs", "options": ["nosymfollow"]}]'
	refused 'mount /m: mount option "nosymfollow" is not supported'
	config 'del(.mounts[-1]) | .linux.intelRdt = {"closID": "x"}'
	refused "linux.intelRdt: not supported"
	config 'del(.linux.intelRdt) | .linux.netDevices = {"eth0": {}}'
	refused "linux.netDevices: not supported"
	config 'del(.linux.netDevices) | .mounts += [{"destination": "/m", "type": "tmpfs"}]'
	config '.mounts[-1].options = ["remount", "ro"]'
	refused 'mount /m: mount option "remount" is not supported'
}

@test "a mount over a file, and a file over a directory" {
	echo x >"$BUNDLE/rootfs/etc/file"
	config '.mounts += [{"destination": "/etc/file", "type": "tmpfs", "source": "tmpfs"}]'
	refused 'error mounting "tmpfs" to rootfs at "/etc/file": not a directory'
	config '.mounts[-1].destination = "/etc/file/below"'
	refused 'error mounting "tmpfs" to rootfs at "/etc/file/below": not a directory'
	config '.mounts[-1] = {"destination": "/etc/file", "type": "bind", "source": "/etc", "options": ["bind"]}'
	refused 'error mounting "/etc" to rootfs at "/etc/file": not a directory'
	config '.mounts[-1] = {"destination": "/etc", "type": "bind", "source": "/etc/passwd", "options": ["bind"]}'
	refused 'error mounting "/etc/passwd" to rootfs at "/etc": not a directory'
}

@test "a destination that would escape through a symlink stays inside" {
	victim=$BATS_TEST_TMPDIR/victim
	mkdir "$victim"
	mkdir -p "$BUNDLE/rootfs$victim"
	config '.root.readonly = false'
	ln -s "$victim" "$BUNDLE/rootfs/absolute"
	ln -s "../../../../../../../../..$victim" "$BUNDLE/rootfs/relative"
	ln -s ../../../../../../.. "$BUNDLE/rootfs/up"
	for destination in /absolute/in /relative/in "/up$victim/in" "/../../../..$victim/in"; do
		config '.mounts += [{"destination": $d, "type": "tmpfs", "source": "tmpfs"}] | .process.args =
			["/bin/sh", "-c", "echo secret >$V/in/file && grep -c $V/in /proc/mounts"] | .process.env += ["V=" + $v]' \
			--arg d "$destination" --arg v "$victim"
		run -0 moat --overlay none run -b "$BUNDLE" "$ID"
		[ "$output" = 1 ]
		config '.mounts |= .[:-1]'
		[ -z "$(ls -A "$victim")" ]
		[ -z "$(find "$BUNDLE/rootfs$victim" -type f)" ]
	done
	assert_nothing_left
}

@test "a working directory that is a file" {
	echo x >"$BUNDLE/rootfs/etc/file"
	config '.process.cwd = "/etc/file"'
	refused 'chdir to cwd ("/etc/file") set in config.json failed: not a directory'
}

@test "a working directory that does not exist is made" {
	config '.process.cwd = "/a/b/c" | .process.args = ["/bin/pwd"]'
	run -0 moat run -b "$BUNDLE" "$ID"
	[ "$output" = /a/b/c ]
	assert_nothing_left
}

@test "programs that are none" {
	echo 'not executable' >"$BUNDLE/rootfs/bin/plain"
	args /bin/plain
	refused 'exec: "/bin/plain": permission denied'
	args /etc
	refused 'exec: "/etc": permission denied'
}

@test "a memory limit in which nothing can start" {
	config '.linux.resources.memory.limit = 4096'
	refused "is linux.resources.memory.limit too low?"
}

@test "a rootfs that does not exist" {
	rm -r "$BUNDLE/rootfs"
	refused "rootfs rootfs: no such file or directory"
}

@test "a rootfs that is a file" {
	rm -r "$BUNDLE/rootfs"
	touch "$BUNDLE/rootfs"
	refused "not a directory"
}

@test "a bind mount whose source does not exist" {
	config '.mounts += [{"destination": "/x", "type": "bind", "source": "/nosuch", "options": ["bind"]}]'
	refused "bind mount source /nosuch: no such file or directory"
}

@test "more bind mounts than the gofer serves" {
	config '.mounts += [range(256) | {"destination": "/m/\(.)", "type": "bind", "source": "/tmp", "options": ["bind"]}]'
	refused "256 bind mounts: the gofer serves 255 at most"
}

@test "a file system the sandbox does not have" {
	config '.mounts += [{"destination": "/x", "type": "ext4", "source": "/dev/sda"}]'
	refused 'mount /x: file system type "ext4" is not supported'
}

@test "a program that does not exist" {
	args nosuch
	refused 'exec: "nosuch": executable file not found in $PATH'
	args /nosuch
	refused '/nosuch'
}

@test "ids" {
	refused "invalid container ID format" a/b
	refused "invalid container ID format" "$(printf 'x%.0s' $(seq 1025))"
	refused "invalid container ID format" "a b"
	refused "invalid container ID format" "ä"
	refused "invalid container ID format" ..
	refused "container id cannot be empty" ""
	run_fails 1 "invalid container ID format" moat state a/b
	run_fails 1 "invalid container ID format" moat delete ../x
}

@test "an id in use" {
	args sleep 100
	run_detached "$ID"
	run_fails 1 "container with given ID already exists" moat run -b "$BUNDLE" "$ID"
	run_fails 1 "container with given ID already exists" moat create -b "$BUNDLE" "$ID"
	[ "$(state_of "$ID")" = running ]
	moat delete -f "$ID"
	assert_nothing_left
}

@test "--systemd-cgroup" {
	[ ! -d /run/systemd/system ] || skip "systemd runs here"
	text="systemd not running on this host, cannot use systemd cgroups manager"
	run_fails 1 "$text" moat --systemd-cgroup run -b "$BUNDLE" "$ID"
	run_fails 1 "$text" moat --systemd-cgroup create -b "$BUNDLE" "$ID"
	assert_nothing_left
	# What makes no cgroup does not ask for systemd, as with runc.
	run -0 moat --systemd-cgroup list
	run_fails 1 "container does not exist" moat --systemd-cgroup delete "$ID"
}

@test "--preserve-fds of files that are not there" {
	run_fails 1 "unable to stat preserved-fd" moat run --preserve-fds 200 -b "$BUNDLE" "$ID"
	assert_nothing_left
}

@test "--console-socket without a terminal" {
	run_fails 1 "cannot use console socket" moat run --console-socket /tmp/x -b "$BUNDLE" "$ID"
	assert_nothing_left
}

@test "a cgroupsPath with dots, or in use" {
	config '.linux.cgroupsPath = "/a/../../b"'
	refused "linux.cgroupsPath"
}

@test "a hook that fails, does not exist, or takes too long" {
	config '.hooks = {"prestart": [{"path": "/bin/sh", "args": ["sh", "-c", "echo why; exit 3"]}]}'
	refused 'error running prestart hook #0: /bin/sh: exit status 3, output: "why"'
	config '.hooks = {"createRuntime": [{"path": "/nosuch"}]}'
	refused 'error running createRuntime hook #0: /nosuch: no such file or directory'
	config '.hooks = {"createContainer": [{"path": "/bin/sleep", "args": ["sleep", "60"], "timeout": 1}]}'
	run_fails 1 "error running createContainer hook #0: /bin/sleep: timed out after 1 s" moat run -b "$BUNDLE" "$ID"
	assert_nothing_left
}

# One more mount: what is said of it, and what of /proc and /sys is mounted over then.
mounted_by() { # runtime
	local runtime=$1 root="$BATS_TEST_TMPDIR/root-$(basename "$1")" kind source destination status
	while read -r kind source destination; do
		jq '.mounts += [{destination: $d, type: $k, source: $s, options: (if $k == "bind" then ["bind", "ro"] else [] end)}]' \
			base.json --arg d "$destination" --arg k "$kind" --arg s "$source" >config.json
		status=0
		timeout 20 "$runtime" --root "$root" run "$ID" </dev/null >out 2>err || status=$?
		echo "--- $kind on $destination: $status"
		cat out
		sed -E "s/time=\"[^\"]*\"//; s/error during container init: //; s/\b(moat|runc)\b/RT/g; s,\"$BUNDLE/rootfs,\"," err |
			grep -v 'destination not absolute' || true
		"$runtime" --root "$root" delete -f "$ID" >/dev/null 2>&1 || true
	done
}

@test "mounts in /proc that runc refuses" {
	local name
	command -v runc || skip "runc is not installed"
	cd "$BUNDLE"
	mkdir directory
	echo text >file
	ln -s /proc/sys rootfs/link
	ln -s /proc rootfs/proc_link
	args sh -c 'busybox cut -d" " -f2 /proc/self/mounts | busybox grep -E "^/(proc|sys)/" | busybox grep -v cgroup; true'
	config 'del(.linux.maskedPaths, .linux.readonlyPaths)'
	cp config.json base.json
	{
		for name in cpuinfo diskstats meminfo stat swaps uptime loadavg slabinfo sys/kernel/ns_last_pid \
			version nosuch kcore keys sysrq-trigger ../proc/version sys/kernel/hostname cpuinfo/../version; do
			echo "bind $PWD/file /proc/$name"
		done
		for name in /proc /proc/ /proc/. /proc/sys /proc/sys/net /proc/fs /proc/1 /proc/1/fd /procx /x/../proc/fs /link \
			/proc_link/fs /sys/kernel; do
			echo "bind $PWD/directory $name"
		done
		for name in /proc/version /proc/uptime /link /proc_link /proc/fs /x; do
			echo "proc proc $name"
			echo "sysfs sysfs $name"
		done
		echo "tmpfs tmpfs /proc/fs"
		echo "tmpfs tmpfs /link"
	} >cases
	mounted_by runc <cases >theirs
	mounted_by "$MOAT" <cases >ours
	diff theirs ours
	grep -q "cannot be mounted because it is inside /proc" ours
	grep -q "cannot be mounted because it is not of type proc" ours
	grep -q "must be mounted on ordinary directory" ours
}
