/* SPDX-License-Identifier: Apache-2.0 */
/* futex(2) inside the sentry. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sentry/abi/guest_addr.h"
#include "util/compiler.h"

struct task;

/* Once, at boot (kernel_new does it). */
void futex_init(void);

/*
 * Queues, then reads; sleeps while the word is @value.  @deadline: absolute ns of
 * CLOCK_REALTIME (@realtime) or CLOCK_MONOTONIC, or DEADLINE_NONE.  0 woken, -EAGAIN,
 * -ETIMEDOUT, -EINTR (interrupted), -EFAULT, -EINVAL.
 */
int futex_wait(struct task *t, guest_addr_t addr, bool is_private, uint32_t value,
	       uint64_t deadline, bool realtime, uint32_t bitset) MUST_CHECK;
/* The number woken, or a negative errno. */
int64_t futex_wake(struct task *t, guest_addr_t addr, bool is_private, uint32_t count,
		   uint32_t bitset);
/* @compare: NULL, or the value the first word must have (-EAGAIN). */
int64_t futex_requeue(struct task *t, guest_addr_t from, guest_addr_t to, bool is_private,
		      uint32_t wake_count, uint32_t requeue_count, const uint32_t *compare);
int64_t futex_wake_op(struct task *t, guest_addr_t first, guest_addr_t second, bool is_private,
		      uint32_t wake_first, uint32_t wake_second, uint32_t encoded_op);

/*
 * Locks that inherit priority.  @deadline as futex_wait's; @try: do not wait
 * (-EWOULDBLOCK).  -EDEADLK, -ESRCH (no such owner), -EPERM (not the owner), and
 * futex_wait's errors.  For events with registers.
 */
int futex_lock_pi(struct task *t, guest_addr_t addr, bool is_private, uint64_t deadline,
		  bool realtime, bool try) MUST_CHECK;
int futex_unlock_pi(struct task *t, guest_addr_t addr, bool is_private) MUST_CHECK;

/*
 * At exit and exec, while the context lives: marks robust futexes of @t as
 * OWNER_DIED, clears and wakes clear_child_tid.
 */
void futex_task_release(struct task *t);
/* Atomic change of a guest word by the current task; see futex_word.c. -EFAULT. */
int futex_word_cmpxchg(struct task *t, guest_addr_t addr, uint32_t expected, uint32_t desired,
		       uint32_t *found) MUST_CHECK;
