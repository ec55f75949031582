/* SPDX-License-Identifier: Apache-2.0 */
/* The order in which the sentry's subsystems come up. */
#pragma once

#include <stddef.h>

#include "sentry/kernel/kernel.h"

/* On failure @why names the one that failed. */
int subsystems_start(const struct kernel_config *config, struct kernel **out, char *why,
		     size_t size) MUST_CHECK;
