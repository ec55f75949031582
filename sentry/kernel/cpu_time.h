/* SPDX-License-Identifier: Apache-2.0 */
/* CPU time of tasks and groups in nanoseconds, from the host. */
#pragma once

#include <stdint.h>

struct task;
struct thread_group;

struct cpu_time {
	uint64_t user_ns, system_ns;
};

struct cpu_time task_cpu_time(struct task *t);
struct cpu_time thread_group_cpu_time(struct thread_group *g);

static inline uint64_t cpu_time_total(struct cpu_time c)
{
	return c.user_ns + c.system_ns;
}

/* When to look again for a CPU-time deadline that is @left ns of CPU away: CLOCK_MONOTONIC. */
uint64_t cpu_time_next_look(struct thread_group *g, uint64_t left);
