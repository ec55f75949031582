/* SPDX-License-Identifier: Apache-2.0 */
/* The structures behind sentry/fs/anon/epoll.h; its comment has the lock order. */
#pragma once

#include "sentry/fs/anon/epoll.h"
#include "sentry/vfs/vfs.h"
#include "sentry/wait/wait.h"
#include "util/hash_table.h"
#include "util/list.h"
#include "util/lock.h"

#define EPOLL_NESTING_MAX 4
#define EPOLL_ITEMS_MAX (1U << 20) /* of the sandbox: fs.epoll.max_user_watches */

struct epoll {
	struct mutex lock;	   /* LOCK_RANK_EPOLL; NESTABLE, outer first */
	struct hash_table items;   /* protected by lock */
	struct mutex ready_lock;   /* LOCK_RANK_LEAF */
	struct list_node ready;	   /* items; protected by ready_lock */
	struct wait_queue queue;   /* epoll_wait callers, and pollers of the instance */
	_Atomic uint32_t sleeping; /* epoll_wait callers: exclusive wake-ups pass over idle instances */
	struct file *file;	   /* the instance's own; borrowed */
};

struct epoll_item {
	struct hash_node node;	   /* in ep->items; protected by ep->lock */
	struct epoll *ep;	   /* does not change; outlives its items */
	struct file *file;	   /* borrowed: its closing removes the item */
	int fd;			   /* does not change */
	struct linux_epoll_event event; /* protected by ep->lock */
	bool disabled;		   /* EPOLLONESHOT has fired; protected by ep->lock */
	_Atomic uint32_t notify_mask; /* what the waiter reacts to; 0 while disabled */
	struct waiter waiter;	   /* in the file's queue */
	struct list_node ready;	   /* protected by ep->ready_lock */
	bool queued;		   /* on ep->ready, or on the list of a scan; protected by ready_lock */
	struct list_node file_link; /* in file->epoll_items; protected by the graph lock */
};

extern struct mutex epoll_graph_lock;

/* epoll_item.c */
struct epoll_item *epoll_item_find_locked(struct epoll *ep, const struct file *file, int fd)
	REQUIRES(ep->lock);
/* Both locks are held: the graph's and ep's. */
int epoll_item_add_locked(struct epoll *ep, struct file *file, int fd,
			  const struct linux_epoll_event *event) MUST_CHECK;
void epoll_item_modify_locked(struct epoll_item *item, const struct linux_epoll_event *event);
void epoll_item_remove_locked(struct epoll_item *item);
/* What of the item's events is true now; ep->lock is held. */
uint32_t epoll_item_poll_locked(struct epoll_item *item);
/* To the ready list, if not there; true when it was added. */
bool epoll_item_queue(struct epoll_item *item);

/* epoll_wait.c */
uint32_t epoll_poll(struct epoll *ep);
