/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A debugger's view of memory.  What the guest could access itself is copied from
 * afar; a page that it cannot read or write is made accessible for the moment by the
 * tracee's own thread (mm_access_forced), as breakpoints in text need it.  A process
 * that looks at itself (/proc/self/mem) does so in the thread that looks.
 */
#include <errno.h>
#include <string.h>

#include "sentry/kernel/ptrace_internal.h"

static int access_job(struct task *t, struct ptrace_job *job)
{
	struct mm_limits limits = task_mm_limits(t);

	int rc = mm_fault(t->mm, t->context, &limits, job->addr, 0);

	(void)rc; /* a stack has grown; what else there was, the access meets again */
	return mm_access_forced(t->mm, t->context, job->addr, job->buf, job->size, job->write);
}

static int forced(struct task *tracer, struct task *t, uint64_t addr, void *buf, size_t size,
		  bool write)
{
	struct ptrace_job *job = ptrace_job_new(tracer, access_job, size);
	int rc;

	if (!job)
		return -ENOMEM;
	job->addr = addr;
	job->write = write;
	if (write)
		memcpy(job->buf, buf, size);
	rc = ptrace_job_run(t, job);
	if (!rc && !write)
		memcpy(buf, job->buf, size);
	ptrace_job_put(job);
	return rc;
}

/* A tracee that is stopped for @tracer and has @mm: a reference, or NULL. */
static struct task *stopped_with_mm(struct task *tracer, const struct mm *mm)
{
	struct task *t, *found = NULL;

	mutex_lock(&tracer->kernel->tasklist_lock);
	list_for_each(t, &tracer->ptrace.tracees, ptrace.node) {
		struct signal_handlers *h = signal_lock(t->group);

		/* Stopped, it does not change its mm. */
		if (ptrace_stopped_for_locked(t, tracer) && t->mm == mm)
			found = task_get(t);
		signal_unlock(h);
		if (found)
			break;
	}
	mutex_unlock(&tracer->kernel->tasklist_lock);
	return found;
}

static bool stopped_for(struct task *tracer, struct task *t)
{
	struct signal_handlers *h = signal_lock(t->group);
	bool stopped = ptrace_stopped_for_locked(t, tracer);

	signal_unlock(h);
	return stopped;
}

static int forced_own(struct task *t, uint64_t addr, void *buf, size_t size, bool write)
{
	int rc = task_fetch_registers(t);

	return rc ? rc : mm_access_forced(t->mm, t->context, addr, buf, size, write);
}

int ptrace_access(struct task *tracer, struct task *t, uint64_t addr, void *buf, size_t size,
		  bool write)
{
	struct mm *mm = task_mm_get(t);
	struct task *worker;
	int rc;

	if (!mm)
		return -ESRCH;
	rc = write ? copy_out(mm, guest_addr(addr), buf, size) :
		     copy_in(mm, buf, guest_addr(addr), size);
	if (rc && tracer->mm == mm)
		rc = forced_own(tracer, addr, buf, size, write);
	worker = rc ? stopped_with_mm(tracer, mm) : NULL;
	mm_put(mm);
	if (worker) {
		rc = forced(tracer, worker, addr, buf, size, write);
		task_put(worker);
	}
	return rc;
}

int64_t ptrace_peek(struct task *tracer, struct task *t, uint64_t addr, uint64_t data)
{
	uint64_t word;

	if (!stopped_for(tracer, t))
		return -ESRCH;
	if (ptrace_access(tracer, t, addr, &word, sizeof(word), false))
		return -EIO;
	return copy_out_u64(tracer->mm, guest_addr(data), word);
}

int64_t ptrace_poke(struct task *tracer, struct task *t, uint64_t addr, uint64_t data)
{
	if (!stopped_for(tracer, t))
		return -ESRCH;
	return ptrace_access(tracer, t, addr, &data, sizeof(data), true) ? -EIO : 0;
}
