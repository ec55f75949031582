#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# pause and resume: nothing moves in between, and nothing is lost.
bats_require_minimum_version 1.5.0
load helpers

setup() { bundle_setup; }
teardown() { bundle_teardown; }

# Starts what keeps printing, forking and computing; its output goes to $OUT.
start_busy() {
	OUT=$BATS_TEST_TMPDIR/out
	args sh -c 'while :; do :; done & while :; do sleep 0.01; true; done & trap "echo term; exit 3" TERM; while :; do echo x; sleep 0.01; done'
	moat run -d -b "$BUNDLE" "$ID" </dev/null >"$OUT" 2>&1
	wait_for_status "$ID" running
	wait_for_growth
}

# CPU time of all processes of the container's sandbox, in clock ticks.
cpu_time() {
	local file
	for file in $(grep -ls -- "$ID" /proc/[0-9]*/cgroup); do
		cat "${file%/cgroup}/stat" 2>/dev/null || true
	done | sed 's/.*) //' | awk '{ sum += $12 + $13 } END { print sum + 0 }'
}

wait_for_growth() {
	local before i
	before=$(stat -c %s "$OUT")
	for i in $(seq 600); do
		[ "$(stat -c %s "$OUT")" -gt "$before" ] && return 0
		sleep 0.05
	done
	echo "nothing is printed"
	return 1
}

standing_still() {
	local size cpu
	size=$(stat -c %s "$OUT")
	cpu=$(cpu_time)
	sleep 0.5
	# The sentry's own timers may take a tick.
	[ "$(stat -c %s "$OUT")" = "$size" ] && [ $(($(cpu_time) - cpu)) -le 2 ]
}

@test "a paused container stands still, and goes on when it is resumed" {
	start_busy
	for round in 1 2 3; do
		moat pause "$ID"
		[ "$(state_of "$ID")" = paused ]
		[ "$(moat list -f json | jq -r '.[0].status')" = paused ]
		standing_still
		moat resume "$ID"
		[ "$(state_of "$ID")" = running ]
		wait_for_growth
	done
	moat delete -f "$ID"
	assert_nothing_left
}

@test "pause and resume fail as with runc" {
	command -v runc || skip "runc is not installed"
	args sleep 100
	run_detached "$ID"
	runc --root "$BATS_TEST_TMPDIR/runc" run -d -b "$BUNDLE" "$ID-runc" </dev/null >/dev/null 2>&1
	both() {
		local ours theirs our_status=0 their_status=0
		ours=$(moat --log-format json "$1" "$ID" 2>&1) || our_status=$?
		theirs=$(runc --root "$BATS_TEST_TMPDIR/runc" --log-format json "$1" "$ID-runc" 2>&1) ||
			their_status=$?
		[ "$our_status" = "$their_status" ]
		[ "$(jq -r .msg <<<"$ours")" = "$(jq -r .msg <<<"$theirs")" ]
	}
	both resume
	both pause
	both pause
	both resume
	both resume
	moat kill "$ID" KILL
	runc --root "$BATS_TEST_TMPDIR/runc" kill "$ID-runc" KILL
	wait_for_status "$ID" stopped
	sleep 0.2
	both pause
	both resume
	runc --root "$BATS_TEST_TMPDIR/runc" delete -f "$ID-runc"
	run_fails 1 "container does not exist" moat pause "$ID-none"
	run_fails 1 "container does not exist" moat resume "$ID-none"
}

@test "exec waits for nobody: it is refused in a paused container, or stands still in it" {
	start_busy
	moat pause "$ID"
	run_fails 255 "cannot exec in a paused container (use --ignore-paused to override)" \
		moat exec "$ID" echo no
	moat exec --ignore-paused "$ID" echo yes </dev/null >"$BATS_TEST_TMPDIR/exec" 2>&1 &
	exec_pid=$!
	await standing_still
	[ ! -s "$BATS_TEST_TMPDIR/exec" ]
	moat resume "$ID"
	wait $exec_pid
	[ "$(cat "$BATS_TEST_TMPDIR/exec")" = yes ]
}

@test "signals wait for the resume, all but SIGKILL" {
	start_busy
	moat pause "$ID"
	moat kill "$ID" TERM
	standing_still
	moat resume "$ID"
	wait_for_status "$ID" stopped
	[ "$(tail -n 1 "$OUT")" = term ]
	moat delete "$ID"
	start_busy
	moat pause "$ID"
	moat kill "$ID" KILL
	wait_for_status "$ID" stopped
	moat delete "$ID"
	start_busy
	moat pause "$ID"
	run_fails 1 "cannot delete container $ID that is not stopped: paused" moat delete "$ID"
	moat delete --force "$ID"
	assert_nothing_left
}

@test "a created container that was paused can be started after its resume" {
	args echo started
	moat create -b "$BUNDLE" "$ID" </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1
	moat pause "$ID"
	[ "$(state_of "$ID")" = paused ]
	run_fails 1 "cannot start a container in the paused state" moat start "$ID"
	moat resume "$ID"
	[ "$(state_of "$ID")" = created ]
	moat start "$ID"
	wait_for_status "$ID" stopped
	[ "$(cat "$BATS_TEST_TMPDIR/out")" = started ]
}

@test "a stopped process is found as it was" {
	config '.root.readonly = false'
	args sleep 100
	run_detached "$ID"
	moat exec -d "$ID" sh -c 'kill -STOP $$; echo woken >/tmp/woken; sleep 100' </dev/null >/dev/null 2>&1
	stopped() {
		moat exec "$ID" sh -c 'busybox grep -l "^State:.T" /proc/[0-9]*/status' 2>/dev/null
	}
	for i in $(seq 600); do
		stopped && break
		sleep 0.05
	done
	pid=$(stopped | tr -dc 0-9)
	[ -n "$pid" ]
	moat pause "$ID"
	moat resume "$ID"
	[ "$(stopped | tr -dc 0-9)" = "$pid" ]
	run ! moat exec "$ID" cat /tmp/woken
	moat exec "$ID" kill -CONT "$pid"
	for i in $(seq 600); do
		moat exec "$ID" cat /tmp/woken >/dev/null 2>&1 && break
		sleep 0.05
	done
	[ "$(moat exec "$ID" cat /tmp/woken)" = woken ]
}

@test "pause against those who fork, and its own opposite, a hundred times" {
	args sh -c 'while :; do (true) & (true) & wait; done'
	run_detached "$ID"
	for i in $(seq 100); do
		moat pause "$ID"
		moat resume "$ID"
	done
	moat pause "$ID"
	[ "$(state_of "$ID")" = paused ]
	cpu=$(cpu_time)
	sleep 0.3
	[ $(($(cpu_time) - cpu)) -le 2 ]
	moat delete -f "$ID"
	assert_nothing_left
}
