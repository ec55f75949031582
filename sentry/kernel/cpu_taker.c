/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which thread hears of its group's CPU time. Linux looks at its tick, in the thread that runs then, so each
 * hears as often as it uses time. Here one looks from outside: a thread has credit for the time it used, and
 * who has most pays for what all have used since the last look.
 */
#include "sentry/abi/time.h"
#include "sentry/kernel/cpu_time.h"
#include "sentry/kernel/signal_internal.h"
#include "sentry/kernel/task_internal.h"
#include "util/checked.h"

/* Of a group that changes all the time somebody would be owed, or owe, ever more. */
#define CREDIT_MAX ((int64_t)NSEC_PER_SEC)

static int64_t bounded(int64_t credit)
{
	return MAX(MIN(credit, CREDIT_MAX), -CREDIT_MAX);
}

/* Since the last look. */
static int64_t used_locked(struct task *t)
{
	uint64_t now = cpu_time_total(task_cpu_time(t));
	uint64_t used = now > t->cpu_seen_ns ? now - t->cpu_seen_ns : 0;

	t->cpu_seen_ns = now;
	return (int64_t)MIN(used, (uint64_t)CREDIT_MAX);
}

void cpu_taker_reset(struct thread_group *g)
{
	struct task *t;
	int64_t used;

	mutex_lock(&g->kernel->tasklist_lock);
	list_for_each(t, &g->threads, thread_node) {
		used = used_locked(t);
		(void)used; /* before anybody asked */
		t->cpu_credit_ns = 0;
	}
	mutex_unlock(&g->kernel->tasklist_lock);
}

struct task *cpu_taker_get(struct thread_group *g)
{
	struct task *t, *taker = NULL;
	int64_t used, sum = 0;

	mutex_lock(&g->kernel->tasklist_lock);
	list_for_each(t, &g->threads, thread_node) {
		used = used_locked(t);
		t->cpu_credit_ns = bounded(t->cpu_credit_ns + used);
		sum = bounded(sum + used);
		if (!taker || t->cpu_credit_ns > taker->cpu_credit_ns)
			taker = t;
	}
	if (taker) {
		taker->cpu_credit_ns = bounded(taker->cpu_credit_ns - sum);
		task_get(taker);
	}
	mutex_unlock(&g->kernel->tasklist_lock);
	return taker;
}
