#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# What people do with containers every day, by Docker: the same with runc and with moat as
# contrib/install-docker registers it for Docker's own writable layers, and the same has to come out.
# $DOCKER_LONG: as many containers as the soak wants, which takes minutes.

load helpers.bash
load docker_helpers.bash

setup_file() {
	docker_start
}

teardown_file() {
	docker_stop
}

teardown() {
	local ids
	ids=$(docker ps -aq)
	# shellcheck disable=SC2086
	[ -z "$ids" ] || docker rm -f $ids >/dev/null 2>&1
	docker volume prune -f >/dev/null
}

# in_both FUNCTION [ARGUMENT...]: runs it with $runtime being each runtime, as errexit has it: output and
# status, which is left in $status, are the same.
in_both() {
	local runtime
	for runtime in runc moat-through; do
		set +e
		(
			set -e
			"$@"
		) >"$BATS_TEST_TMPDIR/$runtime.out" 2>"$BATS_TEST_TMPDIR/$runtime.err" </dev/null 3>&-
		status=$?
		set -e
		echo "status $status" >>"$BATS_TEST_TMPDIR/$runtime.out"
	done
	diff -u "$BATS_TEST_TMPDIR/runc.err" "$BATS_TEST_TMPDIR/moat-through.err"
	diff -u "$BATS_TEST_TMPDIR/runc.out" "$BATS_TEST_TMPDIR/moat-through.out"
}

# A function that has to succeed.
both() {
	in_both "$@"
	cat "$BATS_TEST_TMPDIR/moat-through.err" "$BATS_TEST_TMPDIR/moat-through.out"
	[ "$status" = 0 ]
}

# once OPTION... IMAGE COMMAND...: a container that ends.
once() {
	timeout -s KILL 60 docker run --rm --network "${network:-none}" --runtime="$runtime" "$@"
}

# The same of a container, which may fail.
same() {
	in_both once "$@"
}

# begin OPTION... IMAGE COMMAND...: one in the background, called one.
begin() {
	docker run -d --name one --network none --runtime="$runtime" "$@" >/dev/null
}

@test "docker life: capabilities, no-new-privileges, seccomp" {
	local file
	same box sh -c 'grep -E "^(Cap|NoNew|Seccomp:)" /proc/self/status'
	same --cap-add NET_ADMIN --cap-drop CHOWN box sh -c 'grep Cap /proc/self/status; touch /x; chown 1 /x'
	same --cap-drop ALL -u user box sh -c 'grep Cap /proc/self/status; id'
	same --security-opt no-new-privileges box grep NoNewPrivs /proc/self/status
	same --security-opt seccomp=unconfined box grep Seccomp: /proc/self/status
	file=$BATS_TEST_TMPDIR/profile.json
	echo '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["mkdir","mkdirat"],"action":"SCMP_ACT_ERRNO","errnoRet":28}]}' >"$file"
	same --security-opt seccomp="$file" box sh -c 'mkdir /x 2>&1; grep Seccomp: /proc/self/status'
}

@test "docker life: limits" {
	same --ulimit nofile=100:200 --ulimit core=0 --oom-score-adj 300 --cpuset-cpus 0 box \
		sh -c 'ulimit -n; ulimit -Hn; ulimit -c; cat /proc/self/oom_score_adj; nproc; grep Cpus_allowed_list /proc/self/status'
	same --pids-limit 20 box sh -c 'for i in $(seq 40); do sleep 1 & done; wait'
	same --memory 50m --memory-swap 50m --blkio-weight 300 --cpu-shares 512 --cpus 1.5 box \
		sh -c 'x=$(head -c 200000000 /dev/zero | tr "\0" a)'
}

@test "docker life: users and groups" {
	same --user 1000:5 --group-add 7 box id
	same --user nobody-knows-this-name box id
	same -u 33 box sh -c 'id; touch /etc/x; touch /tmp/y && ls -ln /tmp/y | cut -c1-40'
}

@test "docker life: mounts of every kind" {
	same --shm-size 10m --tmpfs /run:rw,noexec,size=65536k \
		--mount type=tmpfs,dst=/t,tmpfs-size=1m,tmpfs-mode=1770 -v /data box \
		sh -c 'mount | grep -E " /(t|run|dev/shm) " | sort; df -k /t /dev/shm; stat -c "%a %u" /t; touch /data/x'
	same --mount type=volume,src=first,dst=/etc box sh -c 'touch /etc/new; ls /etc'
	same -v first:/v:ro --mount type=bind,src=/etc/passwd,dst=/dir/file,readonly --read-only --tmpfs /tmp box \
		sh -c 'ls /v; touch /v/b /tmp/a /b; echo >/dir/file; ls /tmp'
	same --mount type=bind,src=/nowhere/at/all,dst=/x box true
}

@test "docker life: names, system parameters, devices" {
	same --hostname there --domainname example.org --sysctl kernel.msgmax=10000 --sysctl net.ipv4.ip_forward=1 box \
		sh -c 'hostname; cat /proc/sys/kernel/domainname /proc/sys/kernel/msgmax /proc/sys/net/ipv4/ip_forward'
	same --sysctl kernel.panic=1 box true
	same --device /dev/null:/dev/deep/er/null --device /dev/zero:/dev/nothing:r --entrypoint sh box \
		-c 'ls -l /dev/deep/er/null /dev/nothing | cut -c1-40; head -c 3 /dev/nothing | od -c; echo x >/dev/deep/er/null'
	same --init box sh -c 'tr "\0" " " </proc/1/cmdline'
}

files() {
	begin box sleep 1000
	mkdir -p "$BATS_TEST_TMPDIR/tree/sub"
	echo hello >"$BATS_TEST_TMPDIR/tree/sub/file"
	chmod 2750 "$BATS_TEST_TMPDIR/tree/sub"
	docker cp -q "$BATS_TEST_TMPDIR/tree" one:/root/
	docker exec one sh -c 'find /root; cat /root/tree/sub/file; stat -c %a /root/tree/sub'
	docker exec one sh -c 'echo from inside >/root/out; mkdir -p /made/here; rm /etc/group; ln -s out /root/link'
	docker cp -q one:/root/out "$BATS_TEST_TMPDIR/out"
	cat "$BATS_TEST_TMPDIR/out"
	docker cp one:/made - | tar -tv | awk '{ print $1, $2, $6 }'
	docker diff one | sort
	! docker cp one:/no/such/file - >/dev/null 2>&1
	docker export one | tar -t | grep -E '^(root|made)/'
	docker commit one "image-$runtime" >/dev/null
	once "image-$runtime" sh -c 'cat /root/link; test ! -e /etc/group'
	docker rm -f one
}

@test "docker life: cp both ways, diff, export, commit" {
	both files
	docker rmi -f image-runc image-moat-through >/dev/null
}

begin_again() {
	begin box sh -c 'echo begins $((0 + $(cat /count 2>/dev/null) + 1)) | tee /log; echo 1 >/count; exec sleep 1000'
	within 10 docker exec one test -e /count
	docker restart -t 0 one
	within 10 sh -c 'docker logs one | grep -q "begins 2"'
	docker exec one cat /log /count
	docker stop -t 0 one
	docker inspect -f '{{.State.Status}} {{.State.ExitCode}}' one
	docker start one
	docker rename one two
	docker exec two cat /log
	docker rm -f two
}

@test "docker life: restart keeps the files" {
	both begin_again
}

follow() {
	begin box sh -c 'trap "echo a signal; exit 7" USR1; echo line 1; echo line 2 >&2; while :; do sleep 0.1; done'
	docker logs -f one >"$BATS_TEST_TMPDIR/log" 2>&1 &
	follower=$!
	within 10 grep -q 'line 2' "$BATS_TEST_TMPDIR/log"
	within 10 grep -q 'line 1' "$BATS_TEST_TMPDIR/log"
	docker kill -s USR1 one
	wait $follower
	sort "$BATS_TEST_TMPDIR/log"
	docker wait one
	docker logs --tail 1 one
	docker rm -f one
}

@test "docker life: logs -f, kill -s, wait" {
	both follow
}

health() {
	docker inspect -f '{{.State.Health.Status}}' one
}

health_is() {
	[ "$(health)" = "$1" ]
}

healthcheck() {
	begin --health-cmd 'test -e /tmp/well' --health-interval 0.3s --health-retries 2 box sleep 1000
	within 20 health_is unhealthy
	docker exec one touch /tmp/well
	within 20 health_is healthy
	docker rm -f one
}

@test "docker life: a healthcheck" {
	both healthcheck
}

# restarts COUNT: the container called one was started as often again, and runs.
restarts() {
	[ "$(docker inspect -f '{{.RestartCount}} {{.State.Running}}' one)" = "$1 true" ]
}

killed() {
	begin --restart=always box sh -c 'echo x >>/count; exec sleep 1000'
	within 10 docker exec one test -e /count
	kill -9 "$(docker inspect -f '{{.State.Pid}}' one)"
	within 20 restarts 1
	within 10 docker exec one grep -c x /count
	docker exec one grep -c x /count
	docker rm -f one
}

@test "docker life: --restart=always when the sandbox was killed" {
	both killed
}

other() {
	begin -v /data box sh -c 'echo shared >/data/file; exec httpd -f -p 80'
	within 10 docker exec one wget -q -O /dev/null http://127.0.0.1/etc/group
	network=container:one once box sh -c 'wget -q -O - http://127.0.0.1/etc/group | head -n 1'
	once --volumes-from one box cat /data/file
	docker rm -f one
}

@test "docker life: the network and the volumes of another container" {
	both other
}

@test "docker life: many at once" {
	local i ids=()
	for ((i = 0; i < 20; i++)); do
		docker run -d --name "many-$i" --runtime=moat-through --network none box sh -c "echo number $i; exec sleep 1000" \
			>/dev/null 3>&- &
		ids+=($!)
	done
	wait "${ids[@]}"
	for ((i = 0; i < 20; i++)); do
		within 20 sh -c "docker logs many-$i | grep -qx 'number $i'"
		docker exec "many-$i" true
	done
	[ "$(docker ps -q | wc -l)" = 20 ]
}

@test "docker life: many in sequence leave nothing" {
	local i before
	once_quiet() {
		docker run --rm --runtime=moat-through --network none box true
	}
	once_quiet
	there() {
		find /sys/fs/cgroup -type d -path '*/docker/*' | sort
		grep -F "$DOCKER_DIR" /proc/self/mountinfo
	}
	before=$(there)
	for ((i = 0; i < ${DOCKER_LONG:+200} + 10; i++)); do
		once_quiet
	done
	diff <(echo "$before") <(there)
	[ -z "$(ls "$DOCKER_DIR"/exec/runtime-runc/moby 2>/dev/null)" ]
}

# Like a debugger's container: it sees X's processes and its files by /proc, signals and traces them.
joined_pids() {
	docker run -d --name x1 --hostname xx --network none --shm-size 1m --ipc shareable --runtime="$runtime" box \
		sh -c 'echo of-x >/word; trap "echo got it >/word" USR1; sleep 2001 & while :; do wait $!; done' >/dev/null
	network=container:x1 once --pid container:x1 box sh -c '
		ps | grep -c "[s]leep 2001"; cat /proc/1/comm; cat /proc/1/root/word; hostname; ls /word
		for n in pid net uts ipc mnt; do
			[ "$(readlink /proc/1/ns/$n)" = "$(readlink /proc/self/ns/$n)" ] && echo "one $n namespace"
		done
		kill -USR1 1; until grep -q got /proc/1/root/word; do sleep 0.1; done'
	docker exec x1 cat /word
	# One that stays is an init of its own to its orphans' status, and ends with x1.
	docker run -d --name x2 --network container:x1 --pid container:x1 --runtime="$runtime" box sleep 2002 >/dev/null
	docker exec x1 sh -c 'ps | grep -c "[s]leep 200"'
	docker exec x2 sh -c 'ps | grep -c "[s]leep 200"'
	docker kill x1 >/dev/null
	docker wait x2
	docker rm x1 x2 >/dev/null
}

@test "docker: --pid=container:X with its network" {
	both joined_pids
}

joined_ipc() {
	docker run -d --name y1 --network none --ipc shareable --runtime="$runtime" box \
		sh -c 'echo shared >/dev/shm/word; exec sleep 2003' >/dev/null
	until docker exec y1 test -s /dev/shm/word; do sleep 0.1; done
	network=container:y1 once --ipc container:y1 -e THEIRS="$(docker exec y1 readlink /proc/self/ns/ipc)" box sh -c '
		cat /dev/shm/word; ps | grep -c "[s]leep 2003"
		[ "$(readlink /proc/self/ns/ipc)" = "$THEIRS" ] && echo "that of y1"'
	docker rm -f y1 >/dev/null
}

@test "docker: --ipc=container:X with its network" {
	both joined_ipc
	grep -q "that of y1" "$BATS_TEST_TMPDIR/moat-through.out"
}

# Its sockets would be those of the other's sandbox.
@test "docker: --pid=container:X with another network is refused" {
	docker run -d --name z1 --network none --runtime=moat box sleep 2004 >/dev/null
	run -125 docker run --rm --network none --pid container:z1 --runtime=moat box true
	[[ $output == *"joining the pid namespace of container"*"would have to be shared with its network"* ]]
}

# The daemon goes and comes back; containers do not notice, and it finds them again.
over_a_restart() {
	docker run -d --name lives --network none --init -i --runtime="$runtime" box \
		sh -c 'echo begins; while [ ! -e /go ]; do sleep 0.1; done; echo goes on; exec sleep 2005' >/dev/null
	docker run -d --name dies --network none --runtime="$runtime" box \
		sh -c 'while [ ! -e /go ]; do sleep 0.1; done; exit 7' >/dev/null
	before=$(docker inspect -f '{{.State.Pid}}' lives)
	docker exec dies sh -c 'echo "sleep 1; touch /go" >/later'
	docker exec -d dies sh /later
	end_daemon "$DOCKER_DIR/dockerd.job"
	kill -0 "$before" && echo alive
	sleep 2
	dockerd_start
	[ "$(docker inspect -f '{{.State.Pid}}' lives)" = "$before" ] && echo "the same process"
	docker exec lives touch /go
	within 20 sh -c 'docker logs lives | grep -q "goes on"'
	docker logs lives
	docker inspect -f '{{.State.Status}} {{.State.ExitCode}}' dies
	docker pause lives >/dev/null && docker unpause lives >/dev/null
	docker stop -t 1 lives >/dev/null
	docker inspect -f '{{.State.Status}} {{.State.ExitCode}}' lives
	docker rm lives dies >/dev/null
}

@test "docker: live-restore" {
	jq '."live-restore" = true' "$DOCKER_DIR/daemon.json" >"$DOCKER_DIR/daemon.json.new"
	mv "$DOCKER_DIR/daemon.json.new" "$DOCKER_DIR/daemon.json"
	kill -HUP "$(cat "$DOCKER_DIR/dockerd.job")"
	within 20 sh -c 'docker info | grep -q "Live Restore Enabled: true"'
	both over_a_restart
}
