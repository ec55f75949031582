/* SPDX-License-Identifier: Apache-2.0 */
/* See cpu_clock.h. */
#include "config.h"

#include "sentry/kernel/cpu_clock.h"

#include <errno.h>

#include "sentry/kernel/cpu_time.h"
#include "sentry/kernel/task_internal.h"

static int32_t pid_of(int32_t clock)
{
	return ~(clock >> 3);
}

int cpu_clock_task(struct task *t, int32_t clock, struct task **out)
{
	int32_t pid = pid_of(clock);
	struct task *target;

	if ((clock & CPUCLOCK_MASK) > CPUCLOCK_SCHED)
		return -EINVAL;
	if (clock & CPUCLOCK_PER_THREAD) {
		target = pid ? task_lookup(t->pid.ns, pid) : task_get(t);
		if (target && target->group != t->group) {
			task_put(target);
			target = NULL;
		}
	} else {
		target = pid ? task_lookup_group_leader(t->pid.ns, pid) : task_get(t);
	}
	if (!target)
		return -EINVAL;
	*out = target;
	return 0;
}

uint64_t cpu_clock_read(struct task *target, int32_t clock)
{
	struct cpu_time used = clock & CPUCLOCK_PER_THREAD ? task_cpu_time(target) :
							     thread_group_cpu_time(target->group);

	return (clock & CPUCLOCK_MASK) == CPUCLOCK_VIRT ? used.user_ns : cpu_time_total(used);
}

bool cpu_clock_is_own_thread(struct task *t, int32_t clock)
{
	int32_t pid = pid_of(clock);

	return clock & CPUCLOCK_PER_THREAD && (pid == 0 || pid == task_tid_in(t, t->pid.ns));
}

bool cpu_clock_is_descriptor(int32_t clock)
{
	return (clock & (CPUCLOCK_MASK | CPUCLOCK_PER_THREAD)) == CPUCLOCK_DESCRIPTOR;
}
