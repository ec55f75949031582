/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host system calls made here: futex (FUTEX_WAIT_BITSET, FUTEX_WAKE, both
 * private, absolute deadlines of either clock).
 */
#include "sentry/host/host_futex.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <stddef.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

int host_futex_wait(_Atomic uint32_t *word, uint32_t expected, uint64_t deadline_ns, bool realtime)
{
	struct timespec ts, *timeout = NULL;
	int op = FUTEX_WAIT_BITSET_PRIVATE | (realtime ? FUTEX_CLOCK_REALTIME : 0);

	if (deadline_ns != HOST_FUTEX_FOREVER) {
		ts.tv_sec = (time_t)(deadline_ns / 1000000000U);
		ts.tv_nsec = (long)(deadline_ns % 1000000000U);
		timeout = &ts;
	}
	if (syscall(SYS_futex, word, op, expected, timeout, NULL, FUTEX_BITSET_MATCH_ANY) < 0 &&
	    errno == ETIMEDOUT)
		return -ETIMEDOUT;
	return 0;
}

void host_futex_wake(_Atomic uint32_t *word, int count)
{
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, count, NULL, NULL, 0);
}
