/* SPDX-License-Identifier: Apache-2.0 */
/* ioctl: what is common to all files, then the file's own. */
#include "config.h"

#include "sentry/abi/ioctl.h"
#include "sentry/syscalls/file_call.h"
#include "sentry/vfs/async.h"

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

int64_t sys_ioctl(struct task *t, const struct syscall_args *a)
{
	AUTO_FILE struct file *file = call_file(t, arg_int(a, 0));
	guest_addr_t arg = arg_addr(a, 2);
	uint32_t command = arg_u32(a, 1);

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
	case LINUX_FICLONE:
	case LINUX_FICLONERANGE:
		return -EOPNOTSUPP;
	case LINUX_FIONREAD:
		if (inode_type(file->inode) == LINUX_S_IFREG && !file->ops->ioctl)
			return bytes_left(t, file, arg);
		break;
	default:
		break;
	}
	return file->ops->ioctl ? file->ops->ioctl(file, t->mm, command, a->v[2]) : -ENOTTY;
}
