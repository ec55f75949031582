/* SPDX-License-Identifier: Apache-2.0 */
/*
 * epoll instances.
 *
 * An item watches one (file, fd) pair with a waiter in the file's queue.  The
 * waiter's callback puts the item on its instance's ready list and wakes the
 * instance; epoll_wait takes items off, asks the file again, and reports.
 *
 * Lock order:
 *	epoll_graph_lock (LOCK_RANK_EPOLL_GRAPH): file->epoll_items, nesting
 *	  epoll->lock (LOCK_RANK_EPOLL; outer instance before inner): items, scanning
 *	    a watched file's own locks (its poll operation)
 *	    wait queue of a watched file
 *	      epoll->ready_lock (LOCK_RANK_LEAF): ready list and item->queued
 *	      wait queue of the instance (after ready_lock was dropped)
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sentry/abi/epoll.h"
#include "util/compiler.h"

struct epoll;
struct file;

/* Registers the clean-up of closing files (vfs/fifo.h).  Boot, once. */
void epoll_init(void);

int epoll_file_new(uint32_t flags, struct file **out) MUST_CHECK;
/* The instance behind a file, borrowed; NULL when it is none. */
struct epoll *epoll_from_file(struct file *file);

/* epoll_ctl(2)'s semantics; @event is not used for EPOLL_CTL_DEL. */
int epoll_control(struct file *epoll_file, int op, struct file *target, int fd,
		  const struct linux_epoll_event *event) MUST_CHECK;
/* A collected event, and which item it came from (compared only). */
struct epoll_ready {
	struct linux_epoll_event event;
	const struct file *file;
	int fd;
};

/* The file watched as @fd, the @skip-th of several: compared only; NULL. */
const struct file *epoll_target(struct epoll *ep, int fd, uint32_t skip);

/* How many items there are: no more can be collected at once. */
unsigned epoll_item_count(struct epoll *ep);
/* What is ready now, without sleeping: the count, at most @max. */
int epoll_collect(struct epoll *ep, struct epoll_ready *out, int max);
/* What was collected could not be delivered: ready again. */
void epoll_give_back(struct epoll *ep, const struct epoll_ready *events, int count);
/* Collects, sleeping until there is something: the count, 0 at the deadline (absolute
 * monotonic; 0: do not sleep), -EINTR. */
int epoll_wait_collect(struct epoll *ep, struct epoll_ready *out, int max, uint64_t deadline)
	MUST_CHECK;
