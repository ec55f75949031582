/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting for any of a set of FDs: what poll(2) and select(2) have in common.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sentry/kernel/task.h"
#include "sentry/wait/wait.h"
#include "util/compiler.h"

struct file;

struct poll_item {
	uint32_t events;  /* asked for; ERR and HUP are always added */
	uint32_t ready;	  /* out: what of them is true, or POLLNVAL */
	struct file *file; /* reference; NULL: nothing to ask */
	struct wait_entry wait;
	bool waiting;	  /* wait is linked */
};

/*
 * Sleeps until an item is ready or the absolute monotonic @deadline (0: do not
 * sleep) is over.  Items with `ready` set on entry count as ready.  The number of
 * ready items, or -EINTR.  The files' references are put in any case.
 */
int64_t poll_set_wait(struct poll_item *items, unsigned count, uint64_t deadline) MUST_CHECK;

/* --- timeouts and masks of ppoll, pselect6 and epoll_pwait --------------------- */

/* From a struct timespec at @addr (null: for ever).  -EFAULT, -EINVAL. */
int poll_timeout_from_timespec(struct task *t, guest_addr_t addr, uint64_t *deadline) MUST_CHECK;
int poll_timeout_from_timeval(struct task *t, guest_addr_t addr, uint64_t *deadline) MUST_CHECK;
/* @ns from now. */
uint64_t poll_deadline_after(uint64_t ns);
/* Installs the temporary mask at @mask, if not null.  -EINVAL, -EFAULT; sets *pushed. */
int poll_mask_push(struct task *t, guest_addr_t mask, uint64_t size, bool *pushed) MUST_CHECK;

enum poll_time_format { POLL_TIMESPEC, POLL_TIMEVAL };
/* The end of ppoll and select: mask back, time left written to @addr, -EINTR made a
 * restart code when the call can be restarted. */
int64_t poll_finish(struct task *t, int64_t result, bool pushed, guest_addr_t addr,
		    uint64_t deadline, enum poll_time_format format);
