/* SPDX-License-Identifier: Apache-2.0 */
/* read, write and their positional and vector forms; lseek. */
#include "config.h"

#include "sentry/syscalls/file_call.h"
#include "sentry/syscalls/file_transfer.h"

/* --- one transfer -------------------------------------------------------------------- */

static int64_t transfer_read(struct file_transfer *x, struct io_iter *it)
{
	uint64_t *pos = x->positioned ? &x->pos : NULL;

	if (x->rwf & LINUX_RWF_NOWAIT)
		return vfs_read(x->file, it, pos);
	return vfs_read_wait(x->file, it, pos, DEADLINE_NONE);
}

static int64_t transfer_write(struct file_transfer *x, struct io_iter *it)
{
	uint64_t *pos = x->positioned ? &x->pos : NULL, limit = task_rlimit(x->task, RLIM_FSIZE);
	int64_t n;

	if (x->rwf & (LINUX_RWF_APPEND | LINUX_RWF_NOAPPEND) && x->file->seekable)
		n = vfs_write_append(x->file, it, pos, limit, x->rwf & LINUX_RWF_APPEND);
	else if (x->rwf & LINUX_RWF_NOWAIT)
		n = vfs_write(x->file, it, pos, limit);
	else
		n = vfs_write_wait(x->file, it, pos, limit, DEADLINE_NONE);
	if (n > 0 && x->file->ops->fsync &&
	    (x->rwf & (LINUX_RWF_DSYNC | LINUX_RWF_SYNC) || x->file->flags & LINUX_O_DSYNC)) {
		int rc = x->file->ops->fsync(x->file, !(x->rwf & LINUX_RWF_SYNC));

		if (rc < 0)
			return rc;
	}
	return call_size_result(x->task, n);
}

int64_t file_transfer(struct file_transfer *x, struct io_iter *it, bool write)
{
	it->quiet = x->rwf & LINUX_RWF_NOSIGNAL;
	return write ? transfer_write(x, it) : transfer_read(x, it);
}

/* Before anything is said of the guest's buffers, as on Linux. */
static int check_access(const struct file *file, bool write)
{
	if (!(write ? file->can_write : file->can_read))
		return -EBADF;
	if (inode_type(file->inode) == LINUX_S_IFDIR)
		return 0; /* EISDIR comes after the buffers */
	return (write ? !file->ops->write : !file->ops->read) ? -EINVAL : 0;
}

static int64_t transfer_buffer(struct file_transfer *x, guest_addr_t addr, uint64_t size, bool write)
{
	int rc = check_access(x->file, write);
	struct io_iter it;
	int64_t n;

	if (rc < 0)
		return rc;
	if (!guest_range_ok(addr, size))
		return -EFAULT;
	io_iter_init_guest(&it, x->task->mm, addr, size);
	n = file_transfer(x, &it, write);
	task_io_count(x->task, write, n);
	return n;
}

/* What is plain on Linux takes no flags; regular files would have to promise not to sleep. */
int file_transfer_check_flags(const struct file *file, uint32_t rwf, bool write)
{
	const uint32_t appends = LINUX_RWF_APPEND | LINUX_RWF_NOAPPEND;
	const uint32_t known = LINUX_RWF_HIPRI | LINUX_RWF_DSYNC | LINUX_RWF_SYNC | LINUX_RWF_NOWAIT |
			       LINUX_RWF_NOSIGNAL | appends;
	uint32_t type = inode_type(file->inode);
	bool named = file->mount != NULL;

	if (type == LINUX_S_IFDIR || (write ? file->ops->plain_write : file->ops->plain_read))
		return rwf & ~LINUX_RWF_HIPRI ? -EOPNOTSUPP : 0;
	if (rwf & ~known)
		return -EOPNOTSUPP;
	if ((rwf & appends) == appends)
		return -EINVAL;
	if (rwf & LINUX_RWF_NOWAIT && (!file->ops->nowait || (named && type == LINUX_S_IFIFO)))
		return -EOPNOTSUPP;
	return 0;
}

static int64_t transfer_vector(struct file_transfer *x, guest_addr_t iov, uint64_t count, bool write)
{
	AUTO_FREE struct guest_iovec *segments = NULL;
	struct io_iter it;
	int rc = io_iter_init_iovec(&it, x->task->mm, iov, count, &segments);

	/* nothing to move is no error, whatever else is wrong */
	if (rc < 0 || !it.count)
		return rc;
	rc = file_transfer_check_flags(x->file, x->rwf, write);
	return rc < 0 ? rc : file_transfer(x, &it, write);
}

/* --- the calls ------------------------------------------------------------------------- */

int64_t sys_read(struct task *t, const struct syscall_args *a)
{
	AUTO_FILE struct file *file = call_file(t, arg_int(a, 0));
	struct file_transfer x = { .task = t, .file = file };

	return file ? transfer_buffer(&x, arg_addr(a, 1), a->v[2], false) : -EBADF;
}

int64_t sys_write(struct task *t, const struct syscall_args *a)
{
	AUTO_FILE struct file *file = call_file(t, arg_int(a, 0));
	struct file_transfer x = { .task = t, .file = file };

	return file ? transfer_buffer(&x, arg_addr(a, 1), a->v[2], true) : -EBADF;
}

/* Comes before the mode of the open file. */
static bool takes_position(const struct file *file, bool write)
{
	return file->seekable && !(write && file->ops->no_pwrite);
}

static int64_t positioned(struct task *t, const struct syscall_args *a, bool write)
{
	AUTO_FILE struct file *file = NULL;
	struct file_transfer x = { .task = t, .pos = a->v[3], .positioned = true };

	if ((int64_t)a->v[3] < 0)
		return -EINVAL;
	file = call_file(t, arg_int(a, 0));
	if (!file)
		return -EBADF;
	if (!takes_position(file, write))
		return -ESPIPE;
	x.file = file;
	return transfer_buffer(&x, arg_addr(a, 1), a->v[2], write);
}

int64_t sys_pread64(struct task *t, const struct syscall_args *a)
{
	return positioned(t, a, false);
}

int64_t sys_pwrite64(struct task *t, const struct syscall_args *a)
{
	return positioned(t, a, true);
}

static int64_t try_vector(struct task *t, const struct syscall_args *a, bool write)
{
	AUTO_FILE struct file *file = call_file(t, arg_int(a, 0));
	struct file_transfer x = { .task = t, .file = file };
	int rc = file ? check_access(file, write) : -EBADF;

	return rc < 0 ? rc : transfer_vector(&x, arg_addr(a, 1), a->v[2], write);
}

/* Linux counts calls on vectors whatever comes of them. */
static int64_t vector(struct task *t, const struct syscall_args *a, bool write)
{
	int64_t n = try_vector(t, a, write);

	task_io_count(t, write, n);
	return n;
}

int64_t sys_readv(struct task *t, const struct syscall_args *a)
{
	return vector(t, a, false);
}

int64_t sys_writev(struct task *t, const struct syscall_args *a)
{
	return vector(t, a, true);
}

static int64_t try_positioned_vector(struct task *t, const struct syscall_args *a, bool write)
{
	AUTO_FILE struct file *file = NULL;
	struct file_transfer x = { .task = t, .pos = a->v[3], .positioned = true };
	int rc;

	file = call_file(t, arg_int(a, 0));
	if (!file)
		return -EBADF;
	if (!takes_position(file, write))
		return -ESPIPE;
	rc = check_access(file, write);
	if (rc < 0)
		return rc;
	x.file = file;
	return transfer_vector(&x, arg_addr(a, 1), a->v[2], write);
}

static int64_t positioned_vector(struct task *t, const struct syscall_args *a, bool write)
{
	int64_t n;

	if ((int64_t)a->v[3] < 0)
		return -EINVAL;
	n = try_positioned_vector(t, a, write);
	task_io_count(t, write, n);
	return n;
}

int64_t sys_preadv(struct task *t, const struct syscall_args *a)
{
	return positioned_vector(t, a, false);
}

int64_t sys_pwritev(struct task *t, const struct syscall_args *a)
{
	return positioned_vector(t, a, true);
}

static int64_t try_vector2(struct task *t, const struct syscall_args *a, bool write)
{
	AUTO_FILE struct file *file = NULL;
	struct file_transfer x = { .task = t, .pos = a->v[3], .positioned = a->v[3] != UINT64_MAX,
			      .rwf = arg_u32(a, 5) };
	int rc;

	file = call_file(t, arg_int(a, 0));
	if (!file)
		return -EBADF;
	if (x.positioned && !takes_position(file, write))
		return -ESPIPE;
	rc = check_access(file, write);
	if (rc < 0)
		return rc;
	x.file = file;
	return transfer_vector(&x, arg_addr(a, 1), a->v[2], write);
}

static int64_t vector2(struct task *t, const struct syscall_args *a, bool write)
{
	int64_t n;

	if ((int64_t)a->v[3] < -1)
		return -EINVAL;
	n = try_vector2(t, a, write);
	task_io_count(t, write, n);
	return n;
}

int64_t sys_preadv2(struct task *t, const struct syscall_args *a)
{
	return vector2(t, a, false);
}

int64_t sys_pwritev2(struct task *t, const struct syscall_args *a)
{
	return vector2(t, a, true);
}

int64_t sys_lseek(struct task *t, const struct syscall_args *a)
{
	AUTO_FILE struct file *file = call_file(t, arg_int(a, 0));
	uint32_t whence = arg_u32(a, 2);

	if (!file)
		return -EBADF;
	if (whence > LINUX_SEEK_HOLE)
		return -EINVAL;
	return vfs_llseek(file, (int64_t)a->v[1], (int)whence);
}
