/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strict number parsing: the whole text is the number, with no space, plus sign
 * or base prefix.  Return 0, -EINVAL (not a number) or -ERANGE; the result is
 * untouched on failure.
 */
#pragma once

#include <sched.h>
#include <stdint.h>

#include "util/compiler.h"

/* @base is 2 to 16. */
int parse_u64(const char *text, unsigned base, uint64_t max, uint64_t *out) MUST_CHECK;
int parse_i64(const char *text, int64_t min, int64_t max, int64_t *out) MUST_CHECK;
/* Decimal. */
int parse_u32(const char *text, uint32_t *out) MUST_CHECK;
int parse_int(const char *text, int min, int max, int *out) MUST_CHECK;

/* CPUs as cpuset(7) lists them: "0-3,7".  No set is empty. */
int parse_cpu_list(const char *text, cpu_set_t *out) MUST_CHECK;
