/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that make, remove and move names: mknod ... rename, and readlink. */
#include "config.h"

#include <string.h>

#include "sentry/syscalls/file_call.h"

static int64_t do_mknod(struct task *t, int dirfd, guest_addr_t name, uint32_t mode, uint32_t dev)
{
	struct vfs_context ctx = task_vfs_context(t);
	AUTO_FREE char *path = NULL;
	int rc = vfs_may_mknod(mode);

	if (rc == 0)
		rc = copy_in_path(t->mm, name, &path);
	return rc < 0 ? rc : vfs_mknod(&ctx, dirfd, path, mode, dev);
}

int64_t sys_mknod(struct task *t, const struct syscall_args *a)
{
	return do_mknod(t, LINUX_AT_FDCWD, arg_addr(a, 0), arg_u32(a, 1), arg_u32(a, 2));
}

int64_t sys_mknodat(struct task *t, const struct syscall_args *a)
{
	return do_mknod(t, arg_int(a, 0), arg_addr(a, 1), arg_u32(a, 2), arg_u32(a, 3));
}

static int64_t do_mkdir(struct task *t, int dirfd, guest_addr_t name, uint32_t mode)
{
	struct vfs_context ctx = task_vfs_context(t);
	AUTO_FREE char *path = NULL;
	int rc = copy_in_path(t->mm, name, &path);

	return rc < 0 ? rc : vfs_mkdir(&ctx, dirfd, path, mode);
}

int64_t sys_mkdir(struct task *t, const struct syscall_args *a)
{
	return do_mkdir(t, LINUX_AT_FDCWD, arg_addr(a, 0), arg_u32(a, 1));
}

int64_t sys_mkdirat(struct task *t, const struct syscall_args *a)
{
	return do_mkdir(t, arg_int(a, 0), arg_addr(a, 1), arg_u32(a, 2));
}

static int64_t do_remove(struct task *t, int dirfd, guest_addr_t name, bool directory)
{
	struct vfs_context ctx = task_vfs_context(t);
	AUTO_FREE char *path = NULL;
	int rc = copy_in_path(t->mm, name, &path);

	if (rc < 0)
		return rc;
	return directory ? vfs_rmdir(&ctx, dirfd, path) : vfs_unlink(&ctx, dirfd, path);
}

int64_t sys_rmdir(struct task *t, const struct syscall_args *a)
{
	return do_remove(t, LINUX_AT_FDCWD, arg_addr(a, 0), true);
}

int64_t sys_unlink(struct task *t, const struct syscall_args *a)
{
	return do_remove(t, LINUX_AT_FDCWD, arg_addr(a, 0), false);
}

int64_t sys_unlinkat(struct task *t, const struct syscall_args *a)
{
	int flags = arg_int(a, 2);

	if (flags & ~LINUX_AT_REMOVEDIR)
		return -EINVAL;
	return do_remove(t, arg_int(a, 0), arg_addr(a, 1), flags & LINUX_AT_REMOVEDIR);
}

/* --- two paths ------------------------------------------------------------------------- */

/* Linux fetches both, and tells what is wrong with the second one when it gets to it. */
static int64_t do_rename(struct task *t, int old_fd, guest_addr_t old_name, int new_fd,
			 guest_addr_t new_name, uint32_t flags)
{
	struct vfs_context ctx = task_vfs_context(t);
	AUTO_FREE char *from = NULL, *to = NULL;
	int rc, second;

	rc = vfs_rename_flags(flags);
	if (rc == 0)
		rc = copy_in_path(t->mm, old_name, &from);
	if (rc < 0)
		return rc;
	second = copy_in_path(t->mm, new_name, &to);
	if (second == 0)
		return vfs_rename(&ctx, old_fd, from, new_fd, to, flags);
	rc = vfs_find_parent(&ctx, old_fd, from);
	return rc < 0 ? rc : second;
}

int64_t sys_rename(struct task *t, const struct syscall_args *a)
{
	return do_rename(t, LINUX_AT_FDCWD, arg_addr(a, 0), LINUX_AT_FDCWD, arg_addr(a, 1), 0);
}

int64_t sys_renameat(struct task *t, const struct syscall_args *a)
{
	return do_rename(t, arg_int(a, 0), arg_addr(a, 1), arg_int(a, 2), arg_addr(a, 3), 0);
}

int64_t sys_renameat2(struct task *t, const struct syscall_args *a)
{
	return do_rename(t, arg_int(a, 0), arg_addr(a, 1), arg_int(a, 2), arg_addr(a, 3), arg_u32(a, 4));
}

static int64_t do_link(struct task *t, int old_fd, guest_addr_t old_name, int new_fd,
		       guest_addr_t new_name, uint32_t flags)
{
	struct vfs_context ctx = task_vfs_context(t);
	AUTO_FREE char *from = NULL, *to = NULL;
	int rc, second;

	if (flags & ~(uint32_t)(LINUX_AT_SYMLINK_FOLLOW | LINUX_AT_EMPTY_PATH))
		return -EINVAL;
	rc = copy_in_path(t->mm, old_name, &from);
	if (rc < 0)
		return rc;
	second = copy_in_path(t->mm, new_name, &to);
	if (second == 0)
		return vfs_link(&ctx, old_fd, from, new_fd, to, flags);
	rc = vfs_find_link_source(&ctx, old_fd, from, flags, NULL);
	return rc < 0 ? rc : second;
}

int64_t sys_link(struct task *t, const struct syscall_args *a)
{
	return do_link(t, LINUX_AT_FDCWD, arg_addr(a, 0), LINUX_AT_FDCWD, arg_addr(a, 1), 0);
}

int64_t sys_linkat(struct task *t, const struct syscall_args *a)
{
	return do_link(t, arg_int(a, 0), arg_addr(a, 1), arg_int(a, 2), arg_addr(a, 3), arg_u32(a, 4));
}

static int64_t do_symlink(struct task *t, guest_addr_t target, int dirfd, guest_addr_t name)
{
	struct vfs_context ctx = task_vfs_context(t);
	AUTO_FREE char *to = NULL, *path = NULL;
	int rc = copy_in_path(t->mm, target, &to);

	if (rc == 0 && !*to)
		rc = -ENOENT; /* before the name is fetched */
	if (rc == 0)
		rc = copy_in_path(t->mm, name, &path);
	return rc < 0 ? rc : vfs_symlink(&ctx, to, dirfd, path);
}

int64_t sys_symlink(struct task *t, const struct syscall_args *a)
{
	return do_symlink(t, arg_addr(a, 0), LINUX_AT_FDCWD, arg_addr(a, 1));
}

int64_t sys_symlinkat(struct task *t, const struct syscall_args *a)
{
	return do_symlink(t, arg_addr(a, 0), arg_int(a, 1), arg_addr(a, 2));
}

/* --- readlink ---------------------------------------------------------------------------- */

static int64_t do_readlink(struct task *t, int dirfd, guest_addr_t name, guest_addr_t buf, int32_t size)
{
	AUTO_PATH struct path p = { NULL, NULL };
	AUTO_FREE char *target = NULL;
	struct vfs_context ctx = task_vfs_context(t);
	AUTO_FREE char *path = NULL;
	size_t length;
	int rc;

	if (size <= 0)
		return -EINVAL;
	rc = copy_in_path(t->mm, name, &path);
	if (rc < 0)
		return rc;
	rc = vfs_lookup(&ctx, dirfd, path, LOOKUP_EMPTY, &p);
	if (rc < 0)
		return rc;
	/* an empty path names the O_PATH descriptor of a symlink, and nothing else */
	if (!*path && inode_type(p.dentry->inode) != LINUX_S_IFLNK)
		return -ENOENT;
	rc = vfs_readlink(&p, &target);
	if (rc < 0)
		return rc;
	length = strlen(target);
	if (length > (size_t)size)
		length = (size_t)size;
	rc = copy_out(t->mm, buf, target, length);
	return rc < 0 ? rc : (int64_t)length;
}

int64_t sys_readlink(struct task *t, const struct syscall_args *a)
{
	return do_readlink(t, LINUX_AT_FDCWD, arg_addr(a, 0), arg_addr(a, 1), arg_int(a, 2));
}

int64_t sys_readlinkat(struct task *t, const struct syscall_args *a)
{
	return do_readlink(t, arg_int(a, 0), arg_addr(a, 1), arg_addr(a, 2), arg_int(a, 3));
}
