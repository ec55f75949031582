/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 validation (RFC 3629: no overlong forms, no surrogates, up to U+10FFFF). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* The length of the character that starts at @text, 0 when it is not valid. @size > 0. */
size_t utf8_sequence_length(const char *text, size_t size);
bool utf8_valid(const char *text, size_t size);
