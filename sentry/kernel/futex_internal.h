/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Shared by the files that implement futexes.
 *
 * Locks: a futex_bucket's before a futex_pi_bucket's (both LOCK_RANK_FUTEX); two of the
 * former in address order.
 */
#pragma once

#include <stdatomic.h>

#include "sentry/kernel/futex.h"
#include "sentry/mm/mm.h"
#include "util/list.h"
#include "util/lock.h"

struct pi_operation;
struct sleeper;

struct futex_bucket {
	struct mutex lock;	  /* LOCK_RANK_FUTEX */
	struct list_node waiters; /* by priority, then arrival; protected by lock */
};

struct futex_waiter {
	struct list_node node;	/* unlinked: woken or moved to a lock; the bucket's lock */
	_Atomic(struct futex_bucket *) bucket; /* changes under the locks of both */
	struct memory_key key;	/* changes by requeue, under the bucket's lock */
	uint32_t bitset;
	int32_t priority;	/* does not change */
	_Atomic bool woken;
	struct sleeper *sleeper;
	struct pi_operation *pi; /* WAIT_REQUEUE_PI: on which lock it is to end; else NULL */
	bool ready, recheck;	/* of those, see futex_requeue_pi.c */
};

/* The key of a word for @flags (FUTEX_PRIVATE, FUTEX_NUMA). -EINVAL, -EFAULT. */
int futex_key(struct task *t, guest_addr_t addr, uint32_t flags, struct memory_key *key) MUST_CHECK;
bool futex_same_key(const struct memory_key *a, const struct memory_key *b);
struct futex_bucket *futex_bucket_of(const struct memory_key *key);

/* A waiter of @t, whose sleeper is the current one, on @key (whose reference it takes over). */
void futex_waiter_init(struct futex_waiter *w, struct task *t, const struct memory_key *key,
		       uint32_t bitset);
/* By priority, behind others of the same. */
void futex_queue(struct futex_waiter *w);
/* Whether anybody waits for @key by other means than FUTEX_LOCK_PI. */
bool futex_has_waiter(const struct memory_key *key);
/* True when it was still queued.  Afterwards no waker touches it. */
bool futex_unqueue(struct futex_waiter *w);
/* @w's bucket, locked: it may be requeued while we wait for the lock. */
struct futex_bucket *futex_lock_bucket_of(struct futex_waiter *w);
/* The number woken (at least one if there is one), or -EINVAL on meeting one of WAIT_REQUEUE_PI. */
int64_t futex_wake_key(const struct memory_key *key, int32_t count, uint32_t bitset);
int64_t futex_requeue_keys(const struct memory_key *from, const struct memory_key *to,
			   uint32_t wake_count, uint32_t requeue_count);

/* Real-time priority as Linux queues waiters by it: 0 for all that have none. */
int32_t futex_priority(struct task *t);

/* futex_pi.c */
void futex_pi_init(void);
/* Whether somebody waits for the lock at @key. */
bool futex_pi_contended(const struct memory_key *key);
/*
 * The locks that @t holds and others wait for pass on as those of a dead owner.  Sets
 * t->futex_released: from then on nobody waits for it.
 */
void futex_pi_release(struct task *t);
