/* SPDX-License-Identifier: Apache-2.0 */
/* Futexes on the sentry's own, private words: what its threads sleep on. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#define HOST_FUTEX_FOREVER UINT64_MAX

/*
 * Sleeps while *@word is @expected, until woken or the absolute @deadline_ns of
 * CLOCK_MONOTONIC (@realtime: CLOCK_REALTIME).  0 (woken, changed or
 * spurious: look again) or -ETIMEDOUT.
 */
int host_futex_wait(_Atomic uint32_t *word, uint32_t expected, uint64_t deadline_ns, bool realtime);
void host_futex_wake(_Atomic uint32_t *word, int count);
