/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timers of the sentry: one thread sleeps until the earliest of all armed timers
 * and does not wake when nothing is due.  A callback runs on that thread, without
 * locks, must be short and must not sleep; it may arm its own timer again.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sentry/abi/time.h"
#include "util/compiler.h"

struct ktimer {
	void (*fn)(struct ktimer *timer, void *arg);
	void *arg;
	/* protected by the timer lock */
	uint64_t deadline; /* absolute ns of the clock */
	uint32_t heap;	   /* which of the clocks' heaps */
	uint32_t index;	   /* 1-based place in it; 0: not armed */
	bool running;	   /* fn is running now */
};

/* Starts the thread; once, at boot. */
int timer_service_start(void) MUST_CHECK;

void timer_init(struct ktimer *t, void (*fn)(struct ktimer *timer, void *arg), void *arg);
/*
 * (Re-)arms for @abs_ns of LINUX_CLOCK_{REALTIME,MONOTONIC,BOOTTIME} (the _ALARM,
 * _COARSE, RAW and TAI clocks count as the one they follow).  A time in the past
 * fires at once.  Only running out of memory fails: -ENOMEM.
 */
int timer_arm(struct ktimer *t, int clock, uint64_t abs_ns) MUST_CHECK;
/* True when it was armed and will not run. Does not wait for a running callback. */
bool timer_cancel(struct ktimer *t);
/* As timer_cancel, and a running callback has returned (no-op wait inside the callback itself). */
bool timer_cancel_sync(struct ktimer *t);
/* The absolute deadline if armed, else 0. */
uint64_t timer_deadline(struct ktimer *t);

/* Nanoseconds of a guest clock that needs no task; for unknown ones 0. */
uint64_t clock_now(int clock);
