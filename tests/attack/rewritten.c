/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stub's text overwritten: calls from there, and orders of the sentry carried
 * out in bad faith (hostile_stub.c).  Only the liar and what it made may suffer.
 */
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sentry/platform/trap/stub_abi.h"

#define PAGE 4096UL

static const char host_path[] = "/etc/passwd";
static char buffer[PAGE] __attribute__((aligned(PAGE)));

/* --- calls from rewritten text --------------------------------------------------- */

static const struct call wanted[] = {
	{ SYS_open, { (uint64_t)host_path, O_RDONLY } },
	{ SYS_socket, { AF_INET, SOCK_STREAM, 0 } },
	{ SYS_execve, { (uint64_t)host_path, 0, 0 } },
	/* not an attach: where it counts as the guest's own call, it would stop our parent for good */
	{ SYS_ptrace, { PTRACE_PEEKDATA, 1, 0, 0 } },
	{ SYS_clone, { 0x8000 } },
	{ SYS_fork, { 0 } },
	{ SYS_mmap, { 0, PAGE, PROT_READ, MAP_SHARED, 0, 0 } },
	{ SYS_mremap, { (uint64_t)buffer, PAGE, 2 * PAGE, 1 } },
	{ SYS_process_vm_writev, { 1, (uint64_t)buffer, 1, (uint64_t)buffer, 1, 0 } },
	{ SYS_kill, { 1, SIGKILL } },
	{ SYS_prctl, { 15, (uint64_t)host_path } },
	{ SYS_exit, { 0 } },
	{ SYS_exit_group, { 0 } },
	{ SYS_madvise, { STUB_SLOTS, PAGE, MADV_DOFORK } },
	{ STUB_NR_HELLO, { 1 } },
};

#define WANTED_COUNT (sizeof(wanted) / sizeof(wanted[0]))

static int call_from_gadget(void *arg)
{
	const struct call *c = arg;

	gadget_install();
	gadget(c->nr, c->args[0], c->args[1], c->args[2], c->args[3], c->args[4], c->args[5]);
	return 1;
}

static int call_after_gadget(void *arg)
{
	const struct call *c = arg;

	gadget(c->nr, c->args[0], c->args[1], c->args[2], c->args[3], c->args[4], c->args[5]);
	return 1;
}

static int call_in_grandchild(void *arg)
{
	struct outcome o;

	gadget_install();
	o = in_child(call_after_gadget, arg, 2000);
	return killed_by(&o, SIGKILL) ? 0 : 1;
}

static int call_in_thread_of_hostile(void *arg)
{
	struct outcome o;

	hostile_install(HOSTILE_FAITHFUL);
	o = in_child(call_after_gadget, arg, 2000);
	return killed_by(&o, SIGKILL) ? 0 : 1;
}

/* The last instruction before the end of the text: the host sees the address behind it. */
static int call_at_edge(void *arg)
{
	uint64_t page = STUB_TEXT_LIMIT - PAGE;
	uint8_t *edge = (uint8_t *)STUB_TEXT_LIMIT - 2;
	int64_t result = 0;

	gadget_install();
	if (GADGET(SYS_mmap, page, 2 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1) != (int64_t)page)
		return 1;
	memcpy(edge, "\x0f\x05\x0f\x0b", 4);
	site_call((uint64_t)edge, arg, &result);
	return 2;
}

/* There it may count as a guest's call as well, which the sentry judges. */
static bool edge_outcome_is_harmless(const struct call *c, const struct outcome *o)
{
	if (c->nr == SYS_exit || c->nr == SYS_exit_group)
		return exited_with(o, 0) || killed_by(o, SIGKILL);
	return exited_with(o, 2) || killed_by(o, SIGKILL);
}

/* execve leaves nothing of the rewritten text behind. */
static int exec_from_hostile(void *arg)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

	hostile_install(HOSTILE_FAITHFUL);
	hostile_set(*(enum hostile_mode *)arg);
	dup2(null, 1);
	execl("/attack", "attack", "list", NULL);
	return 1;
}

void attack_rewritten_calls(void)
{
	enum hostile_mode mode = HOSTILE_FAITHFUL;
	struct outcome exec = in_child(exec_from_hostile, &mode, 5000);

	if (!exited_with(&exec, 0))
		fail("execve from a rewritten stub: %s", outcome_text(&exec));
	for (size_t i = 0; i < WANTED_COUNT; i++) {
		void *call = (void *)(uintptr_t)&wanted[i];
		struct outcome o = in_child(call_from_gadget, call, 2000);

		if (!killed_by(&o, SIGKILL))
			fail("call %lld from the text: %s", (long long)wanted[i].nr,
			     outcome_text(&o));
		o = in_child(call_at_edge, call, 2000);
		if (!edge_outcome_is_harmless(&wanted[i], &o))
			fail("call %lld at the text's edge: %s", (long long)wanted[i].nr,
			     outcome_text(&o));
		o = in_child(call_in_grandchild, call, 5000);
		if (!exited_with(&o, 0))
			fail("call %lld after a fork: %s", (long long)wanted[i].nr,
			     outcome_text(&o));
		o = in_child(call_in_thread_of_hostile, call, 5000);
		if (!exited_with(&o, 0))
			fail("call %lld with a stub of our own: %s", (long long)wanted[i].nr,
			     outcome_text(&o));
	}
}

/* --- forks ----------------------------------------------------------------------------- */

static int nothing(void *arg)
{
	(void)arg;
	return 0;
}

static void *no_thread(void *arg)
{
	return arg;
}

/* The sanity of it all: a stub of our own that keeps to the rules works. */
static int faithful(void *arg)
{
	pthread_t thread;
	void *result = NULL;

	(void)arg;
	hostile_install(HOSTILE_FAITHFUL);
	for (int i = 0; i < 10; i++) {
		struct outcome o = in_child(nothing, NULL, 2000);

		CHECK(exited_with(&o, 0));
		CHECK(pthread_create(&thread, NULL, no_thread, buffer) == 0);
		CHECK(pthread_join(thread, &result) == 0 && result == buffer);
	}
	return 0;
}

static bool honest_fork(const char *when)
{
	struct outcome o = in_child(nothing, NULL, 2000);

	if (exited_with(&o, 0))
		return true;
	fail("a fork in good faith %s: its child %s", when, outcome_text(&o));
	return false;
}

struct fork_case {
	enum hostile_mode mode;
	bool first; /* no fork before: by order, else by the clone that reports it */
};

/* A fork in bad faith, and then more in good faith, if we are still there. */
static int bad_fork(void *arg)
{
	const struct fork_case *c = arg;
	enum hostile_mode mode = c->mode;
	struct outcome o;
	pid_t pid;

	hostile_install(HOSTILE_FAITHFUL);
	/* It leaves a used ticket, and one for the next child. */
	if (!c->first && !honest_fork("before"))
		return 99;
	hostile_set(mode);
	pid = fork();
	if (pid == 0)
		_exit(0);
	hostile_set(HOSTILE_FAITHFUL);
	if (pid > 0) {
		o = await(pid, 2000);
		/* 7: the child could not be ended; 8: it was not ended for its lie. */
		if (o.unkillable)
			return 7;
		if (mode != HOSTILE_CHILD_SILENT && !killed_by(&o, SIGKILL))
			return 8;
	}
	return honest_fork("afterwards") ? 0 : 99;
}

static void judge_fork_case(struct fork_case *c, const char *what)
{
	struct outcome o = in_child(bad_fork, c, 15000);

	if (o.unkillable || o.timed_out)
		fail("%s: its parent %s", what, outcome_text(&o));
	else if (!exited_with(&o, 0) && !killed_by(&o, SIGKILL))
		fail("%s: its parent %s%s", what, outcome_text(&o),
		     exited_with(&o, 7)	  ? " (the child cannot be killed)"
		     : exited_with(&o, 8) ? " (the child was not killed)"
					  : "");
}

static void judge_fork(enum hostile_mode mode, const char *what)
{
	struct fork_case c = { mode, false };

	/* Without its clone there is no report either, and no fork. */
	if (mode != HOSTILE_CLONE_NEVER)
		judge_fork_case(&c, what);
	c.first = true;
	/* The first one has no elder brother. */
	if (mode != HOSTILE_CHILD_OLD_TICKET)
		judge_fork_case(&c, what);
}

/* The clone that reports a fork, with something else in the slot: nothing, or another call. */
static int forged_fork(void *arg)
{
	struct stub_slot *slot = (struct stub_slot *)STUB_SLOTS;
	uint64_t nr = *(uint64_t *)arg;

	gadget_install();
	slot->event = nr ? STUB_EVENT_SYSCALL : STUB_EVENT_KICK;
	slot->nr = nr;
	slot->arch = AUDIT_ARCH_X86_64;
	slot->regs.rdi = CLONE_VM;
	GADGET(SYS_clone, STUB_FORK_FLAGS, 0, 0, 0, 0, 0);
	return 1;
}

static int forged_fork_after_another(void *arg)
{
	return honest_fork("before") ? forged_fork(arg) : 99;
}

void attack_rewritten_fork_report(void)
{
	static const uint64_t calls[] = { 0, SYS_getppid, SYS_vfork, SYS_clone, SYS_clone3, SYS_exit_group };

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		void *call = (void *)(uintptr_t)&calls[i];
		struct outcome o = in_child(forged_fork, call, 3000);

		if (!killed_by(&o, SIGKILL))
			fail("a clone without a fork (call %d): %s", (int)calls[i], outcome_text(&o));
		o = in_child(forged_fork_after_another, call, 3000);
		if (!killed_by(&o, SIGKILL))
			fail("a clone that reports no fork (call %d): %s", (int)calls[i], outcome_text(&o));
	}
}

void attack_rewritten_fork(void)
{
	struct outcome o = in_child(faithful, NULL, 10000);

	if (!exited_with(&o, 0))
		fail("a faithful stub of our own: %s", outcome_text(&o));
	judge_fork(HOSTILE_CLONE_TWICE, "two clones for one order");
	judge_fork(HOSTILE_CLONE_NEVER, "no clone for an order");
	judge_fork(HOSTILE_CLONE_OTHER_FLAGS, "clone with other flags");
	judge_fork(HOSTILE_CHILD_CALLS, "a child that calls before its hello");
	judge_fork(HOSTILE_CHILD_MAPS_OTHER, "a child that maps something else");
	judge_fork(HOSTILE_CHILD_REPORTS, "a child that reports before its hello");
}

void attack_rewritten_identity(void)
{
	judge_fork(HOSTILE_CHILD_GUESSES, "a child that guesses a ticket");
	judge_fork(HOSTILE_CHILD_ZERO, "a child with ticket 0");
	judge_fork(HOSTILE_CHILD_OLD_TICKET, "a child with its elder brother's ticket");
	judge_fork(HOSTILE_CHILD_TWICE, "a child that says hello twice");
}

void attack_rewritten_silent(void)
{
	judge_fork(HOSTILE_CHILD_SILENT, "a child that never says hello");
}

/* --- threads ----------------------------------------------------------------------------- */

static int silent_thread(void *arg)
{
	pthread_t thread;

	hostile_install(HOSTILE_FAITHFUL);
	hostile_set(*(enum hostile_mode *)arg);
	if (pthread_create(&thread, NULL, no_thread, NULL) != 0)
		return 1;
	if (*(enum hostile_mode *)arg == HOSTILE_THREAD_NO_EXIT)
		pthread_join(thread, NULL);
	for (int i = 0; i < 1000; i++)
		getppid();
	return 0;
}

/* The same, but killed from outside. */
static int silent_thread_waits(void *arg)
{
	int rc = silent_thread(arg);

	if (rc == 0)
		pause();
	return rc;
}

void attack_rewritten_thread(void)
{
	static const enum hostile_mode modes[] = { HOSTILE_THREAD_SILENT, HOSTILE_THREAD_NO_EXIT };

	for (size_t i = 0; i < 2; i++) {
		enum hostile_mode mode = modes[i];
		struct outcome o = in_child(silent_thread, &mode, 5000);

		if (!exited_with(&o, 0) && !killed_by(&o, SIGKILL))
			fail("exit beside a deaf thread (mode %d): %s", mode, outcome_text(&o));
		o = in_child(silent_thread_waits, &mode, 500);
		if (o.unkillable)
			fail("a process with a deaf thread (mode %d): %s", mode, outcome_text(&o));
	}
}

/* --- lies about results ---------------------------------------------------------------------- */

static int lie(void *arg)
{
	enum hostile_mode mode = *(enum hostile_mode *)arg;

	hostile_install(HOSTILE_FAITHFUL);
	for (int i = 0; i < (long_form() ? 500 : 40); i++) {
		pid_t pid;

		hostile_set(mode);
		pid = fork();
		if (pid == 0)
			_exit(0);
		if (pid > 0) {
			struct outcome o = await(pid, 2000);

			if (o.unkillable)
				return 7;
		}
	}
	hostile_set(HOSTILE_FAITHFUL);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	return 0;
}

/* Two brothers, each with the other's ticket or none. */
static int swap(void *arg)
{
	struct outcome first, second;
	pid_t a, b;

	(void)arg;
	hostile_install(HOSTILE_CLONE_SWAP);
	a = fork();
	if (a == 0)
		_exit(0);
	/* fork_child() leaves armed set in the parent; the second one gives its ticket away. */
	hostile_set(HOSTILE_CLONE_SWAP);
	b = fork();
	if (b == 0)
		_exit(0);
	hostile_set(HOSTILE_FAITHFUL);
	first = await(a, 1500);
	second = await(b, 1500);
	return first.unkillable || second.unkillable ? 7 : 0;
}

void attack_rewritten_lies(void)
{
	static const enum hostile_mode modes[] = { HOSTILE_CLONE_SAYS_FAILED,
						   HOSTILE_CLONE_SAYS_FAILED_LATE };
	struct outcome o;

	for (size_t i = 0; i < 2; i++) {
		enum hostile_mode mode = modes[i];

		o = in_child(lie, &mode, 20000);
		if (!exited_with(&o, 0) && !killed_by(&o, SIGKILL))
			fail("a lie about clone's result: %s", outcome_text(&o));
	}
	o = in_child(swap, NULL, 20000);
	if (!exited_with(&o, 0) && !killed_by(&o, SIGKILL))
		fail("brothers with swapped tickets: %s", outcome_text(&o));
}

/* --- donated FDs
 * ---------------------------------------------------------------------------------- */

static int bad_mapping(void *arg)
{
	enum hostile_mode mode = *(enum hostile_mode *)arg;
	int fd = open("/host-file", O_RDONLY | O_CLOEXEC);
	void *map;

	if (fd < 0)
		return 1;
	hostile_install(HOSTILE_FAITHFUL);
	map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	if (map == MAP_FAILED)
		return 1;
	hostile_set(mode);
	map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	hostile_set(HOSTILE_FAITHFUL);
	/* Another one afterwards is not disturbed either. */
	map = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	return map == MAP_FAILED ? 2 : 3;
}

void attack_rewritten_fd(void)
{
	static const enum hostile_mode fatal[] = { HOSTILE_FD_WRITABLE, HOSTILE_FD_KEPT,
						   HOSTILE_FD_OTHER, HOSTILE_FD_TWICE };
	enum hostile_mode mode = HOSTILE_FD_LIES;
	struct outcome o;

	for (size_t i = 0; i < 4; i++) {
		mode = fatal[i];
		o = in_child(bad_mapping, &mode, 3000);
		if (!killed_by(&o, SIGKILL))
			fail("a donated FD misused (mode %d): %s", mode, outcome_text(&o));
	}
	mode = HOSTILE_FD_LIES;
	o = in_child(bad_mapping, &mode, 3000);
	if (!exited_with(&o, 3) && !killed_by(&o, SIGKILL))
		fail("a lie about a mapping: %s", outcome_text(&o));
}
