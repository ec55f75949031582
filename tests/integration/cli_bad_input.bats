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

@test "config.json: startContainer hooks" {
	config '.hooks.startContainer = [{"path": "/bin/true"}]'
	refused "hooks.startContainer"
}

@test "config.json: a namespace to join" {
	config '.linux.namespaces[0].path = "/proc/self/ns/pid"'
	refused "joining a pid namespace is not supported"
}

@test "config.json: unknown mapping of users, and other things out of range" {
	config '.process.rlimits = [{"type": "RLIMIT_NOSUCH", "soft": 1, "hard": 1}]'
	refused "RLIMIT_NOSUCH"
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
	run_fails 1 "--systemd-cgroup is not supported" moat --systemd-cgroup run -b "$BUNDLE" "$ID"
	assert_nothing_left
}

@test "--preserve-fds of files that are not there" {
	run_fails 1 "please check that preserved-fd" moat run --preserve-fds 200 -b "$BUNDLE" "$ID"
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
