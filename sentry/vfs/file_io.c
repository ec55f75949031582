/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading, writing, seeking and listing of open files.
 *
 * A lock is never held across a guest copy.  Where the file's own position is
 * used, the data passes through a bounce buffer: the position lock covers only
 * the operation on sentry memory.  O_APPEND works the same under one of a set of
 * append locks, chosen by inode.  With an explicit position, and for streams,
 * the operation gets the guest's iterator itself.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "sentry/abi/capability.h"
#include "sentry/abi/fs.h"
#include "sentry/cred/credentials.h"
#include "sentry/mm/usercopy.h"
#include "sentry/vfs/bounce.h"
#include "sentry/vfs/inotify.h"
#include "sentry/vfs/permission.h"
#include "sentry/vfs/vfs.h"
#include "util/checked.h"

/* --- reading ------------------------------------------------------------------------ */

static ssize_t read_locked(struct file *file, struct io_iter *to)
{
	ssize_t n;

	mutex_lock(&file->position_lock);
	n = file->ops->read(file, to, &file->position);
	mutex_unlock(&file->position_lock);
	return n;
}

/* The guest got less than was read: the position goes back, unless someone moved it since. */
static void unread_position(struct file *file, uint64_t expected, size_t count)
{
	mutex_lock(&file->position_lock);
	if (file->position == expected)
		file->position -= count;
	mutex_unlock(&file->position_lock);
}

static ssize_t read_chunk(struct file *file, struct io_iter *to, char *buf, size_t size)
{
	struct io_iter kernel;
	uint64_t after;
	ssize_t n, copied;

	io_iter_init_buffer(&kernel, buf, size);
	mutex_lock(&file->position_lock);
	n = file->ops->read(file, &kernel, &file->position);
	after = file->position;
	mutex_unlock(&file->position_lock);
	if (n <= 0)
		return n;
	copied = io_iter_copy_to(to, buf, (size_t)n);
	if (copied < n)
		unread_position(file, after, (size_t)(n - MAX(copied, 0)));
	return copied;
}

static ssize_t read_at_position(struct file *file, struct io_iter *to)
{
	struct bounce bounce;
	ssize_t total = 0;
	int rc;

	if (!to->mm)
		return read_locked(file, to);
	rc = bounce_begin(&bounce, to->count);
	if (rc < 0)
		return rc;
	do {
		size_t size = MIN(to->count, bounce.size);
		ssize_t n = read_chunk(file, to, bounce.buffer, size);

		if (n < 0 && !total)
			total = n;
		if (n <= 0)
			break;
		total += n;
		if ((size_t)n < size)
			break;
	} while (to->count);
	bounce_end(&bounce);
	return total;
}

/* For ops->unlocked_position. */
static ssize_t at_copied_position(struct file *file, struct io_iter *it,
				  ssize_t (*op)(struct file *, struct io_iter *, uint64_t *))
{
	uint64_t pos;
	ssize_t n;

	mutex_lock(&file->position_lock);
	pos = file->position;
	mutex_unlock(&file->position_lock);
	n = op(file, it, &pos);
	if (n > 0) {
		mutex_lock(&file->position_lock);
		file->position = pos;
		mutex_unlock(&file->position_lock);
	}
	return n;
}

/*
 * The transfer must end where an offset can tell.  The file's own position may move before the
 * operation, which is as if the operation had been later.
 */
static bool range_ok(const struct file *file, const uint64_t *pos, uint64_t count)
{
	uint64_t at;

	if (!file->seekable)
		return true;
	if (file->ops->unlocked_position) /* addresses, not offsets */
		return !pos || (int64_t)*pos >= 0;
	at = pos ? *pos : __atomic_load_n(&file->position, __ATOMIC_RELAXED);
	return at <= INT64_MAX && count <= INT64_MAX - at;
}

ssize_t vfs_read(struct file *file, struct io_iter *to, uint64_t *pos)
{
	ssize_t n;

	if (!file->can_read)
		return -EBADF;
	if (inode_type(file->inode) == LINUX_S_IFDIR)
		return -EISDIR;
	if (!file->ops->read || !range_ok(file, pos, to->count))
		return -EINVAL;
	if (pos || !file->seekable)
		n = file->ops->read(file, to, pos ? pos : &(uint64_t){ 0 });
	else if (file->ops->unlocked_position)
		n = at_copied_position(file, to, file->ops->read);
	else
		n = read_at_position(file, to);
	if (n > 0)
		inotify_object(file->dentry, LINUX_IN_ACCESS);
	return n;
}

ssize_t vfs_read_kernel(struct file *file, void *buf, size_t size, uint64_t pos)
{
	size_t done = 0;

	if (!file->ops->read)
		return -EINVAL;
	while (done < size) {
		struct io_iter it;
		uint64_t at = pos + done;
		ssize_t n;

		io_iter_init_buffer(&it, (char *)buf + done, size - done);
		n = file->ops->read(file, &it, &at);
		if (n < 0)
			return done ? (ssize_t)done : n;
		if (n == 0)
			break;
		done += (size_t)n;
	}
	return (ssize_t)done;
}

/* --- writing -------------------------------------------------------------------------- */

#define APPEND_LOCKS 16

static struct mutex append_locks[APPEND_LOCKS] = {
	[0 ... APPEND_LOCKS - 1] = MUTEX_INIT(LOCK_RANK_APPEND)
};

static struct mutex *append_lock(struct inode *inode)
{
	return &append_locks[((uintptr_t)inode_anchor(inode) >> 6) % APPEND_LOCKS];
}

static int current_size(struct file *file, uint64_t *size)
{
	struct inode_attr attr;
	int rc = 0;

	if (file->inode->ops->getattr)
		rc = file->inode->ops->getattr(file->inode, &attr);
	else
		inode_attr_read(file->inode, &attr);
	if (rc == 0)
		*size = attr.size;
	return rc;
}

/* Bounds a write at @pos by the file size limits: shortens @size, or -EFBIG. */
static int bound_write(struct file *file, uint64_t pos, uint64_t limit, uint64_t *size)
{
	uint64_t max = MIN(limit, file->inode->sb->max_file_size);

	if (inode_type(file->inode) != LINUX_S_IFREG || *size == 0)
		return 0;
	if (pos >= max)
		return -EFBIG;
	*size = MIN(*size, max - pos);
	return 0;
}

/* One operation from sentry memory at @pos, which it advances. */
static ssize_t write_kernel(struct file *file, char *buf, size_t count, uint64_t *pos, uint64_t limit)
{
	struct io_iter kernel;
	uint64_t size = count;
	int rc = bound_write(file, *pos, limit, &size);

	if (rc < 0)
		return rc;
	io_iter_init_buffer(&kernel, buf, size);
	return file->ops->write(file, &kernel, pos);
}

static ssize_t append_kernel(struct file *file, char *buf, size_t count, uint64_t *pos, uint64_t limit)
{
	struct mutex *lock = append_lock(file->inode);
	ssize_t n;

	mutex_lock(lock);
	n = current_size(file, pos);
	if (n == 0)
		n = write_kernel(file, buf, count, pos, limit);
	mutex_unlock(lock);
	return n;
}

struct write_how {
	uint64_t *pos; /* NULL: the file's position */
	bool append;
	uint64_t limit;
};

static ssize_t write_at(struct file *file, char *buf, size_t size, uint64_t *pos,
			const struct write_how *how)
{
	return how->append ? append_kernel(file, buf, size, pos, how->limit) :
			     write_kernel(file, buf, size, pos, how->limit);
}

static ssize_t write_chunk(struct file *file, char *buf, size_t size, const struct write_how *how)
{
	ssize_t n;

	if (how->pos)
		return write_at(file, buf, size, how->pos, how);
	mutex_lock(&file->position_lock);
	n = write_at(file, buf, size, &file->position, how);
	mutex_unlock(&file->position_lock);
	return n;
}

/* From a guest iterator, in chunks through a bounce buffer. */
static ssize_t write_bounced(struct file *file, struct io_iter *from, const struct write_how *how)
{
	struct bounce bounce;
	ssize_t total = 0;
	int rc = bounce_begin(&bounce, from->count);

	if (rc < 0)
		return rc;
	while (from->count) {
		size_t wanted = MIN(from->count, bounce.size);
		ssize_t n = io_iter_copy_from(from, bounce.buffer, wanted);
		ssize_t copied = n;

		if (n > 0)
			n = write_chunk(file, bounce.buffer, (size_t)n, how);
		if (n < 0 && !total)
			total = n;
		if (n <= 0)
			break;
		total += n;
		if (n < copied || (size_t)copied < wanted)
			break;
	}
	bounce_end(&bounce);
	return total;
}

static ssize_t write_buffer(struct file *file, struct io_iter *from, const struct write_how *how)
{
	ssize_t n = write_chunk(file, from->buffer, from->count, how);

	if (n > 0) {
		from->buffer += n;
		from->count -= (uint64_t)n;
	}
	return n;
}

/* Without append and with an explicit position: the operation's own copying. */
static ssize_t write_direct(struct file *file, struct io_iter *from, uint64_t *pos, uint64_t limit)
{
	uint64_t size = from->count, left;
	ssize_t n;
	int rc = bound_write(file, *pos, limit, &size);

	if (rc < 0)
		return rc;
	left = from->count - size;
	from->count = size;
	n = file->ops->write(file, from, pos);
	from->count += left;
	return n;
}

/* Writing takes set-uid and set-gid away, unless by the privileged. */
static void remove_privileges(struct file *file)
{
	struct inode *inode = file->inode;
	struct setattr set = { .mask = SETATTR_MODE };
	uint32_t mode = inode->attr.mode, drop = mode & LINUX_S_ISUID; /* a hint: races lose nothing */

	if (mode & LINUX_S_ISGID && mode & LINUX_S_IXGRP)
		drop |= LINUX_S_ISGID;
	if (likely(!drop) || inode_type(inode) != LINUX_S_IFREG)
		return;
	if (file->cred && credentials_root_capable(file->cred, LINUX_CAP_FSETID))
		return;
	set.mode = mode & ~drop;
	if (inode->ops->setattr && inode->ops->setattr(inode, &set) < 0)
		return;
}

ssize_t vfs_write(struct file *file, struct io_iter *from, uint64_t *pos, uint64_t fsize_limit)
{
	return vfs_write_append(file, from, pos, fsize_limit, file->flags & LINUX_O_APPEND);
}

ssize_t vfs_write_append(struct file *file, struct io_iter *from, uint64_t *pos, uint64_t fsize_limit,
			 bool append)
{
	struct write_how how = { .pos = pos, .limit = fsize_limit };
	ssize_t n;

	if (!file->can_write)
		return -EBADF;
	if (!file->ops->write || !range_ok(file, pos, from->count))
		return -EINVAL;
	how.append = append && inode_type(file->inode) == LINUX_S_IFREG;
	remove_privileges(file);
	if (!file->seekable)
		n = file->ops->write(file, from, pos ? pos : &(uint64_t){ 0 });
	else if (file->ops->unlocked_position)
		n = pos ? file->ops->write(file, from, pos) :
			  at_copied_position(file, from, file->ops->write);
	else if (from->count == 0 || (pos && !how.append))
		n = write_direct(file, from, pos ? pos : &(uint64_t){ 0 }, fsize_limit);
	else if (!from->mm)
		n = write_buffer(file, from, &how);
	else
		n = write_bounced(file, from, &how);
	if (n > 0)
		inotify_object(file->dentry, LINUX_IN_MODIFY);
	return n;
}

/* --- positions ---------------------------------------------------------------------------- */

int64_t vfs_llseek_size(struct file *file, int64_t offset, int whence, uint64_t size, uint64_t max)
{
	int64_t base;

	switch (whence) {
	case LINUX_SEEK_SET:
		base = 0;
		break;
	case LINUX_SEEK_CUR:
		base = (int64_t)file->position;
		break;
	case LINUX_SEEK_END:
		base = (int64_t)size;
		break;
	case LINUX_SEEK_DATA:
	case LINUX_SEEK_HOLE:
		if (offset < 0 || (uint64_t)offset >= size)
			return -ENXIO;
		base = whence == LINUX_SEEK_DATA ? 0 : (int64_t)size - offset;
		break;
	default:
		return -EINVAL;
	}
	if (add_overflows(base, offset, &base) || base < 0 || (uint64_t)base > max)
		return -EINVAL;
	file->position = (uint64_t)base;
	return base;
}

int64_t vfs_llseek_cookie(struct file *file, int64_t offset, int whence)
{
	if (whence != LINUX_SEEK_SET && whence != LINUX_SEEK_CUR)
		return -EINVAL;
	return vfs_llseek_size(file, offset, whence, 0, INT64_MAX);
}

int64_t vfs_llseek_none(struct file *file, int64_t offset, int whence)
{
	return 0;
}

int64_t vfs_llseek(struct file *file, int64_t offset, int whence)
{
	int64_t rc;

	if (!file->ops->llseek)
		return -ESPIPE;
	mutex_lock(&file->position_lock);
	rc = file->ops->llseek(file, offset, whence);
	mutex_unlock(&file->position_lock);
	return rc;
}

int vfs_iterate(struct file *file, struct dir_context *ctx)
{
	int rc;

	if (!file->ops->iterate)
		return -ENOTDIR;
	mutex_lock(&file->position_lock);
	if (file->inode->dead) {
		rc = -ENOENT;
	} else {
		ctx->pos = file->position;
		rc = file->ops->iterate(file, ctx);
		file->position = ctx->pos;
	}
	mutex_unlock(&file->position_lock);
	if (rc == 0)
		inotify_object(file->dentry, LINUX_IN_ACCESS);
	return rc;
}
