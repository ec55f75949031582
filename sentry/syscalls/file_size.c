/* SPDX-License-Identifier: Apache-2.0 */
/* truncate, fallocate, the sync family, and advice about files. */
#include "config.h"

#include "sentry/syscalls/file_call.h"
#include "sentry/vfs/inotify.h"
#include "util/checked.h"

int64_t sys_truncate(struct task *t, const struct syscall_args *a)
{
	struct vfs_context ctx = task_vfs_context(t);
	AUTO_PATH struct path p = { NULL, NULL };
	int rc;

	if ((int64_t)a->v[1] < 0)
		return -EINVAL;
	rc = call_lookup(t, LINUX_AT_FDCWD, arg_addr(a, 0), LOOKUP_FOLLOW, &p);
	return rc < 0 ? rc : call_size_result(t, vfs_truncate(&ctx, &p, a->v[1]));
}

int64_t sys_ftruncate(struct task *t, const struct syscall_args *a)
{
	struct vfs_context ctx = task_vfs_context(t);
	AUTO_FILE struct file *file = NULL;
	int rc;

	if ((int64_t)a->v[1] < 0)
		return -EINVAL;
	file = call_file(t, arg_int(a, 0));
	if (!file)
		return -EBADF;
	if (inode_type(file->inode) != LINUX_S_IFREG || !file->can_write)
		return -EINVAL;
	rc = vfs_set_size(&ctx, file->inode, a->v[1]);
	if (rc == 0)
		inotify_object(file->dentry, LINUX_IN_MODIFY);
	return call_size_result(t, rc);
}

int64_t sys_fallocate(struct task *t, const struct syscall_args *a)
{
	const int punch = LINUX_FALLOC_FL_PUNCH_HOLE | LINUX_FALLOC_FL_KEEP_SIZE;
	AUTO_FILE struct file *file = call_file(t, arg_int(a, 0));
	int mode = arg_int(a, 1);
	uint64_t offset = a->v[2], size = a->v[3], end;

	if (!file)
		return -EBADF;
	if ((int64_t)offset < 0 || (int64_t)size <= 0)
		return -EINVAL;
	if (mode & ~0x7b)
		return -EOPNOTSUPP;
	if (mode & LINUX_FALLOC_FL_PUNCH_HOLE && (mode & punch) != punch)
		return -EOPNOTSUPP;
	if (!file->can_write)
		return -EBADF;
	if (inode_type(file->inode) == LINUX_S_IFIFO)
		return -ESPIPE;
	if (inode_type(file->inode) == LINUX_S_IFDIR)
		return -EISDIR;
	if (inode_type(file->inode) != LINUX_S_IFREG)
		return -ENODEV;
	if (add_overflows(offset, size, &end) || end > file->inode->sb->max_file_size)
		return -EFBIG;
	if (!(mode & LINUX_FALLOC_FL_KEEP_SIZE) && end > task_rlimit(t, RLIM_FSIZE))
		return call_size_result(t, -EFBIG);
	return file->ops->fallocate ? file->ops->fallocate(file, mode, offset, size) : -EOPNOTSUPP;
}

/* --- sync ---------------------------------------------------------------------------------- */

static int64_t sync_file(struct task *t, int fd, bool data_only)
{
	AUTO_FILE struct file *file = call_file(t, fd);

	if (!file)
		return -EBADF;
	return file->ops->fsync ? file->ops->fsync(file, data_only) : -EINVAL;
}

int64_t sys_fsync(struct task *t, const struct syscall_args *a)
{
	return sync_file(t, arg_int(a, 0), false);
}

int64_t sys_fdatasync(struct task *t, const struct syscall_args *a)
{
	return sync_file(t, arg_int(a, 0), true);
}

static int sync_super(struct super_block *sb)
{
	return sb->ops && sb->ops->sync ? sb->ops->sync(sb) : 0;
}

int64_t sys_syncfs(struct task *t, const struct syscall_args *a)
{
	AUTO_FILE struct file *file = call_file(t, arg_int(a, 0));

	return file ? sync_super(file->inode->sb) : -EBADF;
}

/* The file systems of the caller's mount namespace. */
int64_t sys_sync(struct task *t, const struct syscall_args *a)
{
	vfs_sync_namespace(t->namespaces->mount);
	return 0;
}

int64_t sys_sync_file_range(struct task *t, const struct syscall_args *a)
{
	AUTO_FILE struct file *file = call_file(t, arg_int(a, 0));
	int64_t offset = (int64_t)a->v[1], size = (int64_t)a->v[2], end;
	uint32_t type;

	if (!file)
		return -EBADF;
	if (arg_u32(a, 3) & ~7U || offset < 0 || size < 0 || add_overflows(offset, size, &end))
		return -EINVAL;
	type = inode_type(file->inode);
	if (type != LINUX_S_IFREG && type != LINUX_S_IFBLK && type != LINUX_S_IFDIR && type != LINUX_S_IFLNK)
		return -ESPIPE;
	return file->ops->fsync && arg_u32(a, 3) ? file->ops->fsync(file, true) : 0;
}

/* --- advice ----------------------------------------------------------------------------------- */

int64_t sys_fadvise64(struct task *t, const struct syscall_args *a)
{
	AUTO_FILE struct file *file = call_file(t, arg_int(a, 0));

	if (!file)
		return -EBADF;
	if (inode_type(file->inode) == LINUX_S_IFIFO)
		return -ESPIPE;
	if ((int64_t)a->v[2] < 0 || arg_u32(a, 3) > 5)
		return -EINVAL;
	return 0;
}

int64_t sys_readahead(struct task *t, const struct syscall_args *a)
{
	AUTO_FILE struct file *file = call_file(t, arg_int(a, 0));

	if (!file || !file->can_read)
		return -EBADF;
	if (inode_type(file->inode) != LINUX_S_IFREG && inode_type(file->inode) != LINUX_S_IFBLK)
		return -EINVAL;
	return a->v[2] > INT64_MAX ? -EINVAL : 0;
}
