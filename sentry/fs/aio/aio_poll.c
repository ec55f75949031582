/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IOCB_CMD_POLL.  A file's queue says that something changed, with a lock held under
 * which the file cannot be asked what: the request goes on a list, and a thread of its own,
 * started with the first poll, asks.
 */
#include <errno.h>

#include "sentry/fs/aio/aio.h"
#include "sentry/host/host_futex.h"
#include "sentry/host/host_thread.h"
#include "sentry/vfs/vfs.h"

static struct mutex aio_poll_lock = MUTEX_INIT(LOCK_RANK_AIO);
static bool thread_started; /* protected by aio_poll_lock */

static struct mutex fired_lock = MUTEX_INIT(LOCK_RANK_LEAF);
static struct list_node fired = LIST_HEAD_INIT(fired); /* aio_request.fired; protected by fired_lock */
static _Atomic uint32_t fired_word;		       /* the thread sleeps on it */

/* Under the lock of the file's queue. */
static bool poll_notify(struct waiter *w, uint32_t events)
{
	struct aio_request *r = container_of(w, struct aio_request, waiter);

	mutex_lock(&fired_lock);
	if (!list_linked(&r->fired))
		list_add_tail(&fired, &r->fired);
	mutex_unlock(&fired_lock);
	atomic_fetch_add(&fired_word, 1);
	host_futex_wake(&fired_word, 1);
	return false;
}

static struct aio_request *take_fired(void)
{
	struct aio_request *r = NULL;

	mutex_lock(&fired_lock);
	if (!list_empty(&fired)) {
		r = list_first(&fired, struct aio_request, fired);
		list_remove(&r->fired);
	}
	mutex_unlock(&fired_lock);
	return r;
}

/* Afterwards nobody looks at it any more. */
static void leave_queue_locked(struct aio_request *r) REQUIRES(aio_poll_lock)
{
	wait_queue_remove(&r->waiter);
	mutex_lock(&fired_lock);
	if (list_linked(&r->fired))
		list_remove(&r->fired);
	mutex_unlock(&fired_lock);
}

static void finish_locked(struct aio_request *r, uint32_t events) REQUIRES(aio_poll_lock)
{
	leave_queue_locked(r);
	list_remove(&r->node);
	aio_request_complete(r, events);
}

static void *poll_thread(void *arg)
{
	for (;;) {
		uint32_t seen = fired_word, events;
		struct aio_request *r;

		mutex_lock(&aio_poll_lock);
		while ((r = take_fired())) {
			events = vfs_poll(r->file) & r->events;
			if (events)
				finish_locked(r, events);
		}
		mutex_unlock(&aio_poll_lock);
		host_futex_wait(&fired_word, seen, HOST_FUTEX_FOREVER, false);
	}
	return NULL;
}

static int start_thread_locked(void) REQUIRES(aio_poll_lock)
{
	int rc = 0;

	if (!thread_started)
		rc = host_thread_start("aio-poll", poll_thread, NULL);
	thread_started = thread_started || rc == 0;
	return rc;
}

static int submit_locked(struct aio_request *r) REQUIRES(aio_poll_lock)
{
	struct wait_queue *queue = r->file->ops->poll_queue ? r->file->ops->poll_queue(r->file) : NULL;
	uint32_t events;

	if (r->context->dead)
		return -EINVAL;
	if (queue && start_thread_locked() < 0)
		return -EAGAIN;
	list_node_init(&r->fired);
	if (queue) {
		r->waiter.events = r->events;
		r->waiter.notify = poll_notify;
		wait_queue_add(queue, &r->waiter);
	}
	events = vfs_poll(r->file) & r->events;
	if (!events && !queue)
		return -EINVAL;
	list_add_tail(&r->context->polls, &r->node);
	if (events)
		finish_locked(r, events);
	return 0;
}

int aio_poll_submit(struct aio_request *r)
{
	int rc;

	mutex_lock(&aio_poll_lock);
	rc = submit_locked(r);
	mutex_unlock(&aio_poll_lock);
	return rc;
}

bool aio_poll_cancel(struct aio_context *c, uint64_t obj)
{
	struct aio_request *r, *found = NULL;

	mutex_lock(&aio_poll_lock);
	list_for_each(r, &c->polls, node)
		if (!found && r->event.obj == obj)
			found = r;
	if (found)
		finish_locked(found, 0);
	mutex_unlock(&aio_poll_lock);
	return found;
}

bool aio_poll_end(struct aio_context *c)
{
	struct aio_request *r;
	bool first;

	mutex_lock(&aio_poll_lock);
	first = !c->dead;
	c->dead = true;
	while ((r = list_first(&c->polls, struct aio_request, node)))
		finish_locked(r, 0);
	mutex_unlock(&aio_poll_lock);
	return first;
}
