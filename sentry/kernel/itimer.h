/* SPDX-License-Identifier: Apache-2.0 */
/* getitimer(2), setitimer(2), alarm(2), and the CPU time limit of a thread group. */
#pragma once

#include <stdint.h>

#include "util/compiler.h"

struct thread_group;

/* Nanoseconds left and interval; 0: not armed.  @which: LINUX_ITIMER_*. */
void itimer_get(struct thread_group *g, int which, uint64_t *value, uint64_t *interval);
/* Arms for @value ns from now, 0 disarms; the old setting in *old_*. -ENOMEM. */
int itimer_set(struct thread_group *g, int which, uint64_t value, uint64_t interval,
	       uint64_t *old_value, uint64_t *old_interval) MUST_CHECK;
/* SIGALRM was taken: the next expiry of a repeating ITIMER_REAL is armed now. */
void itimer_real_dequeued(struct thread_group *g);
/* After a change of RLIMIT_CPU. */
void itimer_cpu_limit_changed(struct thread_group *g);
/* The group is dead: stops them, waits for callbacks, frees. */
void itimers_destroy(struct thread_group *g);
