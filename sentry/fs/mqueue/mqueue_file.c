/* SPDX-License-Identifier: Apache-2.0 */
/* An open queue as a file: its state as text, readiness, and what closing means. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sentry/abi/epoll.h"
#include "sentry/abi/signal.h"
#include "sentry/fs/mqueue/mqueue_private.h"
#include "sentry/kernel/pid.h"
#include "sentry/kernel/task.h"
#include "util/checked.h"

bool file_is_mqueue(const struct file *file)
{
	return file->ops == &mqueue_file_ops;
}

void mqueue_touch(struct inode *inode)
{
	inode_touch(inode, SETATTR_ATIME | SETATTR_MTIME | SETATTR_CTIME);
}

static int format_state(struct message_queue_posix *q, char *buf, size_t size)
{
	struct task *t = task_current();
	const struct mq_notification *n = &q->notification;
	int32_t pid = 0, notify = 0, signo = 0;
	uint64_t bytes;

	mutex_lock(&q->lock);
	bytes = q->bytes;
	if (n->owner) {
		notify = n->notify;
		signo = notify == LINUX_SIGEV_SIGNAL ? n->signo : 0;
		pid = t ? pid_number_in(&n->owner->pid, t->pid.ns) : 0;
	}
	mutex_unlock(&q->lock);
	return snprintf(buf, size, "QSIZE:%-10llu NOTIFY:%-5d SIGNO:%-5d NOTIFY_PID:%-6d\n",
			(unsigned long long)bytes, notify, signo, pid);
}

static ssize_t mqueue_read(struct file *file, struct io_iter *to, uint64_t *pos)
{
	char text[MQUEUE_FILE_SIZE];
	int size = format_state(mqueue_of(file->inode), text, sizeof(text));
	ssize_t done;

	if (size >= (int)sizeof(text))
		size = sizeof(text) - 1;
	if (*pos >= (uint64_t)size)
		return 0;
	done = io_iter_copy_to(to, text + *pos, MIN((uint64_t)size - *pos, to->count));
	if (done > 0)
		*pos += (uint64_t)done;
	if (done >= 0)
		inode_touch(file->inode, SETATTR_ATIME | SETATTR_CTIME);
	return done;
}

static int64_t mqueue_llseek(struct file *file, int64_t offset, int whence)
{
	return vfs_llseek_size(file, offset, whence, MQUEUE_FILE_SIZE, INT64_MAX);
}

static uint32_t mqueue_poll(struct file *file)
{
	struct message_queue_posix *q = mqueue_of(file->inode);
	uint32_t ready = 0;

	mutex_lock(&q->lock);
	if (q->count)
		ready |= LINUX_EPOLLIN | LINUX_EPOLLRDNORM;
	if (q->count < q->max_messages)
		ready |= LINUX_EPOLLOUT | LINUX_EPOLLWRNORM;
	mutex_unlock(&q->lock);
	return ready;
}

static struct wait_queue *mqueue_poll_queue(struct file *file)
{
	return &mqueue_of(file->inode)->poll_queue;
}

static void mqueue_flush(struct file *file)
{
	struct task *t = task_current();

	if (t)
		mqueue_notify_remove(mqueue_of(file->inode), t->group);
}

const struct file_ops mqueue_file_ops = {
	.flush = mqueue_flush,
	.read = mqueue_read,
	.llseek = mqueue_llseek,
	.poll = mqueue_poll,
	.poll_queue = mqueue_poll_queue,
};
