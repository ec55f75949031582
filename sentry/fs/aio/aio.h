/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contexts of native asynchronous I/O.  An address space has a table of them; each
 * counts its requests and keeps the events of those that are done until somebody takes
 * them.  Reads, writes and syncs are done when they are submitted, as Linux does buffered
 * ones; polls wait here.
 *
 * A context's name is the address of a read-only page of zeroes where Linux has its ring.
 * Libraries look there for a magic number before they trust a ring; without it they ask us.
 *
 * Locks: aio_poll_lock (LOCK_RANK_AIO: files are polled under it), then a context's
 * lock, then the lock of what fired; the table's lock stands alone.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sentry/abi/aio.h"
#include "sentry/wait/wait.h"
#include "util/compiler.h"
#include "util/list.h"
#include "util/lock.h"
#include "util/refcount.h"

struct file;
struct mm;

struct aio_context {
	struct refcount refs;
	struct list_node node;	 /* in the table; its lock */
	uint64_t id;		 /* does not change once published */
	uint64_t ring_size;	 /* bytes of the page(s) at id; does not change */
	uint32_t charged;	 /* of fs.aio-max-nr; does not change */
	uint32_t ring_count;	 /* the most one io_submit looks at; does not change */
	uint32_t capacity;	 /* requests at a time; does not change */
	_Atomic uint32_t requests; /* under way, or done and not taken */
	_Atomic uint32_t submitters; /* tasks inside io_submit */
	struct mutex lock;	 /* LOCK_RANK_FS_PRIVATE */
	struct list_node done;	 /* struct aio_request, oldest first; protected by lock */
	struct list_node polls;	 /* struct aio_request; aio_poll_lock */
	bool dead;		 /* out of the table; aio_poll_lock */
	struct wait_queue queue; /* woken by an event, and by the last submitter */
};

struct aio_request {
	struct list_node node;	   /* in its context's done or polls */
	struct aio_context *context; /* borrowed: the submitter's reference, or the list it is in */
	struct linux_io_event event;
	struct file *eventfd;	   /* reference or NULL: told when it is done */
	/* polls */
	struct file *file;	   /* reference */
	uint32_t events;
	struct waiter waiter;	   /* in the file's queue */
	struct list_node fired;	   /* linked while it has to be looked at; the fired lock */
};

/* For @count requests on a machine of @cpus, with Linux's arithmetic: -EINVAL, -EAGAIN, -ENOMEM. */
int aio_context_new(uint32_t count, unsigned cpus, struct aio_context **out) MUST_CHECK;
void aio_context_put(struct aio_context *c);
/* Into @mm's table as @id: takes over the reference.  -EAGAIN: there is one of that name. */
int aio_context_publish(struct mm *mm, struct aio_context *c, uint64_t id) MUST_CHECK;
/* A reference, or NULL. */
struct aio_context *aio_context_lookup(struct mm *mm, uint64_t id) MUST_CHECK;
/* Out of the table, polls cancelled.  False: another thread did.  Does not wait for submitters. */
bool aio_context_kill(struct mm *mm, struct aio_context *c);
/* No task uses @mm any more. */
void aio_mm_exit(struct mm *mm);

/* A request and its place: -EAGAIN, -ENOMEM. */
int aio_request_new(struct aio_context *c, struct aio_request **out) MUST_CHECK;
/* It was refused after all. */
void aio_request_drop(struct aio_request *r);
/* Done: the event can be taken.  @r is no longer the caller's. */
void aio_request_complete(struct aio_request *r, int64_t result);
/* Moves at most @max done requests, oldest first, to the list @out; the number.  Then one of: */
unsigned aio_take(struct aio_context *c, struct list_node *out, unsigned max);
void aio_taken_free(struct aio_context *c, struct list_node *taken);
void aio_taken_return(struct aio_context *c, struct list_node *taken);

/* --- polls (aio_poll.c) ---------------------------------------------------------------- */

/* Takes over @r if 0; r->file and r->events are set.  -EINVAL: a file that cannot be waited for. */
int aio_poll_submit(struct aio_request *r) MUST_CHECK;
/* The poll at @obj of @c ends without events.  False: there is none. */
bool aio_poll_cancel(struct aio_context *c, uint64_t obj);
/* All of @c's, and none begins from now on.  False: somebody did that before. */
bool aio_poll_end(struct aio_context *c);

/* --- fs.aio-nr and fs.aio-max-nr --------------------------------------------------------- */

uint64_t aio_count(void);
uint64_t aio_max(void);
void aio_set_max(uint64_t max);
