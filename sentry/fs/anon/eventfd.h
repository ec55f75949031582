/* SPDX-License-Identifier: Apache-2.0 */
/* eventfd(2): a counter to wait for. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "util/compiler.h"

struct file;

bool file_is_eventfd(const struct file *file);
/* One more, as the kernel's own events count: never blocks, stops at the largest number. */
void eventfd_signal(struct file *file);
/* @flags: LINUX_O_NONBLOCK or 0. */
int eventfd_file_new(uint32_t count, bool semaphore, uint32_t flags, struct file **out) MUST_CHECK;
