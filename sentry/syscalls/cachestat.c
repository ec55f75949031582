/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cachestat: which pages of a file are in memory.  As for mincore, a file is in memory
 * throughout; what the host has written back or evicted of it is not known here.
 */
#include "sentry/abi/mm.h"
#include "sentry/syscalls/file_call.h"
#include "util/checked.h"

/* Those whose writes to the file could tell them anyway. */
static bool may_ask(struct task *t, const struct file *file)
{
	return file->can_write || inode_owner_or_capable(file->inode, t->cred) ||
	       inode_permission(file->inode, LINUX_MAY_WRITE, t->cred) == 0;
}

static uint64_t pages_in(struct file *file, const struct linux_cachestat_range *range)
{
	uint64_t first = range->off >> GUEST_PAGE_SHIFT, last = UINT64_MAX;
	struct path path = file_path(file);
	struct inode_attr attr;
	uint64_t end;

	if (inode_type(file->inode) != LINUX_S_IFREG || vfs_getattr(&path, &attr) < 0 || !attr.size)
		return 0;
	if (range->len) /* wraps, as in Linux */
		last = (range->off + range->len - 1) >> GUEST_PAGE_SHIFT;
	end = MIN(last, (attr.size - 1) >> GUEST_PAGE_SHIFT);
	return first <= end ? end - first + 1 : 0;
}

int64_t sys_cachestat(struct task *t, const struct syscall_args *a)
{
	AUTO_FILE struct file *file = call_file(t, arg_int(a, 0));
	struct linux_cachestat_range range;
	struct linux_cachestat result = { 0 };
	int rc;

	if (!file)
		return -EBADF;
	rc = copy_in(t->mm, &range, arg_addr(a, 1), sizeof(range));
	if (rc)
		return rc;
	if (!may_ask(t, file))
		return -EPERM;
	if (arg_u32(a, 3))
		return -EINVAL;
	result.nr_cache = pages_in(file, &range);
	return copy_out(t->mm, arg_addr(a, 2), &result, sizeof(result));
}
