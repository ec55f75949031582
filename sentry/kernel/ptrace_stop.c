/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The stops of a tracee, on its own pool thread.  A stop is published under tasklist
 * together with the tracer's SIGCHLD, so a wait that was told finds it.  While
 * stopped the task sleeps on its own sleeper, which resuming, detaching, jobs and
 * death wake; `stopped` says whether it may go on.
 *
 * What a system call left to do (its restart) is in rax and orig_rax during a stop,
 * as in Linux, and is taken from there afterwards: a tracer may change it.
 */
#include <errno.h>
#include <string.h>

#include "sentry/abi/sched.h"
#include "sentry/cred/user_namespace.h"
#include "sentry/kernel/ptrace_internal.h"
#include "sentry/kernel/restart.h"

#define SYSCALL_GOOD 0x80

/* --- telling the tracer ------------------------------------------------------------------ */

void ptrace_tell_tracer_locked(struct task *t, struct linux_siginfo *info)
{
	struct task *tracer = atomic_load(&t->ptrace.tracer);
	struct signal_handlers *h;
	const struct linux_sigaction *action;
	bool send;

	if (!tracer)
		return;
	info->signo = LINUX_SIGCHLD;
	info->child.pid = pid_number_in(&t->pid, tracer->pid.ns);
	info->child.uid = uid_from_kernel(tracer->pid.ns->user_ns, t->cred->uid);
	h = signal_lock(tracer->group);
	action = &h->actions[LINUX_SIGCHLD - 1];
	send = action->handler != LINUX_SIG_IGN;
	if (info->code > LINUX_CLD_DUMPED && (action->flags & LINUX_SA_NOCLDSTOP))
		send = false;
	signal_unlock(h);
	if (send) {
		int rc = signal_send_group(tracer->group, info);

		(void)rc; /* a tracer that dies does not mind */
	}
	wait_queue_wake_all(&tracer->group->child_wait, ~0U);
}

/* --- registers in a stop ----------------------------------------------------------------- */

static bool is_restart(int64_t result)
{
	return result == -ERESTARTSYS || result == -ERESTARTNOINTR || result == -ERESTARTNOHAND ||
	       result == -ERESTART_RESTARTBLOCK;
}

static void show_restart(struct task *t)
{
	if (t->syscall_restart_pending)
		context_regs(t->context)->rax = (uint64_t)t->syscall_result;
}

static void take_restart(struct task *t)
{
	const struct guest_regs *r = context_regs(t->context);
	const uint64_t args[] = { r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9 };

	t->syscall_restart_pending = r->orig_rax != UINT64_MAX && is_restart((int64_t)r->rax);
	if (!t->syscall_restart_pending)
		return;
	t->syscall_result = (int64_t)r->rax;
	task_call_set(t, (uint32_t)r->orig_rax, args);
}

/* --- the stop ---------------------------------------------------------------------------- */

static bool exit_stop(int code)
{
	return code >> 8 == LINUX_PTRACE_EVENT_EXIT;
}

static bool must_not_stop(const struct task *t, int code)
{
	if (exit_stop(code))
		return t->ptrace.killed_again;
	return t->kill_pending || t->group->group_exiting;
}

/* The group's stop is complete when its last thread has stopped, traced or not. */
static bool take_part_locked(struct task *t)
{
	struct thread_group *g = t->group;

	if (!t->stop_pending)
		return false;
	t->stop_pending = false;
	t->ptrace.stop_signo = g->stop_signal;
	if (--g->stop_count || g->stopped)
		return false;
	g->stopped = true;
	g->stop_report = true;
	g->continued_report = false;
	return true;
}

struct stop_request {
	int code, how;
	uint64_t message;
	struct linux_siginfo *info;
};

/* Publishes the stop; false: there is none.  *complete: the group's stop is, too. */
static bool begin_stop(struct task *t, const struct stop_request *rq, bool *complete)
{
	struct task_ptrace *p = &t->ptrace;
	struct linux_siginfo chld = { .code = rq->how };
	struct signal_handlers *h;
	bool stop;

	mutex_lock(&t->kernel->tasklist_lock);
	h = signal_lock(t->group);
	stop = ptrace_traced(p) && !must_not_stop(t, rq->code);
	if (stop) {
		if (rq->how == LINUX_CLD_STOPPED)
			*complete = take_part_locked(t);
		p->trap_stop = false;
		if (rq->code >> 8 == LINUX_PTRACE_EVENT_STOP)
			p->trap_notify = false;
		p->code = rq->code;
		p->message = rq->message;
		p->siginfo = rq->info;
		p->listening = false;
		p->stopped = true;
		atomic_store(&t->state, TASK_TRACED);
		chld.child.status = (rq->how == LINUX_CLD_STOPPED ? t->group->stop_signal : rq->code) & 0x7f;
	}
	signal_unlock(h);
	if (stop)
		ptrace_tell_tracer_locked(t, &chld);
	if (*complete && ptrace_traced_by_group(t, t->group->parent))
		*complete = false;
	mutex_unlock(&t->kernel->tasklist_lock);
	return stop;
}

static void finish_job(struct ptrace_job *job, int result)
{
	job->result = result;
	atomic_store(&job->done, true);
	sleeper_wake(&job->waiter->sleeper);
	ptrace_job_put(job);
}

/* The end of the stop: what resumed it.  The lock is held, and given up. */
static int end_stop(struct task *t, struct signal_handlers *h) NO_LOCK_ANALYSIS
{
	struct task_ptrace *p = &t->ptrace;
	struct ptrace_job *job = p->job;
	int code = p->code;

	p->stopped = false;
	p->listening = false;
	p->siginfo = NULL;
	p->job = NULL;
	p->code = 0;
	atomic_store(&t->state, TASK_RUNNING);
	/* Signals that came meanwhile woke nobody. */
	signal_recalc_locked(t);
	signal_unlock(h);
	if (job)
		finish_job(job, -ESRCH);
	return code;
}

static int sleep_in_stop(struct task *t, int stop_code)
{
	struct task_ptrace *p = &t->ptrace;

	for (;;) {
		struct signal_handlers *h = signal_lock(t->group);
		struct ptrace_job *job = p->job;

		if (!p->stopped || must_not_stop(t, stop_code))
			return end_stop(t, h);
		p->job = NULL;
		signal_unlock(h);
		if (job) {
			finish_job(job, job->run(t, job));
			continue;
		}
		/* A task that is dying sleeps here too: it stops on its way out. */
		wait_sleep_uninterruptible(DEADLINE_NONE);
	}
}

int ptrace_stop(struct task *t, int code, int how, uint64_t message, struct linux_siginfo *info)
{
	const struct stop_request rq = { code, how, message, info };
	bool complete = false;

	show_restart(t);
	if (!begin_stop(t, &rq, &complete))
		return PTRACE_NOT_STOPPED;
	if (complete)
		notify_parent_stopped(t->group, LINUX_CLD_STOPPED);
	code = sleep_in_stop(t, code);
	take_restart(t);
	return code;
}

void ptrace_trap_info(struct task *t, struct linux_siginfo *info, int signo, int code)
{
	memset(info, 0, sizeof(*info));
	info->signo = signo;
	info->code = code;
	info->kill.pid = task_tid_in(t, t->pid.ns);
	info->kill.uid = uid_from_kernel(t->cred->user_ns, t->cred->uid);
}

/* --- events ------------------------------------------------------------------------------ */

bool ptrace_event_enabled(struct task *t, int event)
{
	struct signal_handlers *h;
	bool enabled;

	if (likely(!ptrace_traced(&t->ptrace)))
		return false;
	h = signal_lock(t->group);
	enabled = ptrace_traced(&t->ptrace) && (t->ptrace.options & 1U << event);
	signal_unlock(h);
	return enabled;
}

static int stop_with_code(struct task *t, int code, uint64_t message)
{
	struct linux_siginfo info;

	ptrace_trap_info(t, &info, LINUX_SIGTRAP, code);
	return ptrace_stop(t, code, LINUX_CLD_TRAPPED, message, &info);
}

void ptrace_event(struct task *t, int event, uint64_t message)
{
	if (likely(!ptrace_event_enabled(t, event)))
		return;
	stop_with_code(t, LINUX_SIGTRAP | event << 8, message);
}

int ptrace_clone_event(struct task *t, uint64_t flags, int exit_signal)
{
	int event = LINUX_PTRACE_EVENT_FORK;

	if (likely(!ptrace_traced(&t->ptrace)) || (flags & LINUX_CLONE_UNTRACED))
		return 0;
	if (flags & LINUX_CLONE_VFORK)
		event = LINUX_PTRACE_EVENT_VFORK;
	else if (exit_signal != LINUX_SIGCHLD || (flags & LINUX_CLONE_THREAD))
		event = LINUX_PTRACE_EVENT_CLONE;
	return ptrace_event_enabled(t, event) ? event : 0;
}

void ptrace_event_child(struct task *t, int event, const struct task_pid *id)
{
	struct task *tracer;
	int32_t number;

	mutex_lock(&t->kernel->tasklist_lock);
	tracer = atomic_load(&t->ptrace.tracer);
	number = tracer ? pid_number_in(id, tracer->pid.ns) : 0;
	mutex_unlock(&t->kernel->tasklist_lock);
	ptrace_event(t, event, (uint64_t)number);
}

void ptrace_event_exec(struct task *t, const struct task_pid *old)
{
	struct signal_handlers *h;
	bool legacy;

	if (likely(!ptrace_traced(&t->ptrace)))
		return;
	/* Still in the call, with the registers of the new program. */
	context_regs(t->context)->orig_rax = t->syscall_nr;
	if (ptrace_event_enabled(t, LINUX_PTRACE_EVENT_EXEC)) {
		context_regs(t->context)->rax = (uint64_t)-ENOSYS;
		ptrace_event_child(t, LINUX_PTRACE_EVENT_EXEC, old);
		context_regs(t->context)->rax = 0;
		return;
	}
	h = signal_lock(t->group);
	legacy = ptrace_traced(&t->ptrace) && !t->ptrace.seized;
	signal_unlock(h);
	if (legacy) {
		struct linux_siginfo info = { .signo = LINUX_SIGTRAP };

		info.kill.pid = task_tgid_in(t, t->pid.ns);
		info.kill.uid = uid_from_kernel(t->cred->user_ns, t->cred->uid);
		if (signal_send_task(t, &info))
			return; /* it is dying */
	}
}

/* --- signals ----------------------------------------------------------------------------- */

static void fill_injected(struct task *t, int signo, struct linux_siginfo *info)
{
	struct task *tracer;

	memset(info, 0, sizeof(*info));
	info->signo = signo;
	mutex_lock(&t->kernel->tasklist_lock);
	tracer = atomic_load(&t->ptrace.tracer);
	if (tracer) {
		info->kill.pid = pid_number_in(&tracer->pid, t->pid.ns);
		info->kill.uid = uid_from_kernel(t->cred->user_ns, tracer->cred->uid);
	}
	mutex_unlock(&t->kernel->tasklist_lock);
}

int ptrace_signal(struct task *t, int signo, struct linux_siginfo *info)
{
	struct signal_handlers *h = signal_lock(t->group);
	int code;

	/* As if it were a stop signal: a SIGCONT from here on cancels a stop that is injected. */
	t->stop_dequeued = true;
	signal_unlock(h);
	code = ptrace_stop(t, signo, LINUX_CLD_TRAPPED, 0, info);
	if (code != PTRACE_NOT_STOPPED)
		signo = code;
	if (!signo)
		return 0;
	if (signo != info->signo)
		fill_injected(t, signo, info);
	h = signal_lock(t->group);
	if (signal_in(t->blocked, signo) || t->kill_pending || t->group->group_exiting) {
		int rc = signal_send_locked(t->group, t, info, false);

		(void)rc; /* lost: the queue is full, or it is dying */
		signo = 0;
	}
	signal_unlock(h);
	return signo;
}

bool ptrace_trap_due_locked(const struct task *t)
{
	const struct task_ptrace *p = &t->ptrace;

	return ptrace_traced(p) && (t->stop_pending || p->trap_stop || p->trap_notify);
}

void ptrace_trap(struct task *t)
{
	struct signal_handlers *h = signal_lock(t->group);
	bool seized = t->ptrace.seized;
	int signo = t->group->stop_signal;
	struct linux_siginfo info;

	if (!signo)
		signo = seized || !t->ptrace.stop_signo ? LINUX_SIGTRAP : t->ptrace.stop_signo;
	signal_unlock(h);
	if (seized) {
		int code = signo | LINUX_PTRACE_EVENT_STOP << 8;

		ptrace_trap_info(t, &info, signo, code);
		ptrace_stop(t, code, LINUX_CLD_STOPPED, 0, &info);
	} else {
		ptrace_stop(t, signo, LINUX_CLD_STOPPED, 0, NULL);
	}
}

/* --- system call stops ------------------------------------------------------------------- */

void ptrace_syscall_stop(struct task *t, uint64_t message)
{
	struct signal_handlers *h = signal_lock(t->group);
	int code = LINUX_SIGTRAP;

	if (t->ptrace.options & LINUX_PTRACE_O_TRACESYSGOOD)
		code |= SYSCALL_GOOD;
	signal_unlock(h);
	code = stop_with_code(t, code, message);
	/* Not as continuing with a signal, but it will do: Linux. */
	if (code > 0 && code <= SIGNAL_COUNT) {
		struct linux_siginfo info = { .signo = code, .code = LINUX_SI_KERNEL };
		int rc = signal_send_task(t, &info);

		(void)rc; /* it is dying */
	}
}

/* --- exit -------------------------------------------------------------------------------- */

bool ptrace_exit_needs_registers(struct task *t, bool regs_valid)
{
	struct signal_handlers *h;

	if (likely(!ptrace_traced(&t->ptrace)) || regs_valid || t->ptrace.exit_kicked)
		return false;
	if (!ptrace_event_enabled(t, LINUX_PTRACE_EVENT_EXIT))
		return false;
	t->ptrace.exit_kicked = true;
	/* Only a call comes without them. */
	t->ptrace.kicked_in_call = true;
	if (!platform_need_registers(t->context))
		return false;
	atomic_store(&t->in_guest, true);
	h = signal_lock(t->group);
	if (t->group->group_exiting)
		thread_group_expect_locked(t->group, t);
	signal_unlock(h);
	return true;
}

void ptrace_event_exit(struct task *t)
{
	struct signal_handlers *h;
	int status;

	if (likely(!ptrace_traced(&t->ptrace)))
		return;
	h = signal_lock(t->group);
	status = t->exit_requested || !t->group->group_exiting ? t->exit_code :
								 t->group->group_exit_code;
	if (!t->exit_requested && !t->group->group_exiting)
		status = LINUX_SIGKILL; /* by another thread's execve */
	signal_unlock(h);
	ptrace_event(t, LINUX_PTRACE_EVENT_EXIT, (uint64_t)status);
}

/* --- senders ----------------------------------------------------------------------------- */

void ptrace_notify_locked(struct task *t)
{
	struct task_ptrace *p = &t->ptrace;

	if (!ptrace_traced(p) || !p->seized)
		return;
	p->trap_notify = true;
	if (p->listening)
		p->stopped = false;
	if (p->listening || !p->stopped)
		task_wake_locked(t);
	if (p->listening)
		sleeper_wake(&t->sleeper);
}

void ptrace_kill_again(struct thread_group *g)
{
	struct signal_handlers *h = signal_lock(g);
	struct task *t;

	list_for_each(t, &g->threads, thread_node) {
		t->ptrace.killed_again = true;
		if (t->ptrace.stopped)
			sleeper_wake(&t->sleeper);
	}
	signal_unlock(h);
}
