/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guest code of a tracee: its system calls, its single steps, its restarts.
 * Everything here is done by the task itself, in handle().
 *
 * The trap flag in its registers is set just before guest code runs and taken away
 * with the next event that has registers, so neither tracer nor signal frames see it.
 * A tracee whose system calls are watched needs registers for each: a call that came
 * without them is left undone, the task kicked, and the call made in the KICK event,
 * where its arguments are still in the registers.
 */
#include <errno.h>

#include "sentry/kernel/ptrace_internal.h"
#include "sentry/kernel/restart.h"

#define SYSCALL_INSTRUCTION_SIZE 2

void ptrace_event_begin(struct task *t, struct context *ctx, const struct platform_event *event)
{
	struct task_ptrace *p = &t->ptrace;
	bool in_call = p->kicked_in_call && event->kind == PLATFORM_EVENT_KICK;
	struct guest_regs *regs;

	p->kicked_in_call = false;
	if (event->kind != PLATFORM_EVENT_KICK)
		p->call_deferred = false;
	p->regs_valid = event->regs_valid;
	if (!event->regs_valid)
		return;
	regs = context_regs(ctx);
	if (event->kind == PLATFORM_EVENT_SYSCALL)
		regs->orig_rax = event->nr;
	else if (event->kind != PLATFORM_EVENT_STARTED)
		regs->orig_rax = in_call ? t->syscall_nr : UINT64_MAX;
	p->stepped = p->forced_step;
	if (!p->forced_step)
		return;
	p->forced_step = false;
	regs->eflags &= ~(uint64_t)LINUX_EFLAGS_TF;
}

void ptrace_resume_guest(struct task *t, struct context *ctx, bool regs_valid)
{
	struct task_ptrace *p = &t->ptrace;
	struct guest_regs *regs;

	if (likely(!ptrace_traced(p)) || !regs_valid)
		return;
	regs = context_regs(ctx);
	if (!(atomic_load(&p->run) & PTRACE_RUN_STEP) && !ptrace_watch_active(t))
		return;
	ptrace_watch_arm(t);
	if (regs->eflags & LINUX_EFLAGS_TF)
		return; /* the guest's own */
	regs->eflags |= LINUX_EFLAGS_TF;
	p->forced_step = true;
}

bool ptrace_step_done(struct task *t, struct context *ctx, struct linux_siginfo *info)
{
	struct task_ptrace *p = &t->ptrace;

	if (info->signo != LINUX_SIGTRAP || info->code != LINUX_TRAP_TRACE || !p->stepped)
		return true;
	if (!ptrace_traced(p))
		return false;
	if (ptrace_watch_hit(t, ctx)) {
		info->code = LINUX_TRAP_HWBKPT;
		return true;
	}
	if (!(atomic_load(&p->run) & PTRACE_RUN_STEP))
		return false;
	ptrace_watch_stepped(t);
	return true;
}

void ptrace_handler_entered(struct task *t)
{
	struct linux_siginfo info;

	if (likely(!ptrace_traced(&t->ptrace)) || !(atomic_load(&t->ptrace.run) & PTRACE_RUN_STEP))
		return;
	ptrace_trap_info(t, &info, LINUX_SIGTRAP, LINUX_SIGTRAP);
	ptrace_stop(t, LINUX_SIGTRAP, LINUX_CLD_TRAPPED, 0, &info);
}

/* --- system calls ------------------------------------------------------------------------ */

bool ptrace_defer_call(struct task *t, struct context *ctx, bool regs_valid)
{
	if (likely(!ptrace_traced(&t->ptrace)) || regs_valid)
		return false;
	/* A step over a call is reported at its end, at the instruction behind it. */
	if (!atomic_load(&t->ptrace.run) &&
	    !ptrace_event_enabled(t, LINUX_PTRACE_EVENT_SECCOMP))
		return false;
	if (!platform_need_registers(ctx))
		return false;
	t->ptrace.call_deferred = true;
	return true;
}

bool ptrace_syscall_enter(struct task *t, struct context *ctx)
{
	struct guest_regs *r = context_regs(ctx);
	uint32_t run = atomic_load(&t->ptrace.run);

	r->orig_rax = t->syscall_nr;
	r->rax = (uint64_t)-ENOSYS;
	if (!(run & (PTRACE_RUN_SYSCALLS | PTRACE_RUN_EMULATE)))
		return true;
	ptrace_syscall_stop(t, LINUX_PTRACE_EVENTMSG_SYSCALL_ENTRY);
	t->syscall_restart_pending = false;
	if (task_is_dying(t) || (run & PTRACE_RUN_EMULATE))
		return false;
	return ptrace_take_call(t, ctx);
}

bool ptrace_take_call(struct task *t, struct context *ctx)
{
	const struct guest_regs *r = context_regs(ctx);
	const uint64_t args[] = { r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9 };

	task_call_set(t, (uint32_t)r->orig_rax, args);
	return (int32_t)r->orig_rax != -1;
}

static void report_step(struct task *t, const struct guest_regs *r)
{
	struct linux_siginfo info = { .signo = LINUX_SIGTRAP, .code = LINUX_TRAP_BRKPT };

	info.fault.addr = r->rip;
	signal_force(t, &info);
}

int64_t ptrace_syscall_leave(struct task *t, struct context *ctx, int64_t result, bool set)
{
	struct guest_regs *r = context_regs(ctx);
	uint32_t run = atomic_load(&t->ptrace.run);

	if (set)
		r->rax = (uint64_t)result;
	if (t->exit_requested || !ptrace_traced(&t->ptrace))
		return result;
	if ((run & PTRACE_RUN_STEP) && !(run & PTRACE_RUN_EMULATE)) {
		report_step(t, r);
	} else if (run & PTRACE_RUN_SYSCALLS) {
		ptrace_syscall_stop(t, LINUX_PTRACE_EVENTMSG_SYSCALL_EXIT);
		t->syscall_restart_pending = false;
		task_call_set(t, (uint32_t)r->orig_rax, t->syscall_args);
	}
	return (int64_t)r->rax;
}

bool ptrace_restart_in_guest(struct task *t, struct context *ctx)
{
	struct guest_regs *r = context_regs(ctx);

	if (likely(!ptrace_traced(&t->ptrace)))
		return false;
	r->rax = t->syscall_result == -ERESTART_RESTARTBLOCK ? NR_RESTART_SYSCALL : t->syscall_nr;
	r->rip -= SYSCALL_INSTRUCTION_SIZE;
	t->syscall_restart_pending = false;
	return true;
}

bool ptrace_event_seccomp(struct task *t, uint32_t data, int64_t *result)
{
	*result = -ENOSYS;
	/* A tracer that came just now: this call's registers are not here. */
	if (!ptrace_event_enabled(t, LINUX_PTRACE_EVENT_SECCOMP) || !t->ptrace.regs_valid)
		return false;
	ptrace_event(t, LINUX_PTRACE_EVENT_SECCOMP, data);
	t->syscall_restart_pending = false;
	*result = (int64_t)context_regs(t->context)->rax;
	return !task_is_dying(t) && ptrace_take_call(t, t->context);
}
