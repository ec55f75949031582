#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# startContainer hooks: programs of the container, run in it before its own process.
bats_require_minimum_version 1.5.0
load helpers

setup() {
	bundle_setup
	mkdir "$BATS_TEST_TMPDIR/data"
	config '.mounts += [{"destination": "/data", "type": "bind", "source": $d, "options": ["bind"]}]' \
		--arg d "$BATS_TEST_TMPDIR/data"
}

teardown() { bundle_teardown; }

hook() { # SCRIPT [JQ]: adds a hook that runs it in the container's shell
	config '.hooks.startContainer += [{"path": "/bin/sh", "args": ["sh", "-c", $s]} + ('"${2:-{\}}"')]' \
		--arg s "$1"
}

@test "startContainer: before the process, in the container" {
	hook 'echo first >>/data/log; [ -x /bin/busybox ] && [ ! -e /etc/shadow ]'
	hook 'echo second >>/data/log'
	args sh -c 'echo process >>/data/log'
	run -0 moat run -b "$BUNDLE" "$ID"
	[ "$(xargs <"$BATS_TEST_TMPDIR/data/log")" = "first second process" ]
	assert_nothing_left
}

@test "startContainer: at start, not at create" {
	hook 'echo hook >>/data/log'
	args sleep 100
	moat create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	[ ! -e "$BATS_TEST_TMPDIR/data/log" ]
	run -0 moat start "$ID"
	[ "$(cat "$BATS_TEST_TMPDIR/data/log")" = hook ]
	[ "$(state_of "$ID")" = running ]
	[ "$(moat ps -f json "$ID" | jq length)" = 1 ]
}

@test "startContainer: state, identity, directory and environment as under runc" {
	command -v runc || skip "runc is not installed"
	hook 'cat >/data/state; { id; pwd; umask; ulimit -n; env | sort; grep Cap /proc/self/status; } >/data/$RUNTIME'
	hook 'env >>/data/$RUNTIME' '{"env": ["A=b", "RUNTIME=" + $ENV.RUNTIME]}'
	config '.process.user = {"uid": 12, "gid": 34, "umask": 63} | .process.cwd = "/tmp" | .annotations = {"k": "v"} |
		.process.rlimits = [{"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200}]'
	chmod 777 "$BATS_TEST_TMPDIR/data"
	for RUNTIME in runc moat; do
		config '.process.env += ["RUNTIME=" + $r] | .hooks.startContainer[1].env[1] = "RUNTIME=" + $r' --arg r $RUNTIME
		if [ $RUNTIME = runc ]; then
			runc --root "$BATS_TEST_TMPDIR/runc" run -b "$BUNDLE" "$ID"
		else
			moat run -b "$BUNDLE" "$ID"
		fi
		jq -S . "$BATS_TEST_TMPDIR/data/state" >>"$BATS_TEST_TMPDIR/data/$RUNTIME"
		rm "$BATS_TEST_TMPDIR/data/state"
	done
	diff <(sed s/runc/moat/ "$BATS_TEST_TMPDIR/data/runc") "$BATS_TEST_TMPDIR/data/moat"
	grep -q '"status": "created"' "$BATS_TEST_TMPDIR/data/moat"
}

@test "startContainer: what it prints is not the container's output" {
	hook 'echo noise; echo noise >&2'
	args echo signal
	run -0 moat run -b "$BUNDLE" "$ID"
	[ "$output" = signal ]
}

@test "startContainer: a failure fails the start and stops the container" {
	hook 'echo why; exit 3'
	hook 'echo second >/data/log'
	args sh -c 'echo process >/data/log'
	run_fails 1 'error running startContainer hook #0: /bin/sh: exit status 3, output: "why"' \
		moat run -b "$BUNDLE" "$ID"
	assert_nothing_left
	moat create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	run_fails 1 'error running startContainer hook #0' moat start "$ID"
	[ "$(state_of "$ID")" = stopped ]
	run -0 moat delete "$ID"
	[ ! -e "$BATS_TEST_TMPDIR/data/log" ]
	assert_nothing_left
}

@test "startContainer: missing, killed, out of time" {
	config '.hooks.startContainer = [{"path": "/nosuch"}]'
	run_fails 1 'error running startContainer hook #0: exec: "/nosuch": stat /nosuch: no such file or directory' \
		moat run -b "$BUNDLE" "$ID"
	config 'del(.hooks)'
	hook 'kill -9 $$'
	run_fails 1 "/bin/sh: killed by signal 9" moat run -b "$BUNDLE" "$ID"
	config 'del(.hooks)'
	hook 'sleep 100' '{"timeout": 1}'
	run_fails 1 "/bin/sh: timed out after 1 s" moat run -b "$BUNDLE" "$ID"
	assert_nothing_left
}

@test "startContainer: more output than anybody wants" {
	hook 'cat /dev/zero | head -c 1000000 >&2; exit 1'
	run_fails 1 "exit status 1" moat run -b "$BUNDLE" "$ID"
	[ ${#stderr} -lt 4000 ]
	assert_nothing_left
}

@test "startContainer: one that never ends does not keep the container from being deleted" {
	hook 'echo started >/data/log; sleep 1000'
	args true
	moat create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	"$MOAT" --root "$ROOT" start "$ID" </dev/null >/dev/null 2>&1 &
	start_pid=$!
	for i in $(seq 600); do
		[ -s "$BATS_TEST_TMPDIR/data/log" ] && break
		sleep 0.05
	done
	[ "$(state_of "$ID")" = created ]
	run -0 timeout 30 "$MOAT" --root "$ROOT" delete -f "$ID"
	status=0
	wait $start_pid || status=$?
	[ $status -eq 1 ]
	assert_nothing_left
}

@test "startContainer: killed with the container" {
	hook 'echo started >/data/log; sleep 1000'
	moat create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1
	"$MOAT" --root "$ROOT" start "$ID" </dev/null >/dev/null 2>&1 &
	start_pid=$!
	for i in $(seq 600); do
		[ -s "$BATS_TEST_TMPDIR/data/log" ] && break
		sleep 0.05
	done
	run -0 moat kill "$ID" KILL
	status=0
	wait $start_pid || status=$?
	[ $status -eq 1 ]
	[ "$(state_of "$ID")" = stopped ]
	run -0 moat delete "$ID"
	assert_nothing_left
}
