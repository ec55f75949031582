#!/usr/bin/env bats
# SPDX-License-Identifier: Apache-2.0
#
# gdb, strace and ltrace inside the sandbox, on both platforms, against what they print under runc.
# $DEBUGGERS_ROOT is a root file system made by
#	debian-root $DEBUGGERS_ROOT gdb strace ltrace libboost-regex1.74.0 libicu72

load helpers.bash

setup_file() {
	[ -x "${DEBUGGERS_ROOT:-}/usr/bin/gdb" ] || skip "no DEBUGGERS_ROOT with gdb"
	export WORK=$BATS_FILE_TMPDIR
	mkdir -p "$WORK/programs" "$WORK/upper" "$WORK/work" "$WORK/rootfs"
	mount -t overlay overlay -o \
		"lowerdir=$DEBUGGERS_ROOT,upperdir=$WORK/upper,workdir=$WORK/work" "$WORK/rootfs"
	(cd "$WORK" && "$MOAT" spec)
	jq --arg programs "$WORK/programs" '.process.terminal = false | .root.readonly = false
		| .process.cwd = "/programs" | .process.env += ["HOME=/root", "LC_ALL=C"]
		| .mounts += [{destination: "/programs", type: "bind", source: $programs,
			options: ["bind", "ro"]},
			{destination: "/tmp", type: "tmpfs", source: "tmpfs", options: ["mode=1777"]}]' \
		"$WORK/config.json" >"$WORK/base.json"
	write_programs
}

teardown_file() {
	mountpoint -q "$WORK/rootfs" && umount "$WORK/rootfs"
}

write_programs() {
	cat >"$WORK/threads.c" <<'TEXT'
#include <pthread.h>
#include <stdio.h>
int counter;
static void *work(void *arg) { counter++; return arg; }
int add(int a, int b) { return a + b; }
int main(void)
{
	for (int i = 0; i < 3; i++) {
		pthread_t thread;
		pthread_create(&thread, NULL, work, NULL);
		pthread_join(thread, NULL);
	}
	printf("sum %d\n", add(counter, 4));
	counter = 50;
	return 0;
}
TEXT
	cat >"$WORK/fork.c" <<'TEXT'
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
int in_child(int v) { return v * 2; }
int main(void)
{
	int status;
	setvbuf(stdout, NULL, _IONBF, 0);
	if (fork() == 0)
		_exit(in_child(21));
	wait(&status);
	printf("child %d\n", WEXITSTATUS(status));
	execl("/bin/echo", "echo", "executed", NULL);
}
TEXT
	cat >"$WORK/loop.c" <<'TEXT'
#include <pthread.h>
#include <unistd.h>
volatile long spins;
static void *spin(void *arg) { for (;;) spins++; return arg; }
static void *nap(void *arg) { for (;;) sleep(100); return arg; }
int main(void)
{
	pthread_t thread;
	pthread_create(&thread, NULL, spin, NULL);
	pthread_create(&thread, NULL, nap, NULL);
	for (;;)
		pause();
}
TEXT
	cat >"$WORK/calls.c" <<'TEXT'
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
int main(void)
{
	char *p = malloc(100);
	strcpy(p, "hello");
	puts(p);
	return (int)strlen(p);
}
TEXT
	local name
	for name in threads fork loop; do
		gcc -g -O0 -static-libgcc "$WORK/$name.c" -o "$WORK/programs/$name" -lpthread
	done
	gcc -O0 -fno-builtin -no-pie -Wl,-z,lazy "$WORK/calls.c" -o "$WORK/programs/calls"
}

# run_in runc|trap|ptrace COMMAND: its output, without what differs from run to run, in $WORK/NAME.out.
run_in() {
	local id=debug-$1-$$-$BATS_TEST_NUMBER runtime="$MOAT --root $WORK/state --platform=$1"
	local root=$DEBUGGERS_ROOT
	if [ "$1" = runc ]; then
		runtime=runc
		root=$WORK/rootfs
	fi
	mkdir -p "$WORK/$1"
	jq --arg c "$2" --arg root "$root" '.root.path = $root | .process.args = ["/bin/bash", "-c", $c]' \
		"$WORK/base.json" >"$WORK/$1/config.json"
	# shellcheck disable=SC2086
	timeout -s KILL 120 $runtime run -b "$WORK/$1" "$id" </dev/null 2>&1 |
		sed -e 's/0x[0-9a-f]*/X/g' -e 's/\(LWP\|process\|\[pid\) *[0-9]*/\1 N/g' \
			-e 's/si_[us]time=[^,}]*/T/g' -e 's/\(kill(\|si_pid=\)[0-9]*/\1N/g' \
			-e 's/  */ /g' >"$WORK/$1.out"
	# shellcheck disable=SC2086
	$runtime delete -f "$id" >/dev/null 2>&1 || true
}

# The command prints the same under runc and on both platforms.
same() {
	local platform
	run_in runc "$1"
	for platform in trap ptrace; do
		run_in $platform "$1"
		diff -u "$WORK/runc.out" "$WORK/$platform.out"
	done
	[ -s "$WORK/runc.out" ]
}

@test "gdb: breakpoint, backtrace, finish, threads" {
	same 'gdb -nx -batch -ex "break add" -ex run -ex bt -ex "print a" -ex finish -ex "info threads" -ex continue ./threads 2>&1 | grep -v "^\[.*Thread"'
	grep -q "Value returned is .* = 7" "$WORK/trap.out"
}

@test "gdb: a breakpoint that every thread hits" {
	# gdb forgets a leader that is dead before its threads are, and then finds it again.
	same 'gdb -nx -batch -ex "break work" -ex run -ex "print counter" -ex continue -ex "print counter" -ex continue -ex "print counter" -ex continue ./threads 2>&1 |
		grep -vE "^\[(.*Thread|New process)"'
	[ "$(grep -c "hit Breakpoint" "$WORK/trap.out")" = 3 ]
}

# Not compared: the debug registers of a virtual machine may do nothing.
@test "gdb: watchpoint" {
	local platform
	for platform in trap ptrace; do
		run_in $platform 'gdb -nx -batch -ex "break add" -ex run -ex "watch counter" -ex continue -ex continue ./threads 2>&1'
		grep -q "Hardware watchpoint 2: counter" "$WORK/$platform.out"
		grep -q "New value = 50" "$WORK/$platform.out"
	done
}

@test "gdb: single steps, a changed variable, a call in the inferior" {
	same 'gdb -nx -batch -ex "break add" -ex run -ex "stepi 3" -ex step -ex step -ex "set var counter = 9" -ex "print add(counter, 1)" -ex "info line" -ex kill ./threads 2>&1 | grep -v "^\[.*Thread"'
}

@test "gdb: follows a child, catches exec" {
	same 'gdb -nx -batch -ex "set follow-fork-mode child" -ex "break in_child" -ex run -ex bt -ex finish ./fork 2>&1 | grep -v "^\[\|^child\|^executed"'
	same 'gdb -nx -batch -ex "catch exec" -ex run -ex continue ./fork 2>&1 | grep -v "^\[.*Thread"'
}

@test "gdb: attaches to running threads and lets go of them" {
	same './loop & until [ "$(ls /proc/$!/task 2>/dev/null | wc -l)" = 3 ]; do sleep 0.1; done; sleep 0.5; gdb -nx -batch -p $! -ex "print spins > 0" -ex "thread apply all frame function spin" -ex detach 2>&1 | grep -v "^\[\|^warning\|^[0-9X]\|^#\|pause\|sleep"; grep -E "State|TracerPid" /proc/$!/status; kill $!; wait $!; echo $?'
	grep -q '= 1' "$WORK/trap.out"
	grep -q 143 "$WORK/trap.out"
}

@test "gdb: catches a signal" {
	same 'gdb -nx -batch -ex run -ex "print \$_siginfo.si_signo" -ex continue --args bash -c "kill -SEGV \$\$" 2>&1 | grep -v "^\[\|^X\|^#\|^[0-9]"'
}

@test "gdb: writes a core file and reads it" {
	run_in trap './loop & until [ "$(ls /proc/$!/task 2>/dev/null | wc -l)" = 3 ]; do sleep 0.1; done; sleep 0.5; gdb -nx -batch -p $! -ex "generate-core-file /tmp/core" >/dev/null 2>&1; kill $!; gdb -nx -batch -ex "info threads" ./loop /tmp/core 2>&1'
	grep -q "in spin" "$WORK/trap.out"
}

@test "strace -f: calls, children, signals" {
	same 'strace -f -qq -e trace=execve,dup2,exit_group,kill -e signal=all bash -c "(exit 3); kill -USR1 \$\$" 2>&1 | sed "s/X \/\* [0-9]* vars/X vars/"'
	grep -q SIGUSR1 "$WORK/trap.out"
}

@test "strace: of threads, by seccomp" {
	same 'strace -f -qq -e trace=clone3,clone -o /tmp/out ./threads; grep -c clone /tmp/out'
}

@test "strace: changes calls" {
	same 'strace -qq -e trace=getcwd -e inject=getcwd:error=EPERM pwd 2>&1; strace -qq -e trace=write -e inject=write:retval=3:when=1 bash -c "echo one; echo two" 2>&1'
}

@test "strace -p: attaches to a sleeper and detaches" {
	# 230 is clock_nanosleep: it is past its start.
	same 'sleep 2 & until read -r nr rest </proc/$!/syscall && [ "$nr" = 230 ]; do :; done
		strace -qq -p $! 2>&1 | grep -v restart_syscall; wait $!; echo $?'
}

@test "ltrace" {
	same 'ltrace ./calls 2>&1'
	grep -q 'strlen("hello")' "$WORK/trap.out"
}
