/* SPDX-License-Identifier: Apache-2.0 */
/* timerfd: a timer to wait for and read. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sentry/abi/time.h"
#include "util/compiler.h"

struct file;

int timerfd_file_new(int clock, uint32_t flags, struct file **out) MUST_CHECK;
bool file_is_timerfd(const struct file *file);
/* @value and @interval in ns; @value 0 disarms.  The previous setting in *old_value
 * (time left) and *old_interval. */
int timerfd_set(struct file *file, int flags, uint64_t value, uint64_t interval, uint64_t *old_value,
		uint64_t *old_interval) MUST_CHECK;
/* The clock it was made for, LINUX_CLOCK_*. */
int timerfd_clock(struct file *file);
void timerfd_get(struct file *file, uint64_t *value, uint64_t *interval);
