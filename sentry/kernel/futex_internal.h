/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files that implement futexes. */
#pragma once

#include "sentry/kernel/futex.h"

/* Towards @deadline of the clock: 0 (look again), -EINTR, -ETIMEDOUT. */
int futex_sleep(uint64_t deadline, bool realtime) MUST_CHECK;

/* futex_pi.c */
void futex_pi_init(void);
/*
 * The locks that @t holds and others wait for pass on as those of a dead owner.  Sets
 * t->futex_released: from then on nobody waits for it.
 */
void futex_pi_release(struct task *t);
