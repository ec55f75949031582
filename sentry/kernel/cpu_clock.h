/* SPDX-License-Identifier: Apache-2.0 */
/* The CPU clocks of clock_getcpuclockid and pthread_getcpuclockid: the pid is in the clock's number. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "util/compiler.h"

struct task;

#define CPUCLOCK_MASK 3
#define CPUCLOCK_PROF 0
#define CPUCLOCK_VIRT 1
#define CPUCLOCK_SCHED 2
#define CPUCLOCK_DESCRIPTOR 3
#define CPUCLOCK_PER_THREAD 4
#define CPUCLOCK_PROCESS_OF_CALLER (-6) /* as glibc names CLOCK_PROCESS_CPUTIME_ID for sleeping */

/* The task whose clock @clock, a negative number, is; a reference in *out.  -EINVAL. */
int cpu_clock_task(struct task *t, int32_t clock, struct task **out) MUST_CHECK;
/* What @clock of @target shows, in ns. */
uint64_t cpu_clock_read(struct task *target, int32_t clock);
/* A number made of a descriptor (a hardware clock's), not of a pid. */
bool cpu_clock_is_descriptor(int32_t clock);
/* It is the clock of the calling thread itself, which stands while it sleeps. */
bool cpu_clock_is_own_thread(struct task *t, int32_t clock);
