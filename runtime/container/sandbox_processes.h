/* SPDX-License-Identifier: Apache-2.0 */
/* The host's processes that guest code of a container runs in. */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "runtime/container/container.h"

/*
 * Calls @each for every stub: a child of the sentry; @inner is its pid in the sandbox's PID
 * namespace.
 */
void sandbox_for_each_stub(const struct container *container,
			   void (*each)(void *arg, pid_t pid, int32_t inner), void *arg);
