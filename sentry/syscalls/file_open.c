/* SPDX-License-Identifier: Apache-2.0 */
/* open, creat, openat, openat2, close, close_range. */
#include "config.h"

#include <string.h>

#include "sentry/syscalls/file_call.h"

static int64_t do_open(struct task *t, int dirfd, guest_addr_t name, const struct open_how *how)
{
	struct vfs_context ctx = task_vfs_context(t);
	AUTO_FREE char *path = NULL;
	AUTO_FILE struct file *file = NULL;
	int rc = vfs_open_check_flags(how->flags), fd;

	if (rc == 0)
		rc = copy_in_path(t->mm, name, &path);
	if (rc < 0)
		return rc;
	fd = fd_table_reserve(t->fds, task_rlimit(t, RLIM_NOFILE));
	if (fd < 0)
		return fd;
	rc = vfs_open(&ctx, dirfd, path, how, &file);
	if (rc < 0) {
		fd_table_unreserve(t->fds, fd);
		return rc == -EINTR ? -ERESTARTSYS : rc;
	}
	fd_table_fill(t->fds, fd, file, how->flags & LINUX_O_CLOEXEC);
	return fd;
}

/* open and openat ignore what they do not know. */
static int64_t open_leniently(struct task *t, int dirfd, guest_addr_t name, uint32_t flags, uint32_t mode)
{
	struct open_how how = { .flags = (flags & LINUX_O_VALID) | LINUX_O_LARGEFILE };

	if (flags & (LINUX_O_CREAT | LINUX_O_TMPFILE_BIT))
		how.mode = mode & 07777;
	return do_open(t, dirfd, name, &how);
}

int64_t sys_open(struct task *t, const struct syscall_args *a)
{
	return open_leniently(t, LINUX_AT_FDCWD, arg_addr(a, 0), arg_u32(a, 1), arg_u32(a, 2));
}

int64_t sys_creat(struct task *t, const struct syscall_args *a)
{
	const uint32_t flags = LINUX_O_CREAT | LINUX_O_WRONLY | LINUX_O_TRUNC;

	return open_leniently(t, LINUX_AT_FDCWD, arg_addr(a, 0), flags, arg_u32(a, 1));
}

int64_t sys_openat(struct task *t, const struct syscall_args *a)
{
	return open_leniently(t, arg_int(a, 0), arg_addr(a, 1), arg_u32(a, 2), arg_u32(a, 3));
}

/* --- openat2 ----------------------------------------------------------------------- */

/* copy_struct_from_user: what is beyond the known struct must be zero. */
static int copy_in_how(struct task *t, guest_addr_t from, uint64_t size, struct linux_open_how *how)
{
	char rest[64];
	int rc;

	if (size < sizeof(*how))
		return -EINVAL;
	if (size > GUEST_PAGE_SIZE)
		return -E2BIG;
	rc = copy_in(t->mm, how, from, sizeof(*how));
	for (uint64_t at = sizeof(*how); rc == 0 && at < size; at += sizeof(rest)) {
		size_t chunk = size - at < sizeof(rest) ? size - at : sizeof(rest);

		rc = copy_in(t->mm, rest, guest_add(from, at), chunk);
		for (size_t i = 0; rc == 0 && i < chunk; i++) {
			if (rest[i])
				return -E2BIG;
		}
	}
	return rc;
}

static int resolve_flags(uint64_t resolve, uint32_t *out)
{
	static const struct {
		uint64_t resolve;
		uint32_t lookup;
	} flags[] = {
		{ LINUX_RESOLVE_NO_XDEV, LOOKUP_NO_XDEV },
		{ LINUX_RESOLVE_NO_MAGICLINKS, LOOKUP_NO_MAGICLINKS },
		{ LINUX_RESOLVE_NO_SYMLINKS, LOOKUP_NO_SYMLINKS },
		{ LINUX_RESOLVE_BENEATH, LOOKUP_BENEATH },
		{ LINUX_RESOLVE_IN_ROOT, LOOKUP_IN_ROOT },
		{ LINUX_RESOLVE_CACHED, LOOKUP_CACHED },
	};

	*out = 0;
	for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
		if (resolve & flags[i].resolve)
			*out |= flags[i].lookup;
		resolve &= ~flags[i].resolve;
	}
	if (resolve || (*out & LOOKUP_BENEATH && *out & LOOKUP_IN_ROOT))
		return -EINVAL;
	return 0;
}

static int check_how(const struct linux_open_how *how)
{
	const uint64_t with_path = LINUX_O_PATH | LINUX_O_DIRECTORY | LINUX_O_NOFOLLOW | LINUX_O_CLOEXEC;

	if (how->flags & ~(uint64_t)LINUX_O_VALID)
		return -EINVAL;
	if (how->flags & (LINUX_O_CREAT | LINUX_O_TMPFILE_BIT)) {
		if (how->mode & ~07777ULL)
			return -EINVAL;
	} else if (how->mode) {
		return -EINVAL;
	}
	if (how->flags & LINUX_O_PATH && how->flags & ~with_path)
		return -EINVAL;
	return 0;
}

int64_t sys_openat2(struct task *t, const struct syscall_args *a)
{
	struct linux_open_how guest;
	struct open_how how = { 0 };
	int rc = copy_in_how(t, arg_addr(a, 2), a->v[3], &guest);

	if (rc == 0)
		rc = check_how(&guest);
	if (rc == 0)
		rc = resolve_flags(guest.resolve, &how.resolve);
	if (rc < 0)
		return rc;
	/* only what is cached, without sleeping: callers fall back to a plain open */
	if (how.resolve & LOOKUP_CACHED)
		return -EAGAIN;
	how.flags = guest.flags | LINUX_O_LARGEFILE;
	how.mode = (uint32_t)guest.mode;
	return do_open(t, arg_int(a, 0), arg_addr(a, 1), &how);
}

/* --- close --------------------------------------------------------------------------- */

int64_t sys_close(struct task *t, const struct syscall_args *a)
{
	struct file *file = fd_table_remove(t->fds, arg_int(a, 0));

	if (!file)
		return -EBADF;
	file_close(file, t->fds);
	return 0;
}

/* CLOSE_RANGE_UNSHARE: a table of one's own first. */
static int unshare_fds(struct task *t)
{
	struct fd_table *old = t->fds, *own;
	int rc;

	if (refcount_read(&old->refs) == 1)
		return 0;
	rc = fd_table_copy(old, &own);
	if (rc < 0)
		return rc;
	mutex_lock(&t->lock);
	t->fds = own;
	mutex_unlock(&t->lock);
	fd_table_put(old);
	return 0;
}

int64_t sys_close_range(struct task *t, const struct syscall_args *a)
{
	uint32_t first = arg_u32(a, 0), last = arg_u32(a, 1), flags = arg_u32(a, 2);
	int rc = 0;

	if (flags & ~(LINUX_CLOSE_RANGE_UNSHARE | LINUX_CLOSE_RANGE_CLOEXEC) || first > last)
		return -EINVAL;
	if (flags & LINUX_CLOSE_RANGE_UNSHARE)
		rc = unshare_fds(t);
	if (rc == 0)
		fd_table_close_range(t->fds, first, last, flags & LINUX_CLOSE_RANGE_CLOEXEC);
	return rc;
}
