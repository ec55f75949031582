/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container that is paused: no task of it runs guest code, and none makes a system call; one that sleeps in
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
int task_container_pause(struct task_container *c) MUST_CHECK;
/* No-op for one that is not paused. */
void task_container_resume(struct task_container *c);

/* Mostly nobody is, and one word says so. */
static inline bool task_paused(const struct task *t)
{
	return atomic_load(&t->kernel->paused_count) && atomic_load(&t->group->container->paused);
}

/* Sleeps while @t, the current task, is paused; returns at its death.  No lock held. */
void task_pause_wait(struct task *t);
