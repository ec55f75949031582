/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens between two stretches of guest code: kernel_context_ops.handle().
 *
 * The event is served, then the exit work is done until there is none: death,
 * group stops, signals, the restart of interrupted calls.  The hand-over back is
 * race-free without a lock in the common case: the task sets in_guest and then
 * looks at work_pending; a sender sets work_pending and then looks at in_guest.
 * One of them sees the other, so either the task does the work or it is kicked.
 *
 * Handlers need registers.  A system call that came without them asks the
 * platform, else resumes with a kick in front of it and goes on in the KICK event;
 * what is left of the call is in syscall_restart_pending and syscall_result.
 *
 * A call that waits can be shelved: nothing of it is left in the sentry but its entry in a wait queue, and
 * when that is woken, by whoever, the event is handled again and the call made anew.  So a sleeper costs no
 * thread, and where the waker has no more to do (a child that exits) it goes on at once, on the waker's CPU.
 */
#include <errno.h>
#include <sys/wait.h>

#include "sentry/abi/sched.h"
#include "sentry/kernel/kernel.h"
#include "sentry/kernel/kernel_pause.h"
#include "sentry/kernel/program.h"
#include "sentry/kernel/restart.h"
#include "sentry/kernel/seccomp.h"
#include "sentry/kernel/signal_internal.h"
#include "sentry/kernel/task_internal.h"
#include "util/log.h"

#define SYSCALL_INSTRUCTION_SIZE 2
#define TRAP_GENERAL_PROTECTION 13
#define INT80_ERROR_CODE (0x80 * 8 + 2)

static bool is_restart(int64_t result)
{
	return result == -ERESTARTSYS || result == -ERESTARTNOINTR || result == -ERESTARTNOHAND ||
	       result == -ERESTART_RESTARTBLOCK;
}

/* --- signals ---------------------------------------------------------------------- */

/* A handler runs: decides whether the interrupted call is run again afterwards. */
static void finish_restart(struct task *t, struct context *ctx, const struct linux_sigaction *action)
{
	struct guest_regs *regs = context_regs(ctx);
	bool again;

	if (!t->syscall_restart_pending)
		return;
	t->syscall_restart_pending = false;
	again = t->syscall_result == -ERESTARTNOINTR ||
		(t->syscall_result == -ERESTARTSYS && (action->flags & LINUX_SA_RESTART));
	if (again) {
		regs->rax = t->syscall_nr;
		regs->rip -= SYSCALL_INSTRUCTION_SIZE;
	} else {
		regs->rax = (uint64_t)-EINTR;
	}
}

static void delivered_locked(struct task *t, int signo, const struct linux_sigaction *action)
{
	uint64_t blocked = t->blocked | action->mask;

	t->restore_saved_mask = false;
	if (!(action->flags & LINUX_SA_NODEFER))
		blocked |= SIGNAL_BIT(signo);
	signal_set_blocked_locked(t, blocked);
}

static void force_segv(struct task *t, int failed_signo)
{
	struct linux_siginfo info = { .signo = LINUX_SIGSEGV, .code = LINUX_SI_KERNEL };

	if (failed_signo == LINUX_SIGSEGV) {
		struct signal_handlers *h = signal_lock(t->group);

		h->actions[LINUX_SIGSEGV - 1].handler = LINUX_SIG_DFL;
		signal_unlock(h);
	}
	signal_force(t, &info);
}

/* Called with the lock held, returns without. */
static void run_handler(struct task *t, struct context *ctx, struct signal_handlers *h, int signo,
			struct linux_siginfo *info, const struct signal_dequeued *after)
	NO_LOCK_ANALYSIS
{
	struct linux_sigaction action = h->actions[signo - 1];
	uint64_t old_mask = t->restore_saved_mask ? t->saved_mask : t->blocked;
	int rc;

	if (action.flags & LINUX_SA_RESETHAND)
		h->actions[signo - 1].handler = LINUX_SIG_DFL;
	signal_unlock(h);
	signal_dequeue_finish(t, after, info);
	finish_restart(t, ctx, &action);
	rc = signal_frame_push(t, ctx, signo, info, &action, old_mask);
	if (rc) {
		force_segv(t, signo);
		return;
	}
	h = signal_lock(t->group);
	delivered_locked(t, signo, &action);
	signal_unlock(h);
	if (t->altstack.flags & LINUX_SS_AUTODISARM)
		signal_stack_reset(t);
	ptrace_handler_entered(t);
}

/* --- stops --------------------------------------------------------------------------- */

static void start_stop_locked(struct task *t, int signo)
{
	struct thread_group *g = t->group;
	struct task *other;

	if (g->group_exiting || !t->stop_dequeued)
		return;
	g->stop_signal = signo;
	list_for_each(other, &g->threads, thread_node) {
		if (other->exiting || other->stop_pending)
			continue;
		other->stop_pending = true;
		g->stop_count++;
		if (other != t)
			task_wake_locked(other);
		ptrace_notify_locked(other);
	}
}

/* @continues: how often the group had been continued when the stop began. */
static bool stop_over(struct task *t, uint32_t continues)
{
	struct signal_handlers *h = signal_lock(t->group);
	bool over = t->group->continues != continues || !t->group->stop_signal || t->kill_pending ||
		    t->group->group_exiting || ptrace_traced(&t->ptrace);

	signal_unlock(h);
	return over;
}

/* Called with the lock held and a stop in force or under way; returns without. */
static void take_part_in_stop(struct task *t, struct signal_handlers *h) NO_LOCK_ANALYSIS
{
	struct thread_group *g = t->group;
	uint32_t continues = g->continues;
	bool last = false, continued;
	struct wait_entry e;

	if (t->stop_pending) {
		t->stop_pending = false;
		if (--g->stop_count == 0 && !g->stopped) {
			g->stopped = true;
			g->stop_report = true;
			g->continued_report = false;
			last = true;
		}
	}
	/* Under the lock: from a SIGCONT on it is no longer seen as stopped. */
	atomic_store(&t->state, TASK_STOPPED);
	signal_unlock(h);
	if (last)
		notify_parent_stopped(g, LINUX_CLD_STOPPED);
	wait_begin(&e, &g->stop_wait, ~0U);
	while (!stop_over(t, continues))
		if (wait_sleep_killable(DEADLINE_NONE) < 0)
			break;
	wait_end(&e);
	atomic_store(&t->state, TASK_RUNNING);
	h = signal_lock(g);
	continued = g->continue_notify;
	g->continue_notify = false;
	signal_unlock(h);
	if (continued)
		notify_parent_stopped(g, LINUX_CLD_CONTINUED);
}

static bool orphaned(struct task *t)
{
	bool result;

	mutex_lock(&t->kernel->tasklist_lock);
	result = !t->group->process_group ||
		 process_group_orphaned_locked(t->group->process_group, NULL);
	mutex_unlock(&t->kernel->tasklist_lock);
	return result;
}

/* --- default actions ------------------------------------------------------------------ */

/* Called with the lock held, returns without. */
static void run_default(struct task *t, struct signal_handlers *h, int signo,
			struct linux_siginfo *info, const struct signal_dequeued *after)
	NO_LOCK_ANALYSIS
{
	struct thread_group *g = t->group;

	if (signal_in(SIGNAL_DEFAULT_IGNORED, signo) ||
	    (g->unkillable && !signal_in(SIGNAL_UNBLOCKABLE, signo))) {
		signal_unlock(h);
		signal_dequeue_finish(t, after, info);
		return;
	}
	if (signal_in(SIGNAL_STOP_SET, signo)) {
		signal_unlock(h);
		signal_dequeue_finish(t, after, info);
		if (signo != LINUX_SIGSTOP && orphaned(t))
			return;
		h = signal_lock(g);
		start_stop_locked(t, signo);
		signal_unlock(h);
		return;
	}
	thread_group_die_locked(t, signo);
	signal_unlock(h);
	signal_dequeue_finish(t, after, info);
}

/* Called with the lock held and a signal deliverable; returns without. */
static void deliver_one(struct task *t, struct context *ctx, struct signal_handlers *h)
	NO_LOCK_ANALYSIS
{
	struct linux_siginfo info;
	struct signal_dequeued after;
	int signo = signal_dequeue_locked(t, ~t->blocked, &info, &after);
	uint64_t handler;

	if (unlikely(ptrace_traced(&t->ptrace))) {
		signal_unlock(h);
		signal_dequeue_finish(t, &after, &info);
		after = (struct signal_dequeued){ NULL, false };
		signo = ptrace_signal(t, signo, &info);
		if (!signo)
			return;
		h = signal_lock(t->group);
	}
	handler = h->actions[signo - 1].handler;
	if (handler == LINUX_SIG_IGN) {
		signal_unlock(h);
		signal_dequeue_finish(t, &after, &info);
	} else if (handler == LINUX_SIG_DFL) {
		run_default(t, h, signo, &info, &after);
	} else {
		run_handler(t, ctx, h, signo, &info, &after);
	}
}

/* --- exit work ------------------------------------------------------------------------ */

/* Nothing deliverable: the old mask comes back, which may make something deliverable. */
static bool restore_mask_locked(struct task *t)
{
	if (!t->restore_saved_mask)
		return false;
	t->restore_saved_mask = false;
	signal_set_blocked_locked(t, t->saved_mask);
	return true;
}

/* Its container is paused: true when it no longer is, or the task is to die. */
static bool wait_for_resume(struct task *t)
{
	if (likely(!task_paused(t)))
		return false;
	atomic_store(&t->in_guest, false);
	task_pause_wait(t);
	return true;
}

enum work_result task_work(struct task *t, struct context *ctx, bool regs_valid) NO_LOCK_ANALYSIS
{
	struct thread_group *g = t->group;

	for (;;) {
		struct signal_handlers *h = signal_lock(g);
		uint64_t pending = (t->pending.set | g->shared_pending.set) & ~t->blocked;

		if (t->kill_pending || g->group_exiting || t->exit_requested) {
			signal_unlock(h);
			return WORK_EXIT;
		}
		if (!ptrace_traced(&t->ptrace) && (t->stop_pending || g->stop_signal)) {
			take_part_in_stop(t, h);
			continue;
		}
		if (!pending && !ptrace_trap_due_locked(t)) {
			enum work_result result = WORK_DONE;

			if (restore_mask_locked(t)) {
				signal_unlock(h);
				continue;
			}
			signal_recalc_locked(t);
			if (t->syscall_restart_pending)
				result = WORK_RESTART;
			else
				atomic_store(&t->in_guest, true);
			signal_unlock(h);
			if (result == WORK_DONE && wait_for_resume(t))
				continue;
			return result;
		}
		if (!regs_valid) {
			signal_unlock(h);
			if (platform_need_registers(ctx)) {
				/* A kick may come now or with the resume: the same event. */
				atomic_store(&t->in_guest, true);
				t->ptrace.kicked_in_call = true;
				return WORK_NEED_REGS;
			}
			context_regs(ctx)->rax = (uint64_t)t->syscall_return;
			regs_valid = true;
			continue;
		}
		if (unlikely(ptrace_trap_due_locked(t))) {
			signal_unlock(h);
			ptrace_trap(t);
			continue;
		}
		deliver_one(t, ctx, h);
	}
}

/* --- events ---------------------------------------------------------------------------- */

static void set_result(struct context *ctx, const struct platform_event *event, bool regs_valid,
		       int64_t value)
{
	if (event->kind == PLATFORM_EVENT_SYSCALL)
		context_set_return(ctx, value);
	if (regs_valid)
		context_regs(ctx)->rax = (uint64_t)value;
}

static int64_t make_call(struct task *t, bool through_block)
{
	if (through_block)
		return t->restart_block.fn ? t->restart_block.fn(t, &t->restart_block) : -EINTR;
	return kernel_upcalls()->syscall(t, t->syscall_nr, t->syscall_args);
}

static void keep_result(struct task *t, struct context *ctx, const struct platform_event *event,
			bool regs_valid, int64_t result, bool may_restart)
{
	if (may_restart && is_restart(result)) {
		t->syscall_restart_pending = true;
		t->syscall_result = result;
		result = -EINTR;
	}
	t->syscall_return = result;
	set_result(ctx, event, regs_valid, result);
}

static void finish_call(struct task *t, struct context *ctx, const struct platform_event *event,
			bool regs_valid, int64_t result, enum seccomp_verdict verdict)
{
	bool returns = result != -SYSCALL_NO_RETURN || verdict != SECCOMP_GO;

	if (result == -SYSCALL_SHELVED && verdict == SECCOMP_GO) {
		t->call_shelved = true;
		return;
	}
	if (unlikely(ptrace_traced(&t->ptrace)) && regs_valid)
		result = ptrace_syscall_leave(t, ctx, result, returns);
	if (returns)
		keep_result(t, ctx, event, regs_valid, result, verdict != SECCOMP_SKIP);
}

/* Runs the call (again), and keeps what the exit work must know. */
static void run_syscall(struct task *t, struct context *ctx, const struct platform_event *event,
			bool regs_valid, bool through_block)
{
	enum seccomp_verdict verdict = SECCOMP_GO;
	int64_t result;

	if (unlikely(atomic_load_explicit(&t->seccomp_mode, memory_order_relaxed)))
		verdict = seccomp_check_call(t, through_block ? NR_RESTART_SYSCALL : (int)t->syscall_nr,
					     t->syscall_args, t->syscall_rip, &result);
	if (likely(verdict == SECCOMP_GO))
		result = make_call(t, through_block);
	finish_call(t, ctx, event, regs_valid, result, verdict);
}

/* What comes before a call, its filters and its tracer's stop, has been. */
static void run_shelved(struct task *t, struct context *ctx, const struct platform_event *event)
{
	t->call_shelved = false;
	wait_end(&t->call_wait);
	finish_call(t, ctx, event, event->regs_valid, make_call(t, false), SECCOMP_GO);
}

bool task_can_shelve(struct task *t)
{
	return context_can_shelve(t->context) && !ptrace_traced(&t->ptrace) &&
	       !atomic_load_explicit(&t->through_block, memory_order_relaxed);
}

static void unshelve(struct sleeper *s)
{
	context_unshelve(container_of(s, struct task, sleeper)->context);
}

void task_init_shelf(struct task *t)
{
	t->sleeper.unshelve = unshelve;
}

static void restart_in_place(struct task *t, struct context *ctx,
			     const struct platform_event *event, bool regs_valid)
{
	bool through_block = t->syscall_result == -ERESTART_RESTARTBLOCK;

	t->syscall_restart_pending = false;
	atomic_store_explicit(&t->through_block, through_block, memory_order_relaxed);
	run_syscall(t, ctx, event, regs_valid, through_block);
}

static void handle_foreign_call(struct task *t, struct context *ctx)
{
	struct linux_siginfo info = { .signo = LINUX_SIGSEGV, .code = LINUX_SI_KERNEL };

	/* As on a kernel without IA32 emulation: int 0x80 is a protection fault at itself. */
	if (!platform_need_registers(ctx))
		context_regs(ctx)->rip -= SYSCALL_INSTRUCTION_SIZE;
	t->trapno = TRAP_GENERAL_PROTECTION;
	t->error_code = INT80_ERROR_CODE;
	signal_force(t, &info);
}

/* A tracer may change the call, or forbid it: its result is in rax then. */
static void run_traced_syscall(struct task *t, struct context *ctx,
			       const struct platform_event *event)
{
	if (ptrace_syscall_enter(t, ctx))
		run_syscall(t, ctx, event, true, false);
	else
		keep_result(t, ctx, event, true, ptrace_syscall_leave(t, ctx, 0, false), true);
}

static void handle_syscall(struct task *t, struct context *ctx, const struct platform_event *event)
{
	int64_t result;

	task_call_set(t, event->nr, event->args);
	t->syscall_rip = event->rip;
	t->syscall_restart_pending = false;
	if (event->arch != LINUX_AUDIT_ARCH_X86_64) {
		handle_foreign_call(t, ctx);
		return;
	}
	/* Comes first: neither a tracer nor a filter sees a call that is caught. */
	if (unlikely(t->user_dispatch.on) && user_dispatch_catches(t, &result)) {
		keep_result(t, ctx, event, event->regs_valid, result, false);
		return;
	}
	if (ptrace_defer_call(t, ctx, event->regs_valid))
		return;
	if (unlikely(ptrace_traced(&t->ptrace)) && event->regs_valid)
		run_traced_syscall(t, ctx, event);
	else
		run_syscall(t, ctx, event, event->regs_valid, false);
}

/* The call whose event came without registers. */
static void handle_deferred_call(struct task *t, struct context *ctx,
				 const struct platform_event *event)
{
	t->ptrace.call_deferred = false;
	if (ptrace_traced(&t->ptrace))
		run_traced_syscall(t, ctx, event);
	else
		run_syscall(t, ctx, event, true, false);
}

static void handle_fault(struct task *t, struct context *ctx, const struct platform_event *event)
{
	struct linux_siginfo info = { .signo = event->signo, .code = event->code };

	if (task_fault(t, ctx, event))
		return;
	info.fault.addr = event->fault_addr;
	if (!ptrace_step_done(t, ctx, &info))
		return;
	t->trapno = event->trapno;
	t->error_code = event->error_code;
	t->fault_address = event->fault_addr;
	signal_force(t, &info);
}

static void handle_started(struct task *t)
{
	int32_t tid = task_tid_in(t, t->pid.ns);
	int rc = mm_fork_finish(t->mm, t->context);

	if (!rc)
		rc = task_adopt_time(t, t->namespaces->time);
	if (rc) {
		log_warning("task %d: its memory could not be finished: error %d", tid, -rc);
		thread_group_exit(t->group, LINUX_SIGKILL);
		return;
	}
	if (t->set_child_tid) {
		rc = copy_out_u32(t->mm, guest_addr(t->set_child_tid), (uint32_t)tid);
		(void)rc; /* as Linux: a bad address is the child's own affair */
		t->set_child_tid = 0;
	}
}

static void handle_died(struct task *t, const struct platform_event *event)
{
	int status = event->host_status;
	int signo = WIFSIGNALED(status) ? WTERMSIG(status) : LINUX_SIGKILL;

	log_debug("task %d: its host process is gone, status 0x%x", task_tid_in(t, t->pid.ns), status);
	thread_group_exit(t->group, signo);
}

/* As if there were a core dump: the thread that took the signal is marked as its writer. */
static void note_end(struct task *t)
{
	struct signal_handlers *h = signal_lock(t->group);
	bool dumps = t->group->dumper == t && signal_in(SIGNAL_COREDUMP_SET, t->group->group_exit_code);

	signal_unlock(h);
	if (!t->exit_requested)
		task_set_flag(t, LINUX_PF_SIGNALED, true);
	if (dumps && atomic_load(&t->mm->dumpable))
		task_set_flag(t, LINUX_PF_DUMPCORE, true);
}

/* The task ends; before that, its tracer may have a look at it. */
static enum context_action leave(struct task *t, const struct platform_event *event,
				 bool regs_valid)
{
	if (event->kind != PLATFORM_EVENT_DIED) {
		if (ptrace_exit_needs_registers(t, regs_valid))
			return CONTEXT_RESUME_AND_KICK;
		ptrace_event_exit(t);
	}
	note_end(t);
	task_exit(t);
	return CONTEXT_EXITED;
}

/* After ptrace_event_begin, which knows whether a KICK belongs to a call. */
static void note_position(struct task *t, struct context *ctx, const struct platform_event *event)
{
	const struct guest_regs *regs = event->regs_valid ? context_regs(ctx) : NULL;
	bool in_call = event->kind == PLATFORM_EVENT_SYSCALL || t->ptrace.call_deferred ||
		       (regs && regs->orig_rax != UINT64_MAX);

	atomic_store_explicit(&t->in_call, in_call, memory_order_relaxed);
	atomic_store_explicit(&t->through_block, false, memory_order_relaxed);
	atomic_store_explicit(&t->user_ip, regs ? regs->rip : event->rip, memory_order_relaxed);
	atomic_store_explicit(&t->user_sp, regs ? regs->rsp : 0, memory_order_relaxed);
}

/* The exit work. */
static enum context_action after_event(struct task *t, struct context *ctx,
				       const struct platform_event *event, bool regs_valid)
{
	if (t->call_shelved)
		return CONTEXT_SHELVE;
	/* The common way out: nothing to do. */
	if (!t->syscall_restart_pending && !t->restore_saved_mask && !t->exit_requested) {
		atomic_store(&t->in_guest, true);
		if (!atomic_load(&t->work_pending) && likely(!task_paused(t))) {
			ptrace_resume_guest(t, ctx, regs_valid);
			return CONTEXT_RESUME;
		}
		atomic_store(&t->in_guest, false);
	}
	for (;;) {
		switch (task_work(t, ctx, regs_valid)) {
		case WORK_DONE:
			ptrace_resume_guest(t, ctx, regs_valid);
			return CONTEXT_RESUME;
		case WORK_NEED_REGS:
			return CONTEXT_RESUME_AND_KICK;
		case WORK_EXIT:
			return leave(t, event, regs_valid);
		case WORK_RESTART:
			if (!regs_valid || !ptrace_restart_in_guest(t, ctx))
				restart_in_place(t, ctx, event, regs_valid);
			if (t->call_shelved)
				return CONTEXT_SHELVE;
			break;
		}
	}
}

static enum context_action serve(struct task *t, struct context *ctx,
				 const struct platform_event *event)
{
	bool regs_valid = event->regs_valid;

	if (t->call_shelved) {
		run_shelved(t, ctx, event);
		return after_event(t, ctx, event, regs_valid);
	}
	ptrace_event_begin(t, ctx, event);
	note_position(t, ctx, event);
	if (event->kind != PLATFORM_EVENT_KICK)
		t->call_let_go = false;
	switch (event->kind) {
	case PLATFORM_EVENT_SYSCALL:
		handle_syscall(t, ctx, event);
		if (unlikely(t->ptrace.call_deferred)) {
			atomic_store(&t->in_guest, true);
			return CONTEXT_RESUME_AND_KICK;
		}
		break;
	case PLATFORM_EVENT_FAULT:
		handle_fault(t, ctx, event);
		break;
	case PLATFORM_EVENT_STARTED:
		handle_started(t);
		break;
	case PLATFORM_EVENT_DIED:
		handle_died(t, event);
		break;
	case PLATFORM_EVENT_KICK:
		if (unlikely(t->ptrace.call_deferred))
			handle_deferred_call(t, ctx, event);
		else if (!atomic_load_explicit(&t->in_call, memory_order_relaxed) &&
			 signal_waits_for_call(t, ctx))
			return CONTEXT_RESUME;
		break;
	}
	return after_event(t, ctx, event, regs_valid);
}

static enum context_action handle(void *owner, struct context *ctx,
				  const struct platform_event *event)
{
	/* task_exit gives up what kept the task alive. */
	struct task *t = task_get(owner);
	enum context_action action;

	atomic_store(&t->in_guest, false);
	task_enter_current(t);
	action = serve(t, ctx, event);
	task_enter_current(NULL);
	task_put(t);
	return action;
}

static bool shelve(void *owner)
{
	/* Once shelved it can run, end and be freed by others. */
	struct task *t = task_get(owner);
	bool shelved = sleeper_shelve(&t->sleeper);

	task_put(t);
	return shelved;
}

const struct context_client_ops kernel_context_ops = {
	.handle = handle,
	.shelve = shelve,
};
