/* SPDX-License-Identifier: Apache-2.0 */
/* madvise, mlock and its kin, msync, mincore: argument decoding for sentry/mm. */
#include "config.h"

#include "sentry/abi/mm.h"
#include "sentry/mm/mm.h"
#include "sentry/syscalls/handlers.h"

int64_t sys_madvise(struct task *t, const struct syscall_args *a)
{
	return mm_madvise(t->mm, t->context, a->v[0], a->v[1], arg_int(a, 2));
}

int64_t sys_mlock(struct task *t, const struct syscall_args *a)
{
	struct mm_limits limits = task_mm_limits(t);

	return mm_mlock(t->mm, t->context, &limits, a->v[0], a->v[1], 0);
}

int64_t sys_mlock2(struct task *t, const struct syscall_args *a)
{
	struct mm_limits limits = task_mm_limits(t);

	return mm_mlock(t->mm, t->context, &limits, a->v[0], a->v[1], arg_int(a, 2));
}

int64_t sys_munlock(struct task *t, const struct syscall_args *a)
{
	return mm_munlock(t->mm, a->v[0], a->v[1]);
}

int64_t sys_mlockall(struct task *t, const struct syscall_args *a)
{
	struct mm_limits limits = task_mm_limits(t);

	return mm_mlockall(t->mm, t->context, &limits, arg_int(a, 0));
}

int64_t sys_munlockall(struct task *t, const struct syscall_args *a)
{
	return mm_munlockall(t->mm);
}

int64_t sys_mseal(struct task *t, const struct syscall_args *a)
{
	return mm_mseal(t->mm, a->v[0], a->v[1], a->v[2]);
}

int64_t sys_msync(struct task *t, const struct syscall_args *a)
{
	return mm_msync(t->mm, a->v[0], a->v[1], arg_int(a, 2));
}

int64_t sys_mincore(struct task *t, const struct syscall_args *a)
{
	return mm_mincore(t->mm, a->v[0], a->v[1], arg_addr(a, 2));
}
