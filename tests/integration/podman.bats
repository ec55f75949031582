#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# podman with moat as its runtime, against the same command with runc.

load helpers.bash
load docker_helpers.bash
load podman_helpers.bash

setup_file() {
	podman_setup
}

teardown_file() {
	podman_teardown
}

same() {
	local runtime status
	for runtime in runc "$MOAT"; do
		status=0
		pod --runtime "$runtime" run --rm --network none "$@" \
			<"${INPUT:-/dev/null}" >"$BATS_TEST_TMPDIR/${runtime##*/}.out" \
			2>"$BATS_TEST_TMPDIR/${runtime##*/}.err" || status=$?
		echo $status >"$BATS_TEST_TMPDIR/${runtime##*/}.status"
	done
	tail -n 5 "$BATS_TEST_TMPDIR/moat.err"
	diff -u "$BATS_TEST_TMPDIR/runc.out" "$BATS_TEST_TMPDIR/moat.out"
	diff "$BATS_TEST_TMPDIR/runc.status" "$BATS_TEST_TMPDIR/moat.status"
}

@test "podman: echo, status, environment, user" {
	same box echo hello
	same box sh -c 'exit 9'
	same -e A=b -w /tmp -u 1000 box sh -c 'echo $A $(pwd) $(id -u)'
}

@test "podman: standard input" {
	seq 100 >"$BATS_TEST_TMPDIR/in"
	INPUT=$BATS_TEST_TMPDIR/in same -i box wc -l
}

@test "podman: volumes, --read-only, --tmpfs" {
	mkdir -p "$BATS_TEST_TMPDIR/v"
	echo x >"$BATS_TEST_TMPDIR/v/f"
	same -v "$BATS_TEST_TMPDIR/v:/v" box cat /v/f
	same --read-only --tmpfs /scratch box sh -c 'echo a > /scratch/a; cat /scratch/a; touch /no 2>/dev/null || echo refused'
}

@test "podman: --memory" {
	run -0 pod --runtime "$MOAT" run --rm --network none \
		--memory 64m --memory-swap 64m box sh -c 'grep MemTotal /proc/meminfo'
	[[ $output =~ MemTotal:\ *65536\ kB ]]
	# The shell that takes more is killed, the container is not.
	same --memory 64m --memory-swap 64m box \
		sh -c 'busybox dd if=/dev/zero of=/dev/null bs=200M count=1 2>/dev/null; echo "then $?"'
	grep -qx "then 137" "$BATS_TEST_TMPDIR/moat.out"
}

@test "podman: a command that does not exist" {
	same box /no/such
}

@test "podman: exec, stop, logs" {
	id=$(pod --runtime "$MOAT" run -d --network none box sh -c 'echo started; sleep 100')
	run pod --runtime "$MOAT" exec "$id" sh -c 'echo inside; exit 4'
	[ "$output" = inside ]
	[ "$status" = 4 ]
	pod --runtime "$MOAT" logs "$id" | grep -q started
	pod --runtime "$MOAT" stop -t 1 "$id"
	pod --runtime "$MOAT" rm "$id"
}
