#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# Every process of moat is killed at many moments: delete --force then leaves nothing.  And commands
# on one container race each other: none hangs, none leaves anything.
bats_require_minimum_version 1.5.0
load helpers

POINTS="0 0.004 0.008 0.012 0.016 0.02 0.025 0.03 0.04 0.06"

setup() {
	bundle_setup
	args sh -c 'sleep 100; true'
	# A limit, so that the container has a cgroup in each hierarchy.
	config '.linux.resources.memory.limit = 500000000 | .linux.resources.pids.limit = 100'
}

teardown() { bundle_teardown; }

# Runs a command of moat in the background: its pid is in $command_pid.
command_begin() {
	timeout -s KILL 60 "$MOAT" --root "$ROOT" "$@" </dev/null >/dev/null 2>&1 &
	timeout_pid=$!
	command_start=$SECONDS
	command_pid=
	until [ -n "$command_pid" ]; do
		command_pid=$(pgrep -P $timeout_pid) || kill -0 $timeout_pid 2>/dev/null || return 0
	done
}

command_killed() { # DELAY
	sleep "$1"
	[ -z "$command_pid" ] || kill -KILL "$command_pid" 2>/dev/null || true
	wait $timeout_pid || true
}

# The command ends by itself, long before its timeout.
command_ends() {
	wait $timeout_pid || true
	[ $((SECONDS - command_start)) -lt 60 ]
}

all_gone() {
	run -0 moat delete --force "$ID"
	assert_nothing_left
}

@test "create is killed" {
	for delay in $POINTS; do
		command_begin create -b "$BUNDLE" "$ID"
		command_killed $delay
		all_gone
	done
}

@test "run is killed" {
	for delay in $POINTS 0.2; do
		command_begin run -b "$BUNDLE" "$ID"
		command_killed $delay
		all_gone
	done
}

@test "start is killed" {
	for delay in 0 0.001 0.002 0.004 0.01; do
		moat create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
		command_begin start "$ID"
		command_killed $delay
		all_gone
	done
}

@test "delete is killed" {
	for delay in 0 0.001 0.002 0.004 0.01 0.02; do
		run_detached "$ID"
		command_begin delete --force "$ID"
		command_killed $delay
		all_gone
	done
}

@test "exec is killed, and with it its process" {
	run_detached "$ID"
	for delay in 0 0.002 0.005 0.01 0.05; do
		command_begin exec "$ID" sleep 100
		command_killed $delay
		for i in $(seq 600); do
			[ "$(moat ps -f json "$ID" | jq length)" = 2 ] && break
			sleep 0.05
		done
		[ "$(moat ps -f json "$ID" | jq length)" = 2 ]
	done
	all_gone
}

# The sentry and the gofer are the children of the command that starts them.
kill_a_child() { # WHICH DELAY
	local children
	sleep "$2"
	mapfile -t children < <(pgrep -P "$command_pid")
	[ ${#children[@]} -le "$1" ] || kill -KILL "${children[$1]}" 2>/dev/null || true
}

@test "the sentry or the gofer is killed while it starts" {
	for which in 0 1; do
		for delay in $POINTS; do
			command_begin create -b "$BUNDLE" "$ID"
			[ -z "$command_pid" ] || kill_a_child $which $delay
			command_ends
			all_gone
		done
	done
}

@test "the sentry or the gofer is killed while the container runs" {
	for victim in sentryPid goferPid; do
		for how in create run; do
			[ $how = run ] || moat create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
			[ $how = create ] || run_detached "$ID"
			kill -KILL "$(jq .$victim "$ROOT/$ID/state.json")"
			all_gone
		done
	done
}

@test "a run whose sentry is killed ends, and removes the container" {
	command_begin run -b "$BUNDLE" "$ID"
	wait_for_status "$ID" running
	kill -KILL "$(jq .sentryPid "$ROOT/$ID/state.json")"
	command_ends
	assert_nothing_left
}

@test "the command and a child are killed at once" {
	for delay in $POINTS; do
		command_begin run -b "$BUNDLE" "$ID"
		[ -z "$command_pid" ] || kill_a_child 0 $delay
		command_killed 0
		all_gone
	done
}

@test "start, kill and delete at the same time" {
	for round in 1 2 3 4 5 6; do
		moat create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
		pids=
		for command in "start $ID" "kill $ID KILL" "start $ID" "kill --all $ID KILL" "delete $ID" "delete -f $ID" "state $ID" "ps $ID"; do
			# shellcheck disable=SC2086
			timeout -s KILL 60 "$MOAT" --root "$ROOT" $command </dev/null >/dev/null 2>&1 &
			pids="$pids $!"
		done
		for pid in $pids; do
			status=0
			wait "$pid" || status=$?
			[ $status -le 1 ]
		done
		all_gone
	done
}

@test "create, run and delete of one id at the same time" {
	for round in 1 2 3 4; do
		pids=
		for command in "create -b $BUNDLE $ID" "run -d -b $BUNDLE $ID" "delete -f $ID" "create -b $BUNDLE $ID" "delete -f $ID" "list -q"; do
			# shellcheck disable=SC2086
			timeout -s KILL 60 "$MOAT" --root "$ROOT" $command </dev/null >/dev/null 2>&1 &
			pids="$pids $!"
		done
		for pid in $pids; do
			status=0
			wait "$pid" || status=$?
			[ $status -le 1 ]
		done
		all_gone
	done
}

@test "exec and delete at the same time" {
	for round in 1 2 3; do
		run_detached "$ID"
		pids=
		for i in 1 2 3; do
			timeout -s KILL 60 "$MOAT" --root "$ROOT" exec "$ID" sleep 100 </dev/null >/dev/null 2>&1 &
			pids="$pids $!"
		done
		sleep 0.0$round
		start=$SECONDS
		run -0 moat delete -f "$ID"
		for pid in $pids; do
			status=0
			wait "$pid" || status=$?
			# 255: not started, 137 as 128 + KILL: it was running.  A timeout would take a minute.
			[ $status -eq 255 ] || [ $status -eq 137 ]
		done
		[ $((SECONDS - start)) -lt 60 ]
		assert_nothing_left
	done
}
