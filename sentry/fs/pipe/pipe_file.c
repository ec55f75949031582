/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The open ends of pipes and FIFOs as files: reading, writing, polling, and the
 * counting of ends.  A write to a pipe without readers raises SIGPIPE here.
 */
#include "sentry/fs/pipe/pipe_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "sentry/abi/epoll.h"
#include "sentry/abi/fs.h"
#include "sentry/abi/ioctl.h"
#include "sentry/fs/pipe/pipe_inode.h"
#include "sentry/kernel/task.h"
#include "sentry/mm/usercopy.h"
#include "sentry/vfs/file.h"
#include "sentry/vfs/file_wait.h"
#include "sentry/wait/wait.h"

static struct pipe_end *end_of(struct file *file)
{
	return file->private_data;
}

static ssize_t pipe_file_read(struct file *file, struct io_iter *to, uint64_t *pos)
{
	return pipe_read(end_of(file)->pipe, to);
}

#define READER_EVENTS (LINUX_EPOLLIN | LINUX_EPOLLRDNORM | LINUX_EPOLLHUP)

/* A reader that was woken alone leaves: what it left is the next one's. */
static void pass_on(struct pipe *p)
{
	bool readable;

	mutex_lock(&p->lock);
	readable = p->count || !p->writers;
	mutex_unlock(&p->lock);
	if (readable)
		wait_queue_wake(&p->queue, READER_EVENTS);
}

/*
 * Of readers that sleep one is woken, as on Linux, not all of them.  So while there is something
 * to read, one who sleeps must know: the one that was woken, until it leaves the queue.
 */
static ssize_t pipe_file_read_wait(struct file *file, struct io_iter *to)
{
	struct pipe *p = end_of(file)->pipe;
	struct wait_entry entry;
	ssize_t n = pipe_read(p, to);

	if (n != -EAGAIN)
		return n;
	wait_begin_exclusive(&entry, &p->queue, READER_EVENTS);
	while ((n = pipe_read(p, to)) == -EAGAIN) {
		if (wait_sleep(DEADLINE_NONE) < 0) {
			n = -VFS_ERESTARTSYS;
			break;
		}
	}
	wait_end(&entry);
	pass_on(p);
	return n;
}

static ssize_t pipe_file_write(struct file *file, struct io_iter *from, uint64_t *pos)
{
	struct pipe *p = end_of(file)->pipe;
	ssize_t done;

	if (!from->count)
		return 0;
	done = pipe_write(p, from, file->flags & LINUX_O_DIRECT);
	if ((done == -EPIPE || (done > 0 && from->count && !pipe_has_readers(p))) && !from->quiet &&
	    task_current())
		signal_send_self(task_current(), SIGPIPE);
	return done;
}

static uint32_t pipe_file_poll(struct file *file)
{
	struct pipe_end *end = end_of(file);
	struct pipe *p = end->pipe;
	uint32_t ready = 0;

	mutex_lock(&p->lock);
	p->polled = true;
	if (file->can_read) {
		if (p->count)
			ready |= LINUX_EPOLLIN | LINUX_EPOLLRDNORM;
		if (!p->writers && p->writer_opens != end->writer_opens_seen)
			ready |= LINUX_EPOLLHUP;
	}
	if (file->can_write) {
		if (!pipe_full_locked(p))
			ready |= LINUX_EPOLLOUT | LINUX_EPOLLWRNORM;
		if (!p->readers)
			ready |= LINUX_EPOLLERR;
	}
	mutex_unlock(&p->lock);
	return ready;
}

static struct wait_queue *pipe_file_poll_queue(struct file *file)
{
	return &end_of(file)->pipe->queue;
}

static struct async_list *pipe_file_async_list(struct file *file)
{
	return &end_of(file)->pipe->async;
}

static int64_t pipe_file_ioctl(struct file *file, struct mm *mm, uint32_t cmd, uint64_t arg)
{
	if (cmd != LINUX_FIONREAD)
		return -ENOTTY;
	return copy_out_u32(mm, guest_addr(arg), (uint32_t)pipe_bytes(end_of(file)->pipe));
}

static void pipe_file_describe(struct file *file, char *buf, size_t size)
{
	snprintf(buf, size, "pipe:[%llu]", (unsigned long long)file->inode->ino);
}

static void pipe_file_release(struct file *file)
{
	struct pipe_end *end = end_of(file);
	struct pipe *p;
	bool last_end, one_left;

	if (!end)
		return; /* its opening failed */
	p = end->pipe;
	mutex_lock(&p->lock);
	if (file->can_read)
		p->readers--;
	if (file->can_write)
		p->writers--;
	last_end = !p->readers || !p->writers;
	one_left = !p->readers != !p->writers;
	mutex_unlock(&p->lock);
	if (last_end)
		wait_queue_wake_all(&p->queue, LINUX_EPOLLIN | LINUX_EPOLLOUT | LINUX_EPOLLRDNORM |
						       LINUX_EPOLLWRNORM | LINUX_EPOLLERR |
						       LINUX_EPOLLHUP);
	if (one_left) {
		async_report(&p->async, ASYNC_IN);
		async_report(&p->async, ASYNC_OUT);
	}
	pipe_inode_put(file->inode, p);
	free(end);
	file->private_data = NULL;
}

const struct file_ops pipe_file_ops = {
	.release = pipe_file_release,
	.read = pipe_file_read,
	.read_wait = pipe_file_read_wait,
	.write = pipe_file_write,
	.poll = pipe_file_poll,
	.poll_queue = pipe_file_poll_queue,
	.async_list = pipe_file_async_list,
	.ioctl = pipe_file_ioctl,
	.describe = pipe_file_describe,
	.nowait = true,
	.read_sleep = "anon_pipe_read",
	.write_sleep = "anon_pipe_write",
};

struct pipe *pipe_from_file(struct file *file)
{
	return file->ops == &pipe_file_ops ? end_of(file)->pipe : NULL;
}
