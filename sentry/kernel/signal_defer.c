/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A signal that finds a thread at a system call's instruction.
 *
 * Between the instruction and the sentry's receipt of the call lies a host's trap, long against the
 * nanosecond in which a CPU enters a kernel.  A kick in that time sends the thread back to the instruction,
 * and a handler that ran now would run before a call the program has already made: what tests a flag and
 * then sleeps would miss the signal far more often than under Linux.  So the call goes first, and the
 * handler runs at its end, or interrupts its sleep.
 *
 * Once only: should the thread come back with another kick instead of the call (its code may have been
 * changed meanwhile), the signal is delivered.  And only handlers wait: nothing can put off a stop,
 * a death, a pause or a tracer.
 */
#include <string.h>

#include "sentry/kernel/kernel_pause.h"
#include "sentry/kernel/signal_internal.h"
#include "sentry/kernel/task_internal.h"
#include "sentry/mm/usercopy.h"

static bool at_call(struct task *t, struct context *ctx)
{
	static const uint8_t syscall_instruction[] = { 0x0f, 0x05 };
	uint8_t code[sizeof(syscall_instruction)];
	ssize_t n = copy_in_no_fault(t->mm, code, guest_addr(context_regs(ctx)->rip), sizeof(code));

	return n == (ssize_t)sizeof(code) && !memcmp(code, syscall_instruction, sizeof(code));
}

static bool all_handled_locked(const struct signal_handlers *h, uint64_t set)
{
	for (int signo = 1; signo <= SIGNAL_COUNT; signo++) {
		uint64_t handler = h->actions[signo - 1].handler;

		if (signal_in(set, signo) && (handler == LINUX_SIG_DFL || handler == LINUX_SIG_IGN))
			return false;
	}
	return true;
}

static bool only_handlers_locked(struct task *t, const struct signal_handlers *h)
{
	struct thread_group *g = t->group;
	uint64_t pending = (t->pending.set | g->shared_pending.set) & ~t->blocked;

	if (t->kill_pending || g->group_exiting || t->exit_requested || t->stop_pending || g->stop_signal)
		return false;
	return pending && all_handled_locked(h, pending);
}

bool signal_waits_for_call(struct task *t, struct context *ctx)
{
	struct signal_handlers *h;
	bool waits;

	if (t->call_let_go) {
		t->call_let_go = false;
		return false;
	}
	if (t->syscall_restart_pending || t->restore_saved_mask || ptrace_traced(&t->ptrace) ||
	    task_paused(t) || !at_call(t, ctx))
		return false;
	h = signal_lock(t->group);
	waits = only_handlers_locked(t, h);
	if (waits)
		atomic_store(&t->in_guest, true);
	signal_unlock(h);
	t->call_let_go = waits;
	return waits;
}
