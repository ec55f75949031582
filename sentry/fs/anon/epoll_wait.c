/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Taking events out of an epoll instance.  A scan moves the ready list to a list
 * of its own, asks each file again, and puts level-triggered items that are
 * still ready at the end of the ready list, so that all get their turn.
 */
#include "sentry/fs/anon/epoll_internal.h"

#include <errno.h>

#include "sentry/wait/host_poller.h"

static void begin_scan(struct epoll *ep, struct list_node *scan)
{
	list_init(scan);
	mutex_lock(&ep->ready_lock);
	list_splice_tail(scan, &ep->ready);
	mutex_unlock(&ep->ready_lock);
}

/* The next item of the scan; from here on its callback may queue it again. */
static struct epoll_item *scan_next(struct epoll *ep, struct list_node *scan)
{
	struct epoll_item *item;

	mutex_lock(&ep->ready_lock);
	item = list_first(scan, struct epoll_item, ready);
	if (item) {
		list_remove(&item->ready);
		item->queued = false;
	}
	mutex_unlock(&ep->ready_lock);
	return item;
}

/* What was not scanned goes back to the front.  True: something is ready. */
static bool end_scan(struct epoll *ep, struct list_node *scan)
{
	bool more;

	mutex_lock(&ep->ready_lock);
	list_splice_tail(scan, &ep->ready);
	list_splice_tail(&ep->ready, scan);
	more = !list_empty(&ep->ready);
	mutex_unlock(&ep->ready_lock);
	return more;
}

static void after_report(struct epoll_item *item)
{
	if (item->event.events & LINUX_EPOLLONESHOT) {
		item->disabled = true;
		item->notify_mask = 0;
	} else if (!(item->event.events & LINUX_EPOLLET)) {
		epoll_item_queue(item);
	}
}

int epoll_collect(struct epoll *ep, struct epoll_ready *out, int max)
{
	struct epoll_item *item;
	struct list_node scan;
	int count = 0;
	bool more;

	mutex_lock(&ep->lock);
	begin_scan(ep, &scan);
	while (count < max && (item = scan_next(ep, &scan))) {
		uint32_t ready = epoll_item_poll_locked(item);

		if (!ready)
			continue;
		out[count].event.events = ready;
		out[count].event.data = item->event.data;
		out[count].file = item->file;
		out[count++].fd = item->fd;
		after_report(item);
	}
	more = end_scan(ep, &scan);
	mutex_unlock(&ep->lock);
	if (more && ep->sleeping)
		wait_queue_wake(&ep->queue, LINUX_EPOLLIN | LINUX_EPOLLRDNORM);
	return count;
}

void epoll_give_back(struct epoll *ep, const struct epoll_ready *events, int count)
{
	mutex_lock(&ep->lock);
	for (int i = 0; i < count; i++) {
		struct epoll_item *item = epoll_item_find_locked(ep, events[i].file, events[i].fd);

		if (!item)
			continue;
		if (item->disabled)
			epoll_item_modify_locked(item, &item->event);
		epoll_item_queue(item);
	}
	mutex_unlock(&ep->lock);
}

unsigned epoll_item_count(struct epoll *ep)
{
	size_t count;

	mutex_lock(&ep->lock);
	count = ep->items.count;
	mutex_unlock(&ep->lock);
	return (unsigned)count;
}

/* Is a scan worth it? */
static bool maybe_ready(struct epoll *ep)
{
	bool ready;

	mutex_lock(&ep->ready_lock);
	ready = !list_empty(&ep->ready);
	mutex_unlock(&ep->ready_lock);
	return ready;
}

/* For poll and for an outer instance: drops items that are not ready any more. */
uint32_t epoll_poll(struct epoll *ep)
{
	struct epoll_item *item;
	struct list_node scan;
	uint32_t ready = 0;

	if (!maybe_ready(ep))
		return 0;
	mutex_lock_nested(&ep->lock);
	begin_scan(ep, &scan);
	while (!ready && (item = scan_next(ep, &scan))) {
		if (!epoll_item_poll_locked(item))
			continue;
		epoll_item_queue(item);
		ready = LINUX_EPOLLIN | LINUX_EPOLLRDNORM;
	}
	end_scan(ep, &scan);
	mutex_unlock(&ep->lock);
	return ready;
}

int epoll_wait_collect(struct epoll *ep, struct epoll_ready *out, int max, uint64_t deadline)
{
	struct wait_entry entry;
	int count, rc = 0;

	host_poller_catch_up();
	count = maybe_ready(ep) ? epoll_collect(ep, out, max) : 0;
	if (count || !deadline)
		return count;
	ep->sleeping++;
	wait_begin_exclusive(&entry, &ep->queue, LINUX_EPOLLIN);
	for (;;) {
		if (maybe_ready(ep))
			count = epoll_collect(ep, out, max);
		if (count || rc)
			break;
		rc = wait_sleep(deadline);
	}
	wait_end(&entry);
	ep->sleeping--;
	if (count)
		return count;
	return rc == -ETIMEDOUT ? 0 : rc;
}
