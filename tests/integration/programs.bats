#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# Real programs of a Debian root file system ($DEBIAN_ROOT, made by debian-root): the same
# command under runc and in the sandbox gives the same output and the same status.

load helpers.bash
load program_helpers.bash

setup_file() {
	programs_setup
}

teardown_file() {
	programs_teardown
}

@test "bash: pipelines" {
	same 'seq 1 10000 | sort -rn | awk "{s+=\$1} END {print s}" | tee /tmp/x | rev; cat /tmp/x; echo ${PIPESTATUS[@]}'
}

@test "bash: arrays, substitution, here documents, traps" {
	same 'a=(x y z); for i in "${!a[@]}"; do echo $i=${a[$i]}; done; cat <<< "$(echo in)"; diff <(seq 3) <(seq 4); trap "echo bye" EXIT; (exit 3); echo $?'
}

@test "bash: background jobs" {
	same '{ for i in 1 2 3 4 5; do (sleep 0.$i; echo $i) & done; wait; } | sort; sleep 1 & wait; echo done; set -m; sleep 5 & kill %1; wait; echo $?'
}

@test "find / -xdev" {
	# Overlayfs of the host has link counts of its own for directories it merges.
	same 'find / -xdev | wc -l; find / -xdev ! -path / ! -path /proc -printf "%M %n %U %G %y %p %l\n" |
		grep -v " /root" | sort | sha256sum'
}

@test "tar of /usr" {
	same 'tar c /usr | sha256sum; tar c --sort=name /etc /var 2>/dev/null | sha256sum'
}

@test "exit codes" {
	same 'for i in $(seq 0 255); do (exit $i); echo $?; done'
	same 'exit 17'
	same 'exit 255'
	same '/no/such/program'
	same 'kill -TERM $$; sleep 1; exit 9'
}

@test "128 and the signal" {
	# Not those whose default is to stop or to do nothing.
	same 'for s in $(seq 1 64); do case $s in 17|18|19|20|21|22|23|28|32|33) continue;; esac
		bash -c "kill -$s \$\$; exit 0"; echo $s $?; done 2>/dev/null
		perl -e "\$p = fork() || exec(qw(sleep 100)); kill 15, \$p; waitpid(\$p, 0); print \$? & 127, qq(\n)"
		sleep 100 & kill -9 $!; wait $!; echo $?'
}

@test "python3: subprocess, threading" {
	same 'python3 -c "
import subprocess, threading
print(subprocess.run([\"echo\",\"hi\"],capture_output=True,text=True).stdout)
print(subprocess.run(\"exit 3\",shell=True).returncode)
r=[]
ts=[threading.Thread(target=lambda i=i:r.append(i*i)) for i in range(50)]
[t.start() for t in ts];[t.join() for t in ts]
print(sorted(r))
q=threading.Semaphore(0)
t=threading.Thread(target=q.release);t.start();q.acquire();print(\"ok\")
"'
}

@test "python3: multiprocessing" {
	same 'cat > /tmp/m.py <<E
import multiprocessing as mp
def f(x): return x*x
if __name__ == "__main__":
    with mp.Pool(4) as p: print(p.map(f, range(100)))
    q=mp.Queue(); p=mp.Process(target=q.put,args=(42,)); p.start(); print(q.get()); p.join(); print(p.exitcode)
    mp.set_start_method("spawn", force=True)
    with mp.Pool(2) as p: print(p.map(f, range(10)))
E
python3 /tmp/m.py'
}

# Debian's perl packages ship none of its t/op tests; these are of the same things.
@test "perl: fork" {
	same 'cat >/tmp/fork.pl <<\X
use strict; use warnings; use IPC::Open3; use POSIX qw(:sys_wait_h :signal_h); use Time::HiRes qw(sleep);
$| = 1; my ($x, $main) = ("mine", $$);
for (1 .. 10) { my $p = fork; exit $_ unless $p; waitpid $p, 0; print $? >> 8, "\n" }
open my $f, "-|", "echo piped" or die; print <$f>; close $f; print "close $?\n";
open $f, "-|" or exec "sh", "-c", "echo from exec; exit 3"; print <$f>; print "close ", close $f ? 1 : 0, " ", $? >> 8, "\n";
open $f, "|-", "tr a-z A-Z" or die; print $f "upper\n"; close $f;
my $p = open $f, "-|"; unless ($p) { print "child of fork-open, not ", $p, "\n"; exit 5 } print <$f>; close $f; print $? >> 8, "\n";
pipe my $r, my $w; unless (fork) { close $r; print $w "through a pipe\n"; exit } close $w; print <$r>; wait; print "wait $?\n";
my @kids = map { my $n = $_; my $k = fork; unless ($k) { sleep 0.01 * $n; exit $n } $k } 1 .. 8;
my %got; while ((my $k = wait) > 0) { $got{$k} = $? >> 8 } print join(" ", map { $got{$_} } @kids), " errno ", $! + 0, "\n";
$p = fork; unless ($p) { kill "KILL", $$; exit } waitpid $p, 0; print "signal ", $? & 127, "\n";
$p = fork; unless ($p) { sleep 100; exit } print waitpid($p, WNOHANG), "\n"; kill "TERM", $p; waitpid $p, 0; print WTERMSIG($?), "\n";
my $chld = 0; { local $SIG{CHLD} = sub { $chld++ while waitpid(-1, WNOHANG) > 0 };
	for (1 .. 5) { exit 0 unless fork } for (1 .. 3000) { last if $chld == 5; sleep 0.01 } } print "reaped $chld\n";
{ local $SIG{CHLD} = "IGNORE"; $p = fork; exit 1 unless $p; print waitpid($p, 0), "\n" }
eval { local $SIG{ALRM} = sub { die "alarm\n" }; alarm 1; select undef, undef, undef, 20; alarm 0 }; print $@;
eval { local $SIG{ALRM} = sub { die "in wait\n" }; $p = fork; unless ($p) { exec "sleep", 100 } alarm 1; waitpid $p, 0 }; print $@; kill 9, $p; wait;
my $in; $p = open3($in, my $o, undef, "cat; echo err >&2; exit 9"); print $in "open3\n"; close $in; print sort <$o>; waitpid $p, 0; print $? >> 8, "\n";
print system("exit 4") >> 8, " ", system("no-such-program 2>/dev/null") >> 8, " ", `echo back`; print "qx $?\n";
$p = fork; unless ($p) { my $q = fork; unless ($q) { setpgrp; print getpgrp == $$ ? "leader\n" : "no\n"; exit } wait; exit 6 } wait; print $? >> 8, "\n";
$p = fork; unless ($p) { $x = "child"; exit } wait; print "$x\n";
$SIG{USR1} = sub { print "usr1\n" }; my $set = POSIX::SigSet->new(SIGUSR1); sigprocmask(SIG_BLOCK, $set); kill "USR1", $$; print "blocked\n"; sigprocmask(SIG_UNBLOCK, $set);
END { print "end of $x\n" if $$ == $main } exec "echo", "exec runs no END";
X
	perl /tmp/fork.pl 2>&1; echo $?'
	grep -q 'exec runs no END' "$WORK/moat/out"
}

@test "gcc: compile, link, run" {
	same 'cd /tmp; printf "#include <stdio.h>\n#include <math.h>\nint main(void){printf(\"%%.3f\\\\n\", sqrt(2.0));return 5;}" > a.c; gcc -O2 -o a a.c -lm && ./a; echo $?; gcc -static -o b a.c -lm && ./b; echo $?'
}

@test "make -j4 of fifty files" {
	same 'cd /tmp; for i in $(seq 50); do echo "int f$i(void){return $i;}" > f$i.c; done; (for i in $(seq 50); do echo "int f$i(void);"; done; echo "#include <stdio.h>"; echo "int main(void){int s=0;"; for i in $(seq 50); do echo "s+=f$i();"; done; echo "printf(\"%d\\n\",s);return 0;}") > main.c; printf "O=\$(patsubst %%.c,%%.o,\$(wildcard *.c))\nprog: \$(O)\n\t@gcc -o \$@ \$^\n%%.o: %%.c\n\t@gcc -c -o \$@ \$<\n" > Makefile; make -j4 && ./prog'
}

@test "git: init, add, commit, log, clone" {
	same 'export GIT_AUTHOR_DATE="2020-01-01T00:00:00Z" GIT_COMMITTER_DATE="2020-01-01T00:00:00Z"; git config --global user.email a@b; git config --global user.name n; cd /tmp; git init -q r; cd r; seq 100 > a; mkdir d; cp a d/b; git add .; git commit -qm one; echo x >> a; git commit -qam two; git log --format="%H %s"; cd ..; git clone -q r s; cd s; git log --oneline; git status --short; git fsck; ls -R'
}

@test "sqlite3 with WAL" {
	same 'cd /tmp; sqlite3 t.db "PRAGMA journal_mode=WAL; CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT);"; for i in $(seq 20); do sqlite3 t.db "INSERT INTO t(b) VALUES (hex($i));"; done; sqlite3 t.db "SELECT count(*), sum(a), max(b) FROM t; PRAGMA integrity_check;"; (for i in 1 2 3; do sqlite3 -cmd ".timeout 10000" t.db "UPDATE t SET b=b||\"$i\" WHERE a<10;" & done; wait); sqlite3 t.db "SELECT count(*) FROM t WHERE length(b)>=5"'
}

@test "ps, top, free" {
	run_in moat 'ps aux; top -bn1 | head -20; free -m; uptime'
	[ "$(cat "$WORK/moat/status")" = 0 ]
	grep -q 'ps aux' "$WORK/moat/out"
	grep -q '^Mem:' "$WORK/moat/out"
	grep -q 'Tasks:' "$WORK/moat/out"
	# What does not depend on the moment; runc's own threads take process ids.
	same 'sleep 100 & until [ "$(cat /proc/$!/comm)" = sleep ]; do sleep 0.1; done; ps aux | awk "{print \$1, \$11, \$12}"; ps -eo user,tty,comm,args
		ps -eo pid,ppid,pgid,sid | awk "NR > 1 {print \$1 == 1, \$2 == 1, \$3, \$4}"; ps -o stat= -p $! | cut -c1
		kill $!; wait; echo'
	same 'sleep 100 & until [ "$(cat /proc/$!/comm)" = sleep ]; do sleep 0.1; done; top -bn1 | awk "NR > 6 {print \$2, \$12}" | sort; kill $!'
	same 'free -k | awk "{print \$1, NF}"; test $(free -k | awk "/^Mem/ {print \$2}") = $(awk "/^MemTotal/ {print \$2}" /proc/meminfo); echo $?'
}

@test "standard input, output and error" {
	printf 'one\ntwo\nthree\n' >"$WORK/input"
	INPUT=$WORK/input same 'cat | tac; echo err >&2; yes | head -n 100000 | wc -l'
}

@test "a fork bomb is stopped by the pids limit" {
	run_in moat 'f() { f | f & }; ulimit -u unlimited; (f) 2>/dev/null; sleep 3; echo still here; for i in /proc/[0-9]*; do :; done; exit 0' \
		'.linux.resources.pids = {limit: 64}'
	grep -q 'still here' "$WORK/moat/out"
}

@test "the pids limit counts as the host's, and gives back" {
	same 'exec python3 -c "
import errno, os, signal, threading, time
def fill():
    pids = []
    while True:
        try: pid = os.fork()
        except OSError as e: break
        if not pid: time.sleep(100); os._exit(0)
        pids.append(pid)
    print(len(pids), errno.errorcode[e.errno], flush=True)
    try: threading.Thread(target=print).start()
    except RuntimeError as e: print(e, flush=True)
    for p in pids: os.kill(p, signal.SIGKILL)
    print({os.waitpid(p, 0)[1] for p in pids}, flush=True)
fill(); fill()
"' '.linux.resources.pids = {limit: 20}'
}

@test "memory over the limit kills the guest process, not the sandbox" {
	same 'python3 -c "
b=[]
while True: b.append(bytearray(16<<20))
"; echo status $?; echo alive; seq 10 | sort -rn | head -1' '.linux.resources.memory = {limit: 134217728}'
	grep -q 'status 137' "$WORK/moat/out"
	grep -q alive "$WORK/moat/out"
}

@test "deadline scheduling with CAP_SYS_NICE" {
	same 'd() { chrt -d -T "$1" -D 10000000 -P "$2" 0 "${@:3}"; echo $?; }
		d 1000000 20000000 cut -d " " -f 18,19,40,41 /proc/self/stat
		d 1000000 20000000 sh -c "ls; echo not reached"
		d 1000000 20000000 taskset -c 0 true; d 30000000 20000000 true; d 1000 20000000 true
		taskset -c 0 chrt -d -T 1000000 -D 10000000 -P 10000000 0 true; echo $?
		chrt -R -d -T 1000000 -D 10000000 -P 20000000 0 sh -c "cat /proc/self/stat | cut -d \" \" -f 18,41"
		for i in 1 2 3; do chrt -d -T 9000000 -D 10000000 -P 10000000 0 sleep 1 & done
		wait -n; echo $?; wait; d 9000000 10000000 true' \
		'.process.capabilities[] += ["CAP_SYS_NICE"]'
}
