/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The items of an epoll instance: look-up, registration with the watched file,
 * and the callback that makes an item ready.  Locks: see epoll.h.
 */
#include "sentry/fs/anon/epoll_internal.h"

#include <errno.h>
#include <stdlib.h>

#include "util/hash.h"

#define ALWAYS (LINUX_EPOLLERR | LINUX_EPOLLHUP)
#define MODE_BITS (LINUX_EPOLLEXCLUSIVE | LINUX_EPOLLWAKEUP | LINUX_EPOLLONESHOT | LINUX_EPOLLET)

struct mutex epoll_graph_lock = MUTEX_INIT(LOCK_RANK_EPOLL_GRAPH);

static _Atomic uint32_t items_in_use;

static uint64_t item_hash(const struct file *file, int fd)
{
	return hash_u64((uint64_t)(uintptr_t)file ^ (uint64_t)(uint32_t)fd << 48);
}

struct epoll_item *epoll_item_find_locked(struct epoll *ep, const struct file *file, int fd)
{
	struct hash_node *node;

	hash_table_for_each_hash(node, &ep->items, item_hash(file, fd)) {
		struct epoll_item *item = container_of(node, struct epoll_item, node);

		if (item->file == file && item->fd == fd)
			return item;
	}
	return NULL;
}

bool epoll_item_queue(struct epoll_item *item)
{
	struct epoll *ep = item->ep;
	bool added;

	mutex_lock(&ep->ready_lock);
	added = !item->queued;
	if (added) {
		list_add_tail(&ep->ready, &item->ready);
		item->queued = true;
	}
	mutex_unlock(&ep->ready_lock);
	return added;
}

/* Runs under the lock of the watched file's queue. */
static bool item_notify(struct waiter *w, uint32_t events)
{
	struct epoll_item *item = container_of(w, struct epoll_item, waiter);
	struct epoll *ep = item->ep;

	if (!(item->notify_mask & events))
		return false;
	if (epoll_item_queue(item))
		wait_queue_wake(&ep->queue, LINUX_EPOLLIN | LINUX_EPOLLRDNORM);
	return ep->sleeping != 0;
}

static void set_event(struct epoll_item *item, const struct linux_epoll_event *event)
{
	item->event = *event;
	item->event.events |= ALWAYS;
	item->disabled = false;
	item->notify_mask = item->event.events & ~MODE_BITS;
}

uint32_t epoll_item_poll_locked(struct epoll_item *item)
{
	/* A closing file waits for our lock before it is torn down, so it may be asked. */
	if (item->disabled || !refcount_read(&item->file->refs))
		return 0;
	return vfs_poll(item->file) & item->event.events & ~MODE_BITS;
}

static void queue_if_ready(struct epoll_item *item)
{
	if (epoll_item_poll_locked(item) && epoll_item_queue(item))
		wait_queue_wake(&item->ep->queue, LINUX_EPOLLIN | LINUX_EPOLLRDNORM);
}

int epoll_item_add_locked(struct epoll *ep, struct file *file, int fd,
			  const struct linux_epoll_event *event)
{
	struct epoll_item *item;
	struct wait_queue *queue;

	if (items_in_use >= EPOLL_ITEMS_MAX)
		return -ENOSPC;
	item = calloc(1, sizeof(*item));
	if (!item)
		return -ENOMEM;
	items_in_use++;
	item->ep = ep;
	item->file = file;
	item->fd = fd;
	set_event(item, event);
	item->waiter.events = UINT32_MAX;
	item->waiter.exclusive = event->events & LINUX_EPOLLEXCLUSIVE;
	item->waiter.notify = item_notify;
	hash_table_insert(&ep->items, &item->node, item_hash(file, fd));
	file->in_epoll = true;
	list_add_tail(&file->epoll_items, &item->file_link);
	queue = file->ops->poll_queue ? file->ops->poll_queue(file) : NULL;
	if (queue)
		wait_queue_add(queue, &item->waiter);
	queue_if_ready(item);
	return 0;
}

void epoll_item_modify_locked(struct epoll_item *item, const struct linux_epoll_event *event)
{
	set_event(item, event);
	queue_if_ready(item);
}

void epoll_item_remove_locked(struct epoll_item *item)
{
	struct epoll *ep = item->ep;

	wait_queue_remove(&item->waiter);
	list_remove(&item->file_link);
	mutex_lock(&ep->ready_lock);
	if (item->queued)
		list_remove(&item->ready);
	mutex_unlock(&ep->ready_lock);
	hash_table_remove(&ep->items, &item->node);
	items_in_use--;
	free(item);
}
