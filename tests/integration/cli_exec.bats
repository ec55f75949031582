#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# exec and ps.
bats_require_minimum_version 1.5.0
load helpers

setup() {
	bundle_setup
	args sleep 100
	run_detached "$ID"
}

teardown() {
	[ ! -d "$BATS_TEST_TMPDIR/runc" ] || runc --root "$BATS_TEST_TMPDIR/runc" delete -f "$ID-runc" || true
	bundle_teardown
}

@test "exec: output and exit status" {
	run -0 moat exec "$ID" echo hello
	[ "$output" = hello ]
	run -7 moat exec "$ID" sh -c 'exit 7'
	run -0 moat exec "$ID" true
	run -1 moat exec "$ID" false
}

@test "exec: a missing program" {
	run_fails 255 'exec failed: unable to start container process: exec: "nosuch": executable file not found in $PATH' \
		moat exec "$ID" nosuch
}

@test "exec: bad options" {
	run_fails 255 "process args cannot be empty" moat exec "$ID"
	run_fails 255 "parsing x as int for uid failed" moat exec -u x "$ID" true
	run_fails 255 "parsing y as int for gid failed" moat exec -u 1:y "$ID" true
	run_fails 255 "cannot allocate tty if moat will detach" moat exec -d -t "$ID" true
	run_fails 255 "cannot use console socket" moat exec --console-socket /tmp/x "$ID" true
	run_fails 255 "preserved-fd" moat exec --preserve-fds 200 "$ID" true
	run_fails 255 "/nosuch" moat exec -p /nosuch "$ID"
}

@test "exec: environment, directory, user" {
	run -0 moat exec -e A=1 --env B=2 --cwd /tmp -u 5:6 -g 7 "$ID" sh -c 'echo $A$B $(pwd) $(id -u) $(id -g)'
	[ "$output" = "12 /tmp 5 6" ]
}

# The same container under runc; its cgroup is another one.
run_runc() {
	command -v runc || skip "runc is not installed"
	RUNC=(runc --root "$BATS_TEST_TMPDIR/runc")
	cp -r "$BUNDLE" "$BUNDLE.runc"
	"${RUNC[@]}" run -d -b "$BUNDLE.runc" "$ID-runc" </dev/null >/dev/null 2>&1
}

# Each remaining word is one line of options and command: exec does with it what runc's does.
same_as_runc() {
	local line
	for line; do
		eval "observe $BATS_TEST_TMPDIR/runc.out ${RUNC[*]} exec ${line/@/$ID-runc}"
		eval "observe $BATS_TEST_TMPDIR/moat.out moat exec ${line/@/$ID}"
		sed -Ei 's/^time="[^"]*"//' "$BATS_TEST_TMPDIR"/{runc,moat}.out
		diff "$BATS_TEST_TMPDIR/runc.out" "$BATS_TEST_TMPDIR/moat.out" || { echo "in: exec $line"; return 1; }
	done
}

@test "exec: of a variable that is given more than once the last value counts" {
	run_runc
	same_as_runc '-e TERM=x -e A=1 -e A=2 @ env' '-e PATH=/nowhere @ env' '-e PATH=/bin -e PATH= @ env' \
		'-e HOME=/a -e HOME=/b @ env'
	run_fails 255 "environment variable name can't be empty" moat exec -e =x "$ID" env
	config '.process.args = ["env"] | .process.env = ["A=1", "PATH=/nowhere", "A=2", "B=", "PATH=/bin", "A=3"]'
	cp "$BUNDLE/config.json" "$BUNDLE.runc/"
	"${RUNC[@]}" delete -f "$ID-runc"
	diff <("${RUNC[@]}" run -b "$BUNDLE.runc" "$ID-runc") <(moat run -b "$BUNDLE" "$ID-env")
}

@test "exec: capabilities that do not exist are left out, with runc's warning" {
	run_runc
	same_as_runc '-c CAP_NOSUCH -c CAP_NET_ADMIN -c NET_RAW -c CAP_NOSUCH @ sh -c "grep ^Cap /proc/self/status"'
	"${RUNC[@]}" --log "$BATS_TEST_TMPDIR/runc.log" --log-format json exec -c CAP_NOSUCH -c NET_RAW "$ID-runc" true
	moat --log "$BATS_TEST_TMPDIR/moat.log" --log-format json exec -c CAP_NOSUCH -c NET_RAW "$ID" true
	diff <(jq -c '[.level, .msg]' "$BATS_TEST_TMPDIR/runc.log") <(jq -c '[.level, .msg]' "$BATS_TEST_TMPDIR/moat.log")
}

@test "exec: labels of the host have no effect, which the log says" {
	run -0 --separate-stderr moat exec --apparmor a --process-label b "$ID" true
	[[ "$stderr" == *'process.apparmorProfile: \"a\" has no effect'* ]]
	[[ "$stderr" == *'process.selinuxLabel: \"b\" has no effect'* ]]
	run -0 --separate-stderr moat exec "$ID" true
	[ -z "$stderr" ]
}

@test "exec: a process from a file" {
	jq '.process | .args = ["sh", "-c", "exit 9"]' "$BUNDLE/config.json" >"$BATS_TEST_TMPDIR/p.json"
	run -9 moat exec -p "$BATS_TEST_TMPDIR/p.json" "$ID"
	echo '{"args": ["true"], "cwd": 3}' >"$BATS_TEST_TMPDIR/p.json"
	run_fails 255 "p.json" moat exec -p "$BATS_TEST_TMPDIR/p.json" "$ID"
}

@test "exec -d: the waiter stands for the process" {
	moat exec -d --pid-file "$BATS_TEST_TMPDIR/pid" "$ID" sleep 100 </dev/null >/dev/null 2>&1
	pid=$(cat "$BATS_TEST_TMPDIR/pid")
	[ -d /proc/$pid ]
	kill -TERM $pid
	for i in $(seq 600); do
		[[ ! -d /proc/$pid || $(cat /proc/$pid/stat) == *") Z "* ]] && break
		sleep 0.05
	done
	[[ ! -d /proc/$pid || $(cat /proc/$pid/stat) == *") Z "* ]]
	[ "$(moat ps -f json "$ID" | jq length)" = 1 ]
}

@test "exec -d: killing the waiter kills the process" {
	moat exec -d --pid-file "$BATS_TEST_TMPDIR/pid" "$ID" sleep 100 </dev/null >/dev/null 2>&1
	[ "$(moat ps -f json "$ID" | jq length)" = 2 ]
	kill -KILL "$(cat "$BATS_TEST_TMPDIR/pid")"
	for i in $(seq 600); do
		[ "$(moat ps -f json "$ID" | jq length)" = 1 ] && break
		sleep 0.05
	done
	[ "$(moat ps -f json "$ID" | jq length)" = 1 ]
}

@test "exec: the end of the container is the end of the process" {
	"$MOAT" --root "$ROOT" exec "$ID" sleep 100 </dev/null >/dev/null 2>&1 &
	exec_pid=$!
	both_run() { [ "$(moat ps -f json "$ID" | jq length)" = 2 ]; }
	await both_run
	moat kill "$ID" KILL
	wait $exec_pid || status=$?
	[ "$status" -eq 137 ]
}

@test "ps: table and json" {
	run -0 moat ps "$ID"
	read -ra head <<<"${lines[0]}"
	[ "${head[*]}" = "UID PID PPID C STIME TTY TIME CMD" ]
	[[ ${lines[1]} == *sleep* ]]
	moat ps -f json "$ID" | jq -e 'type == "array" and length == 1 and (.[0] | type == "number")'
	run_fails 1 "invalid format option" moat ps -f xml "$ID"
}

@test "ps: host pids exist, and the host's ps can be asked" {
	pid=$(moat ps -f json "$ID" | jq '.[0]')
	[ -d "/proc/$pid" ]
	run -0 moat ps "$ID" -eo pid,comm
	[ "${#lines[@]}" -eq 2 ]
}

@test "ps: where the host's ps fails, its words are the error" {
	run_runc
	local line
	for line in bogus '-o bogus' '-o comm' '-p 99999999' '-o pid,comm -p 99999999'; do
		observe "$BATS_TEST_TMPDIR/runc.out" "${RUNC[@]}" ps "$ID-runc" $line
		observe "$BATS_TEST_TMPDIR/moat.out" moat ps "$ID" $line
		sed -Ei 's/^time="[^"]*"//' "$BATS_TEST_TMPDIR"/{runc,moat}.out
		diff "$BATS_TEST_TMPDIR/runc.out" "$BATS_TEST_TMPDIR/moat.out" || { echo "in: ps $line"; return 1; }
	done
}

@test "exec in a stopped container" {
	moat kill "$ID" KILL
	wait_for_status "$ID" stopped
	run_fails 255 "cannot exec in a stopped container" moat exec "$ID" true
}

@test "exec: a process that runs keeps nobody from deleting the container" {
	moat exec -d "$ID" sleep 100 </dev/null >/dev/null 2>&1
	moat exec "$ID" sleep 100 </dev/null >/dev/null 2>&1 &
	run -0 timeout -s KILL 60 "$MOAT" --root "$ROOT" delete --force "$ID"
	wait $! || true
	assert_nothing_left
}
