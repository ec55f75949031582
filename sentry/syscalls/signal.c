/* SPDX-License-Identifier: Apache-2.0 */
/* Signal dispositions, masks, waiting for signals, the alternate stack, sigreturn. */
#include <string.h>

#include "sentry/kernel/signal_internal.h"
#include "sentry/kernel/timer.h"
#include "sentry/syscalls/handlers.h"
#include "sentry/syscalls/time_args.h"

#define SIGSET_SIZE 8

int64_t sys_rt_sigaction(struct task *t, const struct syscall_args *a)
{
	int32_t signo = arg_int(a, 0);
	struct linux_sigaction new_action, old;
	struct signal_handlers *h;
	struct task *other;
	int rc;

	if (a->v[3] != SIGSET_SIZE)
		return -EINVAL;
	if (a->v[1]) {
		rc = copy_in(t->mm, &new_action, arg_addr(a, 1), sizeof(new_action));
		if (rc)
			return rc;
	}
	if (signo < 1 || signo > LINUX_NSIG || (a->v[1] && signal_in(SIGNAL_UNBLOCKABLE, signo)))
		return -EINVAL;
	h = signal_lock(t->group);
	old = h->actions[signo - 1];
	if (a->v[1]) {
		new_action.flags &= LINUX_SA_KNOWN;
		new_action.mask &= ~SIGNAL_UNBLOCKABLE;
		h->actions[signo - 1] = new_action;
		/* POSIX: setting to ignore discards what is pending, blocked or not. */
		if (new_action.handler == LINUX_SIG_IGN ||
		    (new_action.handler == LINUX_SIG_DFL && signal_in(SIGNAL_DEFAULT_IGNORED, signo))) {
			signal_queue_flush(&t->group->shared_pending, SIGNAL_BIT(signo));
			list_for_each(other, &t->group->threads, thread_node)
				signal_queue_flush(&other->pending, SIGNAL_BIT(signo));
		}
	}
	signal_unlock(h);
	return a->v[2] ? copy_out(t->mm, arg_addr(a, 2), &old, sizeof(old)) : 0;
}

int64_t sys_rt_sigprocmask(struct task *t, const struct syscall_args *a)
{
	uint64_t old = t->blocked, set;
	int rc;

	if (a->v[3] != SIGSET_SIZE)
		return -EINVAL;
	if (a->v[1]) {
		rc = copy_in_u64(t->mm, &set, arg_addr(a, 1));
		if (rc)
			return rc;
		switch (arg_int(a, 0)) {
		case LINUX_SIG_BLOCK:
			set = old | set;
			break;
		case LINUX_SIG_UNBLOCK:
			set = old & ~set;
			break;
		case LINUX_SIG_SETMASK:
			break;
		default:
			return -EINVAL;
		}
		if ((set & ~SIGNAL_UNBLOCKABLE) != old)
			signal_set_blocked(t, set);
	}
	return a->v[2] ? copy_out_u64(t->mm, arg_addr(a, 2), old) : 0;
}

int64_t sys_rt_sigpending(struct task *t, const struct syscall_args *a)
{
	uint64_t set;

	if (a->v[1] > SIGSET_SIZE)
		return -EINVAL;
	set = signal_pending_set(t) & t->blocked;
	return copy_out(t->mm, arg_addr(a, 0), &set, a->v[1]);
}

/* Waits until one of @mask (meant to be blocked) is pending, and takes it. */
static int wait_for_signal(struct task *t, uint64_t mask, uint64_t deadline,
			   struct linux_siginfo *info)
{
	struct signal_handlers *h;
	uint64_t old;
	int rc;

	if (signal_dequeue(t, mask, info))
		return info->signo;
	/* While waiting, the signals count as unblocked so that they are sent here. */
	h = signal_lock(t->group);
	old = t->blocked;
	t->real_blocked = old;
	signal_set_blocked_locked(t, old & ~mask);
	signal_unlock(h);
	do
		rc = wait_sleep(deadline);
	while (!rc && !signal_interrupts(t));
	h = signal_lock(t->group);
	t->blocked = old;
	t->real_blocked = 0;
	signal_unlock(h);
	if (signal_dequeue(t, mask, info))
		rc = info->signo;
	else if (rc == -ETIMEDOUT)
		rc = -EAGAIN;
	else
		rc = -EINTR;
	h = signal_lock(t->group);
	signal_recalc_locked(t);
	signal_unlock(h);
	return rc;
}

int64_t sys_rt_sigtimedwait(struct task *t, const struct syscall_args *a)
{
	uint64_t set, ns = 0, deadline = DEADLINE_NONE;
	struct linux_siginfo info;
	int rc;

	if (a->v[3] != SIGSET_SIZE)
		return -EINVAL;
	rc = copy_in_u64(t->mm, &set, arg_addr(a, 0));
	if (rc)
		return rc;
	if (a->v[2]) {
		rc = copy_in_timespec(t->mm, arg_addr(a, 2), &ns);
		if (rc)
			return rc;
		deadline = deadline_after(ns);
	}
	if (a->v[2] && !ns)
		rc = signal_dequeue(t, set & ~SIGNAL_UNBLOCKABLE, &info) ? info.signo : -EAGAIN;
	else
		rc = wait_for_signal(t, set & ~SIGNAL_UNBLOCKABLE, deadline, &info);
	if (rc > 0 && a->v[1] && copy_out(t->mm, arg_addr(a, 1), &info, sizeof(info)))
		return -EFAULT;
	return rc;
}

/* Until a signal is to be handled; the exit work then gives the mask back. */
static int64_t sleep_for_signal(struct task *t)
{
	while (!signal_interrupts(t))
		if (wait_sleep(DEADLINE_NONE) < 0)
			break;
	return -ERESTARTNOHAND;
}

int64_t sys_rt_sigsuspend(struct task *t, const struct syscall_args *a)
{
	uint64_t set;
	int rc;

	if (a->v[1] != SIGSET_SIZE)
		return -EINVAL;
	rc = copy_in_u64(t->mm, &set, arg_addr(a, 0));
	if (rc)
		return rc;
	signal_mask_push(t, set);
	return sleep_for_signal(t);
}

int64_t sys_pause(struct task *t, const struct syscall_args *a)
{
	return sleep_for_signal(t);
}

int64_t sys_restart_syscall(struct task *t, const struct syscall_args *a)
{
	return t->restart_block.fn ? t->restart_block.fn(t, &t->restart_block) : -EINTR;
}

int64_t sys_rt_sigreturn(struct task *t, const struct syscall_args *a)
{
	struct linux_siginfo info = { .signo = LINUX_SIGSEGV, .code = LINUX_SI_KERNEL };

	if (signal_frame_pop(t, t->context))
		signal_force(t, &info);
	return -SYSCALL_NO_RETURN;
}

int64_t sys_sigaltstack(struct task *t, const struct syscall_args *a)
{
	uint64_t sp = context_regs(t->context)->rsp;
	struct linux_stack new_stack, old;
	int rc;

	if (a->v[0]) {
		rc = copy_in(t->mm, &new_stack, arg_addr(a, 0), sizeof(new_stack));
		if (rc)
			return rc;
	}
	signal_stack_get(t, sp, &old);
	if (a->v[0]) {
		rc = signal_stack_set(t, sp, &new_stack);
		if (rc)
			return rc;
	}
	return a->v[1] ? copy_out(t->mm, arg_addr(a, 1), &old, sizeof(old)) : 0;
}
