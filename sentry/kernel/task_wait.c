/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting for children.  Children belong to thread groups, as in Linux unless
 * __WNOTHREAD asks for those of one thread.  The scan runs under tasklist; the
 * group that is reaped is released under it and freed after it.
 */
#include "sentry/kernel/task_wait.h"

#include <errno.h>

#include "sentry/kernel/restart.h"
#include "sentry/kernel/signal_internal.h"
#include "sentry/kernel/task_internal.h"
#include "sentry/kernel/task_reap.h"

static bool matches(struct task *t, struct wait_request *rq, struct thread_group *child)
{
	struct pid_namespace *ns = t->pid.ns;
	struct process_group *pg = child->process_group;

	switch (rq->which) {
	case LINUX_P_ALL:
		break;
	case LINUX_P_PID:
		if (pid_number_in(&child->pid, ns) != rq->id)
			return false;
		break;
	case LINUX_P_PIDFD:
		if (child != rq->group)
			return false;
		break;
	case LINUX_P_PGID:
		if (!pg || (rq->id ? pid_number_in(&pg->pid->id, ns) != rq->id :
				     pg != t->group->process_group))
			return false;
		break;
	default:
		return false;
	}
	if ((rq->options & LINUX_WNOTHREAD) && child->creator != t)
		return false;
	/* Clone children are those that do not signal with SIGCHLD. */
	if (!(rq->options & LINUX_WALL) &&
	    (child->exit_signal != LINUX_SIGCHLD) != !!(rq->options & LINUX_WCLONE))
		return false;
	return true;
}

static void report(struct task *t, struct wait_request *rq, struct thread_group *child, int status,
		   int code, int cause)
{
	rq->pid = pid_number_in(&child->pid, t->pid.ns);
	rq->uid = uid_from_kernel(t->cred->user_ns, child->leader->cred->uid);
	rq->status = status;
	rq->code = code;
	rq->cause = cause;
	thread_group_rusage_locked(child, &rq->usage);
}

/* What a tracer has to see first, or sees in its parent's place, is not for this wait. */
static bool try_zombie(struct task *t, struct wait_request *rq, struct thread_group *child,
		       struct graveyard *dead)
{
	int status;

	if (!thread_group_reapable_locked(child) || ptrace_traced(&child->leader->ptrace) ||
	    !(rq->options & LINUX_WEXITED))
		return false;
	status = thread_group_status_locked(child);
	if (status & 0x7f)
		report(t, rq, child, status, LINUX_CLD_KILLED, status & 0x7f);
	else
		report(t, rq, child, status, LINUX_CLD_EXITED, (status >> 8) & 0xff);
	if (!(rq->options & LINUX_WNOWAIT))
		thread_group_collect_locked(child, t->group, dead);
	return true;
}

static bool try_stopped(struct task *t, struct wait_request *rq, struct thread_group *child)
{
	struct signal_handlers *h;
	bool found = false;
	int signo;

	if (child->zombie || !(rq->options & LINUX_WSTOPPED) ||
	    ptrace_traced_by_group(child->leader, t->group))
		return false;
	h = signal_lock(child);
	signo = child->stop_signal;
	if (child->stopped && child->stop_report && signo) {
		found = true;
		if (!(rq->options & LINUX_WNOWAIT))
			child->stop_report = false;
	}
	signal_unlock(h);
	if (found)
		report(t, rq, child, signo << 8 | 0x7f, LINUX_CLD_STOPPED, signo);
	return found;
}

static bool try_continued(struct task *t, struct wait_request *rq, struct thread_group *child)
{
	struct signal_handlers *h;
	bool found;

	if (child->zombie || !(rq->options & LINUX_WCONTINUED))
		return false;
	h = signal_lock(child);
	found = child->continued_report;
	if (found && !(rq->options & LINUX_WNOWAIT))
		child->continued_report = false;
	signal_unlock(h);
	if (found)
		report(t, rq, child, 0xffff, LINUX_CLD_CONTINUED, LINUX_SIGCONT);
	return found;
}

/* 1: reported; 0: there are children, none has news; -ECHILD. */
static int scan(struct task *t, struct wait_request *rq, struct graveyard *dead)
{
	struct thread_group *child;
	int rc = -ECHILD, traced;

	mutex_lock(&t->kernel->tasklist_lock);
	list_for_each(child, &t->group->children, sibling) {
		if (!matches(t, rq, child))
			continue;
		if (try_zombie(t, rq, child, dead) || try_stopped(t, rq, child) ||
		    try_continued(t, rq, child)) {
			rc = 1;
			break;
		}
		/* A zombie has no news but its end, which is another tracer's first. */
		if (!thread_group_reapable_locked(child) ||
		    (ptrace_traced(&child->leader->ptrace) &&
		     !ptrace_traced_by_group(child->leader, t->group)))
			rc = 0;
	}
	if (rc <= 0) {
		traced = ptrace_wait_locked(t, rq, dead);
		rc = traced == -ECHILD ? rc : traced;
	}
	mutex_unlock(&t->kernel->tasklist_lock);
	return rc;
}

int task_wait(struct task *t, struct wait_request *rq)
{
	struct graveyard dead;
	bool interrupted;
	int rc;

	rq->pid = 0;
	graveyard_init(&dead);
	wait_begin(&t->call_wait, &t->group->child_wait, ~0U);
	for (;;) {
		/* News that came with a signal (SIGCHLD) go first. */
		interrupted = wait_interrupted();
		rc = scan(t, rq, &dead);
		if (rc || (rq->options & LINUX_WNOHANG))
			break;
		if (interrupted) {
			rc = -ERESTARTSYS;
			break;
		}
		/* A pidfd is looked up once. */
		if (rq->which != LINUX_P_PIDFD && task_can_shelve(t)) {
			graveyard_empty(&dead);
			return -SYSCALL_SHELVED;
		}
		(void)wait_sleep(DEADLINE_NONE);
	}
	wait_end(&t->call_wait);
	graveyard_empty(&dead);
	return rc < 0 ? rc : 0;
}
