#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Docker with moat as its runtime, against the same command with runc.

load helpers.bash
load docker_helpers.bash

setup_file() {
	docker_start
}

teardown_file() {
	docker_stop
}

drun() {
	timeout -s KILL 60 docker run --rm --network none --runtime=moat "$@"
}

# The same output and status under both runtimes.
same() {
	local runtime status
	for runtime in runc moat; do
		status=0
		timeout -s KILL 60 docker run --rm --network none --runtime=$runtime "$@" \
			<"${INPUT:-/dev/null}" >"$BATS_TEST_TMPDIR/$runtime.out" 2>"$BATS_TEST_TMPDIR/$runtime.err" ||
			status=$?
		echo $status >"$BATS_TEST_TMPDIR/$runtime.status"
	done
	tail -n 5 "$BATS_TEST_TMPDIR/moat.err"
	diff -u "$BATS_TEST_TMPDIR/runc.out" "$BATS_TEST_TMPDIR/moat.out"
	diff "$BATS_TEST_TMPDIR/runc.status" "$BATS_TEST_TMPDIR/moat.status"
}

@test "docker: it is moat's kernel that answers" {
	# Docker's own profile refuses it, as under runc.
	run drun box dmesg
	[ "$status" != 0 ]
	run drun --security-opt seccomp=unconfined box dmesg
	[ "$status" = 0 ]
	run drun box uname -r
	[[ "$output" == *moat* ]]
}

@test "docker: echo" {
	same box echo hello
}

@test "docker: a failing command" {
	same box sh -c 'exit 42'
	same box false
	same box sh -c 'kill -9 $$'
}

@test "docker: a command that does not exist" {
	same box /no/such/program
	same box nosuchprogram
	same box /etc/passwd
}

@test "docker: a pipeline on standard input" {
	seq 1000 >"$BATS_TEST_TMPDIR/in"
	INPUT=$BATS_TEST_TMPDIR/in same -i box sh -c 'sort -rn | head -5; echo end >&2'
}

@test "docker: -e, -w, -u" {
	same -e A=1 -e B='two words' box sh -c 'echo $A $B'
	same -w /some/new/dir box pwd
	same -u user box id
	same -u 1234:5678 box id
	same --hostname there box hostname
}

@test "docker: bind mounts" {
	mkdir -p "$BATS_TEST_TMPDIR/vol"
	echo in >"$BATS_TEST_TMPDIR/vol/file"
	run drun -v "$BATS_TEST_TMPDIR/vol:/vol" box sh -c 'cat /vol/file; echo out > /vol/new; mkdir /vol/d; chown 5:6 /vol/new'
	[ "$status" = 0 ]
	[ "$output" = in ]
	[ "$(cat "$BATS_TEST_TMPDIR/vol/new")" = out ]
	[ "$(stat -c %u:%g "$BATS_TEST_TMPDIR/vol/new")" = 5:6 ]
	same -v "$BATS_TEST_TMPDIR/vol:/vol:ro" box sh -c 'cat /vol/file; echo no > /vol/file 2>&1; touch /vol/x 2>&1; true'
	same -v "$BATS_TEST_TMPDIR/vol/file:/etc/one" box cat /etc/one
}

@test "docker: --read-only, --tmpfs" {
	same --read-only box sh -c 'touch /x 2>&1; echo $?'
	same --read-only --tmpfs /scratch box sh -c 'echo a > /scratch/a && cat /scratch/a; touch /y 2>/dev/null || echo refused'
}

@test "docker: --memory" {
	run drun --memory 64m box sh -c 'grep MemTotal /proc/meminfo'
	[[ "$output" == *65536* ]]
	same --memory 64m box sh -c 'x=$(head -c 200000000 /dev/zero | tr "\0" a); echo survived' || true
	[ "$(cat "$BATS_TEST_TMPDIR/moat.status")" = "$(cat "$BATS_TEST_TMPDIR/runc.status")" ]
}

@test "docker: exec" {
	id=$(docker run -d --network none --runtime=moat box sleep 100)
	run docker exec "$id" sh -c 'echo in exec; exit 3'
	[ "$output" = "in exec" ]
	[ "$status" = 3 ]
	run docker exec -e V=x -w /tmp -u 1000 "$id" sh -c 'echo $V $(pwd) $(id -u)'
	[ "$output" = "x /tmp 1000" ]
	other=$(docker run -d --network none --runtime=runc box sleep 100)
	run docker exec "$other" nosuch
	local expected="$status: $output"
	docker rm -f "$other"
	run docker exec "$id" nosuch
	echo "$status: $output"
	[ "$status: $output" = "$expected" ]
	[ "$(echo piped | docker exec -i "$id" cat)" = piped ]
	docker rm -f "$id"
}

@test "docker: stop, kill, logs, wait" {
	id=$(docker run -d --network none --runtime=moat box sh -c 'trap "echo stopping; exit 5" TERM; echo ready; while :; do sleep 0.1; done')
	for i in $(seq 100); do docker logs "$id" | grep -q ready && break; sleep 0.1; done
	docker stop -t 20 "$id"
	[ "$(docker wait "$id")" = 5 ]
	[ "$(docker logs "$id" | tail -n 1)" = stopping ]
	docker rm "$id"
	id=$(docker run -d --network none --runtime=moat box sleep 100)
	docker kill "$id"
	[ "$(docker wait "$id")" = 137 ]
	docker rm "$id"
}

@test "docker: top shows the processes of the container" {
	for runtime in runc moat; do
		id=$(docker run -d --network none --runtime=$runtime box sh -c 'sleep 101 & exec sleep 102')
		for i in $(seq 50); do
			docker top "$id" -o pid,args | grep -q 'sleep 102' && docker top "$id" -o pid,args | grep -q 'sleep 101' && break
			sleep 0.1
		done
		docker top "$id" -o pid,comm,args | awk 'NR > 1 { $1 = ""; print }' | sort >"$BATS_TEST_TMPDIR/$runtime.top"
		docker rm -f "$id"
	done
	diff "$BATS_TEST_TMPDIR/runc.top" "$BATS_TEST_TMPDIR/moat.top"
}

@test "docker: pause, unpause" {
	local id count
	id=$(docker run -d --network none --runtime=moat box sh -c 'while :; do echo x; sleep 0.02; done')
	docker pause "$id"
	[ "$(docker inspect -f '{{.State.Status}}' "$id")" = paused ]
	sleep 0.2
	count=$(docker logs "$id" | wc -l)
	sleep 0.5
	[ "$(docker logs "$id" | wc -l)" = "$count" ]
	run docker exec "$id" true
	[ "$status" -ne 0 ]
	docker unpause "$id"
	for i in $(seq 100); do
		[ "$(docker logs "$id" | wc -l)" -gt "$count" ] && break
		sleep 0.05
	done
	[ "$(docker logs "$id" | wc -l)" -gt "$count" ]
	docker pause "$id"
	docker rm -f "$id"
}

@test "docker: update, stats" {
	local id
	id=$(docker run -d --network none --runtime=moat --memory 200m --cpus 1.5 box sleep 100)
	docker update --memory 300m --memory-swap 600m --cpus 0.5 --pids-limit 60 "$id"
	[ "$(docker exec "$id" cat /sys/fs/cgroup/memory.max)" = $((300 << 20)) ]
	[ "$(docker exec "$id" cat /sys/fs/cgroup/cpu.max)" = "50000 100000" ]
	[ "$(docker exec "$id" cat /sys/fs/cgroup/pids.max)" = 60 ]
	[[ $(docker stats --no-stream --format '{{.MemUsage}}' "$id") == *" / 300MiB" ]]
	docker rm -f "$id"
}

@test "docker: nothing is left behind" {
	for i in 1 2 3 4 5; do drun box true; done
	[ -z "$(docker ps -aq)" ]
	[ -z "$(ls "$DOCKER_DIR"/exec/runtime-runc/moby 2>/dev/null)" ]
}
