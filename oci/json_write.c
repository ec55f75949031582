/* SPDX-License-Identifier: Apache-2.0 */
/* JSON output as Go's encoding/json lays it out (Marshal and MarshalIndent). */
#include "oci/json_write.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "util/json_escape.h"
#include "util/log.h"

void json_writer_init(struct json_writer *w, const char *indent)
{
	*w = (struct json_writer){ .text = STRBUF_INIT, .indent = indent, .empty = true };
}

void json_writer_free(struct json_writer *w)
{
	strbuf_free(&w->text);
}

char *json_writer_finish(struct json_writer *w)
{
	ASSERT(!w->depth && !w->after_key);
	return strbuf_detach(&w->text);
}

static void new_line(struct json_writer *w)
{
	if (!w->indent)
		return;
	strbuf_add_char(&w->text, '\n');
	for (unsigned i = 0; i < w->depth; i++)
		strbuf_add(&w->text, w->indent);
}

/* What stands before a value or a key. */
static void begin_item(struct json_writer *w)
{
	if (w->after_key) {
		w->after_key = false;
		return;
	}
	if (!w->empty)
		strbuf_add_char(&w->text, ',');
	if (w->depth)
		new_line(w);
	w->empty = false;
}

static void open_container(struct json_writer *w, char bracket)
{
	begin_item(w);
	strbuf_add_char(&w->text, bracket);
	w->depth++;
	w->empty = true;
}

static void close_container(struct json_writer *w, char bracket)
{
	ASSERT(w->depth && !w->after_key);
	w->depth--;
	if (!w->empty)
		new_line(w);
	strbuf_add_char(&w->text, bracket);
	w->empty = false;
}

void json_write_object_begin(struct json_writer *w)
{
	open_container(w, '{');
}

void json_write_object_end(struct json_writer *w)
{
	close_container(w, '}');
}

void json_write_array_begin(struct json_writer *w)
{
	open_container(w, '[');
}

void json_write_array_end(struct json_writer *w)
{
	close_container(w, ']');
}

static void add_quoted(struct json_writer *w, const char *text)
{
	size_t size = strlen(text) * 6 + 1;
	char *escaped = malloc(size);

	if (!escaped) {
		w->text.failed = true;
		return;
	}
	strbuf_add_char(&w->text, '"');
	strbuf_add_bytes(&w->text, escaped, json_escape(escaped, size, text));
	strbuf_add_char(&w->text, '"');
	free(escaped);
}

void json_write_key(struct json_writer *w, const char *key)
{
	begin_item(w);
	add_quoted(w, key);
	strbuf_add(&w->text, w->indent ? ": " : ":");
	w->after_key = true;
}

void json_write_string(struct json_writer *w, const char *text)
{
	if (!text) {
		json_write_null(w);
		return;
	}
	begin_item(w);
	add_quoted(w, text);
}

void json_write_int(struct json_writer *w, int64_t value)
{
	begin_item(w);
	strbuf_addf(&w->text, "%" PRId64, value);
}

void json_write_uint(struct json_writer *w, uint64_t value)
{
	begin_item(w);
	strbuf_addf(&w->text, "%" PRIu64, value);
}

void json_write_bool(struct json_writer *w, bool value)
{
	begin_item(w);
	strbuf_add(&w->text, value ? "true" : "false");
}

void json_write_null(struct json_writer *w)
{
	begin_item(w);
	strbuf_add(&w->text, "null");
}

void json_write_strings(struct json_writer *w, char *const *items, size_t count)
{
	json_write_array_begin(w);
	for (size_t i = 0; i < count; i++)
		json_write_string(w, items[i]);
	json_write_array_end(w);
}

void json_put_string(struct json_writer *w, const char *key, const char *text)
{
	json_write_key(w, key);
	json_write_string(w, text);
}

void json_put_int(struct json_writer *w, const char *key, int64_t value)
{
	json_write_key(w, key);
	json_write_int(w, value);
}

void json_put_uint(struct json_writer *w, const char *key, uint64_t value)
{
	json_write_key(w, key);
	json_write_uint(w, value);
}

void json_put_bool(struct json_writer *w, const char *key, bool value)
{
	json_write_key(w, key);
	json_write_bool(w, value);
}

void json_put_strings(struct json_writer *w, const char *key, const struct string_list *list)
{
	json_write_key(w, key);
	json_write_strings(w, list->items, list->count);
}

void json_put_object(struct json_writer *w, const char *key)
{
	json_write_key(w, key);
	json_write_object_begin(w);
}

void json_put_array(struct json_writer *w, const char *key)
{
	json_write_key(w, key);
	json_write_array_begin(w);
}
