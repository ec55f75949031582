/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What SCHED_DEADLINE asks for: checked, counted against the sandbox's CPUs and kept.  The
 * host schedules the stubs by its own policy all the same.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "util/compiler.h"

struct task;

/* As sched_attr has them, in ns; the period is never 0 once set. */
struct deadline_params {
	uint64_t runtime, deadline, period;
	uint64_t flags; /* LINUX_SCHED_DEADLINE_FLAGS */
};

/* Linux's limits; fills in a period of 0. */
bool deadline_params_valid(struct deadline_params *p) MUST_CHECK;

/*
 * Gives up what @t has reserved and reserves for @p (NULL: nothing); t->lock is held.  -EBUSY, and
 * nothing has changed, if all tasks of the sandbox together would take more than 95 % of its CPUs.
 */
int task_deadline_reserve_locked(struct task *t, const struct deadline_params *p) MUST_CHECK;

/* The last user of @t: what is reserved is free again. */
void task_deadline_release(struct task *t);
