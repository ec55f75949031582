/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wait4 and waitid on tracees: their stops, and their deaths.  Tracees are single
 * threads, whoever their parent is; stops are reported without WUNTRACED, and clone
 * children without __WCLONE.  Everything under tasklist.
 */
#include <errno.h>

#include "sentry/cred/user_namespace.h"
#include "sentry/kernel/ptrace_internal.h"
#include "sentry/kernel/task_reap.h"
#include "sentry/kernel/task_wait.h"

static bool matches(struct task *t, const struct wait_request *rq, struct task *tracee)
{
	struct pid_namespace *ns = t->pid.ns;
	struct process_group *pg = tracee->group->process_group;

	switch (rq->which) {
	case LINUX_P_ALL:
		return true;
	case LINUX_P_PID:
		return pid_number_in(&tracee->pid, ns) == rq->id;
	case LINUX_P_PIDFD:
		return tracee->group == rq->group && tracee->group->leader == tracee;
	case LINUX_P_PGID:
		return pg && (rq->id ? pid_number_in(&pg->pid->id, ns) == rq->id :
				       pg == t->group->process_group);
	default:
		return false;
	}
}

static void report(struct task *t, struct wait_request *rq, struct task *tracee, int status,
		   int code, int cause)
{
	rq->pid = pid_number_in(&tracee->pid, t->pid.ns);
	rq->uid = uid_from_kernel(t->cred->user_ns, tracee->cred->uid);
	rq->status = status;
	rq->code = code;
	rq->cause = cause;
	thread_group_rusage_locked(tracee->group, &rq->usage);
}

/* Its parent, when that is another, hears of it once the tracer has. */
static void collect(struct task *t, struct task *tracee, struct graveyard *dead)
{
	struct thread_group *g = tracee->group;
	bool own_child = g->parent == t->group && !tracee->ptrace.zombie;

	ptrace_unlink_locked(tracee);
	if (own_child)
		thread_group_collect_locked(g, t->group, dead);
	else
		zombie_untraced_locked(tracee, dead);
}

static bool is_dead(const struct task *tracee)
{
	const struct thread_group *g = tracee->group;

	return tracee->ptrace.zombie || (tracee == g->leader && thread_group_reapable_locked(g));
}

static bool try_death(struct task *t, struct wait_request *rq, struct task *tracee,
		      struct graveyard *dead)
{
	struct thread_group *g = tracee->group;
	int status;

	if (!(rq->options & LINUX_WEXITED) || !is_dead(tracee))
		return false;
	status = g->group_exiting ? g->group_exit_code : tracee->exit_code;
	if (status & 0x7f)
		report(t, rq, tracee, status, LINUX_CLD_KILLED, status & 0x7f);
	else
		report(t, rq, tracee, status, LINUX_CLD_EXITED, (status >> 8) & 0xff);
	if (!(rq->options & LINUX_WNOWAIT))
		collect(t, tracee, dead);
	return true;
}

static bool try_stop(struct task *t, struct wait_request *rq, struct task *tracee)
{
	struct task_ptrace *p = &tracee->ptrace;
	struct signal_handlers *h = signal_lock(tracee->group);
	int code = p->stopped && !p->listening ? p->code : 0;

	if (code && !(rq->options & LINUX_WNOWAIT))
		p->code = 0;
	signal_unlock(h);
	if (code)
		report(t, rq, tracee, code << 8 | 0x7f, LINUX_CLD_TRAPPED, code);
	return code;
}

static int scan_tracees(struct task *t, struct wait_request *rq, struct task *tracer,
			struct graveyard *dead)
{
	struct task *tracee;
	int rc = -ECHILD;

	list_for_each(tracee, &tracer->ptrace.tracees, ptrace.node) {
		if (!matches(t, rq, tracee))
			continue;
		if (try_death(t, rq, tracee, dead) || try_stop(t, rq, tracee))
			return 1;
		/* The dead have no news but their end. */
		if (!is_dead(tracee))
			rc = 0;
	}
	return rc;
}

int ptrace_wait_locked(struct task *t, struct wait_request *rq, struct graveyard *dead)
{
	struct task *tracer;
	int rc = -ECHILD;

	if (rq->options & LINUX_WNOTHREAD)
		return scan_tracees(t, rq, t, dead);
	list_for_each(tracer, &t->group->threads, thread_node) {
		int found = scan_tracees(t, rq, tracer, dead);

		if (found > 0)
			return found;
		if (!found)
			rc = 0;
	}
	return rc;
}
