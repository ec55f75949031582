/* SPDX-License-Identifier: Apache-2.0 */
/* The resource limits the sentry was started with: the defaults of container processes. */
#pragma once

#include <stdint.h>

/* getrlimit(2) of @resource; UINT64_MAX: unlimited or unknown. */
void host_limit(int resource, uint64_t *soft, uint64_t *hard);
