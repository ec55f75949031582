/* SPDX-License-Identifier: Apache-2.0 */
/* What sentry/mm and the loader need of the host besides the platform. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "util/compiler.h"

/* Frees [offset, offset + size) of a file; its size stays.  0 or a negative errno. */
int host_punch_hole(int fd, uint64_t offset, uint64_t size) MUST_CHECK;
/* @size random bytes, at most 256.  Cannot fail once the host has booted. */
void host_random(void *out, size_t size);
/* Writes @size bytes from the file's start.  0 or a negative errno. */
int host_memory_fill(int fd, const void *data, size_t size) MUST_CHECK;
