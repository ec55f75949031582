/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Regular files: everything goes to the donated host FD, and nothing through
 * the gofer.  A file opened for writing uses the read-write FD, any other the read-only
 * one, so what a mapping gets has the rights of the guest's open file.
 */
#include "config.h"

#include <errno.h>

#include "sentry/abi/fs.h"
#include "sentry/abi/mm.h"
#include "sentry/fs/gofer/gofer_inode.h"
#include "sentry/host/host_file.h"
#include "sentry/mm/usercopy.h"
#include "sentry/vfs/host_file.h"

static enum gofer_fd_kind kind_of(const struct file *file)
{
	return file->can_write ? GOFER_FD_WRITE : GOFER_FD_READ;
}

/* Open since gofer_op_open, and pinned by it. */
static int fd_of(const struct file *file)
{
	return gofer_inode_of(file->inode)->fd[kind_of(file)];
}

int gofer_op_open(struct inode *inode, struct file *file)
{
	int err;

	if (inode_type(inode) != LINUX_S_IFREG)
		return -ENXIO;
	err = gofer_fd_get(inode, kind_of(file));
	if (!err)
		file->ops = &gofer_file_ops;
	return err;
}

static void gofer_file_release(struct file *file)
{
	gofer_fd_put(file->inode);
}

static ssize_t gofer_file_read(struct file *file, struct io_iter *to, uint64_t *pos)
{
	ssize_t n = host_file_pread(fd_of(file), to, *pos);

	if (n > 0)
		*pos += (uint64_t)n;
	return n;
}

static ssize_t gofer_file_write(struct file *file, struct io_iter *from, uint64_t *pos)
{
	ssize_t n = host_file_pwrite(fd_of(file), from, *pos);

	if (n > 0)
		*pos += (uint64_t)n;
	return n;
}

static int64_t gofer_file_llseek(struct file *file, int64_t offset, int whence)
{
	uint64_t max = file->inode->sb->max_file_size;
	struct inode_attr attr = { .size = 0 };
	int64_t at;
	int err;

	if (whence == LINUX_SEEK_DATA || whence == LINUX_SEEK_HOLE) {
		/* The host FD's own offset is used by nobody. */
		at = host_lseek(fd_of(file), offset, whence);
		if (at >= 0)
			file->position = (uint64_t)at;
		return at;
	}
	err = whence == LINUX_SEEK_END ? gofer_op_getattr(file->inode, &attr) : 0;
	return err ? err : vfs_llseek_size(file, offset, whence, attr.size, max);
}

static int gofer_file_fsync(struct file *file, bool data_only)
{
	return host_fsync(fd_of(file), data_only);
}

static int gofer_file_fallocate(struct file *file, int mode, uint64_t offset, uint64_t size)
{
	return host_fallocate(fd_of(file), mode, offset, size);
}

static int gofer_file_map(struct file *file, uint64_t offset, uint64_t size, int prot, bool shared,
			  int *fd, uint64_t *host_offset)
{
	if (!file->can_read)
		return -EACCES;
	if (shared && prot & LINUX_PROT_WRITE && !file->can_write)
		return -EACCES;
	*fd = fd_of(file);
	*host_offset = offset;
	return 0;
}

const struct file_ops gofer_file_ops = {
	.release = gofer_file_release,
	.read = gofer_file_read,
	.write = gofer_file_write,
	.llseek = gofer_file_llseek,
	.fsync = gofer_file_fsync,
	.fallocate = gofer_file_fallocate,
	.map = gofer_file_map,
};
