/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Wait queues: a list of waiters under a lock that is a leaf for everything that
 * can be waited for.  A waiter's notify runs under that lock, so once
 * wait_queue_remove has returned it neither runs nor will.
 */
#include "sentry/wait/wait.h"

#include "util/log.h"

void wait_queue_init(struct wait_queue *q)
{
	mutex_init(&q->lock, LOCK_RANK_WAIT_QUEUE);
	list_init(&q->waiters);
}

void wait_queue_destroy(struct wait_queue *q)
{
	ASSERT(list_empty(&q->waiters));
	mutex_destroy(&q->lock);
}

void wait_queue_add(struct wait_queue *q, struct waiter *w)
{
	w->queue = q;
	mutex_lock(&q->lock);
	list_add_tail(&q->waiters, &w->node);
	mutex_unlock(&q->lock);
}

void wait_queue_remove(struct waiter *w)
{
	struct wait_queue *q = w->queue;

	if (!q)
		return;
	mutex_lock(&q->lock);
	if (list_linked(&w->node))
		list_remove(&w->node);
	mutex_unlock(&q->lock);
	w->queue = NULL;
}

/*
 * Nested, because a notify may wake the queue of an epoll instance that watches
 * this one; epoll keeps such chains short and free of cycles.
 */
static void wake(struct wait_queue *q, uint32_t events, bool everyone)
{
	struct waiter *w, *next;
	bool consumed = false;

	mutex_lock_nested(&q->lock);
	list_for_each_safe(w, next, &q->waiters, node) {
		if (!(w->events & events) || (w->exclusive && consumed))
			continue;
		/* notify may not unlink other waiters, so @next stays valid. */
		if (w->notify(w, events) && w->exclusive && !everyone)
			consumed = true;
	}
	mutex_unlock(&q->lock);
}

void wait_queue_wake(struct wait_queue *q, uint32_t events)
{
	wake(q, events, false);
}

void wait_queue_wake_all(struct wait_queue *q, uint32_t events)
{
	wake(q, events, true);
}

bool wait_queue_active(struct wait_queue *q)
{
	bool active;

	mutex_lock(&q->lock);
	active = !list_empty(&q->waiters);
	mutex_unlock(&q->lock);
	return active;
}
