#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# The life of a container: every command, its output, its exit status, and that nothing is left.
bats_require_minimum_version 1.5.0
load helpers

setup() { bundle_setup; }
teardown() { bundle_teardown; }

@test "run ends with the status of the process and leaves nothing" {
	for status in 0 1 42 255; do
		args sh -c "exit $status"
		run -$status moat run -b "$BUNDLE" "$ID"
	done
	assert_nothing_left
}

@test "run reports a signal as 128 + n" {
	for signal in KILL TERM; do
		args sh -c 'sleep 100; exit 1'
		[ $signal = KILL ] || args sh -c 'trap "kill -KILL \$\$; exit 143" TERM; echo ready; while :; do sleep 0.1; done'
		"$MOAT" --root "$ROOT" run -b "$BUNDLE" "$ID" </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1 &
		run_pid=$!
		for i in $(seq 600); do
			[ "$(state_of "$ID" 2>/dev/null)" = running ] && break
			sleep 0.05
		done
		[ $signal = KILL ] || await grep -q ready "$BATS_TEST_TMPDIR/out"
		moat kill "$ID" $signal
		status=0
		wait $run_pid || status=$?
		[ "$status" -eq $((128 + $(kill -l $signal))) ]
	done
	assert_nothing_left
}

@test "an init that kills itself is not killed, as under runc" {
	args sh -c 'kill -9 $$; exit 5'
	run -5 moat run -b "$BUNDLE" "$ID"
	assert_nothing_left
}

@test "run passes on what the process prints" {
	args echo one two
	run -0 moat run -b "$BUNDLE" "$ID"
	[[ $output == *one*two* ]] || [[ $output == one*two ]]
}

@test "create, start, state, list, kill, delete" {
	args sleep 100
	moat create -b "$BUNDLE" --pid-file "$BATS_TEST_TMPDIR/pid" "$ID" </dev/null >/dev/null 2>&1
	pid=$(cat "$BATS_TEST_TMPDIR/pid")
	[ "$(state_of "$ID")" = created ]
	[ "$(moat state "$ID" | jq .pid)" = "$pid" ]
	[ "$(moat state "$ID" | jq -r .bundle)" = "$BUNDLE" ]
	[ "$(moat state "$ID" | jq -r .rootfs)" = "$BUNDLE/rootfs" ]
	run -0 moat start "$ID"
	[ "$(state_of "$ID")" = running ]
	run_fails 1 "cannot start an already running container" moat start "$ID"
	[ "$(moat list -q)" = "$ID" ]
	[ "$(moat list -f json | jq -r '.[0].id')" = "$ID" ]
	[ "$(moat list -f json | jq -r '.[0].owner')" = root ]
	run_fails 1 "cannot delete container $ID that is not stopped: running" moat delete "$ID"
	moat kill "$ID" KILL
	wait_for_status "$ID" stopped
	[ "$(moat state "$ID" | jq .pid)" = 0 ]
	run_fails 1 "cannot start a container that has stopped" moat start "$ID"
	run_fails 1 "container not running" moat kill "$ID" TERM
	run -0 moat kill --all "$ID" TERM
	run -0 moat delete "$ID"
	run_fails 1 "container does not exist" moat delete "$ID"
	run -0 moat delete --force "$ID"
	assert_nothing_left
}

@test "state and list have runc's fields in runc's form" {
	command -v runc || skip "runc is not installed"
	args sleep 100
	run_detached "$ID"
	runc --root "$BATS_TEST_TMPDIR/runc" run -d -b "$BUNDLE" "$ID-runc" </dev/null >/dev/null 2>&1
	ours=$(moat state "$ID")
	theirs=$(runc --root "$BATS_TEST_TMPDIR/runc" state "$ID-runc")
	[ "$(jq -c keys_unsorted <<<"$ours")" = "$(jq -c keys_unsorted <<<"$theirs")" ]
	[ "$(jq -c '.[0]|keys_unsorted' <<<"$(moat list -f json)")" = \
		"$(jq -c '.[0]|keys_unsorted' <<<"$(runc --root "$BATS_TEST_TMPDIR/runc" list -f json)")" ]
	[ "$(moat list | head -1 | tr -s ' ')" = \
		"$(runc --root "$BATS_TEST_TMPDIR/runc" list | head -1 | tr -s ' ')" ]
	runc --root "$BATS_TEST_TMPDIR/runc" delete -f "$ID-runc"
	[ "$(moat --root /nonexistent list -f json)" = "$(runc --root /nonexistent list -f json)" ]
}

@test "list: columns are runc's, with characters of more than one byte too" {
	command -v runc || skip "runc is not installed"
	RUNC=(runc --root "$BATS_TEST_TMPDIR/runc")
	args sleep 100
	mv "$BUNDLE" "$BUNDLE-ünïcödé 'x\"y"
	BUNDLE+="-ünïcödé 'x\"y"
	run_detached "$ID"
	config '.linux.cgroupsPath = $p' --arg p "/$ID-runc"
	"${RUNC[@]}" run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	# A time ends in no zero, so not all are of one length.
	form() {
		sed -E 's/ [0-9]+ +running/ PID running/; s/[0-9T:-]{19}\.[0-9]*[1-9]Z */TIME /; s/CREATED +/CREATED /'
	}
	"${RUNC[@]}" list | form >"$BATS_TEST_TMPDIR/runc.list"
	"${RUNC[@]}" state "$ID" | grep -E 'bundle|rootfs' >"$BATS_TEST_TMPDIR/runc.state"
	"${RUNC[@]}" delete -f "$ID"
	diff "$BATS_TEST_TMPDIR/runc.list" <(moat list | form)
	diff "$BATS_TEST_TMPDIR/runc.state" <(moat state "$ID" | grep -E 'bundle|rootfs')
}

@test "annotations are in the state" {
	config '.annotations = {"org.example.key": "value"}'
	args sleep 100
	run_detached "$ID"
	[ "$(moat state "$ID" | jq -r '.annotations["org.example.key"]')" = value ]
}

@test "a container that was created and never started can be deleted" {
	moat create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	run -0 moat delete "$ID"
	assert_nothing_left
}

@test "delete --force of a running container" {
	args sleep 100
	run_detached "$ID"
	run -0 moat delete -f "$ID"
	assert_nothing_left
}

@test "run forwards signals and removes the container" {
	args sh -c 'trap "exit 3" TERM; echo ready; while :; do sleep 0.1; done'
	"$MOAT" --root "$ROOT" run -b "$BUNDLE" "$ID" </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1 &
	run_pid=$!
	await grep -q ready "$BATS_TEST_TMPDIR/out"
	kill -TERM $run_pid
	wait $run_pid || status=$?
	[ "$status" -eq 3 ]
	assert_nothing_left
}

# signalled FILE SIGNAL COMMAND...: what a container says to a signal that its run, which is COMMAND, gets; at last it is ended.
signalled() {
	local file=$1 signal=$2 i
	shift 2
	: >"$file"
	"$@" </dev/null >"$file" 2>&1 &
	local pid=$! status=0
	for i in $(seq 600); do
		grep -q ready "$file" && break
		sleep 0.05
	done
	kill -s "$signal" $pid
	# What is not passed on has no end to wait for.
	for i in $(seq 60); do
		[ "$(wc -l <"$file")" -gt 1 ] || ! kill -0 $pid 2>/dev/null && break
		sleep 0.05
	done
	kill -s TERM $pid 2>/dev/null || true
	wait $pid || status=$?
	echo "$signal $status" >>"$file"
}

@test "run forwards the signals that runc forwards" {
	command -v runc || skip "runc is not installed"
	local signal
	args sh -c 'for s in HUP INT QUIT USR1 USR2 WINCH CONT PIPE ALRM TTIN TTOU IO; do trap "echo $s" $s; done; trap "exit 7" TERM; echo ready; while :; do sleep 0.05; done'
	for signal in HUP INT QUIT USR1 USR2 WINCH CONT PIPE CHLD ALRM TTIN TTOU IO TERM; do
		signalled "$BATS_TEST_TMPDIR/runc.out" $signal runc --root "$BATS_TEST_TMPDIR/runc" run -b "$BUNDLE" "$ID-runc"
		signalled "$BATS_TEST_TMPDIR/moat.out" $signal "$MOAT" --root "$ROOT" run -b "$BUNDLE" "$ID"
		diff "$BATS_TEST_TMPDIR/runc.out" "$BATS_TEST_TMPDIR/moat.out"
	done
	assert_nothing_left
}

@test "run --keep keeps the stopped container" {
	run -0 moat run --keep -b "$BUNDLE" "$ID"
	[ "$(state_of "$ID")" = stopped ]
	run -0 moat delete "$ID"
	assert_nothing_left
}

@test "kill: names and numbers" {
	args sleep 100
	run_detached "$ID"
	run -0 moat kill "$ID" 0
	run -0 moat kill "$ID" CONT
	run -0 moat kill "$ID" SIGCONT
	run -0 moat kill "$ID" sigcont
	run -0 moat kill "$ID" 18
	run_fails 1 'unknown signal "FOO"' moat kill "$ID" FOO
	run_fails 1 'unable to signal init: invalid argument' moat kill "$ID" 65
	run_fails 1 "container does not exist" moat kill nope KILL
	run -0 moat kill "$ID" 9
	wait_for_status "$ID" stopped
}

@test "the pid file is written whole, also by a relative path" {
	cd "$BATS_TEST_TMPDIR"
	args sleep 100
	run_detached --pid-file here.pid "$ID"
	[ "$(cat here.pid)" = "$(moat state "$ID" | jq .pid)" ]
	[ -z "$(ls -A | grep tmp$ || true)" ]
}

@test "a pid file that cannot be written undoes the creation" {
	run_fails 1 "open /nosuch/.pid.tmp: no such file or directory" moat create -b "$BUNDLE" --pid-file /nosuch/pid "$ID"
	assert_nothing_left
}

@test "commands on a container that does not exist" {
	run_fails 1 "container does not exist" moat state nope
	run_fails 1 "container does not exist" moat start nope
	run_fails 1 "container does not exist" moat ps nope
	run_fails 1 "container does not exist" moat delete nope
	run_fails 255 "container does not exist" moat exec nope true
}

@test "the host's pid is the sandbox's, and its death the container's" {
	args sleep 100
	run_detached "$ID"
	kill -9 "$(moat state "$ID" | jq .pid)"
	wait_for_status "$ID" stopped
	run -0 moat delete "$ID"
	assert_nothing_left
}
