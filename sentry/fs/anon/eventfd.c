/* SPDX-License-Identifier: Apache-2.0 */
/* eventfd: a 64-bit counter.  The counter is atomic, so there is no lock but the queue's. */
#include "sentry/fs/anon/eventfd.h"

#include <errno.h>
#include <stdlib.h>

#include "sentry/abi/epoll.h"
#include "sentry/abi/fs.h"
#include "sentry/mm/usercopy.h"
#include "sentry/vfs/file.h"
#include "sentry/wait/wait.h"
#include "util/strbuf.h"

struct eventfd {
	_Atomic uint64_t count;
	bool semaphore; /* does not change */
	int id;		/* for fdinfo; does not change */
	struct wait_queue queue;
};

static _Atomic int next_id;

static ssize_t eventfd_read(struct file *file, struct io_iter *to, uint64_t *pos)
{
	struct eventfd *e = file->private_data;
	uint64_t old = e->count, taken;

	if (to->count < sizeof(taken))
		return -EINVAL;
	do {
		if (!old)
			return -EAGAIN;
		taken = e->semaphore ? 1 : old;
	} while (!atomic_compare_exchange_weak(&e->count, &old, old - taken));
	wait_queue_wake(&e->queue, LINUX_EPOLLOUT);
	if (io_iter_copy_to(to, &taken, sizeof(taken)) != (ssize_t)sizeof(taken))
		return -EFAULT;
	return sizeof(taken);
}

static ssize_t eventfd_write(struct file *file, struct io_iter *from, uint64_t *pos)
{
	struct eventfd *e = file->private_data;
	struct io_iter before = *from;
	uint64_t old = e->count, value;

	/* Linux 6.10 and later take no longer ones, which would be text most likely. */
	if (from->count != sizeof(value))
		return -EINVAL;
	if (io_iter_copy_from(from, &value, sizeof(value)) != (ssize_t)sizeof(value))
		return -EFAULT;
	if (value == UINT64_MAX)
		return -EINVAL;
	do {
		if (UINT64_MAX - old <= value) {
			*from = before;
			return -EAGAIN;
		}
	} while (!atomic_compare_exchange_weak(&e->count, &old, old + value));
	wait_queue_wake(&e->queue, LINUX_EPOLLIN);
	return sizeof(value);
}

static uint32_t eventfd_poll(struct file *file)
{
	struct eventfd *e = file->private_data;
	uint64_t count = e->count;
	uint32_t ready = 0;

	if (count)
		ready |= LINUX_EPOLLIN;
	if (count == UINT64_MAX)
		ready |= LINUX_EPOLLERR;
	if (count < UINT64_MAX - 1)
		ready |= LINUX_EPOLLOUT;
	return ready;
}

static struct wait_queue *eventfd_poll_queue(struct file *file)
{
	struct eventfd *e = file->private_data;

	return &e->queue;
}

static void eventfd_fdinfo(struct file *file, struct strbuf *out)
{
	struct eventfd *e = file->private_data;

	strbuf_addf(out, "eventfd-count: %16llx\neventfd-id: %d\neventfd-semaphore: %d\n",
		    (unsigned long long)e->count, e->id, e->semaphore);
}

static void eventfd_free(struct eventfd *e)
{
	wait_queue_destroy(&e->queue);
	free(e);
}

static void eventfd_release(struct file *file)
{
	eventfd_free(file->private_data);
}

static const struct file_ops eventfd_ops = {
	.release = eventfd_release,
	.read = eventfd_read,
	.write = eventfd_write,
	.llseek = vfs_llseek_none,
	.poll = eventfd_poll,
	.poll_queue = eventfd_poll_queue,
	.show_fdinfo = eventfd_fdinfo,
	.nowait = true,
	.plain_write = true,
	.read_sleep = "do_wait_intr_irq",
	.write_sleep = "do_wait_intr_irq",
};

int eventfd_file_new(uint32_t count, bool semaphore, uint32_t flags, struct file **out)
{
	struct eventfd *e = calloc(1, sizeof(*e));
	int rc;

	if (!e)
		return -ENOMEM;
	e->count = count;
	e->semaphore = semaphore;
	e->id = next_id++;
	wait_queue_init(&e->queue);
	rc = file_new_anonymous(&eventfd_ops, "anon_inode:[eventfd]", 0600, LINUX_O_RDWR | flags, e,
				out);
	if (rc)
		eventfd_free(e);
	return rc;
}

bool file_is_eventfd(const struct file *file)
{
	return file->ops == &eventfd_ops;
}

void eventfd_signal(struct file *file)
{
	struct eventfd *e = file->private_data;
	uint64_t old = e->count;

	while (old != UINT64_MAX && !atomic_compare_exchange_weak(&e->count, &old, old + 1))
		;
	wait_queue_wake(&e->queue, LINUX_EPOLLIN);
}
