/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading and writing handed-in host FDs.  Streams never wait; regular files use
 * the host description's own offset, which they share with the caller, unless
 * the guest names a position (pread, pwrite).
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/epoll.h"
#include "sentry/abi/ioctl.h"
#include "sentry/fs/host/host_object.h"
#include "sentry/host/host_epoll.h"
#include "sentry/kernel/task.h"
#include "sentry/mm/usercopy.h"
#include "sentry/vfs/file.h"
#include "util/checked.h"

#define CHUNK_SMALL 4096U
#define CHUNK_MAX 65536U

static struct host_object *object_of(struct file *file)
{
	return file->private_data;
}

/* Is this the file's own position, and not that of a pread? */
static bool at_own_position(struct file *file, const uint64_t *pos)
{
	return !pos || pos == &file->position;
}

static ssize_t read_once(struct host_object *object, const uint64_t *pos, void *buf, size_t size)
{
	if (object->kind == HOST_STREAM_REGULAR && pos)
		return host_stream_pread(object->fd, buf, size, *pos);
	return host_stream_read(object->fd, object->kind, buf, size);
}

/* What the guest's memory refused: back to the offset, or kept for the next read. */
static void give_back(struct host_object *object, const uint64_t *pos, const char *bytes, size_t size)
{
	char *all;

	if (pos)
		return;
	if (object->kind == HOST_STREAM_REGULAR) {
		/* Fails only if the file is not seekable, and then nothing can be done. */
		(void)!host_stream_seek(object->fd, -(int64_t)size, 1);
		return;
	}
	mutex_lock(&object->lock);
	all = realloc(object->leftover, object->leftover_size + size);
	if (all) {
		memmove(all + size, all, object->leftover_size);
		memcpy(all, bytes, size);
		object->leftover = all;
		object->leftover_size += size;
	}
	mutex_unlock(&object->lock);
}

static size_t take_leftover(struct host_object *object, void *buf, size_t size)
{
	size_t taken;

	mutex_lock(&object->lock);
	taken = MIN(size, object->leftover_size);
	if (taken) {
		memcpy(buf, object->leftover, taken);
		object->leftover_size -= taken;
		memmove(object->leftover, object->leftover + taken, object->leftover_size);
	}
	mutex_unlock(&object->lock);
	return taken;
}

static ssize_t read_chunk(struct host_object *object, struct io_iter *to, const uint64_t *pos,
			  char *buf, size_t size)
{
	ssize_t got = (ssize_t)take_leftover(object, buf, size), copied;

	if (!got)
		got = read_once(object, pos, buf, size);
	if (got <= 0)
		return got;
	copied = io_iter_copy_to(to, buf, (size_t)got);
	if (copied < got) {
		size_t used = copied > 0 ? (size_t)copied : 0;

		give_back(object, pos, buf + used, (size_t)got - used);
	}
	return copied;
}

static ssize_t host_file_op_read(struct file *file, struct io_iter *to, uint64_t *pos)
{
	struct host_object *object = object_of(file);
	const uint64_t *explicit_pos = at_own_position(file, pos) ? NULL : pos;
	char small[CHUNK_SMALL] __attribute__((uninitialized));
	size_t size = MIN(to->count, CHUNK_MAX);
	char *buf = size <= sizeof(small) ? small : malloc(size);
	ssize_t done = 0, got;

	if (!buf)
		return -ENOMEM;
	do {
		size_t want = MIN(to->count, size);
		uint64_t at = explicit_pos ? *explicit_pos + (uint64_t)done : 0;

		got = read_chunk(object, to, explicit_pos ? &at : NULL, buf, want);
		if (got > 0)
			done += got;
		/* A stream gives what it has; a file is read to the end. */
		if (got < (ssize_t)want || object->kind != HOST_STREAM_REGULAR)
			break;
	} while (to->count);
	if (buf != small)
		free(buf);
	if (explicit_pos && done > 0)
		*pos += (uint64_t)done;
	return done ? done : got;
}

static ssize_t write_once(struct host_object *object, const uint64_t *pos, const void *buf, size_t size)
{
	if (object->kind == HOST_STREAM_REGULAR && pos && !object->append)
		return host_stream_pwrite(object->fd, buf, size, *pos);
	return host_stream_write(object->fd, object->kind, buf, size);
}

/* One chunk: bytes written; the iterator stands behind them. */
static ssize_t write_chunk(struct host_object *object, struct io_iter *from, const uint64_t *pos,
			   char *buf, size_t size)
{
	struct io_iter before = *from;
	ssize_t got = io_iter_copy_from(from, buf, size), written;

	if (got <= 0)
		return got;
	written = write_once(object, pos, buf, (size_t)got);
	if (written < got) {
		*from = before;
		if (written > 0)
			io_iter_advance(from, (uint64_t)written);
	}
	return written;
}

static ssize_t host_file_op_write(struct file *file, struct io_iter *from, uint64_t *pos)
{
	struct host_object *object = object_of(file);
	const uint64_t *explicit_pos = at_own_position(file, pos) ? NULL : pos;
	char small[CHUNK_SMALL] __attribute__((uninitialized));
	size_t size = MIN(from->count, CHUNK_MAX);
	char *buf = size <= sizeof(small) ? small : malloc(size);
	ssize_t done = 0, put = 0;

	if (!buf)
		return -ENOMEM;
	while (from->count) {
		size_t want = MIN(from->count, size);
		uint64_t at = explicit_pos ? *explicit_pos + (uint64_t)done : 0;

		put = write_chunk(object, from, explicit_pos ? &at : NULL, buf, want);
		if (put > 0)
			done += put;
		if (put < (ssize_t)want)
			break;
	}
	if (buf != small)
		free(buf);
	if (explicit_pos && done > 0)
		*pos += (uint64_t)done;
	if (put == -EPIPE && task_current())
		signal_send_self(task_current(), SIGPIPE);
	return done ? done : put;
}

static int64_t host_file_op_llseek(struct file *file, int64_t offset, int whence)
{
	return host_stream_seek(object_of(file)->fd, offset, whence);
}

static uint32_t host_file_op_poll(struct file *file)
{
	struct host_object *object = object_of(file);
	uint32_t ready = host_stream_poll(object->fd);

	mutex_lock(&object->lock);
	if (object->leftover_size)
		ready |= LINUX_EPOLLIN | LINUX_EPOLLRDNORM;
	mutex_unlock(&object->lock);
	return ready;
}

static struct wait_queue *host_file_op_poll_queue(struct file *file)
{
	struct host_object *object = object_of(file);

	/* An FD that cannot be registered (-EPERM) is always ready, so nobody waits. */
	(void)host_poller_add(&object->poll, object->fd, &object->queue, HOST_EPOLL_ALL);
	return &object->queue;
}

static int64_t host_file_op_ioctl(struct file *file, struct mm *mm, uint32_t cmd, uint64_t arg)
{
	struct host_object *object = object_of(file);
	int count, rc;

	if (cmd != LINUX_FIONREAD)
		return -ENOTTY;
	rc = host_stream_readable_bytes(object->fd, &count);
	if (rc)
		return rc;
	mutex_lock(&object->lock);
	count += (int)object->leftover_size;
	mutex_unlock(&object->lock);
	return copy_out_u32(mm, guest_addr(arg), (uint32_t)count);
}

static int host_file_op_fsync(struct file *file, bool data_only)
{
	return host_stream_sync(object_of(file)->fd, data_only);
}

static void host_file_op_describe(struct file *file, char *buf, size_t size)
{
	const char *kind = "host";

	switch (inode_type(file->inode)) {
	case S_IFIFO:
		kind = "pipe";
		break;
	case S_IFSOCK:
		kind = "socket";
		break;
	case S_IFCHR:
		if (file->inode->attr.rdev == 0x103) {
			snprintf(buf, size, "/dev/null");
			return;
		}
		break;
	default:
		break;
	}
	snprintf(buf, size, "%s:[%llu]", kind, (unsigned long long)file->inode->ino);
}

const struct file_ops host_file_ops = {
	.read = host_file_op_read,
	.write = host_file_op_write,
	.poll = host_file_op_poll,
	.poll_queue = host_file_op_poll_queue,
	.ioctl = host_file_op_ioctl,
	.fsync = host_file_op_fsync,
	.describe = host_file_op_describe,
	.nowait = true,
};

/* Files that are always ready have no poll operation, so that epoll refuses them. */
const struct file_ops host_ready_file_ops = {
	.read = host_file_op_read,
	.write = host_file_op_write,
	.llseek = host_file_op_llseek,
	.ioctl = host_file_op_ioctl,
	.fsync = host_file_op_fsync,
	.describe = host_file_op_describe,
};
