/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a tracer has its stopped tracee do, and the registers that it reads and
 * writes itself, under the tracee's signal lock.
 */
#include <errno.h>
#include <stdlib.h>

#include "sentry/kernel/ptrace_internal.h"

bool ptrace_stopped_for_locked(const struct task *t, const struct task *tracer)
{
	return atomic_load(&t->ptrace.tracer) == tracer && t->ptrace.stopped &&
	       !t->ptrace.listening;
}

int ptrace_get_regs(struct task *tracer, struct task *t, struct guest_regs *out)
{
	struct signal_handlers *h = signal_lock(t->group);
	bool stopped = ptrace_stopped_for_locked(t, tracer);

	if (stopped)
		*out = *context_regs(t->context);
	signal_unlock(h);
	return stopped ? 0 : -ESRCH;
}

int ptrace_set_regs(struct task *tracer, struct task *t, const struct guest_regs *regs)
{
	struct signal_handlers *h = signal_lock(t->group);
	bool stopped = ptrace_stopped_for_locked(t, tracer);

	if (stopped)
		*context_regs(t->context) = *regs;
	signal_unlock(h);
	return stopped ? 0 : -ESRCH;
}

/* --- jobs -------------------------------------------------------------------------------- */

struct ptrace_job *ptrace_job_new(struct task *waiter,
				  int (*run)(struct task *t, struct ptrace_job *job), size_t size)
{
	struct ptrace_job *job = calloc(1, sizeof(*job) + size);

	if (!job)
		return NULL;
	refcount_init(&job->refs);
	job->run = run;
	job->waiter = task_get(waiter);
	job->size = size;
	return job;
}

void ptrace_job_put(struct ptrace_job *job)
{
	if (!job || !refcount_put(&job->refs))
		return;
	task_put(job->waiter);
	free(job);
}

int ptrace_job_run(struct task *t, struct ptrace_job *job)
{
	struct signal_handlers *h = signal_lock(t->group);
	bool posted = ptrace_stopped_for_locked(t, job->waiter) && !t->ptrace.job;

	if (posted) {
		refcount_get(&job->refs);
		t->ptrace.job = job;
		sleeper_wake(&t->sleeper);
	}
	signal_unlock(h);
	if (!posted)
		return -ESRCH;
	while (!atomic_load(&job->done))
		if (wait_sleep_killable(DEADLINE_NONE) < 0)
			return -ESRCH; /* the tracer is dying; the job is the tracee's now */
	return job->result;
}
