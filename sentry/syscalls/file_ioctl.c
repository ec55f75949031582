/* SPDX-License-Identifier: Apache-2.0 */
/* ioctl: what is common to all files, then the file's own. */
#include "config.h"

#include "sentry/abi/capability.h"
#include "sentry/abi/ioctl.h"
#include "sentry/cred/credentials.h"
#include "sentry/syscalls/file_call.h"
#include "sentry/vfs/async.h"

#define LINUX_FIGETBSZ 2U
#define LINUX_FICLONE 0x40049409U
#define LINUX_FICLONERANGE 0x4020940dU

static int64_t set_flag(struct task *t, struct file *file, guest_addr_t arg, uint32_t flag)
{
	uint32_t on;
	int rc = copy_in_u32(t->mm, &on, arg);

	if (rc < 0)
		return rc;
	if (on)
		atomic_fetch_or(&file->flags, flag);
	else
		atomic_fetch_and(&file->flags, ~flag);
	return 0;
}

static int64_t set_async(struct task *t, int fd, struct file *file, guest_addr_t arg)
{
	uint32_t on;
	int rc = copy_in_u32(t->mm, &on, arg);

	if (rc < 0 || (on != 0) == ((file->flags & LINUX_O_ASYNC) != 0))
		return rc;
	return file_set_async(file, fd, on);
}

/* How much a regular file has left; what is behind the end counts negative, as on Linux. */
static int64_t bytes_left(struct task *t, struct file *file, guest_addr_t arg)
{
	struct inode_attr attr;
	int rc = inode_getattr(file->inode, &attr);

	if (rc < 0)
		return rc;
	return copy_out_u32(t->mm, arg, (uint32_t)(attr.size - file->position));
}

static int64_t quota_size(struct task *t, struct file *file, guest_addr_t arg)
{
	uint32_t type = inode_type(file->inode);
	struct inode_attr attr;
	int rc;

	if (type != LINUX_S_IFREG && type != LINUX_S_IFDIR && type != LINUX_S_IFLNK)
		return -ENOTTY;
	rc = inode_getattr(file->inode, &attr);
	return rc < 0 ? rc : copy_out_u64(t->mm, arg, attr.size);
}

/* The block size of the file system. */
static int64_t block_size(struct task *t, struct file *file, guest_addr_t arg)
{
	struct statfs_result result = { 0 };
	struct path p = file_path(file);
	int rc = vfs_statfs(&p, &result);

	if (rc < 0)
		return rc;
	/* Linux's own are of 1024 bytes here, though statfs says pages. */
	if (result.type == LINUX_PROC_SUPER_MAGIC || result.type == LINUX_DEVPTS_SUPER_MAGIC)
		result.bsize = 1024;
	return copy_out_u32(t->mm, arg, (uint32_t)result.bsize);
}

/* No file system tells where its blocks are. */
static int64_t find_block(struct task *t, guest_addr_t arg)
{
	uint32_t block;
	int rc;

	if (!credentials_root_capable(t->cred, LINUX_CAP_SYS_RAWIO))
		return -EPERM;
	rc = copy_in_u32(t->mm, &block, arg);
	return rc < 0 ? rc : -EINVAL;
}

static int64_t regular_file(struct task *t, struct file *file, uint32_t command, guest_addr_t arg)
{
	switch (command) {
	case LINUX_FIONREAD:
		return bytes_left(t, file, arg);
	case LINUX_FIBMAP:
		return find_block(t, arg);
	default:
		return -ENOTTY;
	}
}

int64_t sys_ioctl(struct task *t, const struct syscall_args *a)
{
	AUTO_FILE struct file *file = call_file(t, arg_int(a, 0));
	guest_addr_t arg = arg_addr(a, 2);
	uint32_t command = arg_u32(a, 1);
	int64_t rc;

	if (!file)
		return -EBADF;
	switch (command) {
	case LINUX_FIOCLEX:
		return fd_table_set_cloexec(t->fds, arg_int(a, 0), true);
	case LINUX_FIONCLEX:
		return fd_table_set_cloexec(t->fds, arg_int(a, 0), false);
	case LINUX_FIONBIO:
		return set_flag(t, file, arg, LINUX_O_NONBLOCK);
	case LINUX_FIOASYNC:
		return set_async(t, arg_int(a, 0), file, arg);
	case LINUX_FIOQSIZE:
		return quota_size(t, file, arg);
	case LINUX_FIGETBSZ:
		return block_size(t, file, arg);
	case LINUX_FICLONE:
	case LINUX_FICLONERANGE:
		return -EOPNOTSUPP;
	default:
		break;
	}
	rc = file->ops->ioctl ? file->ops->ioctl(file, t->mm, command, a->v[2]) : -ENOTTY;
	if (rc == -ENOTTY && inode_type(file->inode) == LINUX_S_IFREG)
		rc = regular_file(t, file, command, arg);
	return rc;
}
