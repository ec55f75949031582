/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pausing.  `paused` and then the count are set before in_guest is looked at; task_run.c sets in_guest
 * before it looks at both, the other way round: so nobody gets past it into the guest, and who is there is kicked.
 */
#include "sentry/kernel/kernel_pause.h"

#include <errno.h>

#include "sentry/kernel/signal_internal.h"
#include "sentry/kernel/task_internal.h"
#include "sentry/kernel/timer.h"

/* A long system call may take its time; a thread that made itself deaf to kicks never comes. */
#define STOP_TIMEOUT_NS (2 * NSEC_PER_SEC)
#define STOP_POLL_NS (NSEC_PER_SEC / 1000)

static bool is_moving(struct task *t)
{
	return atomic_load(&t->in_guest) || atomic_load(&t->state) == TASK_RUNNING;
}

/* The number of tasks that still run; kicks those in guest code if @kick. */
static unsigned count_moving(struct task_container *c, bool kick)
{
	struct kernel *k = c->kernel;
	struct thread_group *g;
	unsigned count = 0;
	struct task *t;

	mutex_lock(&k->tasklist_lock);
	list_for_each(g, &k->groups, all_node) {
		struct signal_handlers *h;

		if (g->container != c)
			continue;
		h = signal_lock(g);
		list_for_each(t, &g->threads, thread_node) {
			if (t->exiting || !t->context || !is_moving(t))
				continue;
			count++;
			if (kick && atomic_load(&t->in_guest))
				context_kick(t->context);
		}
		signal_unlock(h);
	}
	mutex_unlock(&k->tasklist_lock);
	return count;
}

int task_container_pause(struct task_container *c)
{
	uint64_t now = clock_now(LINUX_CLOCK_MONOTONIC), give_up = now + STOP_TIMEOUT_NS;
	struct wait_entry e;

	if (atomic_exchange(&c->paused, true))
		return 0;
	atomic_fetch_add(&c->kernel->paused_count, 1);
	(void)count_moving(c, true);
	wait_begin(&e, &c->kernel->pause_wait, ~0U);
	while (count_moving(c, false) > 0 && now < give_up) {
		int rc = wait_sleep_uninterruptible(now + STOP_POLL_NS);

		(void)rc; /* woken by a resume or by time, it looks again */
		now = clock_now(LINUX_CLOCK_MONOTONIC);
	}
	wait_end(&e);
	if (now < give_up)
		return 0;
	task_container_resume(c);
	return -EBUSY;
}

void task_container_resume(struct task_container *c)
{
	if (!atomic_exchange(&c->paused, false))
		return;
	atomic_fetch_sub(&c->kernel->paused_count, 1);
	wait_queue_wake_all(&c->kernel->pause_wait, ~0U);
}

void task_pause_wait(struct task *t)
{
	struct wait_entry e;

	wait_begin(&e, &t->kernel->pause_wait, ~0U);
	while (task_paused(t))
		if (wait_sleep_killable(DEADLINE_NONE) < 0)
			break;
	wait_end(&e);
}
