/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stub of the guest's own: the text of moat's is overwritten, so that every
 * signal the host delivers arrives here and every order of the sentry is carried
 * out, or not, as the mode says.  It keeps to sentry/platform/trap/stub/stub.c where
 * the mode is silent.
 *
 * Nothing here may use the C library or thread-local storage: it runs in signal
 * handlers of the host, with the guest's FS base.
 */
#include "attack.h"

#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include "sentry/platform/trap/stub_abi.h"

#define PAGE 4096UL
#define SS_AND_CS 0x002b000000000033UL
#define CLONE_THREAD_FLAG 0x10000UL

static volatile enum hostile_mode mode;
/* The modes act once, on what comes after hostile_install() or hostile_set(). */
static volatile int armed;
static volatile uint64_t old_ticket;
/* Shared by the processes of one family: MAP_SHARED. */
static volatile uint64_t *family;

/* Layout of struct ucontext as the kernel has it. */
struct kernel_ucontext {
	uint64_t flags, link, stack_sp;
	int32_t stack_flags, pad;
	uint64_t stack_size;
	struct stub_regs regs;
	uint64_t selectors, err, trapno, oldmask, cr2, fpstate, reserved[8], sigmask;
};

struct kernel_siginfo {
	int32_t signo, err, code, pad;
	uint64_t addr;
	int32_t nr;
	uint32_t arch;
};

static int run_commands(struct stub_slot *slot, struct kernel_ucontext *uc, int report);

static struct stub_slot *slot_of(const struct kernel_ucontext *uc)
{
	uint64_t index = ((uint64_t)uc - STUB_STACKS) / STUB_STACK_SIZE;

	return (struct stub_slot *)(STUB_SLOTS + index * STUB_SLOT_SIZE);
}

static void spin(void)
{
	for (;;)
		__asm__ volatile("pause");
}

/* For ever, in a call that the filter lets through. */
static void sleep_in_futex(void)
{
	static const uint32_t word;

	for (;;)
		GADGET(SYS_futex, &word, 0 /* FUTEX_WAIT */, 0);
}

/* A mode that is to act now, once. */
static int acts(enum hostile_mode m)
{
	if (mode != m || !armed)
		return 0;
	armed = 0;
	return 1;
}

/* --- hello ------------------------------------------------------------------------ */

static void map_slots(int64_t fd)
{
	GADGET(SYS_mmap, STUB_SLOTS, STUB_SLOTS_SIZE, PROT_READ | PROT_WRITE,
	       MAP_SHARED | MAP_FIXED, fd);
	GADGET(SYS_madvise, STUB_SLOTS, STUB_SLOTS_SIZE, MADV_DONTFORK);
	GADGET(SYS_close, fd);
}

static void start_process(uint64_t ticket)
{
	int64_t fd;

	if (acts(HOSTILE_CHILD_SILENT))
		spin();
	if (acts(HOSTILE_CHILD_SLEEPS))
		sleep_in_futex();
	if (acts(HOSTILE_CHILD_GUESSES))
		GADGET(STUB_NR_HELLO, ticket + 1);
	if (acts(HOSTILE_CHILD_ZERO))
		GADGET(STUB_NR_HELLO, 0);
	if (acts(HOSTILE_CHILD_OLD_TICKET))
		GADGET(STUB_NR_HELLO, old_ticket);
	if (acts(HOSTILE_CHILD_REPORTS))
		GADGET(STUB_NR_REPORT, 0);
	if (acts(HOSTILE_CHILD_CALLS))
		GADGET(SYS_getpid);
	if (mode == HOSTILE_CLONE_SWAP && armed) {
		/* The first child waits for its brother's ticket; the brother has none then. */
		armed = 0;
		while (family[0] == 0)
			__asm__ volatile("pause");
		ticket = family[0];
	} else if (mode == HOSTILE_CLONE_SWAP && family[1] == 0) {
		family[1] = 1;
		family[0] = ticket;
		spin();
	}
	fd = GADGET(STUB_NR_HELLO, ticket);
	if (acts(HOSTILE_CHILD_TWICE))
		GADGET(STUB_NR_HELLO, ticket);
	if (acts(HOSTILE_CHILD_MAPS_OTHER))
		GADGET(SYS_mmap, STUB_SLOTS, STUB_SLOTS_SIZE + PAGE, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_FIXED, fd);
	map_slots(fd);
}

/* --- threads ------------------------------------------------------------------------ */

__attribute__((noreturn)) static void frame_return(struct kernel_ucontext *uc);

__attribute__((noreturn, used)) static void thread_main(struct kernel_ucontext *uc, uint64_t ticket)
{
	if (acts(HOSTILE_THREAD_SILENT))
		spin();
	GADGET(STUB_NR_HELLO, ticket);
	run_commands(slot_of(uc), uc, 0);
	frame_return(uc);
}

/* rt_sigreturn from the gadget: `call` pushes over the frame's return address, below uc. */
static void frame_return(struct kernel_ucontext *uc)
{
	__asm__ volatile("mov %0, %%rsp\n\t"
			 "mov $15, %%eax\n\t"
			 "jmp *%1"
			 :
			 : "D"(uc), "c"(STUB_TEXT + 0x8000)
			 : "memory");
	__builtin_unreachable();
}

static int64_t clone_thread(uint64_t flags, uint64_t stack, struct kernel_ucontext *uc,
			    uint64_t ticket, uint64_t tls)
{
	int64_t result;

	/* In the child rsp is @stack: the gadget's ret must find its way there too. */
	((volatile uint64_t *)stack)[0] = 0;
	__asm__ volatile(
		"mov %[tls], %%r8\n\t"
		"mov %[uc], %%r12\n\t"
		"mov %[ticket], %%r13\n\t"
		"lea 1f(%%rip), %%rcx\n\t"
		"mov %%rcx, (%%rsi)\n\t"
		"sub $8, %%rsp\n\t"
		"mov %%rcx, (%%rsp)\n\t"
		"xor %%edx, %%edx\n\t"
		"xor %%r10d, %%r10d\n\t"
		"xor %%r9d, %%r9d\n\t"
		"mov $56, %%eax\n\t"
		"jmp *%[page]\n"
		"1:\n\t"
		"test %%rax, %%rax\n\t"
		"jnz 2f\n\t"
		"mov %%r12, %%rdi\n\t"
		"mov %%r13, %%rsi\n\t"
		"and $-16, %%rsp\n\t"
		"call thread_main\n"
		"2:"
		: "=&a"(result)
		: "D"(flags),
		  "S"(stack), [uc] "r"(uc), [ticket] "r"(ticket), [page] "b"(STUB_TEXT + 0x8000),
		  [tls] "m"(tls)
		: "rcx", "rdx", "r8", "r9", "r10", "r11", "r12", "r13", "memory");
	return result;
}

static void copy_bytes(uint64_t to, uint64_t from, uint64_t size)
{
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
}

static int64_t start_thread(const struct stub_slot *slot, const struct kernel_ucontext *uc)
{
	uint64_t base =
		STUB_STACKS + ((uint64_t)uc - STUB_STACKS) / STUB_STACK_SIZE * STUB_STACK_SIZE;
	uint64_t new_base = STUB_STACKS + slot->args[1] * STUB_STACK_SIZE;
	struct kernel_ucontext *copy = (void *)((uint64_t)uc - base + new_base);

	copy_bytes((uint64_t)copy - 8, (uint64_t)uc - 8, base + STUB_STACK_SIZE - (uint64_t)uc + 8);
	copy->stack_sp = new_base;
	copy->fpstate = copy->fpstate - base + new_base;
	return clone_thread(slot->args[0], new_base + STUB_THREAD_START, copy, slot->ticket,
			    slot->args[2]);
}

/* --- orders --------------------------------------------------------------------------- */

/* The child's return value is 0 as clone's. */
static int64_t fork_child(struct stub_slot *slot)
{
	uint64_t flags = slot->args[0];
	int64_t pid;

	if (acts(HOSTILE_CLONE_NEVER))
		return 12345;
	if (acts(HOSTILE_CLONE_OTHER_FLAGS))
		flags |= 0x10000000; /* CLONE_NEWUSER */
	pid = GADGET(SYS_clone, flags);
	if (acts(HOSTILE_CLONE_STUCK)) /* and its child with it */
		sleep_in_futex();
	if (pid > 0 && acts(HOSTILE_CLONE_TWICE))
		return GADGET(SYS_clone, flags);
	if (pid > 0 && acts(HOSTILE_CLONE_SAYS_FAILED))
		return -11;
	if (pid > 0 && acts(HOSTILE_CLONE_SAYS_FAILED_LATE)) {
		for (unsigned i = 0; i < 200000; i++)
			__asm__ volatile("pause");
		return -11;
	}
	return pid;
}

static int64_t call_with_fd(const struct stub_slot *slot)
{
	uint64_t a[6], nr = slot->call_nr, fd;
	int64_t result;

	for (int i = 0; i < 6; i++)
		a[i] = slot->args[i];
	fd = a[4];
	if (acts(HOSTILE_FD_WRITABLE))
		a[2] |= PROT_WRITE;
	if (acts(HOSTILE_FD_OTHER))
		a[4] = fd + 1;
	result = gadget(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
	if (acts(HOSTILE_FD_TWICE))
		gadget(nr, a[0], a[1], a[2], a[3], a[4], a[5]);
	if (acts(HOSTILE_FD_KEPT))
		return result;
	GADGET(SYS_close, fd);
	if (acts(HOSTILE_FD_LIES))
		return 4096;
	return result;
}

/* As in the stub: 0 for RESUME, -1 in a forked child. */
static int run_command(struct stub_slot *slot, struct kernel_ucontext *uc)
{
	const uint64_t *a = slot->args;
	uint64_t ticket = slot->ticket;
	uint32_t expected;
	int64_t result;

	switch (slot->command) {
	case STUB_CALL:
		slot->result = gadget(slot->call_nr, a[0], a[1], a[2], a[3], a[4], a[5]);
		return 1;
	case STUB_CALL_WITH_FD:
		slot->result = call_with_fd(slot);
		return 1;
	case STUB_FORK:
		result = fork_child(slot);
		if (result == 0) {
			start_process(ticket);
			return -1;
		}
		old_ticket = ticket;
		slot->result = result;
		return 1;
	case STUB_THREAD:
		slot->result = start_thread(slot, uc);
		return 1;
	case STUB_CMPXCHG:
		expected = (uint32_t)a[1];
		__atomic_compare_exchange_n((uint32_t *)a[0], &expected, (uint32_t)a[2], 0,
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
		slot->found = expected;
		slot->result = 0;
		return 1;
	case STUB_EXIT:
		if (acts(HOSTILE_THREAD_NO_EXIT))
			spin();
		GADGET(SYS_exit, 0);
		return 1;
	default:
		return 0;
	}
}

static int reports_fork(const struct stub_slot *slot)
{
	if (slot->event != STUB_EVENT_SYSCALL || slot->spin || !slot->ticket)
		return 0;
	return slot->nr == SYS_fork || (slot->nr == SYS_clone && !(slot->regs.rdi & CLONE_VM));
}

/* By the clone itself, as moat's stub; true: the next command is in the slot. */
static int report_fork(struct stub_slot *slot)
{
	uint64_t ticket = slot->ticket;
	int64_t pid;

	slot->args[0] = STUB_FORK_FLAGS;
	pid = fork_child(slot);
	if (pid == STUB_CLONE_ANSWERED)
		return 1;
	if (pid == 0) {
		start_process(ticket);
		return 1;
	}
	old_ticket = ticket;
	slot->result = pid;
	slot->event = STUB_EVENT_DONE;
	return 0;
}

static int run_commands(struct stub_slot *slot, struct kernel_ucontext *uc, int report)
{
	int rc;

	for (;;) {
		if (report && reports_fork(slot) && report_fork(slot))
			report = 0;
		if (report)
			GADGET(STUB_NR_REPORT, 0);
		rc = run_command(slot, uc);
		if (rc == 0)
			break;
		report = rc > 0;
		if (report)
			slot->event = STUB_EVENT_DONE;
	}
	uc->regs = slot->regs;
	__asm__ volatile("wrfsbase %0" : : "r"(slot->fs_base));
	__asm__ volatile("wrgsbase %0" : : "r"(slot->gs_base));
	return 0;
}

__attribute__((noreturn, used)) static void
hostile_handler(int sig, const struct kernel_siginfo *info, struct kernel_ucontext *uc)
{
	struct stub_slot *slot = slot_of(uc);

	slot->regs = uc->regs;
	slot->xstate_addr = uc->fpstate;
	__asm__ volatile("rdfsbase %0" : "=r"(slot->fs_base));
	__asm__ volatile("rdgsbase %0" : "=r"(slot->gs_base));
	if (sig == STUB_KICK_SIGNAL) {
		slot->event = STUB_EVENT_KICK;
	} else if (sig == SIGSYS && (info->code == 1 || info->code == 2)) { /* seccomp, user dispatch */
		slot->event = STUB_EVENT_SYSCALL;
		slot->nr = (uint64_t)(int64_t)info->nr;
		slot->arch = info->arch;
	} else {
		slot->event = STUB_EVENT_FAULT;
		slot->signo = sig;
		slot->code = info->code;
		slot->fault_addr = info->addr;
		slot->trapno = uc->trapno;
		slot->error_code = uc->err;
	}
	run_commands(slot, uc, 1);
	frame_return(uc);
}

/* --- taking over ----------------------------------------------------------------------- */

/* Where the host calls its handler is not known: the whole page slides into this. */
static const uint8_t landing[] = {
	0x48, 0x83, 0xe4, 0xf0,			  /* and $-16, %rsp */
	0x48, 0xb8, 0,	  0,	0, 0, 0, 0, 0, 0, /* mov $hostile_handler, %rax */
	0xff, 0xd0,				  /* call *%rax */
	0x0f, 0x0b,				  /* ud2 */
};
#define LANDING_ADDRESS 6

void hostile_set(enum hostile_mode m)
{
	mode = m;
	armed = 1;
}

void hostile_install(enum hostile_mode m)
{
	uint64_t text = site_returning() & ~(PAGE - 1);
	uint64_t handler = (uint64_t)hostile_handler;
	uint8_t code[sizeof(landing)];
	int64_t rc;

	family = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	gadget_install();
	/* The handler is mapped already: no fault may happen from here on. */
	rc = GADGET(SYS_mprotect, text, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC);
	if (rc < 0) {
		fail("the stub's text cannot be made writable: %lld", (long long)rc);
		_exit(98);
	}
	memcpy(code, landing, sizeof(code));
	memcpy(code + LANDING_ADDRESS, &handler, sizeof(handler));
	memset((void *)text, 0x90, PAGE - sizeof(code));
	memcpy((void *)(text + PAGE - sizeof(code)), code, sizeof(code));
	hostile_set(m);
}
