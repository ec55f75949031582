#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Larger programs of a Debian root file system ($DEBIAN_ROOT, made by debian-root with extra
# packages): servers with clients on loopback, language runtimes, test-suites of others.
#
# With $PROGRAMS_LONG also what takes minutes or needs 1.5 GB of packages (see debian-root).

load helpers.bash
load program_helpers.bash

setup_file() {
	programs_setup
}

teardown_file() {
	programs_teardown
}

# Modules of python's own test-suite: the same tests pass, fail or are skipped.  What they, or processes they
# left, print between their name and the verdict, and the time, are left out.
python_tests() {
	needs usr/lib/python3.11/test/test_os.py
	LIMIT=${LIMIT:-300} same "cd /tmp; python3 -m test -v $* 2>&1 | awk '
		{ rest = \$0 }
		/^([0-9.]+s )?test.*\) \.\.\./ {
			if (name) print name
			name = \$0; sub(/^[0-9.]+s /, \"\", name); sub(/ \.\.\..*/, \"\", name)
			sub(/.*\) \.\.\. ?/, \"\", rest)
		}
		name && match(rest, /(ok|FAIL|ERROR|skipped.*)\$/) {
			verdict = substr(rest, RSTART); sub(/ .*/, \"\", verdict)
			print name, verdict; name = \"\"
		}
		/^(OK|FAILED)/ { print }
		END { if (name) print name }' | sort"
	[ "$(wc -l <"$WORK/moat/out")" -gt 20 ]
}

@test "redis: server, clients, benchmark, background save" {
	needs usr/bin/redis-server
	same 'cd /tmp; redis-server --port 7777 --save "" --dir /tmp >/tmp/log 2>&1 & p=$!
		c() { redis-cli -p 7777 "$@"; }
		for i in $(seq 300); do c ping >/dev/null 2>&1 && break; sleep 0.1; done
		c set a 1; c incr a; c rpush l x y z; c lrange l 0 -1; c eval "return redis.call(\"get\", \"a\")" 0
		redis-benchmark -p 7777 -n 500 -c 20 -q -t set,lpush >/dev/null; c llen mylist
		c bgsave; for i in $(seq 300); do c info persistence | grep -q "bgsave_in_progress:0" && break; sleep 0.1; done
		c info persistence | grep rdb_last_bgsave_status; test -s dump.rdb; echo $?
		c shutdown nosave; wait $p; echo $?'
}

@test "nginx and curl" {
	needs usr/sbin/nginx usr/bin/curl
	same 'mkdir /tmp/n; cat >/tmp/n/conf <<X
worker_processes 2; daemon off; pid /tmp/n/pid; error_log /tmp/n/error;
events { worker_connections 64; }
http { access_log /tmp/n/access; sendfile on; server { listen 8080; root /usr/share; } }
X
		nginx -c /tmp/n/conf 2>/dev/null & p=$!
		for i in $(seq 300); do curl -s -o /dev/null http://127.0.0.1:8080/ && break; sleep 0.1; done
		for f in GPL-2 GPL-3 Artistic none; do
			curl -s -w "%{http_code} %{size_download}\n" http://127.0.0.1:8080/common-licenses/$f | sha256sum; done
		seq 20 | xargs -P 5 -I{} sh -c "curl -s http://localhost:8080/common-licenses/GPL-3 | sha256sum" | uniq -c
		kill -QUIT $p; wait $p; echo $?'
}

@test "busybox" {
	needs bin/busybox
	same 'cd /tmp; busybox --list | wc -l; busybox seq 1000 >a; busybox gzip -k a; busybox zcat a.gz | busybox sha256sum
		busybox tar c a | busybox tar t; busybox find /etc -type f | busybox wc -l; busybox sh -c "echo \$((6 * 7))"
		busybox dd if=/dev/zero bs=64k count=10 2>/dev/null | busybox md5sum; busybox awk "BEGIN {print 2^10}"'
}

@test "fio verifies what it wrote" {
	needs usr/bin/fio
	for engine in sync psync pvsync mmap; do
		same "cd /tmp; fio --name=x --ioengine=$engine --rw=randwrite --bs=4k --size=4m --verify=crc32c \
			--verify_fatal=1 --do_verify=1 --thread --numjobs=2 >log 2>&1; echo $engine \$?; grep -c 'err= 0' log"
	done
}

# Runs the stressors named, for a second each, and prints what became of each: passed, failed, or skipped, which
# is what stress-ng makes of a call that is not there or not permitted.
stress_verdicts() {
	cat <<X
cd /tmp; for s in $(echo "$@"); do
	timeout -s KILL 200 stress-ng --temp-path /tmp --\$s 2 --vm-bytes 8m --mmap-bytes 8m --timeout 1s --verify >log 2>&1
	rc=\$?
	if [ \$rc != 0 ] || grep -aq fail: log; then v=failed
	elif grep -aqE "skipp|not supported|not implemented|unsupported" log; then v=skipped
	else v=passed; fi
	echo \$s \$v; grep -aE "fail:|error:|skipp|unsupp" log | head -n 3 >&2
	rm -rf /tmp/tmp-stress-ng*
done
X
}

# --verify makes each stressor check what the kernel gave it.
@test "stress-ng with --verify" {
	needs usr/bin/stress-ng
	LIMIT=300 same "$(stress_verdicts fork futex dnotify sigio kcmp pipe mmap sem timer vm pthread poll epoll \
		signal sock shm-sysv flock rename cyclic usersyscall)"
}

# What passes under runc passes here.  The exceptions, with their causes, are those of docs/compatibility.md; one
# that passes is no failure.
@test "stress-ng: all stressors of the classes scheduler, interrupt, os" {
	[ -n "$PROGRAMS_LONG" ] || skip "half an hour (PROGRAMS_LONG)"
	needs usr/bin/stress-ng
	local all command name verdict bad=0
	local exceptions=' landlock memhotplug netlink-task pci '

	all=$(chroot "$DEBIAN_ROOT" sh -c 'for c in scheduler interrupt os; do stress-ng --class $c?; done' |
		sed 's/.*stressors: //' | tr ' ' '\n' | sort -u)
	command=$(stress_verdicts $all)
	LIMIT=3000 run_in runc "$command" '.linux.resources.memory.limit = 3221225472'
	LIMIT=3000 run_in moat "$command" '.linux.resources.memory.limit = 3221225472'
	[ "$(grep -c passed "$WORK/runc/out")" -gt 150 ]
	while read -r name verdict; do
		[ "$verdict" = passed ] && continue
		grep -qx "$name passed" "$WORK/runc/out" || continue
		[[ $exceptions == *" $name "* ]] && continue
		echo "$name: passed under runc, $verdict here"
		bad=1
	done <"$WORK/moat/out"
	[ "$(wc -l <"$WORK/runc/out")" = "$(wc -l <"$WORK/moat/out")" ]
	[ "$bad" = 0 ]
}

@test "python's tests: files and memory" {
	python_tests test_mmap test_select test_epoll test_fcntl test_posix test_pty test_fileio test_tempfile
}

# 3.11 has no test_tty.
@test "python's tests: processes, signals, threads" {
	[ -n "$PROGRAMS_LONG" ] || skip "minutes (PROGRAMS_LONG)"
	LIMIT=600 python_tests test_fork1 test_wait4 test_os test_subprocess test_signal test_threading test_selectors
}

@test "python's tests: multiprocessing" {
	[ -n "$PROGRAMS_LONG" ] || skip "minutes (PROGRAMS_LONG)"
	LIMIT=900 python_tests test_multiprocessing_fork test_multiprocessing_spawn
}

@test "python's tests: futures, asyncio" {
	[ -n "$PROGRAMS_LONG" ] || skip "minutes (PROGRAMS_LONG)"
	LIMIT=900 python_tests test_concurrent_futures test_asyncio
}

@test "node" {
	[ -n "$PROGRAMS_LONG" ] || skip "its package is large (PROGRAMS_LONG)"
	needs usr/bin/node
	same 'node -e "
const cp = require(\"child_process\"), net = require(\"net\"), { Worker } = require(\"worker_threads\");
console.log(cp.execSync(\"echo child\").toString());
new Worker(\"require(\\\"worker_threads\\\").parentPort.postMessage(42)\", { eval: true }).on(\"message\", m => {
	console.log(m);
	const s = net.createServer(c => c.end(\"bye\")).listen(0, () =>
		net.connect(s.address().port).on(\"data\", d => { console.log(d.toString()); s.close(); }));
});"'
}

@test "java: compile, run, threads, a child, garbage" {
	[ -n "$PROGRAMS_LONG" ] || skip "its package is large (PROGRAMS_LONG)"
	needs usr/bin/javac
	same 'cd /tmp; cat >H.java <<X
import java.util.concurrent.*;
public class H { public static void main(String[] a) throws Exception {
	ExecutorService e = Executors.newFixedThreadPool(8); int s = 0;
	java.util.List<Future<Integer>> f = new java.util.ArrayList<>();
	for (int i = 0; i < 20; i++) { final int j = i; f.add(e.submit(() -> { Thread.sleep(5); return j * j; })); }
	for (Future<Integer> x : f) s += x.get();
	e.shutdown(); System.out.println(s);
	System.out.print(new String(new ProcessBuilder("echo", "child").start().getInputStream().readAllBytes()));
	byte[][] b = new byte[50][]; for (int i = 0; i < 500; i++) b[i % 50] = new byte[1 << 20];
	System.gc(); System.exit(7); } }
X
		javac H.java && java H; echo $?'
}

@test "go: build, goroutines, loopback, a child" {
	[ -n "$PROGRAMS_LONG" ] || skip "its package is large (PROGRAMS_LONG)"
	needs usr/bin/go
	same 'cd /tmp; export GOCACHE=/tmp/cache GO111MODULE=off; cat >h.go <<X
package main
import ("fmt"; "io"; "net"; "os/exec"; "sync"; "time")
func main() {
	var wg sync.WaitGroup; c := make(chan int, 100); s := 0
	for i := 0; i < 1000; i++ { wg.Add(1); go func(i int) { defer wg.Done(); time.Sleep(time.Millisecond); c <- i }(i) }
	go func() { wg.Wait(); close(c) }()
	for v := range c { s += v }
	l, e := net.Listen("tcp", "127.0.0.1:0"); if e != nil { panic(e) }
	go func() { x, _ := l.Accept(); x.Write([]byte("hello")); x.Close() }()
	x, e := net.Dial("tcp", l.Addr().String()); if e != nil { panic(e) }
	b, _ := io.ReadAll(x); o, _ := exec.Command("echo", "child").Output(); fmt.Println(s, string(b), string(o))
}
X
		go build -o h h.go && ./h; echo $?'
}

# Their own tests; those that look at times are left out.
go_tests() {
	[ -n "$PROGRAMS_LONG" ] || skip "its package is large (PROGRAMS_LONG)"
	needs usr/bin/go
	same 'export GOCACHE=/tmp/cache GO111MODULE=off; ulimit -c 0; cd "$(go env GOROOT)/src"
		go test -timeout 40m -v '"$*"' 2>&1 | grep -aE "^ *--- " |
			grep -vE "Deadline|Timeout|Fluctuation|RaceSignal" | sed "s/ (.*//" | sort'
}

@test "go's tests: os, os/exec, os/signal, syscall" {
	LIMIT=900 go_tests os os/exec os/signal syscall
	[ "$(wc -l <"$WORK/moat/out")" -gt 300 ]
}

@test "go's tests: runtime" {
	LIMIT=2500 go_tests runtime
	[ "$(wc -l <"$WORK/moat/out")" -gt 500 ]
}

@test "postgresql: initdb, pgbench over unix and TCP sockets" {
	[ -n "$PROGRAMS_LONG" ] || skip "a minute (PROGRAMS_LONG)"
	needs usr/lib/postgresql/15/bin/initdb
	same 'B=/usr/lib/postgresql/15/bin; mkdir /tmp/pg; chown postgres /tmp/pg; cat >/tmp/pg.sh <<X
set -e; cd /tmp
$B/initdb -D /tmp/pg/d -A trust >/dev/null 2>&1
$B/pg_ctl -D /tmp/pg/d -o "-k /tmp/pg -h 127.0.0.1" -l /tmp/pg/log -w start >/dev/null
$B/pgbench -h /tmp/pg -i -s 1 postgres >/dev/null 2>&1
$B/pgbench -h /tmp/pg -c 4 -j 2 -t 50 postgres 2>&1 | grep -E "processed|failed"
$B/pgbench -h 127.0.0.1 -S -c 2 -t 50 postgres 2>&1 | grep -E "processed|failed"
psql -h /tmp/pg postgres -Atc "select count(*), sum(aid) from pgbench_accounts"
$B/pg_ctl -D /tmp/pg/d -m fast -w stop
X
		setpriv --reuid=postgres --regid=postgres --clear-groups bash /tmp/pg.sh; echo $?'
}
