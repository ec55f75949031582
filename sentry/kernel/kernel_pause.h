/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A kernel that is paused: no task runs guest code, and none makes a system call; one that sleeps in
 * a call stays there, and stops when that is done.  Time goes on, as for Linux's freezer.  Only
 * SIGKILL gets through.
 */
#pragma once

#include "sentry/kernel/kernel.h"
#include "sentry/kernel/task.h"

/*
 * Stops everybody, and waits until they are.  0, also if it is paused already; -EBUSY: a task did
 * not stop in time, and all go on.  No lock held; one caller at a time.
 */
int kernel_pause(struct kernel *k) MUST_CHECK;
/* No-op for one that is not paused. */
void kernel_resume(struct kernel *k);

static inline bool kernel_paused(const struct kernel *k)
{
	return atomic_load(&k->paused);
}

/* Sleeps while the kernel is paused; returns at the death of the current task.  No lock held. */
void kernel_pause_wait(struct kernel *k);
