/* SPDX-License-Identifier: Apache-2.0 */
/* Time arguments of system calls. */
#pragma once

#include <errno.h>
#include <stdint.h>

#include "sentry/abi/time.h"
#include "sentry/kernel/timer.h"
#include "sentry/mm/usercopy.h"
#include "sentry/wait/wait.h"

/* A valid, non-negative timespec in ns, clamped to INT64_MAX.  -EINVAL. */
static inline MUST_CHECK int timespec_to_ns(const struct linux_timespec *ts, uint64_t *ns)
{
	if (ts->sec < 0 || ts->nsec < 0 || ts->nsec >= (int64_t)NSEC_PER_SEC)
		return -EINVAL;
	*ns = (uint64_t)ts->sec >= INT64_MAX / NSEC_PER_SEC ?
		      INT64_MAX : (uint64_t)ts->sec * NSEC_PER_SEC + (uint64_t)ts->nsec;
	return 0;
}

static inline MUST_CHECK int copy_in_timespec(struct mm *mm, guest_addr_t src, uint64_t *ns)
{
	struct linux_timespec ts;
	int rc = copy_in(mm, &ts, src, sizeof(ts));

	return rc < 0 ? rc : timespec_to_ns(&ts, ns);
}

/* The CLOCK_MONOTONIC deadline @ns from now. */
static inline uint64_t deadline_after(uint64_t ns)
{
	uint64_t now = clock_now(LINUX_CLOCK_MONOTONIC);

	return ns > INT64_MAX - now ? INT64_MAX : now + ns;
}
