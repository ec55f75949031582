/* SPDX-License-Identifier: Apache-2.0 */
/* See sched_deadline.h.  The sum is atomic; a task's own part is guarded by its lock. */
#include "sentry/kernel/sched_deadline.h"

#include <errno.h>

#include "sentry/kernel/kernel.h"
#include "sentry/kernel/task.h"

#define RUNTIME_MIN 1024		/* ns: less is not accounted */
#define PERIOD_MIN 100000		/* sched_deadline_period_min_us, as it is by default */
#define PERIOD_MAX ((1ULL << 22) * 1000) /* sched_deadline_period_max_us */
#define BANDWIDTH_SHIFT 20
#define BANDWIDTH_LIMIT ((950000ULL << BANDWIDTH_SHIFT) / 1000000) /* of one CPU: sched_rt_runtime_us */

bool deadline_params_valid(struct deadline_params *p)
{
	if (!p->deadline || p->runtime < RUNTIME_MIN)
		return false;
	if ((p->deadline | p->period) >> 63)
		return false;
	if (!p->period)
		p->period = p->deadline;
	return p->period >= p->deadline && p->deadline >= p->runtime && p->period >= PERIOD_MIN &&
	       p->period <= PERIOD_MAX;
}

static uint64_t bandwidth(const struct deadline_params *p)
{
	return p && p->period ? (p->runtime << BANDWIDTH_SHIFT) / p->period : 0;
}

int task_deadline_reserve_locked(struct task *t, const struct deadline_params *p)
{
	uint64_t old = bandwidth(&t->deadline), wanted = bandwidth(p);
	uint64_t sum = t->kernel->deadline_bandwidth;

	do {
		if (wanted > old && sum - old + wanted > BANDWIDTH_LIMIT * t->kernel->cpus)
			return -EBUSY;
	} while (!atomic_compare_exchange_weak(&t->kernel->deadline_bandwidth, &sum, sum - old + wanted));
	t->deadline = p ? *p : (struct deadline_params){ 0 };
	return 0;
}

void task_deadline_release(struct task *t)
{
	t->kernel->deadline_bandwidth -= bandwidth(&t->deadline);
}
