/* SPDX-License-Identifier: Apache-2.0 */
/* eventfd(2): a counter to wait for. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "util/compiler.h"

struct file;

/* @flags: LINUX_O_NONBLOCK or 0. */
int eventfd_file_new(uint32_t count, bool semaphore, uint32_t flags, struct file **out) MUST_CHECK;
