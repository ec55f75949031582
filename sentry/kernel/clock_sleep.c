/* SPDX-License-Identifier: Apache-2.0 */
/* See clock_sleep.h. */
#include "sentry/kernel/clock_sleep.h"

#include <errno.h>

#include "sentry/abi/time.h"
#include "sentry/kernel/timer.h"
#include "sentry/wait/wait.h"

static uint64_t to_monotonic(uint64_t deadline, bool realtime)
{
	uint64_t now, left;

	if (!realtime || deadline == DEADLINE_NONE)
		return deadline;
	now = clock_now(LINUX_CLOCK_REALTIME);
	left = deadline > now ? deadline - now : 0;
	now = clock_now(LINUX_CLOCK_MONOTONIC);
	return left > UINT64_MAX - 1 - now ? UINT64_MAX - 1 : now + left;
}

int clock_sleep(uint64_t deadline, bool realtime)
{
	int rc = wait_sleep(to_monotonic(deadline, realtime));

	/* The clock may have been set back meanwhile. */
	if (rc == -ETIMEDOUT && realtime && clock_now(LINUX_CLOCK_REALTIME) < deadline)
		return 0;
	return rc;
}
