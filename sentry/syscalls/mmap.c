/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mmap, munmap, mprotect, mremap, brk, remap_file_pages: argument decoding for sentry/mm.  They run
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

/* --- remap_file_pages ------------------------------------------------------------------------ */

/* [start, end) is mapped without a hole, and all of it as its beginning, a copy of which is @first. */
static bool mapped_alike(struct mm *mm, const struct vma *first, uint64_t end)
{
	uint64_t at = first->end;
	struct vma vma;

	while (at < end && mm_find_vma(mm, at, &vma)) {
		bool same = vma.start == at && vma.object == first->object &&
			    vma.flags == first->flags && vma.prot == first->prot;

		at = vma.end;
		mm_vma_release(&vma);
		if (!same)
			return false;
	}
	return at >= end;
}

/* Linux does not call a mapping shared that can never write. */
static bool is_shared(const struct vma *vma)
{
	return vma->flags & VMA_SHARED && vma->max_prot & LINUX_PROT_WRITE;
}

/* As Linux since 4.0: another part of the same object is mapped in place. */
static int remap_pages(struct task *t, const struct vma *vma, uint64_t start, uint64_t size,
		       uint64_t offset)
{
	int flags = LINUX_MAP_SHARED | LINUX_MAP_FIXED | LINUX_MAP_POPULATE;
	struct mm_limits limits = task_mm_limits(t);
	uint64_t result;

	if (!is_shared(vma) || !mapped_alike(t->mm, vma, start + size))
		return -EINVAL;
	if (vma->flags & VMA_LOCKED)
		flags |= LINUX_MAP_LOCKED;
	return mm_mmap(t->mm, t->context, &limits, start, size, vma->prot, flags, vma->object, offset,
		       &result);
}

int64_t sys_remap_file_pages(struct task *t, const struct syscall_args *a)
{
	uint64_t start = a->v[0] & ~(GUEST_PAGE_SIZE - 1), size = a->v[1] & ~(GUEST_PAGE_SIZE - 1);
	uint64_t page = a->v[3];
	struct vma vma;
	int rc = -EINVAL;

	if (a->v[2] || start + size <= start || page + (size >> GUEST_PAGE_SHIFT) < page)
		return -EINVAL;
	if (!mm_find_vma(t->mm, start, &vma))
		return -EINVAL;
	if (vma.start <= start && page > INT64_MAX >> GUEST_PAGE_SHIFT)
		rc = is_shared(&vma) ? -EOVERFLOW : -EINVAL;
	else if (vma.start <= start)
		rc = remap_pages(t, &vma, start, size, page << GUEST_PAGE_SHIFT);
	mm_vma_release(&vma);
	return rc;
}
