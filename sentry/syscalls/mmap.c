/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mmap, munmap, mprotect, mremap, brk: argument decoding for sentry/mm.  They run
 * on the task's own context, whose stub thread carries the orders out.
 */
#include "config.h"

#include "sentry/abi/mm.h"
#include "sentry/fs/dev/dev.h"
#include "sentry/mm/mm.h"
#include "sentry/syscalls/handlers.h"
#include "sentry/vfs/file.h"

static int64_t map(struct task *t, const struct syscall_args *a, struct mappable *object)
{
	struct mm_limits limits = task_mm_limits(t);
	uint64_t result;
	int rc = mm_mmap(t->mm, t->context, &limits, a->v[0], a->v[1], arg_int(a, 2), arg_int(a, 3),
			 object, a->v[5], &result);

	return rc < 0 ? rc : (int64_t)result;
}

int64_t sys_mmap(struct task *t, const struct syscall_args *a)
{
	int flags = arg_int(a, 3);
	struct file *file;
	int64_t result;

	if (a->v[5] & (GUEST_PAGE_SIZE - 1))
		return -EINVAL;
	if (flags & LINUX_MAP_ANONYMOUS) {
		if (flags & LINUX_MAP_HUGETLB)
			return a->v[1] ? -ENOMEM : -EINVAL; /* a host without huge pages */
		return map(t, a, NULL);
	}
	file = fd_table_lookup(t->fds, arg_int(a, 4));
	if (!file)
		return -EBADF;
	if (flags & LINUX_MAP_HUGETLB)
		result = -EINVAL;
	else if (dev_is_zero(file) && file->can_read &&
		 (file->can_write || (flags & LINUX_MAP_TYPE) == LINUX_MAP_PRIVATE))
		result = map(t, a, NULL);
	else
		result = map(t, a, &file->mappable);
	file_put(file);
	return result;
}

int64_t sys_munmap(struct task *t, const struct syscall_args *a)
{
	return mm_munmap(t->mm, t->context, a->v[0], a->v[1]);
}

int64_t sys_mprotect(struct task *t, const struct syscall_args *a)
{
	return mm_mprotect(t->mm, t->context, a->v[0], a->v[1], arg_int(a, 2));
}

int64_t sys_mremap(struct task *t, const struct syscall_args *a)
{
	struct mm_limits limits = task_mm_limits(t);
	uint64_t result;
	int rc;

	if (a->v[3] >> 32)
		return -EINVAL;
	rc = mm_mremap(t->mm, t->context, &limits, a->v[0], a->v[1], a->v[2], arg_int(a, 3), a->v[4],
		       &result);
	return rc < 0 ? rc : (int64_t)result;
}

int64_t sys_brk(struct task *t, const struct syscall_args *a)
{
	struct mm_limits limits = task_mm_limits(t);

	return (int64_t)mm_brk(t->mm, t->context, &limits, a->v[0]);
}
