/* SPDX-License-Identifier: Apache-2.0 */
/* Host system calls made here: clock_gettime, clock_getres (mostly by the vDSO). */
#include "sentry/host/host_clock.h"

#include <time.h>

static uint64_t timespec_ns(const struct timespec *ts)
{
	return (uint64_t)ts->tv_sec * 1000000000U + (uint64_t)ts->tv_nsec;
}

uint64_t host_clock_ns(int clock)
{
	struct timespec ts = { 0, 0 };

	clock_gettime((clockid_t)clock, &ts);
	return timespec_ns(&ts);
}

uint64_t host_clock_resolution_ns(int clock)
{
	struct timespec ts = { 0, 0 };

	clock_getres((clockid_t)clock, &ts);
	return timespec_ns(&ts);
}

uint64_t host_monotonic_ns(void)
{
	return host_clock_ns(CLOCK_MONOTONIC);
}

uint64_t host_realtime_ns(void)
{
	return host_clock_ns(CLOCK_REALTIME);
}
