/* SPDX-License-Identifier: Apache-2.0 */
/* The dispatcher as boot hands it to the kernel and the platform. */
#pragma once

#include <stdbool.h>

#include "sentry/syscalls/syscall.h"

/* platform_config.copies */
uint32_t syscall_copies(uint64_t nr);
/* platform_config.needs_registers */
bool syscall_needs_registers(uint64_t nr);
/* The counts of calls that are not implemented, to the debug log. */
void syscall_log_missing(void);
