#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
# NOTIFY_SOCKET: what a container says on its own, what the service manager hears of it, and when.
bats_require_minimum_version 1.5.0
load helpers

setup() {
	bundle_setup
	cp "${top_builddir:-$PWD}/tests/integration/notify_send" "$BUNDLE/rootfs/bin/"
	HOST_SOCKET=$BATS_TEST_TMPDIR/host.sock
	LOG=$BATS_TEST_TMPDIR/log
	FAKE=
}

# An argument may have several lines.
args() {
	config '.process.args = $ARGS.positional' --args -- "$@"
}

teardown() {
	stop_fake
	bundle_teardown
	runc --root "$BATS_TEST_TMPDIR/runc" delete -f "$ID" 2>/dev/null || true
}

start_fake() {
	rm -f "$HOST_SOCKET" "$LOG"
	"$BATS_TEST_DIRNAME/notify_fake.py" "$HOST_SOCKET" "$LOG" </dev/null >/dev/null 2>&1 3>&- &
	FAKE=$!
	until [ -s "$LOG" ]; do
		kill -0 $FAKE
		sleep 0.01
	done
}

stop_fake() {
	[ -n "$FAKE" ] || return 0
	kill "$FAKE" 2>/dev/null || true
	wait "$FAKE" 2>/dev/null || true
	FAKE=
}

# What was heard up to and with the main process, whose number must be $1, without that; and no barrier,
# which this runc does not know.
heard() {
	local i
	for i in $(seq 600); do
		grep -q MAINPID "$LOG" && break
		sleep 0.05
	done
	grep -v BARRIER "$LOG" | sed "s/MAINPID=$1\\\\n/MAINPID=it/"
}

# Not for what is to be the main process itself.
limited() {
	timeout --foreground -s KILL 30 "${RT[@]}" "$@"
}

run_of() {
	if [ "$1" = runc ]; then
		RT=(runc --root "$BATS_TEST_TMPDIR/runc")
	else
		RT=("$MOAT" --root "$ROOT")
	fi
}

# scenario WAY RUNTIME: prints what the service manager heard, and what the container did.
scenario() {
	local status=0 pid
	run_of "$2"
	start_fake
	case $1 in
	run)
		NOTIFY_SOCKET=$HOST_SOCKET "${RT[@]}" run -b "$BUNDLE" "$ID" </dev/null >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- &
		pid=$!
		heard $pid
		grep -q MAINPID "$LOG" || kill -KILL $pid
		wait $pid || status=$?
		;;
	detached)
		NOTIFY_SOCKET=$HOST_SOCKET limited run -d --pid-file "$BATS_TEST_TMPDIR/pid" -b "$BUNDLE" "$ID" \
			</dev/null >"$BATS_TEST_TMPDIR/out" 2>&1 3>&- || status=$?
		heard "$(<"$BATS_TEST_TMPDIR/pid")"
		;;
	start)
		NOTIFY_SOCKET=$HOST_SOCKET "${RT[@]}" create --pid-file "$BATS_TEST_TMPDIR/pid" -b "$BUNDLE" "$ID" \
			</dev/null >"$BATS_TEST_TMPDIR/out" 2>&1 3>&-
		[ "$(wc -l <"$LOG")" -eq 1 ]
		NOTIFY_SOCKET=$HOST_SOCKET limited start "$ID" </dev/null 2>&1 3>&- || status=$?
		heard "$(<"$BATS_TEST_TMPDIR/pid")"
		;;
	esac
	[ "$1" = run ] || "${RT[@]}" state "$ID" | jq -r .status
	[ "$1" = run ] || "${RT[@]}" delete -f "$ID"
	stop_fake
	echo "status $status"
	cat "$BATS_TEST_TMPDIR/out"
}

compare() {
	local way
	command -v runc || skip "runc is not installed"
	for way in "$@"; do
		scenario "$way" runc >"$BATS_TEST_TMPDIR/runc.seen"
		scenario "$way" moat >"$BATS_TEST_TMPDIR/moat.seen"
		grep -q "'READY=1\\\\n' 0" "$BATS_TEST_TMPDIR/moat.seen"
		grep -q "MAINPID=it" "$BATS_TEST_TMPDIR/moat.seen"
		diff "$BATS_TEST_TMPDIR/runc.seen" "$BATS_TEST_TMPDIR/moat.seen" || { echo "in: $way"; return 1; }
	done
}

@test "the service manager hears READY=1 and the main process, as from runc" {
	args sh -c 'echo "$NOTIFY_SOCKET"; ls -ln /run/notify | cut -c 1-10; touch /run/notify/x 2>/dev/null || echo read-only
		grep " /run/notify " /proc/self/mountinfo | cut -d " " -f 5,6; sleep 0.3
		notify_send STATUS=starting READY=1; exec sleep 1000'
	ln -sf busybox "$BUNDLE/rootfs/bin/touch"
	ln -sf busybox "$BUNDLE/rootfs/bin/grep"
	ln -sf busybox "$BUNDLE/rootfs/bin/cut"
	compare detached start
	assert_nothing_left
}

@test "run in the foreground is the main process, and ends as its container does" {
	args sh -c 'notify_send READY=1; sleep 0.5; exit 7'
	compare run
	grep -q "status 7" "$BATS_TEST_TMPDIR/moat.seen"
	assert_nothing_left
}

@test "an abstract socket, another user, further lines" {
	HOST_SOCKET=@$ID
	config '.process.user = { uid: 1000, gid: 1000 } | .process.env += ["NOTIFY_SOCKET=/nowhere"]'
	args sh -c 'notify_send "READY=1
STATUS=up"; exec sleep 1000'
	compare detached start
	assert_nothing_left
}

@test "nothing else that a container sends goes further" {
	args notify_send "x READY=1" "READY=1 " "READY=11" "READY=" "READY" "" "MAINPID=1" +FD "FDSTORE=1" \
		+FD "BARRIER=1" "$(printf '\nSTOPPING=1\n\n')" +BIG
	start_fake
	NOTIFY_SOCKET=$HOST_SOCKET run -0 moat run -b "$BUNDLE" "$ID"
	[ "$(grep -c ': sent$' <<<"$output")" -eq 11 ]
	NOTIFY_SOCKET=$HOST_SOCKET run -0 moat run -d -b "$BUNDLE" "$ID" </dev/null
	[ "$(cat "$LOG")" = listening ]
	moat delete -f "$ID"
	assert_nothing_left
}

@test "once, whatever it says later; READY=1 in any line, with descriptors" {
	args sh -c 'notify_send +FD "STATUS=up
READY=1"; notify_send READY=1 STOPPING=1 STATUS=x RELOADING=1 A B C D E F G H I J K L M; exit 4'
	start_fake
	NOTIFY_SOCKET=$HOST_SOCKET run -4 moat run -b "$BUNDLE" "$ID"
	[ "$(grep -c ': sent$' <<<"$output")" -eq 18 ]
	[ "$(sed 's/=[0-9]*\\n/=N/' "$LOG" | tail -n +2 | tr '\n' ' ')" = "'READY=N' 0 'MAINPID=N' 0 'BARRIER=1' 1 " ]
	assert_nothing_left
}

@test "a container that ends without a word ends the wait" {
	args sh -c 'sleep 0.3; exit 3'
	start_fake
	NOTIFY_SOCKET=$HOST_SOCKET run -3 timeout -s KILL 20 "$MOAT" --root "$ROOT" run -b "$BUNDLE" "$ID"
	NOTIFY_SOCKET=$HOST_SOCKET run -0 timeout -s KILL 20 "$MOAT" --root "$ROOT" run -d -b "$BUNDLE" "$ID" </dev/null
	moat delete "$ID"
	NOTIFY_SOCKET=$HOST_SOCKET moat create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1 3>&-
	NOTIFY_SOCKET=$HOST_SOCKET run -0 timeout -s KILL 20 "$MOAT" --root "$ROOT" start "$ID"
	moat delete "$ID"
	[ "$(cat "$LOG")" = listening ]
	assert_nothing_left
}

@test "start waits, others may use the container, and delete ends the wait" {
	args sh -c 'until [ -e /tmp/go ]; do sleep 0.05; done; notify_send READY=1; exec sleep 1000'
	config '.mounts += [{ destination: "/tmp", type: "tmpfs", source: "tmpfs" }]'
	start_fake
	for end in exec delete; do
		NOTIFY_SOCKET=$HOST_SOCKET moat create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1 3>&-
		NOTIFY_SOCKET=$HOST_SOCKET "$MOAT" --root "$ROOT" start "$ID" </dev/null >/dev/null 2>&1 3>&- &
		start=$!
		wait_for_status "$ID" running
		sleep 0.3
		kill -0 $start
		[ "$(cat "$LOG")" = listening ]
		run -0 moat exec "$ID" env
		[[ $output != *NOTIFY_SOCKET* ]]
		[ $end = delete ] || moat exec "$ID" sh -c 'echo >/tmp/go'
		[ $end = exec ] || moat delete -f "$ID"
		wait $start
		[ $end = delete ] || grep -q READY "$LOG"
		stop_fake
		start_fake
		moat delete -f "$ID"
	done
	assert_nothing_left
}

# status_of WAY RUNTIME: of starting with a socket that nobody has, and what became of the container.
status_of() {
	local status=0 socket=
	run_of "$2"
	case $1 in
	detached)
		NOTIFY_SOCKET=$BATS_TEST_TMPDIR/none limited run -d -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1 3>&- || status=$?
		;;
	start | unprepared)
		[ "$1" = unprepared ] || socket=$BATS_TEST_TMPDIR/none
		NOTIFY_SOCKET=$socket "${RT[@]}" create -b "$BUNDLE" "$ID" </dev/null >/dev/null 2>&1 3>&-
		NOTIFY_SOCKET=$BATS_TEST_TMPDIR/none limited start "$ID" </dev/null >/dev/null 2>&1 3>&- || status=$?
		;;
	esac
	echo "$1 $status $("${RT[@]}" state "$ID" | jq -r .status)"
	"${RT[@]}" delete -f "$ID"
}

@test "a service manager that is not there, a container without a socket: as with runc" {
	command -v runc || skip "runc is not installed"
	args sleep 1000
	for way in detached start unprepared; do
		status_of $way runc >"$BATS_TEST_TMPDIR/runc.seen"
		status_of $way moat >"$BATS_TEST_TMPDIR/moat.seen"
		diff "$BATS_TEST_TMPDIR/runc.seen" "$BATS_TEST_TMPDIR/moat.seen"
	done
	assert_nothing_left
}

@test "without NOTIFY_SOCKET there is nothing of it, and config.json's own stays" {
	args sh -c 'env | grep NOTIFY; ls /run/notify 2>/dev/null || echo none'
	ln -sf busybox "$BUNDLE/rootfs/bin/grep"
	config '.process.env += ["NOTIFY_SOCKET=/own"]'
	NOTIFY_SOCKET= run -0 moat run -b "$BUNDLE" "$ID"
	[ "$output" = "$(printf 'NOTIFY_SOCKET=/own\nnone')" ]
}

@test "a /run/notify that is a file is an error, one that is a link is followed" {
	args sh -c 'notify_send A READY=1; readlink /run/notify'
	mkdir "$BUNDLE/rootfs/run" "$BUNDLE/rootfs/elsewhere"
	touch "$BUNDLE/rootfs/run/notify"
	start_fake
	NOTIFY_SOCKET=$HOST_SOCKET run_fails 1 'notify socket at "/run/notify"' moat run -b "$BUNDLE" "$ID"
	ln -sfn ../elsewhere "$BUNDLE/rootfs/run/notify"
	NOTIFY_SOCKET=$HOST_SOCKET run -0 moat run -b "$BUNDLE" "$ID"
	[ "$output" = "$(printf 'A: sent\nREADY=1: sent\n../elsewhere')" ]
	grep -q READY "$LOG"
	assert_nothing_left
}

@test "in a user namespace, and as a further container of a pod" {
	load pod_helpers.bash
	args notify_send READY=1
	start_fake
	cp "$BUNDLE/config.json" "$BATS_TEST_TMPDIR/plain"
	config '.linux.namespaces += [{ type: "user" }] | .process.user = { uid: 5, gid: 5 } |
		.linux.uidMappings = [{ containerID: 0, hostID: 100000, size: 1000 }] |
		.linux.gidMappings = [{ containerID: 0, hostID: 100000, size: 1000 }]'
	mkdir -p "$BUNDLE/rootfs/run"
	chown -R 100000:100000 "$BUNDLE/rootfs"
	chmod 755 "$BATS_TEST_TMPDIR" "$BUNDLE"
	NOTIFY_SOCKET=$HOST_SOCKET run -0 moat run -b "$BUNDLE" "$ID"
	[ "$output" = "READY=1: sent" ]
	grep -q READY "$LOG"
	stop_fake
	start_fake
	cp "$BATS_TEST_TMPDIR/plain" "$BUNDLE/config.json"
	POD=$ID-pod
	mkdir "$BATS_TEST_TMPDIR/pod"
	pod_sandbox
	pod_bundle one container notify_send READY=1
	pod_namespaces one
	NOTIFY_SOCKET=$HOST_SOCKET run -0 moat run -b "$BUNDLE_OF" "$ID-one"
	[ "$output" = "READY=1: sent" ]
	grep -q READY "$LOG"
	pod_bundle one container false
	pod_namespaces one
	stop_fake
	start_fake
	NOTIFY_SOCKET=$HOST_SOCKET run -1 moat run -b "$BUNDLE_OF" "$ID-one"
	[ "$(cat "$LOG")" = listening ]
	moat delete -f "$POD"
	pod_nothing_left
}
