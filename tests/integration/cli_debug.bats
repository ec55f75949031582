#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# What runc has no command for: wait, usage, debug, list-syscalls.
bats_require_minimum_version 1.5.0
load helpers

setup() {
	bundle_setup
	config '.root.readonly = false'
	args sh -c 'trap "exit 5" TERM; sleep 1000 & while :; do sleep 0.1; done'
}
teardown() { bundle_teardown; }

# Until the last line of the program runs.
started() {
	run_detached "$@"
	local i
	for i in $(seq 600); do
		[ "$(moat ps -f json "${!#}" | jq length)" -ge 2 ] && return
		sleep 0.05
	done
	return 1
}

pid_of() {
	moat debug --stacks "$ID" | sed -n "s/^process \([0-9]*\) .*\"$1\".*/\1/p" | head -1
}

# stacks_have NAME CALL: a process of this name sleeps in this call.
stacks_have() {
	moat debug --stacks "$ID" >"$BATS_TEST_TMPDIR/stacks"
	grep -A1 "\"$1\" sleeping" "$BATS_TEST_TMPDIR/stacks" | grep -q "$2("
}

# wait_begin FILE ARGUMENT...: a wait in the background that has begun.
wait_begin() {
	"$MOAT" --root "$ROOT" wait "${@:2}" >"$1" 3>&- &
	await in_poll $!
}

@test "wait prints how a container ended, to all who wait" {
	started "$ID"
	for i in 1 2 3; do
		wait_begin "$BATS_TEST_TMPDIR/wait$i" "$ID"
	done
	sleep 0.3
	[ ! -s "$BATS_TEST_TMPDIR/wait1" ]
	moat kill "$ID" TERM
	wait
	for i in 1 2 3; do
		[ "$(cat "$BATS_TEST_TMPDIR/wait$i")" = "{\"id\":\"$ID\",\"exitStatus\":5}" ]
	done
	run_fails 1 "container not running" moat wait "$ID"
	run_fails 1 "container does not exist" moat wait nosuch
	run_fails 1 "only one of --pid and --rootpid" moat wait --pid 1 --rootpid 1 "$ID"
}

@test "wait for a container that is created, and one that is killed" {
	moat create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	wait_begin "$BATS_TEST_TMPDIR/wait" "$ID"
	sleep 0.2
	moat start "$ID"
	moat pause "$ID"
	[ ! -s "$BATS_TEST_TMPDIR/wait" ]
	moat kill "$ID" KILL
	wait
	[ "$(jq .exitStatus "$BATS_TEST_TMPDIR/wait")" = 137 ]
}

@test "wait for one process, which goes on being its parent's" {
	args sh -c 'sleep 1000 & p=$!; while [ ! -e /tmp/go ]; do sleep 0.05; done; kill -USR1 $p; while [ ! -e /tmp/on ]; do sleep 0.05; done; wait $p; exit $?'
	started "$ID"
	await stacks_have sleep nanosleep
	child=$(pid_of sleep)
	wait_begin "$BATS_TEST_TMPDIR/wait" --pid "$child" "$ID"
	sleep 0.2
	[ ! -s "$BATS_TEST_TMPDIR/wait" ]
	moat exec "$ID" sh -c ': >/tmp/go'
	wait
	# SIGUSR1
	[ "$(jq .exitStatus "$BATS_TEST_TMPDIR/wait")" = 138 ]
	wait_begin "$BATS_TEST_TMPDIR/wait" "$ID"
	sleep 0.2
	moat exec "$ID" sh -c ': >/tmp/on'
	wait
	[ "$(jq .exitStatus "$BATS_TEST_TMPDIR/wait")" = 138 ]
}

@test "wait for a process that does not exist" {
	started "$ID"
	run_fails 1 "there is no process 7777 in the container" moat wait --pid 7777 "$ID"
}

@test "debug --stacks names every thread and the call it is in" {
	args sh -c 'sleep 1000; true'
	started "$ID"
	await stacks_have sleep nanosleep
	await stacks_have sh wait4
	grep -A2 '^process 1 thread 1 "sh" sleeping' "$BATS_TEST_TMPDIR/stacks" | grep 'wait4(0x'
	grep -A2 '"sleep" sleeping' "$BATS_TEST_TMPDIR/stacks" | grep nanosleep
	grep -E 'at 0x[0-9a-f]+ /bin/busybox\+0x[0-9a-f]+' "$BATS_TEST_TMPDIR/stacks"
	[ "$(moat debug --ps "$ID")" = "$(moat ps "$ID")" ] || [ "$(moat debug --ps "$ID" | wc -l)" -ge 3 ]
}

@test "debug --stacks with more threads than one answer holds" {
	args sh -c 'for i in $(/bin/busybox seq 100); do sleep 1000 & done; while :; do sleep 1; done'
	started "$ID"
	for i in $(seq 100); do
		count=$(moat debug --stacks "$ID" | grep -c '"sleep"') || true
		[ "$count" -ge 100 ] && break
		sleep 0.1
	done
	[ "$count" -ge 100 ]
	moat debug --stacks "$ID" | sed -n 's/^process \([0-9]*\) .*/\1/p' >"$BATS_TEST_TMPDIR/pids"
	sort -c -u -n "$BATS_TEST_TMPDIR/pids"
}

@test "debug --signal reaches the process it names" {
	started "$ID"
	await stacks_have sleep nanosleep
	child=$(pid_of sleep)
	wait_begin "$BATS_TEST_TMPDIR/wait" --pid "$child" "$ID"
	sleep 0.2
	moat debug --signal USR2 --pid "$child" "$ID"
	wait
	[ "$(jq .exitStatus "$BATS_TEST_TMPDIR/wait")" = 140 ]
	run_fails 1 'unknown signal "NOSUCH"' moat debug --signal NOSUCH "$ID"
	run_fails 1 "needs one of --ps" moat debug "$ID"
	moat debug --signal TERM "$ID"
	wait_for_status "$ID" stopped
	run_fails 1 "container not running" moat debug --ps "$ID"
}

@test "debug --strace switches the log of system calls on and off" {
	log=$BATS_TEST_TMPDIR/log
	moat --debug-log "$log" run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	[ "$(grep -c 'wait4(' "$log")" = 0 ]
	moat debug --strace all "$ID"
	for i in $(seq 600); do
		grep -q 'sh wait4(' "$log" && break
		sleep 0.05
	done
	grep 'sh wait4(' "$log"
	moat debug --strace off "$ID"
	sleep 0.5
	lines=$(wc -l <"$log")
	sleep 0.5
	[ "$(wc -l <"$log")" = "$lines" ]
	run_fails 1 'invalid --strace "some"' moat debug --strace some "$ID"
}

@test "debug --strace without a log" {
	started "$ID"
	run_fails 1 "has no --debug-log" moat debug --strace all "$ID"
	moat debug --strace off "$ID"
}

@test "usage counts what a guest takes" {
	args sh -c 'while [ ! -e /tmp/go ]; do sleep 0.05; done; /bin/busybox dd if=/dev/zero of=/tmp/big bs=1M count=20 2>/dev/null; : >/tmp/done; sleep 1000'
	started "$ID"
	before=$(moat usage --full "$ID")
	jq -e '.System > 0 and .Anonymous > 0 and .Total == .System + .Anonymous + .Mapped + .Tmpfs' <<<"$before"
	moat exec "$ID" sh -c ': >/tmp/go; while [ ! -e /tmp/done ]; do sleep 0.05; done'
	after=$(moat usage --full "$ID")
	# The slots of address spaces that come and go are among the files: a few pages each.
	[ $(($(jq .Tmpfs <<<"$after") - $(jq .Tmpfs <<<"$before"))) -ge $((19 << 20)) ]
	[ $(($(jq .Tmpfs <<<"$after") - $(jq .Tmpfs <<<"$before"))) -lt $((22 << 20)) ]
	[ "$(moat usage "$ID" | jq -c keys)" = '["Total"]' ]
	moat kill "$ID" KILL
	wait_for_status "$ID" stopped
	run_fails 1 "container not running" moat usage "$ID"
}

@test "list-syscalls agrees with the table, in each form" {
	table=$BATS_TEST_DIRNAME/../../sentry/syscalls/syscalls.def
	"$MOAT" list-syscalls -f json >"$BATS_TEST_TMPDIR/json"
	"$MOAT" list-syscalls -f csv >"$BATS_TEST_TMPDIR/csv"
	"$MOAT" list-syscalls >"$BATS_TEST_TMPDIR/text"
	diff <(sed -n 's/^SYSCALL[_NONE]*(\([0-9]*\), *\([a-z0-9_]*\).*/\1 \2/p' "$table") \
		<(jq -r '.[] | "\(.number) \(.name)"' "$BATS_TEST_TMPDIR/json")
	diff <(sed -n 's/^SYSCALL_NONE([0-9]*, *\([a-z0-9_]*\).*/\1/p' "$table") \
		<(jq -r '.[] | select(.support == "none" and .note == "") | .name' "$BATS_TEST_TMPDIR/json")
	diff <(jq -r '.[] | "\(.number),\(.name),\(.support),\"\(.note | gsub("\""; "\"\""))\""' "$BATS_TEST_TMPDIR/json") \
		<(tail -n +2 "$BATS_TEST_TMPDIR/csv")
	diff <(jq -r '.[] | "\(.number) \(.name) \(.support)"' "$BATS_TEST_TMPDIR/json") \
		<(awk 'NR > 1 { print $1, $2, $3 }' "$BATS_TEST_TMPDIR/text")
	run_fails 1 "invalid format option" "$MOAT" list-syscalls -f xml
}
