/* SPDX-License-Identifier: Apache-2.0 */
/* Helpers of the file system calls: see file_call.h. */
#include "config.h"

#include "sentry/syscalls/file_call.h"

#include "sentry/abi/signal.h"

uint32_t call_lookup_flags(int at_flags)
{
	uint32_t lookup = at_flags & LINUX_AT_SYMLINK_NOFOLLOW ? 0 : LOOKUP_FOLLOW;

	return at_flags & LINUX_AT_EMPTY_PATH ? lookup | LOOKUP_EMPTY : lookup;
}

int call_lookup(struct task *t, int dirfd, guest_addr_t name, uint32_t lookup, struct path *out)
{
	struct vfs_context ctx = task_vfs_context(t);
	AUTO_FREE char *path = NULL;
	int rc;

	if (lookup & LOOKUP_EMPTY && guest_is_null(name))
		return vfs_lookup(&ctx, dirfd, "", lookup, out);
	rc = copy_in_path(t->mm, name, &path);
	if (rc < 0)
		return rc;
	return vfs_lookup(&ctx, dirfd, path, lookup, out);
}

int64_t call_size_result(struct task *t, int64_t rc)
{
	if (rc == -EFBIG && task_rlimit(t, RLIM_FSIZE) != UINT64_MAX)
		signal_send_self(t, LINUX_SIGXFSZ);
	return rc;
}
