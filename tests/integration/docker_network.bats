#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Docker's networks with moat, against the same with runc: ports of the host, names of containers,
# what a container sees of its network.

load helpers.bash
load docker_helpers.bash

setup_file() {
	docker_start bridge
	docker network create moat-test >/dev/null
}

teardown_file() {
	docker network rm moat-test >/dev/null
	docker_stop
}

setup() {
	started=()
}

teardown() {
	[ ${#started[@]} = 0 ] || docker rm -f "${started[@]}" >/dev/null 2>&1 || true
}

# serve NAME RUNTIME OPTION...: a web server in the background, on the test's network.
serve() {
	local name=$1 runtime=$2
	shift 2
	started+=("$name")
	docker run -d --name "$name" --hostname "$name" --network moat-test --runtime="$runtime" "$@" box \
		sh -c 'mkdir /www && echo "from $(hostname)" >/www/index.html && exec httpd -f -p 80 -h /www' >/dev/null
}

on_network() {
	local runtime=$1
	shift
	timeout -s KILL 60 docker run --rm --network moat-test --runtime="$runtime" box "$@"
}

# The same output and status of a shell command under both runtimes.
same_inside() {
	local runtime
	for runtime in runc moat; do
		run on_network $runtime sh -c "$1"
		printf '%s\n%s\n' "$status" "$output" >"$BATS_TEST_TMPDIR/$runtime.out"
	done
	diff -u "$BATS_TEST_TMPDIR/runc.out" "$BATS_TEST_TMPDIR/moat.out"
}

@test "docker network: a port of the host reaches the server" {
	local runtime
	for runtime in runc moat; do
		serve "web-$runtime" $runtime -p 127.0.0.1::80
		port=$(docker port "web-$runtime" 80 | head -n 1)
		within 10 on_daemon_network curl -sS -m 5 -o "$BATS_TEST_TMPDIR/got" "http://$port/"
		[ "$(cat "$BATS_TEST_TMPDIR/got")" = "from web-$runtime" ]
	done
}

@test "docker network: containers find each other by name" {
	serve web-one moat
	serve web-two runc
	within 10 on_network runc wget -q -O /dev/null http://web-one/
	for name in web-one web-two; do
		same_inside "wget -q -O - http://$name/"
		[[ "$(cat "$BATS_TEST_TMPDIR/moat.out")" == *"from $name"* ]]
	done
	same_inside 'wget -q -O - http://nobody-has-this-name/'
	same_inside 'cat /etc/resolv.conf; nc web-one 81 </dev/null 2>&1'
}

@test "docker network: what a container sees" {
	same_inside 'ip -o link | sed "s/@if[0-9]*//; s/^[0-9]*//; s/link-netnsid.*//; s/link.ether.*//"'
	same_inside 'ip -o -4 addr | sed "s/^[0-9]*//; s/\.[0-9]*\/16/.X/"; ip route | sed "s/src.*//"'
	same_inside 'cut -d: -f1 /proc/net/dev; cut -f2,3,4,8 /proc/net/route; netstat -rn'
	# Docker's name server listens there as well, outside of the sandbox.
	same_inside 'httpd -p 80; netstat -lnt | grep -v 127.0.0.11; wget -q -O /dev/null http://127.0.0.1/x 2>&1'
	same_inside 'cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/net/ipv4/ping_group_range'
}

@test "docker network: parameters of the namespace" {
	local runtime
	for runtime in runc moat; do
		started+=("holder-$runtime")
		docker run -d --name "holder-$runtime" --network moat-test --runtime=$runtime \
			--sysctl net.ipv4.tcp_keepalive_time=77 --sysctl net.core.somaxconn=99 box sleep 100 >/dev/null
		pid=$(docker inspect -f '{{.State.Pid}}' "holder-$runtime")
		[ "$(nsenter -t "$pid" -n cat /proc/sys/net/ipv4/tcp_keepalive_time)" = 77 ]
		[ "$(docker exec "holder-$runtime" cat /proc/sys/net/core/somaxconn)" = 99 ]
		[ "$(nsenter -t "$pid" -n cat /proc/sys/net/core/somaxconn)" = 99 ]
	done
}

@test "docker network: two containers share one" {
	serve web-shared moat
	within 10 docker run --rm --network container:web-shared --runtime=moat box \
		sh -c 'wget -q -O - http://127.0.0.1/ | grep -qx "from web-shared"'
}

@test "docker network: none has loopback alone, whatever moat's is" {
	run docker run --rm --network none --runtime=moat box sh -c 'ip -o link | cut -d: -f2; httpd -p 80; wget -q -O - http://127.0.0.1/x'
	[[ "${lines[0]}" == *lo* ]]
	[[ "$output" == *404* ]]
}

# An application of three: a store, a server before it, and who asks.
application() {
	local runtime=$1
	started+=("store-$runtime" "server-$runtime")
	docker run -d --name "store-$runtime" --network moat-test --network-alias store --runtime="$runtime" store \
		redis-server --save '' --protected-mode no --bind '*' >/dev/null
	docker run -d --name "server-$runtime" --network moat-test --network-alias server --runtime="$runtime" box sh -c '
		mkdir -p /www/cgi-bin
		printf "%s\n" "#!/bin/sh" "echo; printf \"INCR visits\r\nQUIT\r\n\" | timeout 3 nc store 6379" >/www/cgi-bin/visit
		chmod 755 /www/cgi-bin/visit
		exec httpd -f -p 80 -h /www' >/dev/null
	within 4 on_network "$runtime" sh -c 'wget -q -O - http://server/cgi-bin/visit | grep -q :'
	on_network "$runtime" sh -c 'for i in 1 2 3; do wget -q -O - http://server/cgi-bin/visit; done | tr -d "\r"' |
		sed 's/:/visit /' | tee "$BATS_TEST_TMPDIR/visits-$runtime"
	docker run --rm --network moat-test --runtime="$runtime" store \
		sh -c 'redis-cli -h store SET key value; redis-cli -h store GET key; redis-cli -h store INFO clients | head -n 1'
	docker run --rm --network moat-test --runtime="$runtime" store redis-benchmark -h store -q -n 200 -t ping,set,get >/dev/null
	docker rm -f "${started[@]}" >/dev/null
	started=()
}

@test "docker network: a redis server, a client, and a server between them" {
	[ -x "${DEBIAN_ROOT:-}/usr/bin/redis-server" ] || skip "no Debian root file system with redis"
	tar -C "$DEBIAN_ROOT" -c bin lib lib64 etc sbin tmp usr/bin usr/lib64 usr/lib/x86_64-linux-gnu |
		docker import - store >/dev/null
	application runc >"$BATS_TEST_TMPDIR/runc.out"
	application moat >"$BATS_TEST_TMPDIR/moat.out"
	sed -i '/^visit/d' "$BATS_TEST_TMPDIR"/*.out
	diff -u "$BATS_TEST_TMPDIR/runc.out" "$BATS_TEST_TMPDIR/moat.out"
	grep -qx value "$BATS_TEST_TMPDIR/moat.out"
	[ "$(grep -c '^visit' "$BATS_TEST_TMPDIR/visits-moat")" = 3 ]
}

@test "docker network: nothing is left of a server" {
	serve web-gone moat -p 127.0.0.1::80
	port=$(docker port web-gone 80 | head -n 1)
	docker rm -f web-gone >/dev/null
	run on_daemon_network curl -sS -m 2 "http://$port/"
	[ "$status" != 0 ]
}
