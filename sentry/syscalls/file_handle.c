/* SPDX-License-Identifier: Apache-2.0 */
/*
 * name_to_handle_at and open_by_handle_at.  tmpfs and pidfs find their objects by their numbers; no other
 * file system here does, as Linux's overlay does not: handles that are to be opened are EOPNOTSUPP there.  Handles that
 * only identify (AT_HANDLE_FID) are there for everything.
 */
#include <string.h>

#include "sentry/abi/capability.h"
#include "sentry/kernel/pidfd.h"
#include "sentry/syscalls/file_call.h"
#include "sentry/vfs/file_handle.h"
#include "sentry/vfs/inode.h"
#include "util/checked.h"

#define HANDLE_BYTES_MAX 128U
#define HANDLE_HEAD offsetof(struct linux_file_handle, handle)

static int64_t encode(struct task *t, const struct path *p, guest_addr_t handle)
{
	struct linux_file_handle h;
	uint32_t room;
	int rc = copy_in_u32(t->mm, &room, handle);

	if (rc)
		return rc;
	if (room > HANDLE_BYTES_MAX)
		return -EINVAL;
	file_handle_encode(p->dentry->inode, &h);
	if (room >= h.bytes)
		return copy_out(t->mm, handle, &h, HANDLE_HEAD + h.bytes);
	h.type = 255;
	rc = copy_out(t->mm, handle, &h, HANDLE_HEAD);
	return rc ? rc : -EOVERFLOW;
}

static int64_t put_mount_id(struct task *t, const struct path *p, guest_addr_t out, bool wide)
{
	if (wide)
		return copy_out_u64(t->mm, out, p->mount ? mount_unique_id(p->mount) : 0);
	return copy_out_u32(t->mm, out, p->mount ? (uint32_t)p->mount->id : 0);
}

int64_t sys_name_to_handle_at(struct task *t, const struct syscall_args *a)
{
	const uint32_t known = LINUX_AT_SYMLINK_FOLLOW | LINUX_AT_EMPTY_PATH | LINUX_AT_HANDLE_FID |
			       LINUX_AT_HANDLE_MNT_ID_UNIQUE | LINUX_AT_HANDLE_CONNECTABLE;
	AUTO_PATH struct path p = { NULL, NULL };
	uint32_t flags = arg_u32(a, 4), lookup = flags & LINUX_AT_SYMLINK_FOLLOW ? LOOKUP_FOLLOW : 0;
	int64_t rc, put;

	if (flags & ~known ||
	    (flags & LINUX_AT_HANDLE_FID && flags & LINUX_AT_HANDLE_CONNECTABLE))
		return -EINVAL;
	if (flags & LINUX_AT_EMPTY_PATH)
		lookup |= LOOKUP_EMPTY;
	rc = call_lookup(t, arg_int(a, 0), arg_addr(a, 1), lookup, &p);
	if (rc)
		return rc;
	if (!(flags & LINUX_AT_HANDLE_FID) && !file_handle_can_decode(p.dentry->inode))
		return -EOPNOTSUPP;
	/* What has no path is connected with nothing; of the rest nobody can find a parent. */
	if (flags & LINUX_AT_HANDLE_CONNECTABLE)
		return p.dentry->sb->ops->open_handle ? -EINVAL : -EOPNOTSUPP;
	rc = encode(t, &p, arg_addr(a, 2));
	if (rc && rc != -EOVERFLOW)
		return rc;
	put = put_mount_id(t, &p, arg_addr(a, 3), flags & LINUX_AT_HANDLE_MNT_ID_UNIQUE);
	return put ? put : rc;
}

static int64_t read_head(struct task *t, guest_addr_t at, struct linux_file_handle *h)
{
	int rc = copy_in(t->mm, h, at, HANDLE_HEAD);

	if (rc)
		return rc;
	return !h->bytes || h->bytes > HANDLE_BYTES_MAX || h->type < 0 ? -EINVAL : 0;
}

/* Behind what is told of the directory and the caller. */
static int64_t read_body(struct task *t, guest_addr_t at, struct linux_file_handle *h)
{
	uint8_t handle[HANDLE_BYTES_MAX];
	int rc = copy_in(t->mm, handle, guest_add(at, HANDLE_HEAD), h->bytes);

	if (!rc)
		memcpy(h->handle, handle, MIN(h->bytes, FILE_HANDLE_BYTES));
	return rc;
}

/* Where the handle is to be looked for. */
static int find_anchor(struct task *t, int fd, struct path *out)
{
	struct vfs_context ctx = task_vfs_context(t);
	AUTO_FILE struct file *file = NULL;
	struct path p;

	if (fd == LINUX_AT_FDCWD)
		return vfs_lookup(&ctx, LINUX_AT_FDCWD, ".", 0, out);
	file = fd_table_lookup(t->fds, fd); /* O_PATH is not enough */
	if (!file)
		return -EBADF;
	p = file_path(file);
	*out = path_get(&p);
	return 0;
}

static int find_object(const struct path *anchor, const struct super_block *sb,
		       const struct linux_file_handle *h, struct path *out)
{
	uint64_t ino;

	if (h->bytes < FILE_HANDLE_BYTES || file_handle_decode(h, sb, &ino))
		return -ESTALE;
	return vfs_find_by_ino(anchor, ino, out);
}

static int open_found(struct task *t, const struct path *p, uint32_t flags, struct file **out)
{
	struct vfs_context ctx = task_vfs_context(t);

	return vfs_open_root(&ctx, p, (flags & LINUX_O_VALID) | LINUX_O_LARGEFILE, out);
}

/* @sb opens @h itself, or p is what @h stands for. */
static int64_t open_object(struct task *t, const struct super_block *sb, const struct linux_file_handle *h,
			   const struct path *p, uint32_t flags)
{
	AUTO_FILE struct file *file = NULL;
	int fd = fd_table_reserve(t->fds, task_rlimit(t, RLIM_NOFILE)), rc;

	if (fd < 0)
		return fd;
	rc = sb->ops->open_handle ? sb->ops->open_handle(h, flags, &file) : open_found(t, p, flags, &file);
	if (rc < 0) {
		fd_table_unreserve(t->fds, fd);
		return rc == -EINTR ? -ERESTARTSYS : rc;
	}
	fd_table_fill(t->fds, fd, file, flags & LINUX_O_CLOEXEC);
	return fd;
}

static int may_open(struct task *t, const struct super_block *sb, uint32_t flags)
{
	if (sb->ops->open_handle)
		return flags & ~sb->ops->handle_flags ? -EINVAL : 0;
	return credentials_root_capable(t->cred, LINUX_CAP_DAC_READ_SEARCH) ? 0 : -EPERM;
}

int64_t sys_open_by_handle_at(struct task *t, const struct syscall_args *a)
{
	AUTO_PATH struct path anchor = { NULL, NULL }, p = { NULL, NULL };
	struct super_block *sb = pidfs_super_block();
	struct linux_file_handle h = { 0 };
	uint32_t flags = arg_u32(a, 2);
	int64_t rc = read_head(t, arg_addr(a, 1), &h);

	if (rc == 0 && arg_int(a, 0) != LINUX_FD_PIDFS_ROOT) {
		rc = find_anchor(t, arg_int(a, 0), &anchor);
		sb = rc ? NULL : anchor.dentry->sb;
	}
	if (rc == 0)
		rc = may_open(t, sb, flags);
	if (rc == 0)
		rc = read_body(t, arg_addr(a, 1), &h);
	if (rc == 0 && !sb->ops->open_handle)
		rc = find_object(&anchor, sb, &h, &p);
	return rc ? rc : open_object(t, sb, &h, &p, flags);
}
