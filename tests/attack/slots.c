/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the guest can write into its slots: forged events, forged registers,
 * garbage while calls run, and futex games with the words in them.
 */
#include "attack.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/futex.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sentry/platform/trap/stub_abi.h"

#define PAGE 4096UL

static struct stub_slot *own_slot(void)
{
	/* A forked child keeps its parent's thread index, and init's is 0. */
	return (struct stub_slot *)STUB_SLOTS;
}

/* --- forged events ------------------------------------------------------------------- */

struct forged {
	const char *name;
	struct stub_slot slot;
};

/* clang-format off */
#define SYSCALL(text, number, architecture) \
	{ text, { .event = STUB_EVENT_SYSCALL, .nr = (uint64_t)(number), .arch = (architecture) } }
#define FAULT(text, ...) { text, { .event = STUB_EVENT_FAULT, __VA_ARGS__ } }
/* clang-format on */

static const struct forged events[] = {
	FAULT("signal 0", .signo = 0),
	FAULT("signal 65", .signo = 65),
	FAULT("signal 64", .signo = 64),
	FAULT("signal -1", .signo = -1),
	FAULT("signal 1000", .signo = 1000),
	FAULT("signal 1000000", .signo = 1000000),
	FAULT("signal INT_MAX", .signo = 0x7fffffff),
	FAULT("signal INT_MIN", .signo = (int)0x80000000),
	FAULT("SIGKILL", .signo = SIGKILL),
	FAULT("SIGSTOP", .signo = SIGSTOP),
	FAULT("SIGCHLD of an exited child", .signo = SIGCHLD, .code = 1),
	FAULT("code SI_USER", .signo = SIGSEGV, .code = 0),
	FAULT("code INT_MIN", .signo = SIGSEGV, .code = (int)0x80000000),
	FAULT("trap number and error code", .signo = SIGSEGV, .code = 1, .trapno = (uint64_t)-1,
	      .error_code = (uint64_t)-1, .fault_addr = (uint64_t)-1),
	FAULT("a fault at the slots", .signo = SIGSEGV, .code = 1, .trapno = 14,
	      .fault_addr = STUB_SLOTS),
	FAULT("the vector state in the host kernel", .signo = SIGSEGV, .code = 1,
	      .xstate_addr = 0xffffffff81000000UL),
	FAULT("the vector state in the slots", .signo = SIGUSR1, .xstate_addr = STUB_SLOTS),
	FAULT("the vector state at 0", .signo = SIGUSR1, .xstate_addr = 0),
	FAULT("the vector state at the end of the world", .signo = SIGUSR1,
	      .xstate_addr = (uint64_t)-64),
	SYSCALL("number -1", -1, AUDIT_ARCH_X86_64),
	SYSCALL("number 512", 512, AUDIT_ARCH_X86_64),
	SYSCALL("number 2^63", 1UL << 63, AUDIT_ARCH_X86_64),
	SYSCALL("number 2^32", 1UL << 32, AUDIT_ARCH_X86_64),
	SYSCALL("number 2^31", 1UL << 31, AUDIT_ARCH_X86_64),
	SYSCALL("number 100000", 100000, AUDIT_ARCH_X86_64),
	SYSCALL("architecture 0", 39, 0),
	SYSCALL("architecture i386", 1, AUDIT_ARCH_I386),
	SYSCALL("architecture -1", 39, 0xffffffff),
	SYSCALL("rt_sigreturn", 15, AUDIT_ARCH_X86_64),
	SYSCALL("vfork", SYS_vfork, AUDIT_ARCH_X86_64),
	SYSCALL("execve of nothing", SYS_execve, AUDIT_ARCH_X86_64),
	{ "event 0", { .event = STUB_EVENT_NONE } },
	{ "event DONE", { .event = STUB_EVENT_DONE } },
	{ "event KICK", { .event = STUB_EVENT_KICK } },
	{ "event -1", { .event = 0xffffffff } },
};

static volatile int handled;

static void on_signal(int signo)
{
	handled = signo;
}

static int forge(void *arg)
{
	const struct forged *f = arg;

	gadget_install();
	for (int signo = 1; signo <= 64; signo++)
		signal(signo, on_signal);
	for (int i = 0; i < 4; i++) {
		memcpy(own_slot(), &f->slot, sizeof(f->slot));
		GADGET(STUB_NR_REPORT, 0);
		getppid();
	}
	return 0;
}

/* The same without handlers: the default action of whatever it is. */
static int forge_default(void *arg)
{
	const struct forged *f = arg;

	gadget_install();
	for (int signo = 1; signo <= 64; signo++)
		signal(signo, SIG_DFL);
	memcpy(own_slot(), &f->slot, sizeof(f->slot));
	GADGET(STUB_NR_REPORT, 0);
	getppid();
	return 0;
}

void attack_forged_report(void)
{
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		void *f = (void *)(uintptr_t)&events[i];
		struct outcome o;

		note(events[i].name);
		o = in_child(forge, f, 1500);

		if (o.unkillable)
			fail("a report of %s: %s", events[i].name, outcome_text(&o));
		o = in_child(forge_default, f, 1500);
		if (o.unkillable)
			fail("a report of %s by default: %s", events[i].name, outcome_text(&o));
	}
}

/* --- forged registers ------------------------------------------------------------------------ */

static const struct stub_regs register_sets[] = {
	{ .rip = 0xffffffff81000000UL, .rsp = 0x1000, .eflags = 0x202 },
	{ .rip = 0x800000000000UL, .rsp = 0x800000000000UL, .eflags = 0x202 },
	{ .rip = 0x8000000000000000UL, .rsp = (uint64_t)-8, .eflags = (uint64_t)-1 },
	{ .rip = STUB_TEXT, .rsp = STUB_SLOTS + 0x800, .eflags = 0x3202 },
	{ .rip = 0, .rsp = 0, .eflags = 0 },
	{ .rip = 0x400000, .rsp = STUB_STACKS + 0x8000, .eflags = 0x100 },
};

/* A fault event: the sentry pushes a signal frame where the registers say. */
static int forge_registers(void *arg)
{
	static const int kinds[] = { STUB_EVENT_FAULT, STUB_EVENT_SYSCALL, STUB_EVENT_KICK };
	const struct stub_regs *regs = arg;
	struct stub_slot *slot = own_slot();

	gadget_install();
	signal(SIGSEGV, on_signal);
	signal(SIGUSR1, on_signal);
	for (size_t i = 0; i < 3; i++) {
		memset(slot, 0, sizeof(*slot));
		slot->event = (uint32_t)kinds[i];
		slot->signo = SIGUSR1;
		slot->nr = SYS_getpid;
		slot->arch = AUDIT_ARCH_X86_64;
		slot->regs = *regs;
		slot->fs_base = 0x8000000000000000UL;
		slot->gs_base = (uint64_t)-1;
		slot->xstate_addr = STUB_STACKS;
		if (i < 2)
			raise(SIGUSR1);
		GADGET(STUB_NR_REPORT, 0);
	}
	return 0;
}

/* The same in an rt_sigreturn frame: the host judges it. */
static int forge_frame(void *arg)
{
	const struct stub_regs *regs = arg;
	struct {
		uint64_t flags, link, sp, ss, size;
		struct stub_regs regs;
		uint64_t selectors, err, trapno, oldmask, cr2, fpstate, reserved[8], sigmask;
	} frame = { .regs = *regs, .selectors = (uint64_t)-1, .fpstate = (uint64_t)-64 };

	gadget_install();
	__asm__ volatile("mov %0, %%rsp\n\tmov $15, %%eax\n\tjmp *%1"
			 :
			 : "D"(&frame), "c"(STUB_TEXT + 0x8000)
			 : "memory");
	__builtin_unreachable();
}

void attack_forged_registers(void)
{
	for (size_t i = 0; i < sizeof(register_sets) / sizeof(register_sets[0]); i++) {
		void *regs = (void *)(uintptr_t)&register_sets[i];
		struct outcome o = in_child(forge_registers, regs, 1500);

		if (o.unkillable)
			fail("forged registers %zu: %s", i, outcome_text(&o));
		o = in_child(forge_frame, regs, 1500);
		if (o.unkillable)
			fail("forged frame %zu: %s", i, outcome_text(&o));
	}
}

/* --- garbage -------------------------------------------------------------------------------------
 */

#define SCRIBBLERS 8
#define SCRIBBLED_SLOTS 16

struct scribble {
	uint64_t seed;
	size_t from, to; /* bytes of a slot */
};

static struct scribble scribble;

static void *scribbler(void *arg)
{
	uint64_t state = scribble.seed + (uint64_t)(uintptr_t)arg;

	for (;;) {
		uint32_t slot = random_next(&state) % SCRIBBLED_SLOTS;
		size_t at = scribble.from + random_next(&state) % (scribble.to - scribble.from);
		uint8_t *p = (uint8_t *)(STUB_SLOTS + slot * STUB_SLOT_SIZE + at);

		if (random_next(&state) & 1)
			*p = (uint8_t)random_next(&state);
		else
			memset((void *)((uintptr_t)p & ~7UL), (int)random_next(&state), 8);
	}
	return NULL;
}

static int call_under_scribble(void *arg)
{
	static char data[65536];
	pthread_t threads[SCRIBBLERS];
	int zero = open("/dev/zero", O_RDONLY | O_CLOEXEC);

	scribble = *(struct scribble *)arg;
	signal(SIGSEGV, on_signal);
	for (uintptr_t i = 0; i < SCRIBBLERS; i++)
		if (pthread_create(&threads[i], NULL, scribbler, (void *)i) != 0)
			return 1;
	for (int i = 0; i < 5000; i++) {
		void *map = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				 -1, 0);
		pid_t pid;

		if (map != MAP_FAILED)
			munmap(map, PAGE);
		if (read(zero, data, sizeof(data)) < 0)
			continue;
		if (i % 16)
			continue;
		pid = fork();
		if (pid == 0)
			_exit(0);
		if (pid > 0)
			await(pid, 100);
	}
	_exit(0);
}

void attack_slot_scribble(void)
{
	static const struct scribble areas[] = {
		{ 1, 0, sizeof(struct stub_slot) },
		{ 2, 0, offsetof(struct stub_slot, regs) },
		{ 3, offsetof(struct stub_slot, event), offsetof(struct stub_slot, code) },
		{ 4, offsetof(struct stub_slot, result), offsetof(struct stub_slot, regs) },
		{ 5, offsetof(struct stub_slot, command), sizeof(struct stub_slot) },
		{ 6, offsetof(struct stub_slot, xstate_addr), offsetof(struct stub_slot, result) },
		{ 7, STUB_COPY_PAGE, STUB_SLOT_SIZE },
		{ 8, 0, STUB_SLOT_SIZE },
	};
	unsigned turns = long_form() ? 10 : 1;

	for (unsigned turn = 0; turn < turns; turn++)
		for (size_t i = 0; i < sizeof(areas) / sizeof(areas[0]); i++) {
			struct scribble s = areas[i];
			struct outcome o;

			s.seed += turn * 100;
			o = in_child(call_under_scribble, &s, 800);
			if (o.unkillable)
				fail("garbage %zu in the slots: %s", i, outcome_text(&o));
		}
}

/* --- futexes
 * ---------------------------------------------------------------------------------------- */

static int requeue_by_guest(void *arg)
{
	uint32_t private_word = 0;

	(void)arg;
	for (uint64_t at = STUB_SLOTS; at < STUB_SLOTS + STUB_SLOT_SIZE; at += 4) {
		syscall(SYS_futex, at, FUTEX_REQUEUE, 0, 1000, &private_word, 0);
		syscall(SYS_futex, at, FUTEX_WAKE, 1000, 0, 0, 0);
	}
	return 0;
}

/* WAKE is let through; whoever sleeps there is not the sentry. */
static int wake_by_gadget(void *arg)
{
	(void)arg;
	gadget_install();
	for (uint64_t at = STUB_SLOTS; at < STUB_SLOTS + 4 * STUB_SLOT_SIZE; at += 4)
		GADGET(SYS_futex, at, FUTEX_WAKE, 1 << 30);
	for (int i = 0; i < 100; i++) {
		struct outcome o;
		pid_t pid = fork();

		if (pid == 0)
			_exit(0);
		o = await(pid, 2000);
		if (!exited_with(&o, 0))
			return 1;
	}
	return 0;
}

static int requeue_by_gadget(void *arg)
{
	(void)arg;
	gadget_install();
	GADGET(SYS_futex, STUB_SLOTS, FUTEX_REQUEUE, 0, 1, STUB_SLOTS + 64, 0);
	return 1;
}

void attack_slot_requeue(void)
{
	struct outcome o = in_child(requeue_by_guest, NULL, 10000);

	if (!exited_with(&o, 0))
		fail("guest futex calls on the slots: %s", outcome_text(&o));
	o = in_child(wake_by_gadget, NULL, 10000);
	if (!exited_with(&o, 0))
		fail("futex wakes from the stub's text: %s", outcome_text(&o));
	o = in_child(requeue_by_gadget, NULL, 3000);
	if (!killed_by(&o, SIGKILL))
		fail("requeue from the stub's text: %s", outcome_text(&o));
}

/* --- slots of the dead ------------------------------------------------------------------------ */

#define MARK 0x5a

/* Between the slot's fields and the end of its page, in the copy page, and where no thread ever was. */
static int mark_slots(void *arg)
{
	size_t far = *(size_t *)arg;
	uint8_t *slot = (uint8_t *)own_slot();

	memset(slot + sizeof(struct stub_slot), MARK, PAGE - sizeof(struct stub_slot));
	memset(slot + STUB_COPY_PAGE, MARK, STUB_COPY_SIZE);
	for (size_t i = 0; i < far; i++)
		memset(slot + STUB_SLOTS_SIZE - (i + 1) * PAGE, MARK, PAGE);
	return 0;
}

/* The copy page never touched, another one in its stead. */
static int mark_elsewhere(void *arg)
{
	(void)arg;
	memset((uint8_t *)own_slot() + STUB_SLOT_SIZE, MARK, PAGE);
	return 0;
}

static int look_for_marks(void *arg)
{
	const uint8_t *slot = (const uint8_t *)own_slot();
	size_t run = 0;

	(void)arg;
	for (size_t i = 0; i < STUB_SLOTS_SIZE; i++) {
		run = slot[i] == MARK ? run + 1 : 0;
		if (run == 64)
			return 1;
	}
	return 0;
}

/* A process's slots may come again; what was in them does not. */
void attack_slots_of_the_dead(void)
{
	static const size_t far[] = { 0, 1, 100 };

	for (size_t i = 0; i < 12; i++) {
		void *count = (void *)(uintptr_t)&far[i % 3];
		struct outcome o = i % 4 == 3 ? in_child(mark_elsewhere, NULL, 3000) :
						in_child(mark_slots, count, 3000);

		if (!exited_with(&o, 0))
			fail("writing into its own slots: %s", outcome_text(&o));
		o = in_child(look_for_marks, NULL, 10000);
		if (!exited_with(&o, 0))
			fail("slots with what a dead process wrote (%zu): %s", i, outcome_text(&o));
	}
}
