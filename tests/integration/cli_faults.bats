#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What the host refuses: space, files, memory, processes, descriptors, listeners.  Each ends in one clear
# error, and nothing is left.
bats_require_minimum_version 1.5.0
load helpers

setup() {
	bundle_setup
	SMALL=
}

teardown() {
	[ -z "$SMALL" ] || mount -o remount,rw,size=4m "$SMALL"
	bundle_teardown
	[ -z "$SMALL" ] || umount "$SMALL"
}

# Containers' state is below $ROOT/small then, a file system of SIZE.
small_root() {
	SMALL=$ROOT/small
	mkdir -p "$SMALL"
	mount -t tmpfs -o size="$1" tmpfs "$SMALL"
	ROOT=$SMALL/root
	mkdir "$ROOT"
	our_mounts >"$BATS_TEST_TMPDIR/mounts"
}

fill() {
	cat /dev/zero >"$SMALL/filler" 2>/dev/null || true
}

@test "no space for the state" {
	small_root 64k
	fill
	run_fails 1 "no space left on device" moat run -b "$BUNDLE" "$ID"
	rm "$SMALL/filler"
	assert_nothing_left
	# However little there is: all or nothing.
	for free in 1 2 3 4 5 6 8 10 12; do
		fill
		truncate -s "-$((free * 4096))" "$SMALL/filler"
		run --separate-stderr moat run -b "$BUNDLE" "$ID"
		[ "$status" = 0 ] || [[ $stderr == *"no space left on device"* ]]
		rm "$SMALL/filler"
		assert_nothing_left
	done
	[ "$status" = 0 ]
}

@test "no space for the state of a container that runs" {
	small_root 64k
	args sleep 100
	moat create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	fill
	# The state is replaced as a whole, or not at all.
	run --separate-stderr moat start "$ID"
	[ "$status" = 0 ] || [[ $stderr == *"no space left on device"* ]]
	[[ $(state_of "$ID") =~ ^(created|running|stopped)$ ]]
	run -0 moat list
	run -0 moat delete -f "$ID"
	rm "$SMALL/filler"
	assert_nothing_left
}

@test "a state directory that cannot be written" {
	small_root 1m
	args sleep 100
	run_detached "$ID"
	mount -o remount,ro "$SMALL"
	run_fails 1 "read-only file system" moat run -b "$BUNDLE" "$ID-2"
	[ "$(state_of "$ID")" = running ]
	run -3 moat exec "$ID" sh -c 'exit 3'
	run -0 moat kill "$ID" KILL
	wait_for_status "$ID" stopped
	run_fails 1 "read-only file system" moat delete "$ID"
	mount -o remount,rw "$SMALL"
	run -0 moat delete -f "$ID"
	assert_nothing_left
}

@test "a memory limit that is too small to boot" {
	for limit in 4096 65536 262144 524288 1048576 2097152 4194304; do
		config '.linux.resources.memory = {"limit": $limit, "swap": $limit}' --argjson limit $limit
		run --separate-stderr timeout -s KILL 60 "$MOAT" --root "$ROOT" run -b "$BUNDLE" "$ID"
		echo "$limit: $status $stderr"
		[ "$status" != 137 ]
		[ "$status" = 0 ] || [ -n "$stderr" ]
		assert_nothing_left
	done
}

@test "a pids limit that is too small to boot" {
	# Guest tasks count, not what the sandbox is made of.
	config '.linux.resources.pids.limit = 1'
	run -0 moat run -b "$BUNDLE" "$ID"
	args sh -c 'sleep 1 & wait'
	run --separate-stderr ! moat run -b "$BUNDLE" "$ID"
	[[ $stderr == *"can't fork"* ]]
	assert_nothing_left
}

@test "few descriptors" {
	local limit worked=0
	for limit in $(seq 6 3 40) 64 72 128 256; do
		run --separate-stderr timeout -s KILL 60 bash -c 'ulimit -n "$1"; exec "${@:2}"' bash "$limit" \
			"$MOAT" --root "$ROOT" run -b "$BUNDLE" "$ID" </dev/null
		echo "$limit: $status $stderr"
		if [ "$status" = 0 ]; then
			worked=$((worked + 1))
		else
			[ "$status" = 1 ] || [ "$status" = 127 ]
			[ -n "$stderr" ]
		fi
		assert_nothing_left
	done
	[ "$worked" -gt 2 ]
}

@test "few files of a size" {
	for limit in 0 1 16; do
		run --separate-stderr timeout -s KILL 60 bash -c 'ulimit -f "$1"; exec "${@:2}"' bash "$limit" \
			"$MOAT" --root "$ROOT" run -b "$BUNDLE" "$ID" </dev/null
		echo "$limit: $status $stderr"
		[ "$status" = 0 ] || [ -n "$stderr" ] || [ "$status" = 153 ]
		run -0 moat delete -f "$ID"
		assert_nothing_left
	done
}

@test "a console socket with nobody behind it" {
	config '.process.terminal = true'
	run_fails 1 "no such file" moat create --console-socket "$BATS_TEST_TMPDIR/none" -b "$BUNDLE" "$ID"
	touch "$BATS_TEST_TMPDIR/file"
	run_fails 1 "connection refused" moat create --console-socket "$BATS_TEST_TMPDIR/file" -b "$BUNDLE" "$ID"
	# It listens, and its queue is full.
	python3 - "$BATS_TEST_TMPDIR/full" 3>&- <<-'P' &
		import socket, sys, time
		s = socket.socket(socket.AF_UNIX)
		s.bind(sys.argv[1])
		s.listen(0)
		c = socket.socket(socket.AF_UNIX)
		c.connect(sys.argv[1])
		open(sys.argv[1] + ".connected", "w")
		time.sleep(100)
	P
	listener=$!
	await test -e "$BATS_TEST_TMPDIR/full.connected"
	run_fails 1 "connection timed out" timeout -s KILL 60 "$MOAT" --root "$ROOT" create --console-socket \
		"$BATS_TEST_TMPDIR/full" -b "$BUNDLE" "$ID"
	kill $listener
	assert_nothing_left
}

@test "a hook that hangs" {
	for kind in prestart createRuntime createContainer startContainer poststart poststop; do
		cp "$BUNDLE/config.json" "$BATS_TEST_TMPDIR/config"
		config '.hooks[$kind] = [{path: "/bin/sleep", args: ["sleep", "100"], timeout: 1}]' --arg kind $kind
		run --separate-stderr timeout -s KILL 60 "$MOAT" --root "$ROOT" run -b "$BUNDLE" "$ID"
		echo "$kind: $status $stderr"
		[ "$status" != 137 ]
		[[ $stderr == *"hook"* ]]
		run -0 moat delete -f "$ID"
		assert_nothing_left
		cp "$BATS_TEST_TMPDIR/config" "$BUNDLE/config.json"
	done
}

@test "a hook without a timeout, and who waits for it is killed" {
	for kind in prestart createContainer poststart; do
		cp "$BUNDLE/config.json" "$BATS_TEST_TMPDIR/config"
		seconds=100.$RANDOM$$
		config '.hooks[$kind] = [{path: "/bin/sleep", args: ["sleep", $seconds]}]' --arg kind $kind --arg seconds $seconds
		"$MOAT" --root "$ROOT" run -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1 3>&- &
		until pgrep -fx "sleep $seconds" >/dev/null; do sleep 0.05; done
		kill -KILL $!
		run -0 timeout -s KILL 60 "$MOAT" --root "$ROOT" delete -f "$ID"
		kill $(pgrep -fx "sleep $seconds") 2>/dev/null || true
		assert_nothing_left
		cp "$BATS_TEST_TMPDIR/config" "$BUNDLE/config.json"
	done
}
