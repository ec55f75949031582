/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Growable string.  Running out of memory is remembered: later additions do
 * nothing and strbuf_detach returns NULL, so a builder checks once, at the end.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "util/compiler.h"

struct strbuf {
	char *data; /* NUL-terminated at data[length]; NULL while nothing was added */
	size_t length;
	size_t capacity;
	bool failed;
};

#define STRBUF_INIT { NULL, 0, 0, false }

void strbuf_init(struct strbuf *s);
void strbuf_free(struct strbuf *s);
void strbuf_add_bytes(struct strbuf *s, const void *data, size_t size);
void strbuf_add(struct strbuf *s, const char *text);
void strbuf_add_char(struct strbuf *s, char c);
void strbuf_addf(struct strbuf *s, const char *fmt, ...) PRINTF_LIKE(2, 3);
/* Cuts the string to @length, which is at most its length. */
void strbuf_truncate(struct strbuf *s, size_t length);
/* The text so far, never NULL; borrowed until the next change. */
const char *strbuf_text(const struct strbuf *s);
/* Hands the text over (the caller frees it) and leaves @s empty; NULL: out of memory. */
char *strbuf_detach(struct strbuf *s) MUST_CHECK;

#define AUTO_STRBUF __attribute__((cleanup(strbuf_free)))
