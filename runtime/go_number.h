/* SPDX-License-Identifier: Apache-2.0 */
/* Decimal numbers as Go's strconv reads them for runc, with its words for those that are none. */
#pragma once

#include <stdint.h>

#include "util/compiler.h"
#include "util/error.h"

/* A sign may come first, "+" too.  @function: what runc calls, for the words: "Atoi" or "ParseInt". */
int go_parse_int(const char *function, const char *text, int64_t *out, struct error **err) MUST_CHECK;
/* No sign; the function is ParseUint. */
int go_parse_uint(const char *text, uint64_t *out, struct error **err) MUST_CHECK;
