/* SPDX-License-Identifier: Apache-2.0 */
/* Threads deaf to signals, core dumps, and reaching for another process. */
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sentry/platform/trap/stub_abi.h"

#define PAGE 4096UL

/* --- deaf threads --------------------------------------------------------------------- */

static char spin_stack[65536];

__attribute__((noreturn)) static void spin(void)
{
	for (;;)
		__asm__ volatile("pause");
}

/* rt_sigreturn with these signals of the host blocked. */
__attribute__((noreturn)) static void go_deaf_in(void (*body)(void), uint64_t signals)
{
	struct {
		uint64_t flags, link, sp, ss, size;
		struct stub_regs regs;
		uint64_t selectors, err, trapno, oldmask, cr2, fpstate, reserved[8], sigmask;
	} frame = { .ss = 2 };

	frame.regs.rip = (uint64_t)body;
	frame.regs.rsp = (uint64_t)spin_stack + sizeof(spin_stack) - 8;
	frame.regs.eflags = 0x202;
	frame.selectors = 0x002b000000000033UL;
	frame.sigmask = signals;
	__asm__ volatile("mov %0, %%rsp\n\tmov $15, %%eax\n\tjmp *%1"
			 :
			 : "D"(&frame), "c"(STUB_TEXT + 0x8000)
			 : "memory");
	__builtin_unreachable();
}

__attribute__((noreturn)) static void go_deaf(void)
{
	go_deaf_in(spin, (uint64_t)-1);
}

static int deaf_process(void *arg)
{
	(void)arg;
	gadget_install();
	go_deaf();
}

static void *deaf_thread(void *arg)
{
	(void)arg;
	go_deaf();
}

static void *exec_from_thread(void *arg)
{
	(void)arg;
	sleep_ms(100);
	execl("/bin/busybox", "busybox", "true", NULL);
	_exit(1);
}

/* kind: 0 exits beside a deaf thread, 1 is killed by SIGTERM, 2 execs, 3 a deaf leader. */
static int with_deaf_thread(void *arg)
{
	int kind = *(int *)arg;
	pthread_t thread;

	gadget_install();
	if (kind == 3) {
		pthread_create(&thread, NULL, exec_from_thread, NULL);
		go_deaf();
	}
	if (pthread_create(&thread, NULL, deaf_thread, NULL) != 0)
		return 1;
	sleep_ms(100);
	if (kind == 1)
		kill(getpid(), SIGTERM);
	if (kind == 2)
		execl("/bin/busybox", "busybox", "true", NULL);
	return 0;
}

/* --- deaf in a call for which the thread has to be kicked -------------------------------- */

#define KICKS (1UL << (SIGURG - 1))

static char *below_stack;

/* For a while, so that nobody watches the slot any more and the next call is notified. */
static void compute(void)
{
	for (volatile unsigned i = 0; i < 100000000; i++)
		;
}

/* The kick that is to bring the thread out of its call does not come. */
__attribute__((noreturn)) static void grow_and_spin(void)
{
	compute();
	syscall(SYS_clock_gettime, 1, below_stack);
	spin();
}

__attribute__((noreturn)) static void grow_and_call(void)
{
	compute();
	for (;;)
		syscall(SYS_clock_gettime, 1, below_stack);
}

static bool map_growing(void)
{
	char *area = mmap(NULL, 1024 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (area == MAP_FAILED || munmap(area, 1024 * PAGE) != 0)
		return false;
	area = mmap(area + 1000 * PAGE, PAGE, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_GROWSDOWN | MAP_FIXED, -1, 0);
	below_stack = area - 10 * PAGE;
	return area != MAP_FAILED;
}

static int deaf_growth(void *arg)
{
	if (!map_growing())
		return 1;
	gadget_install();
	go_deaf_in(*(int *)arg ? grow_and_call : grow_and_spin, KICKS);
}

static void *deaf_growing_thread(void *arg)
{
	go_deaf_in(*(int *)arg ? grow_and_call : grow_and_spin, KICKS);
}

/* Beside a thread that lives on and wants to end the process. */
static int exit_beside_deaf_growth(void *arg)
{
	pthread_t thread;

	if (!map_growing())
		return 1;
	gadget_install();
	if (pthread_create(&thread, NULL, deaf_growing_thread, arg) != 0)
		return 1;
	sleep_ms(1500);
	return 0;
}

void attack_deaf_growth(void)
{
	for (int kind = 0; kind < 2; kind++) {
		struct outcome o = in_child(deaf_growth, &kind, 1500);

		if (o.unkillable)
			fail("deaf in a call, kind %d: %s", kind, outcome_text(&o));
		o = in_child(exit_beside_deaf_growth, &kind, 5000);
		if (o.unkillable || o.timed_out)
			fail("exit beside one, kind %d: %s", kind, outcome_text(&o));
	}
}

void attack_deaf_spin(void)
{
	static const int signals[] = { SIGKILL, SIGTERM, SIGSTOP };

	for (size_t i = 0; i < 3; i++) {
		uint64_t began;
		struct outcome o;
		pid_t pid;

		fflush(stdout);
		pid = fork();
		if (pid == 0)
			_exit(deaf_process(NULL));
		sleep_ms(200);
		began = now_ms();
		kill(pid, signals[i]);
		o = await(pid, signals[i] == SIGKILL ? 2000 : 500);
		if (o.unkillable || (signals[i] == SIGKILL && !killed_by(&o, SIGKILL)))
			fail("deaf process and signal %d: %s", signals[i], outcome_text(&o));
		if (now_ms() - began > 3000)
			fail("deaf process: killed only after %llu ms",
			     (unsigned long long)(now_ms() - began));
	}
	for (int kind = 0; kind < 4; kind++) {
		struct outcome o = in_child(with_deaf_thread, &kind, 2000);

		if (o.unkillable || (kind == 0 && !exited_with(&o, 0)))
			fail("a process with a deaf thread (%d): %s", kind, outcome_text(&o));
	}
}

static void *announce(void *arg)
{
	(void)arg;
	sleep_ms(100);
	printf("holding\n");
	fflush(stdout);
	pause();
	return NULL;
}

int hold(const char *how)
{
	pthread_t thread;

	if (strcmp(how, "silent_bomb") == 0 || strcmp(how, "silent_stuck") == 0) {
		if (leave_silent(how) != 0)
			return 1;
		announce(NULL);
	}
	if (strcmp(how, "console") == 0)
		return flood_console();
	if (strcmp(how, "silent_child") == 0) {
		hostile_install(HOSTILE_CHILD_SILENT);
		if (fork() == 0)
			_exit(0);
		hostile_set(HOSTILE_FAITHFUL);
		announce(NULL);
	}
	gadget_install();
	if (strcmp(how, "deaf_leader") == 0) {
		pthread_create(&thread, NULL, announce, NULL);
		go_deaf();
	}
	pthread_create(&thread, NULL, deaf_thread, NULL);
	announce(NULL);
	return 1;
}

/* --- core dumps --------------------------------------------------------------------------- */

static int dump_core(void *arg)
{
	struct rlimit unlimited = { RLIM_INFINITY, RLIM_INFINITY };
	int kind = *(int *)arg;

	setrlimit(RLIMIT_CORE, &unlimited);
	if (chdir("/tmp") < 0)
		return 1;
	if (kind < 4) {
		static const int signals[] = { SIGQUIT, SIGSEGV, SIGABRT, SIGSYS };

		kill(getpid(), signals[kind]);
	} else if (kind == 4) {
		*(volatile int *)NULL = 1;
	} else {
		/* A fault that the host itself must deal with: no handler, no stack, no text. */
		gadget_install();
		if (kind == 5)
			GADGET(SYS_munmap, STUB_STACKS, STUB_STACK_SIZE * STUB_THREADS_MAX);
		if (kind == 6)
			GADGET(SYS_mprotect, STUB_TEXT + 0x1000, 0x1000, PROT_NONE);
		if (kind == 7)
			GADGET(SYS_munmap, 0x10000, STUB_TEXT - 0x10000);
		*(volatile int *)NULL = 1;
	}
	return 1;
}

void attack_core_dump(void)
{
	for (int kind = 0; kind < (can_rewrite() ? 8 : 5); kind++) {
		struct outcome o = in_child(dump_core, &kind, 3000);

		if (o.timed_out || !WIFSIGNALED(o.status))
			fail("fatal fault %d: %s", kind, outcome_text(&o));
	}
	/* ./run looks for core files on the host. */
}

/* --- another process ------------------------------------------------------------------------ */

static volatile uint64_t victim_word = 0x1234567890abcdefUL;

static int victim(void *arg)
{
	volatile uint32_t *ready = arg;

	if (setresgid(2000, 2000, 2000) < 0 || setresuid(2000, 2000, 2000) < 0)
		return 3;
	*ready = 1;
	while (*ready == 1)
		sleep_ms(2);
	return victim_word == 0x1234567890abcdefUL ? 0 : 4;
}

static int stranger(void *arg)
{
	pid_t pid = *(pid_t *)arg;
	uint64_t word = 0;
	struct iovec local = { &word, 8 }, remote = { (void *)(uintptr_t)&victim_word, 8 };
	char path[64];

	if (setresgid(1000, 1000, 1000) < 0 || setresuid(1000, 1000, 1000) < 0)
		return 3;
	CHECK(process_vm_readv(pid, &local, 1, &remote, 1, 0) < 0);
	CHECK(process_vm_writev(pid, &local, 1, &remote, 1, 0) < 0);
	CHECK(ptrace(PTRACE_ATTACH, pid, NULL, NULL) < 0);
	CHECK(kill(pid, SIGKILL) < 0);
	CHECK(kill(1, SIGKILL) < 0);
	for (int i = 0; i < 3; i++) {
		static const char *const files[] = { "mem", "maps", "fd/0" };

		snprintf(path, sizeof(path), "/proc/%d/%s", pid, files[i]);
		CHECK(open(path, O_RDWR) < 0);
	}
	CHECK(word == 0);
	return 0;
}

/* At the host's level: pids of the sandbox are small. */
static int stranger_by_gadget(void *arg)
{
	struct iovec local = { (void *)(uintptr_t)&victim_word, 8 }, remote = local;

	gadget_install();
	GADGET(SYS_process_vm_writev, *(pid_t *)arg, &local, 1, &remote, 1, 0);
	return 1;
}

/* The FDs that pass through a stub are never there for the guest's own use. */
static int map_any_fd(void *arg)
{
	uint64_t fd = *(uint64_t *)arg;

	gadget_install();
	GADGET(SYS_mmap, 0x10000000, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0);
	return 1;
}

void attack_other_process(void)
{
	volatile uint32_t *ready =
		mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct outcome o;
	pid_t pid = fork();

	if (pid == 0)
		_exit(victim((void *)(uintptr_t)ready));
	while (!*ready && waitpid(pid, NULL, WNOHANG) == 0)
		sleep_ms(1);
	o = in_child(stranger, &pid, 5000);
	if (!exited_with(&o, 0))
		fail("reaching for another's memory: %s", outcome_text(&o));
	if (can_rewrite()) {
		for (pid_t target = 1; target < (long_form() ? 40 : 8); target++) {
			o = in_child(stranger_by_gadget, &target, 2000);
			if (!killed_by(&o, SIGKILL))
				fail("host process_vm_writev of %d: %s", target, outcome_text(&o));
		}
		for (uint64_t fd = 0; fd < (long_form() ? 40 : 6); fd++) {
			o = in_child(map_any_fd, &fd, 2000);
			if (!killed_by(&o, SIGKILL))
				fail("mmap of FD %llu: %s", (unsigned long long)fd,
				     outcome_text(&o));
		}
	}
	*ready = 2;
	o = await(pid, 5000);
	if (!exited_with(&o, 0))
		fail("the victim %s", outcome_text(&o));
}
