#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# docker run -it, exec -it and attach, driven through a real terminal.

load helpers.bash
load docker_helpers.bash
load terminal_helpers.bash

setup_file() {
	docker_start
}

teardown_file() {
	docker_stop
}

setup() {
	type -P tmux >/dev/null || skip "no tmux"
	NAME=mt-term-$$-$BATS_TEST_NUMBER
}

teardown() {
	term_stop
	docker rm -f "$NAME" >/dev/null 2>&1 || true
}

@test "docker: run -it" {
	term_start "docker run --rm -it --name $NAME --network none --runtime=moat box sh"
	expect '^/ # *$'
	line 'tty; stty size'
	expect '^/dev/pts/0'
	expect '^24 80'
	line 'sleep 1000'
	sleep 0.5
	keys C-z
	expect 'Stopped +sleep 1000'
	line 'kill -9 %1; wait'
	term resize-window -t t -x 100 -y 30
	sleep 1
	wipe
	line 'stty size'
	expect '^30 100'
	line 'exit 6'
	expect '^\[status 6\]'
}

@test "docker: exec -it" {
	docker run -d --name "$NAME" --network none --runtime=moat box sleep 1000 >/dev/null
	term_start "docker exec -it $NAME sh"
	expect '^/ # *$'
	line 'tty; stty size'
	expect '^/dev/pts/0'
	expect '^24 80'
	term resize-window -t t -x 100 -y 30
	sleep 1
	wipe
	line 'stty size'
	expect '^30 100'
	line 'sleep 1000'
	sleep 0.5
	keys C-c
	line 'exit 4'
	expect '^\[status 4\]'
}

@test "docker: detach keys and attach" {
	term_start "docker run -it --name $NAME --network none --runtime=moat box sh"
	expect '^/ # *$'
	line 'echo before'
	expect '^before'
	keys C-p C-q
	expect '\[status 0\]'
	[ "$(docker inspect -f '{{.State.Running}}' "$NAME")" = true ]
	term_stop
	term_start "docker attach $NAME"
	sleep 1
	line 'echo after'
	expect '^after'
	line 'exit 3'
	expect '^\[status 3\]'
}
