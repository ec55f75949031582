/* SPDX-License-Identifier: Apache-2.0 */
/* Lengths of time as Go writes them: "5s", "300ms", "1h2m0.5s". */
#pragma once

#include <stdint.h>

#include "util/compiler.h"

/* Nanoseconds, which may be negative.  0 or -EINVAL. */
int duration_parse(const char *text, int64_t *out) MUST_CHECK;
