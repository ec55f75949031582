/* SPDX-License-Identifier: Apache-2.0 */
/*
 * process_madvise and process_mrelease: advice about the memory of a process named by a
 * pidfd.  Another process takes hints only, which are checked and have no effect: its
 * memory is changed by its own stub alone.
 */
#include "sentry/abi/capability.h"
#include "sentry/abi/mm.h"
#include "sentry/kernel/pidfd.h"
#include "sentry/kernel/task_internal.h"
#include "sentry/syscalls/handlers.h"
#include "util/cleanup.h"

static bool valid_for_others(int advice)
{
	switch (advice) {
	case LINUX_MADV_COLD:
	case LINUX_MADV_PAGEOUT:
	case LINUX_MADV_WILLNEED:
	case LINUX_MADV_COLLAPSE:
		return true;
	default:
		return false;
	}
}

/* As far as it goes, in bytes; the error only when nothing was advised. */
static int64_t advise_segments(struct mm *mm, struct context *ctx,
			       const struct guest_iovec *segments, uint64_t count, int advice)
{
	uint64_t done = 0;

	for (uint64_t i = 0; i < count; i++) {
		int rc = mm_madvise(mm, ctx, segments[i].base, segments[i].size, advice);

		if (rc < 0)
			return done ? (int64_t)done : rc;
		done += segments[i].size;
	}
	return (int64_t)done;
}

static int64_t advise_task(struct task *t, struct task *target,
			   const struct guest_iovec *segments, uint64_t count, int advice)
{
	bool own = target->group == t->group;
	struct mm *mm;
	int64_t rc;

	if (!own && !task_may_access(t, target, PTRACE_MODE_READ | PTRACE_MODE_FSCREDS))
		return -EACCES;
	mm = task_mm_get(target);
	if (!mm)
		return -ESRCH;
	own = mm == t->mm;
	if (!own && !valid_for_others(advice))
		rc = -EINVAL;
	else if (!own && !credentials_root_capable(t->cred, LINUX_CAP_SYS_NICE))
		rc = -EPERM;
	else
		rc = advise_segments(mm, own ? t->context : NULL, segments, count, advice);
	mm_put(mm);
	return rc;
}

int64_t sys_process_madvise(struct task *t, const struct syscall_args *a)
{
	AUTO_FREE struct guest_iovec *segments = NULL;
	struct task *target;
	struct io_iter iter;
	int64_t rc;

	if (arg_u32(a, 4))
		return -EINVAL;
	rc = io_iter_init_iovec(&iter, t->mm, arg_addr(a, 1), a->v[2], &segments);
	if (rc)
		return rc;
	rc = pidfd_get_task(t, arg_int(a, 0), &target);
	if (rc)
		return rc;
	rc = advise_task(t, target, segments, a->v[2], arg_int(a, 3));
	task_put(target);
	return rc;
}

/* What Linux asks of memory that may be reaped: nobody will run in it again. */
static int64_t release_group(struct thread_group *g)
{
	struct signal_handlers *h = signal_lock(g);
	bool has_memory = false, dying = g->group_exiting;
	struct task *t;

	list_for_each(t, &g->threads, thread_node)
		has_memory = has_memory || !t->exiting;
	signal_unlock(h);
	if (!has_memory && !dying)
		return -ESRCH;
	return dying ? 0 : -EINVAL;
}

/* The memory of a process that is being killed goes with its stub, at once. */
int64_t sys_process_mrelease(struct task *t, const struct syscall_args *a)
{
	struct task *target;
	int64_t rc;

	if (arg_u32(a, 1))
		return -EINVAL;
	rc = pidfd_get_task(t, arg_int(a, 0), &target);
	if (rc)
		return rc;
	rc = task_state_char(target) == TASK_ZOMBIE ? -ESRCH : release_group(target->group);
	task_put(target);
	return rc;
}
