/* SPDX-License-Identifier: Apache-2.0 */
/* The host's clocks, in nanoseconds.  @clock is the host's CLOCK_* number. */
#pragma once

#include <stdint.h>

uint64_t host_clock_ns(int clock);
uint64_t host_clock_resolution_ns(int clock);
uint64_t host_monotonic_ns(void);
uint64_t host_realtime_ns(void);
