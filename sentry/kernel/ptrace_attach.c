/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who traces whom: PTRACE_TRACEME, ATTACH, SEIZE, DETACH, what children inherit, and
 * the death of either side.  Links change under tasklist and the tracee's signal
 * lock.  execve computes credentials that depend on the tracer, so nobody attaches to
 * a task in it (Linux: cred_guard_mutex).
 */
#include <errno.h>
#include <stdlib.h>

#include "sentry/abi/capability.h"
#include "sentry/cred/user_namespace.h"
#include "sentry/kernel/ptrace_internal.h"
#include "sentry/kernel/restart.h"

void ptrace_task_init(struct task *t)
{
	list_init(&t->ptrace.tracees);
}

void ptrace_task_free(struct task *t)
{
	credentials_put(t->ptrace.tracer_cred);
	free(t->ptrace.watch);
}

/* --- links ------------------------------------------------------------------------------- */

/* tasklist and @t's signal lock are held; @cred: a reference that is taken over. */
static void link_locked(struct task *t, struct task *tracer, const struct credentials *cred,
			bool seized, uint32_t options)
{
	struct task_ptrace *p = &t->ptrace;

	p->tracer_cred = cred;
	p->options = options;
	p->seized = seized;
	p->links++;
	atomic_store(&p->run, 0);
	atomic_store(&p->tracer, tracer);
	list_add_tail(&tracer->ptrace.tracees, &p->node);
}

/* Lets a stopped one go on; with the signal lock. */
static void let_go_locked(struct task *t)
{
	struct task_ptrace *p = &t->ptrace;

	if (p->stopped) {
		p->stopped = false;
		sleeper_wake(&t->sleeper);
	}
	/* A stop of its group is in force for it again. */
	if (t->group->stop_signal && !t->exiting)
		task_wake_locked(t);
}

void ptrace_unlink_locked(struct task *t)
{
	struct task_ptrace *p = &t->ptrace;
	const struct credentials *cred = NULL;
	struct signal_handlers *h;

	if (!ptrace_traced(p))
		return;
	h = signal_lock(t->group);
	list_remove(&p->node);
	atomic_store(&p->tracer, NULL);
	cred = p->tracer_cred;
	p->tracer_cred = NULL;
	p->options = 0;
	p->seized = p->listening = p->trap_stop = p->trap_notify = false;
	atomic_store(&p->run, 0);
	let_go_locked(t);
	signal_unlock(h);
	credentials_put(cred);
}

bool ptrace_traced_by_group(const struct task *t, const struct thread_group *g)
{
	const struct task *tracer = atomic_load(&t->ptrace.tracer);

	return tracer && tracer->group == g;
}

int32_t ptrace_tracer_pid(struct task *t, struct pid_namespace *ns)
{
	struct task *tracer;
	int32_t number;

	if (!ptrace_traced(&t->ptrace))
		return 0;
	mutex_lock(&t->kernel->tasklist_lock);
	tracer = atomic_load(&t->ptrace.tracer);
	number = tracer ? pid_number_in(&tracer->pid, ns) : 0;
	mutex_unlock(&t->kernel->tasklist_lock);
	return number;
}

void ptrace_inherit_locked(struct task *parent, struct task *child)
{
	struct task_ptrace *from = &parent->ptrace;
	struct task *tracer = atomic_load(&from->tracer);

	if (!tracer)
		return;
	link_locked(child, tracer, credentials_get(from->tracer_cred), from->seized, from->options);
	if (from->seized)
		child->ptrace.trap_stop = true;
	else
		child->pending.set |= SIGNAL_BIT(LINUX_SIGSTOP);
	atomic_store(&child->work_pending, true);
}

/* --- PTRACE_TRACEME ---------------------------------------------------------------------- */

/* The thread that made it, or who adopted it; borrowed, tasklist held. */
static struct task *parent_thread_locked(struct task *t)
{
	struct thread_group *g = t->group;

	if (g->creator)
		return g->creator;
	return g->parent ? g->parent->leader : NULL;
}

int64_t ptrace_traceme(struct task *t)
{
	const struct credentials *cred = NULL;
	struct signal_handlers *h;
	struct task *parent;
	int64_t rc = -EPERM;

	mutex_lock(&t->kernel->tasklist_lock);
	parent = parent_thread_locked(t);
	if (parent && !parent->exiting && !ptrace_traced(&t->ptrace)) {
		cred = task_cred(parent);
		if (task_may_be_traced(t, cred)) {
			h = signal_lock(t->group);
			link_locked(t, parent, cred, false, 0);
			signal_unlock(h);
			cred = NULL;
			rc = 0;
		}
	}
	mutex_unlock(&t->kernel->tasklist_lock);
	credentials_put(cred);
	return rc;
}

/* --- PTRACE_ATTACH, PTRACE_SEIZE --------------------------------------------------------- */

static bool executing(struct task *t, uint32_t *executions)
{
	struct signal_handlers *h = signal_lock(t->group);
	bool result = t->ptrace.executing;

	*executions = t->ptrace.executions;
	signal_unlock(h);
	return result;
}

/* -ERESTARTNOINTR: a signal came first. */
static int wait_for_execve(struct task *t, uint32_t *executions)
{
	struct wait_entry e;
	int rc = 0;

	wait_begin(&e, &t->group->exit_wait, ~0U);
	while (!rc && executing(t, executions))
		rc = wait_sleep(DEADLINE_NONE);
	wait_end(&e);
	return rc ? -ERESTARTNOINTR : 0;
}

static void stop_attached_locked(struct task *t, bool seize, bool was_stopped)
{
	struct linux_siginfo info = { .signo = LINUX_SIGSTOP, .code = LINUX_SI_KERNEL };

	if (!seize) {
		int rc = signal_send_locked(t->group, t, &info, true);

		(void)rc; /* it is there already */
	}
	if (!was_stopped)
		return;
	/* From the group's stop into a stop of its own. */
	t->ptrace.trap_stop = true;
	t->ptrace.stop_signo = t->group->stop_signal;
	task_wake_locked(t);
	wait_queue_wake_all(&t->group->stop_wait, ~0U);
}

/* 0, 1: it was in a group stop; -EAGAIN: an execve came between check and link. */
static int try_link(struct task *tracer, struct task *t, bool seize, uint32_t options,
		    uint32_t executions)
{
	const struct credentials *cred = task_cred(tracer);
	struct signal_handlers *h;
	int rc = -EPERM;

	mutex_lock(&t->kernel->tasklist_lock);
	h = signal_lock(t->group);
	if (t->ptrace.executing || t->ptrace.executions != executions) {
		rc = -EAGAIN;
	} else if (!t->exiting && !ptrace_traced(&t->ptrace)) {
		bool was_stopped = t->group->stop_signal && !t->stop_pending;

		link_locked(t, tracer, cred, seize, options);
		stop_attached_locked(t, seize, was_stopped);
		cred = NULL;
		rc = was_stopped;
	}
	signal_unlock(h);
	mutex_unlock(&t->kernel->tasklist_lock);
	credentials_put(cred);
	return rc;
}

static bool in_transit(struct task *tracer, struct task *t)
{
	struct signal_handlers *h = signal_lock(t->group);
	bool result = atomic_load(&t->ptrace.tracer) == tracer && !t->ptrace.stopped &&
		      t->ptrace.trap_stop && !t->exiting && !t->kill_pending;

	signal_unlock(h);
	return result;
}

/* A tracer that waits with WNOHANG finds the stop. */
static void wait_for_transit(struct task *tracer, struct task *t)
{
	struct wait_entry e;

	wait_begin(&e, &tracer->group->child_wait, ~0U);
	while (in_transit(tracer, t))
		if (wait_sleep_killable(DEADLINE_NONE) < 0)
			break;
	wait_end(&e);
}

int64_t ptrace_check_options(struct task *tracer, uint64_t options)
{
	if (options & ~(uint64_t)LINUX_PTRACE_O_MASK)
		return -EINVAL;
	/* Nothing here suspends filters; who could ask for it is told. */
	if (options & LINUX_PTRACE_O_SUSPEND_SECCOMP)
		return credentials_root_capable(tracer->cred, LINUX_CAP_SYS_ADMIN) ? -EINVAL : -EPERM;
	return 0;
}

int64_t ptrace_attach(struct task *tracer, struct task *target, bool seize, uint64_t addr,
		      uint64_t flags)
{
	uint32_t executions;
	int64_t rc;

	if (seize && (addr || (flags & ~(uint64_t)LINUX_PTRACE_O_MASK)))
		return -EIO;
	rc = seize ? ptrace_check_options(tracer, flags) : 0;
	if (rc)
		return rc;
	if (target->group == tracer->group)
		return -EPERM;
	do {
		rc = wait_for_execve(target, &executions);
		if (!rc && !task_may_access(tracer, target, PTRACE_MODE_ATTACH | PTRACE_MODE_REALCREDS))
			rc = -EPERM;
		if (!rc)
			rc = try_link(tracer, target, seize, seize ? (uint32_t)flags : 0, executions);
	} while (rc == -EAGAIN);
	if (rc == 1)
		wait_for_transit(tracer, target);
	return rc < 0 ? rc : 0;
}

int64_t ptrace_detach(struct task *tracer, struct task *t, uint64_t signo)
{
	struct signal_handlers *h;
	bool mine;

	if (signo > SIGNAL_COUNT)
		return -EIO;
	mutex_lock(&t->kernel->tasklist_lock);
	h = signal_lock(t->group);
	mine = ptrace_stopped_for_locked(t, tracer);
	if (mine)
		t->ptrace.code = (int)signo;
	signal_unlock(h);
	if (mine)
		ptrace_unlink_locked(t);
	mutex_unlock(&t->kernel->tasklist_lock);
	return mine ? 0 : -ESRCH;
}

/* --- execve ------------------------------------------------------------------------------ */

void ptrace_exec_begin(struct task *t)
{
	struct signal_handlers *h = signal_lock(t->group);

	t->ptrace.executing = true;
	t->ptrace.executions++;
	signal_unlock(h);
}

void ptrace_exec_end(struct task *t)
{
	struct signal_handlers *h = signal_lock(t->group);

	t->ptrace.executing = false;
	signal_unlock(h);
	wait_queue_wake_all(&t->group->exit_wait, ~0U);
}

bool ptrace_exec_may_gain(struct task *t)
{
	struct signal_handlers *h;
	bool may;

	if (likely(!ptrace_traced(&t->ptrace)))
		return true;
	h = signal_lock(t->group);
	may = !t->ptrace.tracer_cred ||
	      credentials_ns_has_capability(t->ptrace.tracer_cred, t->cred->user_ns,
					    LINUX_CAP_SYS_PTRACE);
	signal_unlock(h);
	return may;
}
