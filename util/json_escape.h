/* SPDX-License-Identifier: Apache-2.0 */
/* Text as the inside of a JSON string, for writers that may not allocate. */
#pragma once

#include <stddef.h>

/*
 * Writes @text escaped and NUL-terminated into @out of @size bytes (at least
 * one), cut between characters where it does not fit.  Bytes that are not valid
 * UTF-8 become U+FFFD.  Returns the length written, without the NUL.
 */
size_t json_escape(char *out, size_t size, const char *text);
