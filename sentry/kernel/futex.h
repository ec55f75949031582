/* SPDX-License-Identifier: Apache-2.0 */
/* futex(2) and its newer kin inside the sentry. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sentry/abi/guest_addr.h"
#include "util/compiler.h"

struct task;

/* How a word is meant. */
enum futex_flags {
	FUTEX_SHARED = 0,
	FUTEX_PRIVATE = 1 << 0, /* of one mm */
	FUTEX_NUMA = 1 << 1,	/* a node number follows it */
	FUTEX_POLICY = 1 << 2,	/* the node is the memory policy's: no difference with one node */
};

/* Until when to wait: absolute ns of CLOCK_REALTIME or CLOCK_MONOTONIC, or DEADLINE_NONE. */
struct futex_time {
	uint64_t deadline;
	bool realtime;
};

/* Once, at boot (kernel_new does it). */
void futex_init(void);

/*
 * Queues, then reads; sleeps while the word is @value.  0 woken, -EAGAIN, -ETIMEDOUT, -EINTR
 * (interrupted), -EFAULT, -EINVAL.
 */
int futex_wait(struct task *t, guest_addr_t addr, uint32_t flags, uint32_t value,
	       struct futex_time time, uint32_t bitset) MUST_CHECK;
/* The number woken, at least one if there is one, or a negative errno. */
int64_t futex_wake(struct task *t, guest_addr_t addr, uint32_t flags, int32_t count,
		   uint32_t bitset);
/* What futex_wake checks of a word. */
int futex_check_word(struct task *t, guest_addr_t addr, uint32_t flags) MUST_CHECK;
/* @compare: NULL, or the value the first word must have (-EAGAIN). */
int64_t futex_requeue(struct task *t, guest_addr_t from, guest_addr_t to, uint32_t flags,
		      uint32_t wake_count, uint32_t requeue_count, const uint32_t *compare);
int64_t futex_wake_op(struct task *t, guest_addr_t first, guest_addr_t second, uint32_t flags,
		      int32_t wake_first, int32_t wake_second, uint32_t encoded_op);

/* One of several words to wait for. */
struct futex_wait_item {
	guest_addr_t addr;
	uint32_t flags; /* enum futex_flags */
	uint32_t value;
};
/* The index of a word that was woken, or as futex_wait. -ENOMEM. */
int64_t futex_wait_multiple(struct task *t, const struct futex_wait_item *items, uint32_t count,
			    struct futex_time time) MUST_CHECK;

/*
 * Locks that inherit priority.  @try: do not wait (-EWOULDBLOCK).  -EDEADLK, -ESRCH (no such
 * owner), -EPERM (not the owner), and futex_wait's errors.  For events with registers.
 */
int futex_lock_pi(struct task *t, guest_addr_t addr, uint32_t flags, struct futex_time time,
		  bool try) MUST_CHECK;
int futex_unlock_pi(struct task *t, guest_addr_t addr, uint32_t flags) MUST_CHECK;
/*
 * Waits at @addr to be moved to the lock at @lock by futex_cmp_requeue_pi, and for that lock.
 * -EAGAIN also for an interruption once it was moved; -EINTR before.
 */
int futex_wait_requeue_pi(struct task *t, guest_addr_t addr, guest_addr_t lock, uint32_t flags,
			  uint32_t value, struct futex_time time) MUST_CHECK;
/* Gives the lock at @to to the first waiter at @from if it is free; moves up to @requeue_count
 * more there.  How many it was, or a negative errno. */
int64_t futex_cmp_requeue_pi(struct task *t, guest_addr_t from, guest_addr_t to, uint32_t flags,
			     int32_t wake_count, int32_t requeue_count, uint32_t compare);

/*
 * At exit and exec, while the context lives: marks robust futexes of @t as
 * OWNER_DIED, clears and wakes clear_child_tid.
 */
void futex_task_release(struct task *t);
/* Atomic change of a guest word by the current task; see futex_exit.c. -EFAULT. */
int futex_word_cmpxchg(struct task *t, guest_addr_t addr, uint32_t expected, uint32_t desired,
		       uint32_t *found) MUST_CHECK;
