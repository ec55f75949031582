/* SPDX-License-Identifier: Apache-2.0 */
/* The locks that inherit priority, for the files that implement them (futex_pi.c, which see). */
#pragma once

#include "sentry/kernel/futex_internal.h"
#include "sentry/wait/wait.h"

struct futex_pi_bucket {
	struct mutex lock;	/* LOCK_RANK_FUTEX, after a futex_bucket's */
	struct list_node states; /* protected by lock */
};

struct pi_state {
	struct list_node node;	  /* in the bucket; as all below but idle, protected by its lock */
	struct memory_key key;	  /* does not change */
	uint32_t users;		  /* tasks inside an operation, waiters included; 0: freed */
	bool busy;		  /* one of them works on word and waiters */
	bool orphan;		  /* the owner died with waiters */
	struct task *owner;	  /* reference: whose death concerns the waiters; or NULL */
	struct list_node waiters; /* by priority, then arrival */
	struct pi_waiter *chosen; /* whose TID the busy task is writing; it may not give up */
	struct wait_queue idle;	  /* woken when busy ends */
};

enum pi_waiter_state { PI_WAITING, PI_LOOK, PI_GRANTED };

struct pi_waiter {
	struct list_node node; /* linked while waiting; the bucket's lock */
	struct task *task;     /* the waiter itself */
	int32_t priority;      /* does not change */
	struct sleeper *sleeper;
	enum pi_waiter_state state; /* the bucket's lock */
};

/* An operation of one task on one word. */
struct pi_operation {
	struct task *t;
	guest_addr_t addr;
	uint32_t tid;
	struct futex_pi_bucket *bucket;
	struct pi_state *pi; /* counted in users */
	struct pi_waiter waiter;
};

#define PI_SLEEP 1  /* queued: sleep now */
#define PI_RETRY 2  /* the word has changed */

/* Joins the users of @addr's state.  Every begin is paired with an end. */
int futex_pi_begin(struct pi_operation *op, struct task *t, guest_addr_t addr,
		   uint32_t flags) MUST_CHECK;
void futex_pi_end(struct pi_operation *op);
/* -EINTR: the task is dying. */
int futex_pi_busy_begin(struct pi_operation *op) MUST_CHECK;
void futex_pi_busy_end(struct pi_operation *op);

/* Busy, with a word that names an owner: its death will be heard of and it unlocks through us.
 * PI_RETRY with the new *word, -ESRCH, -EFAULT. */
int futex_pi_know_owner(struct pi_operation *op, uint32_t *word) MUST_CHECK;
/* Under the bucket's lock: @w into @pi's line, not linked before. */
void futex_pi_queue_locked(struct pi_state *pi, struct pi_waiter *w);
void futex_pi_set_waiter_locked(struct pi_waiter *w, enum pi_waiter_state state);
/* Nobody's TID is being written any more: who was chosen may give up again. */
void futex_pi_let_go(struct pi_operation *op);
/* A queued task sleeps until it has the lock. -EINTR, -ETIMEDOUT, try_lock's errors. */
int futex_pi_wait_in_line(struct pi_operation *op, struct futex_time time) MUST_CHECK;
/* Out of the line, and out of being chosen. */
void futex_pi_leave(struct pi_operation *op);
uint32_t futex_pi_tid(const struct task *t);
