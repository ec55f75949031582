/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks, timers and time structures. */
#pragma once

#include <stdint.h>

#define LINUX_CLOCK_REALTIME 0
#define LINUX_CLOCK_MONOTONIC 1
#define LINUX_CLOCK_PROCESS_CPUTIME_ID 2
#define LINUX_CLOCK_THREAD_CPUTIME_ID 3
#define LINUX_CLOCK_MONOTONIC_RAW 4
#define LINUX_CLOCK_REALTIME_COARSE 5
#define LINUX_CLOCK_MONOTONIC_COARSE 6
#define LINUX_CLOCK_BOOTTIME 7
#define LINUX_CLOCK_REALTIME_ALARM 8
#define LINUX_CLOCK_BOOTTIME_ALARM 9
#define LINUX_CLOCK_SGI_CYCLE 10
#define LINUX_CLOCK_TAI 11

#define LINUX_TIMER_ABSTIME 1

#define LINUX_ITIMER_REAL 0
#define LINUX_ITIMER_VIRTUAL 1
#define LINUX_ITIMER_PROF 2

#define NSEC_PER_SEC 1000000000ULL
#define NSEC_PER_USEC 1000ULL
#define USEC_PER_SEC 1000000ULL
#define LINUX_USER_HZ 100

struct linux_timespec {
	int64_t sec, nsec;
};
struct linux_timeval {
	int64_t sec, usec;
};
struct linux_itimerspec {
	struct linux_timespec interval, value;
};
struct linux_itimerval {
	struct linux_timeval interval, value;
};
struct linux_timezone {
	int32_t minuteswest, dsttime;
};
struct linux_tms {
	int64_t utime, stime, cutime, cstime;
};
_Static_assert(sizeof(struct linux_itimerspec) == 32, "itimerspec");

static inline struct linux_timespec ns_to_timespec(uint64_t ns)
{
	return (struct linux_timespec){ (int64_t)(ns / NSEC_PER_SEC), (int64_t)(ns % NSEC_PER_SEC) };
}

static inline struct linux_timeval ns_to_timeval(uint64_t ns)
{
	return (struct linux_timeval){ (int64_t)(ns / NSEC_PER_SEC),
				       (int64_t)(ns % NSEC_PER_SEC / NSEC_PER_USEC) };
}
