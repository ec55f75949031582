/* SPDX-License-Identifier: Apache-2.0 */
/* See host_limits.h.  Host calls: prlimit64 (reading). */
#include "sentry/host/host_limits.h"

#include <sys/resource.h>

void host_limit(int resource, uint64_t *soft, uint64_t *hard)
{
	struct rlimit r;

	*soft = UINT64_MAX;
	*hard = UINT64_MAX;
	if (getrlimit((__rlimit_resource_t)resource, &r) < 0)
		return;
	*soft = r.rlim_cur;
	*hard = r.rlim_max;
}
