/* SPDX-License-Identifier: Apache-2.0 */
/* Growable string; capacity doubles, data is NUL-terminated after every addition. */
#include "util/strbuf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/checked.h"

void strbuf_init(struct strbuf *s)
{
	*s = (struct strbuf)STRBUF_INIT;
}

void strbuf_free(struct strbuf *s)
{
	free(s->data);
	strbuf_init(s);
}

/* Makes room for @extra more bytes and the NUL. */
static bool strbuf_reserve(struct strbuf *s, size_t extra)
{
	size_t need, capacity = MAX(s->capacity, (size_t)64);
	char *data;

	if (s->failed)
		return false;
	if (add_overflows(s->length, extra, &need) || add_overflows(need, (size_t)1, &need))
		goto fail;
	if (need <= s->capacity)
		return true;
	while (capacity < need)
		if (mul_overflows(capacity, (size_t)2, &capacity))
			goto fail;
	data = realloc(s->data, capacity);
	if (!data)
		goto fail;
	s->data = data;
	s->capacity = capacity;
	return true;
fail:
	s->failed = true;
	return false;
}

void strbuf_add_bytes(struct strbuf *s, const void *data, size_t size)
{
	if (!strbuf_reserve(s, size))
		return;
	if (size)
		memcpy(s->data + s->length, data, size);
	s->length += size;
	s->data[s->length] = '\0';
}

void strbuf_add(struct strbuf *s, const char *text)
{
	strbuf_add_bytes(s, text, strlen(text));
}

void strbuf_add_char(struct strbuf *s, char c)
{
	strbuf_add_bytes(s, &c, 1);
}

void strbuf_addf(struct strbuf *s, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(NULL, 0, fmt, args);
	va_end(args);
	if (n < 0)
		s->failed = true;
	if (n < 0 || !strbuf_reserve(s, (size_t)n))
		return;
	va_start(args, fmt);
	vsnprintf(s->data + s->length, (size_t)n + 1, fmt, args);
	va_end(args);
	s->length += (size_t)n;
}

void strbuf_truncate(struct strbuf *s, size_t length)
{
	if (length >= s->length)
		return;
	s->length = length;
	s->data[length] = '\0';
}

const char *strbuf_text(const struct strbuf *s)
{
	return s->data ? s->data : "";
}

char *strbuf_detach(struct strbuf *s)
{
	char *data = NULL;

	if (strbuf_reserve(s, 0)) {
		data = s->data;
		data[s->length] = '\0';
		s->data = NULL;
	}
	strbuf_free(s);
	return data;
}
