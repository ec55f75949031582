/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes as runc's options take them: "512m", "1.5 GiB", "1048576". */
#pragma once

#include <stdint.h>

#include "util/compiler.h"

/* Bytes; units are powers of 1024, in either case, with or without "b" or "ib".  0 or -EINVAL. */
int byte_size_parse(const char *text, int64_t *out) MUST_CHECK;
