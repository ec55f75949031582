/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Blocking reads and writes: the loop of sentry/wait/wait.h around operations
 * that return -EAGAIN.  The waiter is queued before the operation is tried
 * again, so no wake-up is lost between.
 */
#include "config.h"

#include <errno.h>

#include "sentry/abi/epoll.h"
#include "sentry/abi/fs.h"
#include "sentry/host/host_clock.h"
#include "sentry/mm/usercopy.h"
#include "sentry/vfs/file_wait.h"
#include "sentry/vfs/inotify.h"

#define READ_EVENTS (LINUX_EPOLLIN | LINUX_EPOLLRDNORM | LINUX_EPOLLHUP | LINUX_EPOLLRDHUP | LINUX_EPOLLERR)
#define WRITE_EVENTS (LINUX_EPOLLOUT | LINUX_EPOLLWRNORM | LINUX_EPOLLHUP | LINUX_EPOLLERR)

/* What an interrupted or timed out wait means to a file operation. */
static int wait_result(int rc)
{
	if (rc == -EINTR)
		return -VFS_ERESTARTSYS;
	return rc == -ETIMEDOUT ? -EAGAIN : rc;
}

static struct wait_queue *queue_of(struct file *file)
{
	return file->ops->poll_queue ? file->ops->poll_queue(file) : NULL;
}

/* The deadline of a wait that begins now: the file's own timeout unless the call has one. */
static uint64_t with_timeout(uint64_t deadline, uint64_t timeout_ns)
{
	if (deadline != DEADLINE_NONE || !timeout_ns)
		return deadline;
	return host_monotonic_ns() + timeout_ns;
}

ssize_t vfs_read_wait(struct file *file, struct io_iter *to, uint64_t *pos, uint64_t deadline)
{
	struct wait_entry entry;
	struct wait_queue *queue;
	ssize_t n;

	if (file->ops->read_wait && file->can_read && !(file->flags & LINUX_O_NONBLOCK)) {
		n = file->ops->read_wait(file, to);
		if (n > 0)
			inotify_object(file->dentry, LINUX_IN_ACCESS);
		return n;
	}
	n = vfs_read(file, to, pos);
	if (n != -EAGAIN || file->flags & LINUX_O_NONBLOCK)
		return n;
	queue = queue_of(file);
	if (!queue)
		return n;
	deadline = with_timeout(deadline, file->read_timeout_ns);
	wait_begin(&entry, queue, READ_EVENTS);
	while ((n = vfs_read(file, to, pos)) == -EAGAIN) {
		int rc = wait_sleep(deadline);

		if (rc < 0) {
			n = wait_result(rc);
			break;
		}
	}
	wait_end(&entry);
	return n;
}

/* Streams take everything before a blocking write returns. */
static ssize_t write_rest(struct file *file, struct io_iter *from, uint64_t *pos, uint64_t limit,
			  uint64_t deadline, struct wait_queue *queue, ssize_t done)
{
	struct wait_entry entry;
	ssize_t n = 0;

	wait_begin(&entry, queue, WRITE_EVENTS);
	for (;;) {
		n = vfs_write(file, from, pos, limit);
		if (n >= 0) {
			done += n;
			if (!from->count || !n)
				break;
			continue;
		}
		if (n != -EAGAIN)
			break;
		n = wait_result(wait_sleep(deadline));
		if (n < 0)
			break;
	}
	wait_end(&entry);
	return done || n >= 0 ? done : n;
}

ssize_t vfs_write_wait(struct file *file, struct io_iter *from, uint64_t *pos, uint64_t fsize_limit,
		       uint64_t deadline)
{
	ssize_t n = vfs_write(file, from, pos, fsize_limit);
	struct wait_queue *queue;

	if (file->flags & LINUX_O_NONBLOCK || file->seekable)
		return n;
	if (n != -EAGAIN && (n <= 0 || !from->count))
		return n;
	queue = queue_of(file);
	if (!queue)
		return n;
	return write_rest(file, from, pos, fsize_limit, with_timeout(deadline, file->write_timeout_ns),
			  queue, n > 0 ? n : 0);
}
