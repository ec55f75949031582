/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stub: the only code of moat that runs in the processes that run guest
 * code.  No libc, no writable data, position fixed at STUB_TEXT.
 *
 * The template is executed once per container.  It prepares signal handling and
 * its own confinement, then raises a trap: from there on it, and everything
 * cloned from it, sits in stub_handler() on a signal stack, with the registers
 * to return to in the signal frame below.  A process forked from it (or from a
 * guest process) therefore finds the same frame in its own copy of the stack.
 *
 * Nothing here is trusted by the sentry: the guest can overwrite it all.
 */
#include "sentry/platform/trap/stub/stub.h"

#include <linux/prctl.h>
#include <linux/seccomp.h>

#define MAP_SHARED_FIXED 0x11
#define MAP_ANON_FIXED_NORESERVE 0x4032
#define PROT_R 1
#define PROT_RW 3
#define SYS_SECCOMP_CODE 1
#define SYS_USER_DISPATCH_CODE 2
#define FUTEX_WAKE 1
#define MADV_DONTFORK 10
#define CLONE_VM 0x100

/* Everything that a handler must not see while it runs; faults stay deliverable for
 * the compare-and-exchange below. */
#define HANDLER_MASK (~((1UL << (SIGSEGV - 1)) | (1UL << (SIGBUS - 1))))

/* The flags of the processor with which iretq does what the kernel's return would do: CF, 1, PF, AF, ZF, SF, IF,
 * DF, OF, ID.  Not TF, NT, RF, AC. */
#define PLAIN_FLAGS 0x200ed7UL
#define USER_SS 0x2b

/* A guest thread that is in the stub: its slot, and the frame that it goes back by. */
struct visit {
	struct stub_slot *slot;
	struct ucontext *uc;
	int masked; /* signals wait until the frame is left */
};

static inline struct stub_slot *slot_of(const struct ucontext *uc)
{
	uint64_t index = ((uint64_t)uc - STUB_STACKS) / STUB_STACK_SIZE;

	return (struct stub_slot *)(STUB_SLOTS + index * STUB_SLOT_SIZE);
}

/*
 * A host call that a signal makes the kernel repeat would be a second one, without an order.  The mask
 * can be changed by rt_sigreturn alone: that of the trap raised here.
 */
static void block_signals(struct visit *v)
{
	if (!v->masked)
		stub_block();
	v->masked = 1;
}

static void save_registers(struct stub_slot *slot, const struct ucontext *uc)
{
	slot->regs = uc->mcontext.regs;
	slot->cs = uc->mcontext.cs;
	slot->xstate_addr = uc->mcontext.fpstate;
	if (slot->fsgsbase) {
		slot->fs_base = read_fs_base();
		slot->gs_base = read_gs_base();
	}
}

/* Without these instructions the sentry orders arch_prctl when they change. */
static void load_bases(const struct stub_slot *slot)
{
	if (slot->fsgsbase) {
		write_fs_base(slot->fs_base);
		write_gs_base(slot->gs_base);
	}
}

/* First thing in a forked process: its memory is a copy, its slots are not mapped. */
static void start_process(uint64_t ticket)
{
	int64_t fd = stub_syscall1(STUB_NR_HELLO, ticket);

	stub_syscall6(__NR_mmap, STUB_SLOTS, STUB_SLOTS_SIZE, PROT_RW, MAP_SHARED_FIXED,
		      (uint64_t)fd, 0);
	stub_syscall3(__NR_madvise, STUB_SLOTS, STUB_SLOTS_SIZE, MADV_DONTFORK);
	stub_syscall1(__NR_close, (uint64_t)fd);
}

static void run_commands(struct visit *v, int report);
static void leave(struct visit *v);

/* A new thread, on its own signal stack that holds a copy of its parent's frame. */
void stub_thread_main(struct ucontext *uc, uint64_t ticket)
{
	struct visit v = { slot_of(uc), uc, 1 };

	stub_syscall1(STUB_NR_HELLO, ticket);
	run_commands(&v, 0);
	leave(&v);
	stub_sigreturn(uc);
}

static void copy_bytes(uint64_t to, uint64_t from, uint64_t size)
{
	__asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
}

/* Copies the frame onto the new thread's stack and clones. */
static int64_t start_thread(struct visit *v)
{
	const struct stub_slot *slot = v->slot;
	const struct ucontext *uc = v->uc;
	uint64_t index = slot->args[1];
	uint64_t frame = (uint64_t)uc - 8;
	uint64_t base = STUB_STACKS + ((uint64_t)uc - STUB_STACKS) / STUB_STACK_SIZE * STUB_STACK_SIZE;
	uint64_t new_base = STUB_STACKS + index * STUB_STACK_SIZE;
	struct ucontext *copy = (struct ucontext *)((uint64_t)uc - base + new_base);

	block_signals(v);
	copy_bytes((uint64_t)copy - 8, frame, base + STUB_STACK_SIZE - frame);
	/* rt_sigreturn installs the alternate stack named in the frame. */
	copy->stack_sp = new_base;
	copy->mcontext.fpstate = copy->mcontext.fpstate - base + new_base;
	return stub_clone_thread(slot->args[0], new_base + STUB_THREAD_START, copy, slot->ticket,
				 slot->args[2]);
}

static int64_t call_with_fd(const struct stub_slot *slot)
{
	const uint64_t *a = slot->args;
	uint64_t fd = a[4];
	int64_t result = stub_syscall6((long)slot->call_nr, a[0], a[1], a[2], a[3], fd, a[5]);

	stub_syscall1(__NR_close, fd);
	return result;
}

/* The host's clone: a pid or an error, 0 in the child, which has its slots then. */
static int64_t fork_process(struct visit *v)
{
	uint64_t ticket = v->slot->ticket;
	int64_t pid;

	block_signals(v);
	pid = stub_syscall6(__NR_clone, STUB_FORK_FLAGS, 0, 0, 0, 0, 0);
	if (pid == 0)
		start_process(ticket);
	return pid;
}

/* Executes one command: 1; 0: it was to go back to the guest, -1: this is the child of a fork. */
static int run_command(struct visit *v)
{
	struct stub_slot *slot = v->slot;
	const uint64_t *a = slot->args;

	switch (slot->command) {
	case STUB_CALL:
		slot->result = stub_syscall6((long)slot->call_nr, a[0], a[1], a[2], a[3], a[4], a[5]);
		break;
	case STUB_CALL_WITH_FD:
		slot->result = call_with_fd(slot);
		break;
	case STUB_FORK:
		slot->result = fork_process(v);
		if (slot->result == 0)
			return -1;
		break;
	case STUB_THREAD:
		slot->result = start_thread(v);
		break;
	case STUB_CMPXCHG:
		slot->result = stub_cmpxchg(a[0], (uint32_t)a[1], (uint32_t)a[2], &slot->found);
		break;
	case STUB_EXIT:
		stub_syscall1(__NR_exit, 0);
		break;
	default:
		return 0;
	}
	return 1;
}

static int change_hand(struct stub_slot *slot, uint32_t from, uint32_t to)
{
	return __atomic_compare_exchange_n(&slot->hand, &from, to, 0, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST);
}

/* Tells the sentry of the event in the slot, and returns when the next command is there. */
static void report_event(struct stub_slot *slot)
{
	uint32_t spin = slot->spin, hand = STUB_HAND_POSTED;

	slot->cpu = read_cpu();
	if (spin == 0) {
		stub_syscall1(STUB_NR_REPORT, STUB_REPORT_EVENT);
		return;
	}
	__atomic_store_n(&slot->hand, STUB_HAND_POSTED, __ATOMIC_SEQ_CST);
	while (spin-- && hand != STUB_HAND_BLOCKED) {
		hand = __atomic_load_n(&slot->hand, __ATOMIC_ACQUIRE);
		if (hand == STUB_HAND_ANSWERED)
			return;
		__builtin_ia32_pause();
	}
	if (change_hand(slot, STUB_HAND_POSTED, STUB_HAND_ASLEEP))
		stub_syscall1(STUB_NR_REPORT, STUB_REPORT_EVENT);
	else if (change_hand(slot, STUB_HAND_TAKEN, STUB_HAND_ASLEEP) ||
		 change_hand(slot, STUB_HAND_BLOCKED, STUB_HAND_ASLEEP))
		stub_syscall1(STUB_NR_REPORT, STUB_REPORT_LATE);
	/* Else it was answered meanwhile. */
}

/*
 * A guest's fork is reported by the host's clone itself: if the sentry lets it go on the child is there
 * with half of the hand-overs.  Returns when the next command is in the slot.
 */
static void report_fork(struct visit *v)
{
	struct stub_slot *slot = v->slot;
	int64_t pid;

	slot->cpu = read_cpu();
	pid = fork_process(v);
	if (pid == 0 || pid == STUB_CLONE_ANSWERED)
		return;
	slot->result = pid;
	slot->event = STUB_EVENT_DONE;
	report_event(slot);
}

static int is_fork(const struct stub_slot *slot)
{
	if (slot->event != STUB_EVENT_SYSCALL || slot->spin || !slot->ticket)
		return 0;
	return slot->nr == __NR_fork || (slot->nr == __NR_clone && !(slot->regs.rdi & CLONE_VM));
}

static void run_commands(struct visit *v, int report)
{
	struct stub_slot *slot = v->slot;

	for (;;) {
		int rc;

		if (report && is_fork(slot))
			report_fork(v);
		else if (report)
			report_event(slot);
		rc = run_command(v);
		if (rc == 0)
			break;
		/* A forked child finds its first command in its slot without reporting. */
		report = rc > 0;
		if (report)
			slot->event = STUB_EVENT_DONE;
	}
	put_copies(slot);
}

static void report_kick(struct visit *v)
{
	v->slot->kicked = 0;
	v->slot->event = STUB_EVENT_KICK;
	run_commands(v, 1);
}

/* Nothing goes back but what user code can load itself. */
static int needs_no_frame(const struct visit *v)
{
	const struct stub_slot *slot = v->slot;
	const struct sigcontext64 *frame = &v->uc->mcontext;

	return !v->masked && slot->xsave && slot->command == STUB_RESUME && slot->cs != STUB_CS_32 &&
	       frame->ss == USER_SS && slot->regs.rip < STUB_AREA &&
	       !((slot->regs.eflags | frame->regs.eflags) & ~PLAIN_FLAGS);
}

/*
 * Back to the guest; where that takes the frame, by the caller's return.  rt_sigreturn is a third of a call that
 * is handed over by slot.
 */
static void leave(struct visit *v)
{
	struct stub_slot *slot = v->slot;

	for (;;) {
		load_bases(slot);
		if (needs_no_frame(v))
			stub_leave(&slot->regs, v->uc, v->uc->mcontext.fpstate, &slot->kicked);
		block_signals(v);
		if (!slot->kicked)
			break;
		report_kick(v);
	}
	v->uc->mcontext.regs = slot->regs;
	v->uc->mcontext.cs = slot->cs == STUB_CS_32 ? STUB_CS_32 : STUB_CS_64;
}

/* From stub_leave(): the kick that was to be looked for before the guest goes on. */
void stub_kicked(struct ucontext *uc)
{
	struct visit v = { slot_of(uc), uc, 0 };

	report_kick(&v);
	leave(&v);
	stub_sigreturn(uc);
}

static void record_event(struct stub_slot *slot, int sig, const struct signal_info *info,
			 const struct ucontext *uc)
{
	if (sig == STUB_KICK_SIGNAL) {
		slot->event = STUB_EVENT_KICK;
	} else if (sig == SIGSYS && (info->code == SYS_SECCOMP_CODE ||
				     info->code == SYS_USER_DISPATCH_CODE)) {
		slot->event = STUB_EVENT_SYSCALL;
		slot->nr = (uint64_t)(int64_t)info->sys.nr;
		slot->arch = info->sys.arch;
		fill_copies(slot, uc);
	} else {
		slot->event = STUB_EVENT_FAULT;
		slot->signo = sig;
		slot->code = info->code;
		slot->fault_addr = info->fault.addr;
		slot->trapno = uc->mcontext.trapno;
		slot->error_code = uc->mcontext.err;
	}
}

/* A signal that interrupted the stub: 1 if there is nothing to report. */
static int interrupted_stub(int sig, struct ucontext *uc)
{
	uint64_t *rip = &uc->mcontext.regs.rip;

	if (*rip < STUB_TEXT || *rip >= STUB_TEXT_LIMIT)
		return 0;
	if (sig == STUB_KICK_SIGNAL) {
		/* Where nobody looks any more, the look is repeated. */
		slot_of(uc)->kicked = 1;
		if (*rip >= (uint64_t)stub_leave_begin && *rip < (uint64_t)stub_leave_end)
			*rip = (uint64_t)stub_leave_kicked;
		return 1;
	}
	if (sig == SIGTRAP && *rip == (uint64_t)stub_blocked) {
		uc->sigmask = HANDLER_MASK;
		return 1;
	}
	/* A fault of our own guest access: continue at its landing. */
	if (*rip >= (uint64_t)stub_fault_begin && *rip < (uint64_t)stub_fault_end) {
		*rip = (uint64_t)stub_fault_landing;
		return 1;
	}
	return 0;
}

void stub_handler(int sig, const struct signal_info *info, struct ucontext *uc)
{
	struct visit v = { slot_of(uc), uc, sig != SIGSYS };

	if (interrupted_stub(sig, uc))
		return;
	save_registers(v.slot, uc);
	record_event(v.slot, sig, info, uc);
	run_commands(&v, 1);
	leave(&v);
}

static void install_handlers(void)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, STUB_KICK_SIGNAL };
	/* Not static: a constant with addresses would need relocation. */
	struct signal_action sa = {
		.handler = (uint64_t)stub_handler,
		.flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART | SA_RESTORER,
		.restorer = (uint64_t)stub_restorer,
		.mask = HANDLER_MASK,
	};

	for (unsigned i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		stub_syscall6(__NR_rt_sigaction, (uint64_t)signals[i], (uint64_t)&sa, 0, 8, 0, 0);
	/* A mask that is not changed needs no rt_sigreturn to be changed back. */
	sa.flags |= SA_NODEFER;
	sa.mask = 0;
	stub_syscall6(__NR_rt_sigaction, SIGSYS, (uint64_t)&sa, 0, 8, 0, 0);
}

static void read_auxv(const uint64_t *sp, struct stub_slot *slot)
{
	const uint64_t *p = sp + 1 + *sp + 1; /* argc, argv, NULL */

	slot->arguments = sp[1];
	while (*p++)
		;
	for (; p[0]; p += 2) {
		if (p[0] == 33) /* AT_SYSINFO_EHDR */
			slot->vdso = p[1];
		if (p[0] == 26) /* AT_HWCAP2 */
			slot->hwcap2 = p[1];
	}
}

/*
 * The template's start: FD 0 is the memfd of its slots.  Nothing is confined yet
 * and nothing hostile has run.
 */
void stub_main(const uint64_t *sp)
{
	struct stub_slot *slot = (struct stub_slot *)STUB_SLOTS;
	struct {
		uint64_t sp;
		uint64_t flags;
		uint64_t size;
	} altstack = { STUB_STACKS, 0, STUB_STACK_SIZE };
	struct {
		uint64_t count;
		uint64_t insns;
	} program;

	stub_syscall6(__NR_mmap, STUB_STACKS, STUB_STACK_SIZE * STUB_THREADS_MAX, PROT_RW,
		      MAP_ANON_FIXED_NORESERVE, (uint64_t)-1, 0);
	stub_syscall6(__NR_mmap, STUB_SLOTS, STUB_SLOTS_SIZE, PROT_RW, MAP_SHARED_FIXED, 0, 0);
	stub_syscall6(__NR_mmap, STUB_COPY_TABLE, STUB_COPY_TABLE_SIZE, PROT_RW,
		      MAP_ANON_FIXED_NORESERVE, (uint64_t)-1, 0);
	copy_bytes(STUB_COPY_TABLE, STUB_SLOTS + STUB_BOOT_COPY_TABLE, STUB_COPY_TABLE_SIZE);
	stub_syscall3(__NR_mprotect, STUB_COPY_TABLE, STUB_COPY_TABLE_SIZE, PROT_R);
	stub_syscall1(__NR_close, 0);
	stub_syscall3(__NR_madvise, STUB_SLOTS, STUB_SLOTS_SIZE, MADV_DONTFORK);
	stub_syscall3(__NR_sigaltstack, (uint64_t)&altstack, 0, 0);
	install_handlers();
	read_auxv(sp, slot);
	stub_syscall3(__NR_prctl, PR_SET_NO_NEW_PRIVS, 1, 0);
	program.count = slot->filter_count;
	program.insns = STUB_SLOTS + STUB_COPY_PAGE;
	slot->listener = (int32_t)stub_syscall3(__NR_seccomp, SECCOMP_SET_MODE_FILTER,
						slot->filter_flags, (uint64_t)&program);
	__atomic_store_n(&slot->ready, 1, __ATOMIC_SEQ_CST);
	stub_syscall3(__NR_futex, (uint64_t)&slot->ready, FUTEX_WAKE, 1);
	__asm__ volatile("int3");
	__builtin_trap();
}
