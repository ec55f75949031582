/* SPDX-License-Identifier: Apache-2.0 */
/* wait_sleep() until a time of either clock. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "util/compiler.h"

/*
 * Sleeps towards @deadline, absolute ns of CLOCK_REALTIME (@realtime) or CLOCK_MONOTONIC, or
 * DEADLINE_NONE: 0 (look again), -EINTR, -ETIMEDOUT.  No lock may be held.
 */
int clock_sleep(uint64_t deadline, bool realtime) MUST_CHECK;
