/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON output in the layout of Go's encoder, which runc's callers see.  Running
 * out of memory is remembered until json_writer_finish; strings that are not
 * valid UTF-8 have the offending bytes replaced.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/compiler.h"
#include "util/strbuf.h"
#include "util/string_list.h"

struct json_writer {
	struct strbuf text;
	const char *indent; /* of one level; NULL: everything on one line */
	unsigned depth;
	bool empty;	/* nothing yet in the innermost array or object */
	bool after_key; /* a key awaits its value */
};

void json_writer_init(struct json_writer *w, const char *indent);
void json_writer_free(struct json_writer *w);
/* Hands the text over (the caller frees it); NULL: out of memory. */
char *json_writer_finish(struct json_writer *w) MUST_CHECK;

void json_write_object_begin(struct json_writer *w);
void json_write_object_end(struct json_writer *w);
void json_write_array_begin(struct json_writer *w);
void json_write_array_end(struct json_writer *w);
void json_write_key(struct json_writer *w, const char *key);
/* NULL is written as null. */
void json_write_string(struct json_writer *w, const char *text);
void json_write_int(struct json_writer *w, int64_t value);
void json_write_uint(struct json_writer *w, uint64_t value);
void json_write_bool(struct json_writer *w, bool value);
void json_write_null(struct json_writer *w);
void json_write_strings(struct json_writer *w, char *const *items, size_t count);

/* A key and its value. */
void json_put_string(struct json_writer *w, const char *key, const char *text);
void json_put_int(struct json_writer *w, const char *key, int64_t value);
void json_put_uint(struct json_writer *w, const char *key, uint64_t value);
void json_put_bool(struct json_writer *w, const char *key, bool value);
void json_put_strings(struct json_writer *w, const char *key, const struct string_list *list);
void json_put_object(struct json_writer *w, const char *key); /* ... json_write_object_end */
void json_put_array(struct json_writer *w, const char *key);  /* ... json_write_array_end */
