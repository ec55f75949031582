/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One thread that waits for all host FDs and wakes the wait queues of the guest
 * files in front of them.  An FD is registered when somebody first waits for it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "util/compiler.h"
#include "util/hash_table.h"

struct wait_queue;

struct host_poll_entry {
	struct hash_node node; /* in the poller's table; protected by its lock */
	uint64_t id;	       /* never reused; 0: not registered */
	uint32_t events;       /* HOST_EPOLL_*: registered for; protected by the poller's lock */
	int fd;
	struct wait_queue *queue;
	/* NULL, or told of what happened after the queue was, for O_ASYNC; under the poller's lock. */
	void (*report)(struct host_poll_entry *e, uint32_t events);
};

/* Boot, before confinement. */
int host_poller_start(void) MUST_CHECK;
/*
 * The queue is woken for @events (HOST_EPOLL_*) too from now on; what of them is true already wakes
 * it soon.  No-op when registered for them.  -EPERM: this FD is always ready.
 */
int host_poller_add(struct host_poll_entry *e, int fd, struct wait_queue *queue, uint32_t events);
/*
 * The queue is woken for @events alone from now on: for what of them is true now, and not for what
 * the host had reported and the poller had not yet passed on.  No-op when not registered.
 */
void host_poller_renew(struct host_poll_entry *e, uint32_t events);
/*
 * What was true on the host before has woken its queue when this returns: for who is asked, without sleeping, what
 * there is.  LOCK_RANK_FS_PRIVATE.
 */
void host_poller_catch_up(void);
/* Afterwards the queue is not touched any more.  No-op when not registered. */
void host_poller_remove(struct host_poll_entry *e);
