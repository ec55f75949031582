#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Containers with a terminal, driven through a real one (tmux): job control, editors and pagers,
# sizes, exec, the console socket.

bats_require_minimum_version 1.5.0
load helpers.bash
load terminal_helpers.bash

setup() {
	for program in tmux python3 bash stty; do
		type -P "$program" >/dev/null || skip "no $program"
	done
	bundle_setup
	programs_into "$BUNDLE/rootfs" bash stty tty
	config '.process.terminal = true | .process.args = ["/bin/bash", "--norc"] | .root.readonly = false |
		.process.env = ["PATH=/bin", "TERM=screen", "PS1=$ ", "HOME=/root", "LC_ALL=C.UTF-8"]'
}

teardown() {
	term_stop
	moat delete --force "$ID" >/dev/null 2>&1 || true
}

run_in_terminal() {
	term_start "'$MOAT' --root '$ROOT' run -b '$BUNDLE' $ID"
	expect '^\$ *$'
}

@test "terminal: it has a name, a size and a session" {
	run_in_terminal
	line tty
	expect '^/dev/pts/0$'
	line 'stty size'
	expect '^24 80$'
	line 'echo by the console >/dev/console'
	expect '^by the console'
	line 'read -r -a s </proc/self/stat; echo "tty ${s[6]} leads $(( ${s[5]} == $$ ))"'
	expect '^tty 34816 leads 1$'
	line 'exit 7'
	expect '^\[status 7\]'
}

@test "terminal: job control of bash" {
	run_in_terminal
	line 'sleep 1000'
	await foreground sleep
	keys C-z
	expect '^\[1\]\+ +Stopped +sleep 1000'
	line bg
	expect '^\[1\]\+ sleep 1000 &'
	line jobs
	expect '^\[1\]\+ +Running +sleep 1000'
	line fg
	expect '^sleep 1000$'
	await foreground sleep
	keys C-c
	line 'echo "was $?"'
	expect '^was 130$'
	line 'cat &'
	expect '^\[1\] [0-9]+$'
	line ''
	expect '^\[1\]\+ +Stopped +cat'
	line 'kill %1; wait; echo gone'
	expect '^gone$'
	line 'sleep 1000 | cat'
	await foreground sleep
	await foreground cat
	keys C-\\
	line 'echo "was $?"'
	expect '^was 131$'
	line 'cat >/dev/null'
	await foreground cat
	keys C-d
	line 'echo end of file'
	expect '^end of file$'
}

@test "terminal: line editing and flow control" {
	run_in_terminal
	line cat
	await foreground cat
	keys w r o n g C-u
	line 'right'
	expect '^right$'
	keys a b c BSpace BSpace x Enter
	expect '^ax$'
	keys C-s
	line held
	sleep 0.5
	run screen
	[[ "$output" != *held* ]]
	keys C-q
	expect '^held$'
	keys C-c
	line 'stty -echo; echo quiet; stty echo'
	expect '^quiet$'
}

@test "terminal: a new size reaches the foreground" {
	run_in_terminal
	line "trap 'stty size' WINCH"
	term resize-window -t t -x 101 -y 33
	expect '33 101$'
	line 'stty rows 40 cols 50; stty size'
	expect '^40 50$'
}

@test "terminal: vim, less, top and tmux" {
	for program in vim less top; do
		type -P "$program" >/dev/null || skip "no $program"
	done
	programs_into "$BUNDLE/rootfs" vim less top tmux seq
	run_in_terminal
	line 'vim -u NONE -N /tmp/f'
	expect '^~'
	keys i
	term send-keys -t t -l 'written in vim'
	keys Escape
	line ':wq'
	await foreground bash
	line 'clear; cat /tmp/f'
	expect '^written in vim'
	line 'seq 1000 | less'
	expect '^23$'
	keys G
	expect '^1000$'
	keys q
	line 'clear; top'
	expect '^ +PID USER'
	expect 'top$'
	keys q
	line 'clear; tmux -f /dev/null new-session "bash --norc"'
	expect '^\[0\]'
	line tty
	expect '^/dev/pts/[1-9]$'
	line 'exit'
	expect '^\[exited\]'
}

@test "terminal: exec" {
	config '.process.terminal = false | .process.args = ["/bin/sleep", "1000"]'
	run_detached "$ID"
	term_start "'$MOAT' --root '$ROOT' exec -t $ID /bin/bash --norc"
	expect '^\$ *$'
	line 'tty; stty size'
	expect '^/dev/pts/0$'
	expect '^24 80$'
	line 'sleep 1000'
	await foreground sleep
	keys C-z
	expect '^\[1\]\+ +Stopped +sleep 1000'
	line 'kill -9 %1; wait'
	term resize-window -t t -x 90 -y 30
	line 'until [ "$(stty size)" = "30 90" ]; do sleep 0.1; done; echo resized'
	expect '^resized$'
	line 'exit 5'
	expect '^\[status 5\]'
}

@test "terminal: output that comes last is not lost" {
	args /bin/sh -c 'i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i + 1)); done'
	export MOAT ROOT BUNDLE ID BATS_TEST_TMPDIR
	script -qec '"$MOAT" --root "$ROOT" run -b "$BUNDLE" "$ID" </dev/null >"$BATS_TEST_TMPDIR/out"' /dev/null
	[ "$(wc -l <"$BATS_TEST_TMPDIR/out")" = 3000 ]
	[ "$(tail -n 1 "$BATS_TEST_TMPDIR/out")" = "line 2999" ]
	! grep -q $'\r' "$BATS_TEST_TMPDIR/out"
}

# Receives one master, prints its size, types, prints what comes until the end.
receiver() {
	cat >"$BATS_TEST_TMPDIR/receiver.py" <<-'PY'
	import array, fcntl, os, socket, struct, sys, termios, time
	path, typed, rows = sys.argv[1], sys.argv[2], int(sys.argv[3])
	s = socket.socket(socket.AF_UNIX)
	s.bind(path)
	s.listen(1)
	print("listening", flush=True)
	c, _ = s.accept()
	name, anc, _, _ = c.recvmsg(4096, socket.CMSG_SPACE(64))
	fds = array.array("i")
	for level, kind, data in anc:
	    fds.frombytes(data[:len(data) - len(data) % 4])
	print("name", name.decode(), "fds", len(fds), flush=True)
	fd = fds[0]
	size = lambda: struct.unpack("HHHH", fcntl.ioctl(fd, termios.TIOCGWINSZ, b"\0" * 8))[:2]
	print("size", *size(), flush=True)
	time.sleep(1)
	if rows:
	    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, 70, 0, 0))
	    time.sleep(0.5)
	os.write(fd, typed.encode().decode("unicode_escape").encode())
	while True:
	    try:
	        data = os.read(fd, 4096)
	    except OSError:
	        break
	    if not data:
	        break
	    sys.stdout.write(data.decode())
	    sys.stdout.flush()
	print("closed", flush=True)
	PY
	timeout 40 python3 "$BATS_TEST_TMPDIR/receiver.py" "$BATS_TEST_TMPDIR/s" "$@" \
		>"$BATS_TEST_TMPDIR/received" 2>&1 3>&- &
	RECEIVER=$!
	local i
	for i in $(seq 100); do
		grep -q listening "$BATS_TEST_TMPDIR/received" && return 0
		sleep 0.1
	done
	return 1
}

@test "terminal: create --console-socket" {
	config '.process.consoleSize = {"height": 11, "width": 22}'
	receiver 'stty size\nexit 3\n' 44
	(cd "$BATS_TEST_TMPDIR" && moat create -b "$BUNDLE" --console-socket "$BATS_TEST_TMPDIR/s" "$ID")
	moat start "$ID"
	wait "$RECEIVER" || true
	cat "$BATS_TEST_TMPDIR/received"
	grep -q '^name /dev/ptmx fds 1' "$BATS_TEST_TMPDIR/received"
	grep -q '^size 11 22' "$BATS_TEST_TMPDIR/received"
	grep -q '44 70' "$BATS_TEST_TMPDIR/received"
	grep -q '^closed' "$BATS_TEST_TMPDIR/received"
	wait_for_status "$ID" stopped
}

@test "terminal: exec --console-socket, in the background" {
	config '.process.terminal = false | .process.args = ["/bin/sleep", "1000"]'
	run_detached "$ID"
	receiver 'stty size\nexit 3\n' 45
	moat exec -d -t --console-socket "$BATS_TEST_TMPDIR/s" --pid-file "$BATS_TEST_TMPDIR/pid" \
		"$ID" /bin/bash --norc
	wait "$RECEIVER" || true
	cat "$BATS_TEST_TMPDIR/received"
	grep -q '45 70' "$BATS_TEST_TMPDIR/received"
	grep -q '^closed' "$BATS_TEST_TMPDIR/received"
}

@test "terminal: when the caller goes, the session is hung up" {
	cat >"$BUNDLE/rootfs/bin/lost" <<-'SH'
	#!/bin/bash
	trap 'echo hung up >/tmp/lost; exit 9' HUP
	while :; do sleep 0.1; done
	SH
	chmod +x "$BUNDLE/rootfs/bin/lost"
	config '.process.terminal = false | .process.args = ["/bin/sleep", "1000"]'
	run_detached "$ID"
	term_start "'$MOAT' --root '$ROOT' exec -t $ID /bin/bash --norc"
	expect '^\$ *$'
	line 'exec /bin/lost'
	await foreground lost
	# As a terminal window that is closed: the master goes with its only holder.
	pid=$(term list-panes -t t -F '#{pane_pid}')
	kill -KILL "$(cat /proc/$pid/task/$pid/children | tr -d ' ')"
	for i in $(seq 300); do
		moat exec "$ID" /bin/ps | grep -q lost || break
		sleep 0.1
	done
	run moat exec "$ID" /bin/ps
	[[ "$output" != *lost* ]]
}

@test "terminal: what does not go together" {
	run_fails 1 "cannot allocate tty if moat will detach without setting console socket" \
		moat create -b "$BUNDLE" "$ID"
	run_fails 1 "cannot use console socket if moat will not detach or allocate tty" \
		moat run -b "$BUNDLE" --console-socket /tmp/x "$ID"
	run_fails 1 "none: connect: no such file or directory" \
		moat create -b "$BUNDLE" --console-socket "$BATS_TEST_TMPDIR/none" "$ID"
	run_fails 1 "open /dev/tty: no such device or address" setsid -w "$MOAT" --root "$ROOT" run -b "$BUNDLE" "$ID" </dev/null
	config '.mounts |= map(select(.type != "devpts"))'
	export MOAT ROOT BUNDLE ID BATS_TEST_TMPDIR
	run script -qec '"$MOAT" --root "$ROOT" run -b "$BUNDLE" "$ID" 2>"$BATS_TEST_TMPDIR/said"' /dev/null
	[ "$status" = 1 ]
	grep -q "open a terminal" "$BATS_TEST_TMPDIR/said"
}

# What a caller who has no terminal at all gets, with and without a console socket.
terminals_of() { # runtime
	local runtime=$1 root="$BATS_TEST_TMPDIR/root-$(basename "$1")" terminal how
	rt() { timeout 20 setsid -w "$runtime" --root "$root" "$@" </dev/null; }
	said() { # invocation
		local status=0
		echo "--- $terminal $*"
		rt "$@" >out 2>err || status=$?
		echo "status $status"
		cat out
		sed -E 's/time="[^"]*"//; s/\bmoat\b/runc/g' err
	}
	for terminal in true false; do
		jq ".process.terminal = $terminal | .process.args = [\"/bin/true\"]" config.json >new
		mv new config.json
		for how in run 'run -d' create; do
			for socket in '' '--console-socket=' '--console-socket=none' '--console-socket=config.json' '--console-socket=socket'; do
				# shellcheck disable=SC2086
				said $how $socket "$ID"
				rt delete -f "$ID" >/dev/null 2>&1 || true
			done
		done
	done
	jq '.process.terminal = false | .process.args = ["/bin/sleep", "1000"]' config.json >new
	mv new config.json
	rt run -d "$ID" >/dev/null 2>&1
	for how in 'exec -t' 'exec -t -d' 'exec -d' exec; do
		for socket in '' '--console-socket=none' '--console-socket=socket'; do
			# shellcheck disable=SC2086
			said $how $socket "$ID" true
		done
	done
	echo '{"terminal": true, "args": ["/bin/true"], "cwd": "/", "user": {}}' >process.json
	said exec -p process.json "$ID"
	said exec -d -p process.json "$ID"
	rt delete -f "$ID"
}

@test "terminal: none of the caller's, as under runc" {
	local receiver
	command -v runc || skip "runc is not installed"
	cd "$BUNDLE"
	python3 - socket 3>&- >/dev/null <<-'PY' &
		import socket, sys
		s = socket.socket(socket.AF_UNIX)
		s.bind(sys.argv[1])
		s.listen(5)
		kept = []
		while True:
		    c, _ = s.accept()
		    kept.append((c, socket.recv_fds(c, 100, 4)))
	PY
	receiver=$!
	until [ -S socket ]; do sleep 0.05; done
	terminals_of runc >theirs
	terminals_of "$MOAT" >ours
	kill $receiver
	diff theirs ours
	grep -q "open /dev/tty: no such device or address" ours
}
