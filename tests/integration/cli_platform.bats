#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Which platform a container gets, and where trap cannot start.
bats_require_minimum_version 1.5.0
load helpers

setup()
{
	bundle_setup
	WITH_LISTENER=${top_builddir:-$PWD}/tests/integration/with_listener
	[ -x "$WITH_LISTENER" ] || skip "with_listener is not built: make check TESTS="
	args /bin/echo hello
}
teardown() { bundle_teardown; }

# The CLI under a filter with a listener; the first argument is a file for the log.
run_under_listener()
{
	"$WITH_LISTENER" "$MOAT" --root "$ROOT" --debug-log "$1" "${@:2}" run -b "$BUNDLE" "$ID" </dev/null
}

@test "under a listener the default platform gives way to ptrace, with a warning" {
	run -0 run_under_listener "$BATS_TEST_TMPDIR/log"
	[ "$output" = hello ]
	grep -q "level=warning.*platform trap: .*listener.*ptrace" "$BATS_TEST_TMPDIR/log"
}

@test "without a listener there is no such warning" {
	run -0 moat --debug-log "$BATS_TEST_TMPDIR/log" run -b "$BUNDLE" "$ID"
	[ "$output" = hello ]
	! grep -q "platform trap" "$BATS_TEST_TMPDIR/log"
}

@test "under a listener --platform=trap fails and says what to do" {
	run -1 run_under_listener "$BATS_TEST_TMPDIR/log" --platform=trap
	[[ $output == *"platform trap: "*"listener"*"--platform=ptrace"* ]]
	[ "$(moat list -q)" = "" ]
}

@test "under a listener --platform=ptrace runs" {
	run -0 run_under_listener "$BATS_TEST_TMPDIR/log" --platform=ptrace
	[ "$output" = hello ]
	! grep -q "platform trap" "$BATS_TEST_TMPDIR/log"
}

@test "--strict-memory runs programs" {
	args /bin/sh -c 'echo $(echo a b c | /bin/busybox sort | /bin/busybox wc -w)'
	run -0 moat --platform=trap --strict-memory run -b "$BUNDLE" "$ID"
	[ "$output" = 3 ]
}

# The guest makes no call any more once it was held: a signal that the stub forgets is never seen.
@test "a signal that comes on the way back from the stub is not lost, at whatever instruction" {
	local place pid runs code

	cp "${top_builddir:-$PWD}/tests/integration/kick_held" "$BUNDLE/rootfs/bin/"
	args /bin/kick_held guest
	for place in look vectors return; do
		moat --platform=trap run -b "$BUNDLE" "$ID" </dev/null >"$BATS_TEST_TMPDIR/$place" &
		runs=$!
		until [ -s "$BATS_TEST_TMPDIR/$place" ] || ! kill -0 $runs; do sleep 0.05; done
		pid=$(moat ps -f json "$ID" | jq '.[-1]')
		"$BUNDLE/rootfs/bin/kick_held" hold "$pid" "$place" "$MOAT" --root "$ROOT" kill "$ID" USR1
		code=0
		wait $runs || code=$?
		[ $code = 7 ]
	done
}
