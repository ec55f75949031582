/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tree is built from yajl's events on an explicit stack, so nothing here
 * recurses; yajl's own tree has no limit on depth and frees recursively.  All
 * memory of a document comes from one arena.
 */
#include "oci/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <yajl/yajl_parse.h>

#include "util/checked.h"
#include "util/cleanup.h"
#include "util/utf8.h"

#define ARENA_CHUNK (32u << 10)

struct arena_chunk {
	struct arena_chunk *next;
	size_t used, size;
	_Alignas(max_align_t) char data[];
};

struct json_document {
	struct arena_chunk *chunks;
	struct json_value *root;
	/* only while parsing */
	struct json_value *stack[JSON_DEPTH_MAX];
	unsigned depth;
	size_t values;
	const char *key;
	const char *problem; /* why a callback stopped the parser */
	int code;
};

static void *arena_alloc(struct json_document *d, size_t size)
{
	struct arena_chunk *chunk = d->chunks;
	void *p;

	size = (size_t)round_up(size, _Alignof(max_align_t));
	if (!chunk || chunk->size - chunk->used < size) {
		size_t capacity = MAX(size, (size_t)ARENA_CHUNK);

		chunk = malloc(sizeof(*chunk) + capacity);
		if (!chunk)
			return NULL;
		chunk->next = d->chunks;
		chunk->used = 0;
		chunk->size = capacity;
		d->chunks = chunk;
	}
	p = chunk->data + chunk->used;
	chunk->used += size;
	return p;
}

/* Callbacks return 0 to stop the parser. */
static int stop(struct json_document *d, int code, const char *problem)
{
	d->code = code;
	d->problem = problem;
	return 0;
}

/* yajl's strings are not terminated; a NUL inside would silently cut ours. */
static const char *arena_string(struct json_document *d, const void *text, size_t length)
{
	char *copy;

	if (memchr(text, '\0', length)) {
		stop(d, -EINVAL, "a string contains a NUL character");
		return NULL;
	}
	/* yajl's own check lets overlong forms pass. */
	if (!utf8_valid(text, length)) {
		stop(d, -EINVAL, "a string is not valid UTF-8");
		return NULL;
	}
	copy = arena_alloc(d, length + 1);
	if (!copy) {
		stop(d, -ENOMEM, "out of memory");
		return NULL;
	}
	memcpy(copy, text, length);
	copy[length] = '\0';
	return copy;
}

/* Appends a value to the innermost open array or object. */
static struct json_value *add_value(struct json_document *d, enum json_kind kind)
{
	struct json_value *value, *parent = d->depth ? d->stack[d->depth - 1] : NULL;

	if (d->values++ >= JSON_VALUES_MAX) {
		stop(d, -E2BIG, "too many values");
		return NULL;
	}
	value = arena_alloc(d, sizeof(*value));
	if (!value) {
		stop(d, -ENOMEM, "out of memory");
		return NULL;
	}
	*value = (struct json_value){ .kind = kind, .key = d->key };
	d->key = NULL;
	if (!parent) {
		d->root = value;
	} else {
		if (parent->last)
			parent->last->next = value;
		else
			parent->first = value;
		parent->last = value;
		parent->count++;
	}
	return value;
}

static int on_null(void *ctx)
{
	return add_value(ctx, JSON_NULL) != NULL;
}

static int on_boolean(void *ctx, int boolean)
{
	struct json_value *value = add_value(ctx, JSON_BOOL);

	if (value)
		value->boolean = boolean;
	return value != NULL;
}

static int add_text(struct json_document *d, enum json_kind kind, const void *text, size_t length)
{
	struct json_value *value = add_value(d, kind);

	return value && (value->text = arena_string(d, text, length));
}

static int on_number(void *ctx, const char *text, size_t length)
{
	return add_text(ctx, JSON_NUMBER, text, length);
}

static int on_string(void *ctx, const unsigned char *text, size_t length)
{
	return add_text(ctx, JSON_STRING, text, length);
}

static int on_key(void *ctx, const unsigned char *text, size_t length)
{
	struct json_document *d = ctx;

	d->key = arena_string(d, text, length);
	return d->key != NULL;
}

static int open_container(struct json_document *d, enum json_kind kind)
{
	struct json_value *value;

	if (d->depth == JSON_DEPTH_MAX)
		return stop(d, -E2BIG, "nested too deeply");
	value = add_value(d, kind);
	if (value)
		d->stack[d->depth++] = value;
	return value != NULL;
}

static int on_array(void *ctx)
{
	return open_container(ctx, JSON_ARRAY);
}

static int on_object(void *ctx)
{
	return open_container(ctx, JSON_OBJECT);
}

static int on_end(void *ctx)
{
	struct json_document *d = ctx;

	d->depth--;
	return 1;
}

static const yajl_callbacks callbacks = {
	.yajl_null = on_null,
	.yajl_boolean = on_boolean,
	.yajl_number = on_number,
	.yajl_string = on_string,
	.yajl_start_map = on_object,
	.yajl_map_key = on_key,
	.yajl_end_map = on_end,
	.yajl_start_array = on_array,
	.yajl_end_array = on_end,
};

/* Says where the parser stands and what it, or one of our callbacks, did not like. */
static int parse_error(struct json_document *d, yajl_handle handle, const char *text, size_t size,
		       const char *name, struct error **err)
{
	size_t offset = MIN(yajl_get_bytes_consumed(handle), size), line = 1, column = 1;
	int code = d->code ? d->code : -EINVAL;
	unsigned char *detail = NULL;

	for (size_t i = 0; i < offset; i++) {
		column = text[i] == '\n' ? 1 : column + 1;
		line += text[i] == '\n';
	}
	if (!d->problem) {
		detail = yajl_get_error(handle, 0, (const unsigned char *)text, size);
		if (detail)
			detail[strcspn((char *)detail, "\n")] = '\0';
	}
	error_set(err, code, "%s:%zu:%zu: %s", name, line, column,
		  d->problem ? d->problem : (detail ? (const char *)detail : "invalid JSON"));
	if (detail)
		yajl_free_error(handle, detail);
	return code;
}

int json_parse(const char *text, size_t size, const char *name, struct json_document **out,
	       struct error **err)
{
	AUTO_JSON_DOCUMENT struct json_document *d = calloc(1, sizeof(*d));
	yajl_handle handle;
	int code = 0;

	if (!d)
		return error_set_errno(err, -ENOMEM, "%s", name);
	handle = yajl_alloc(&callbacks, NULL, d);
	if (!handle)
		return error_set_errno(err, -ENOMEM, "%s", name);
	if (yajl_parse(handle, (const unsigned char *)text, size) != yajl_status_ok ||
	    yajl_complete_parse(handle) != yajl_status_ok)
		code = parse_error(d, handle, text, size, name, err);
	else if (!d->root)
		code = error_set(err, -EINVAL, "%s: is empty", name);
	yajl_free(handle);
	if (!code)
		*out = move_ptr(d);
	return code;
}

const struct json_value *json_root(const struct json_document *document)
{
	return document->root;
}

void json_document_free(struct json_document *document)
{
	if (!document)
		return;
	for (struct arena_chunk *chunk = document->chunks, *next; chunk; chunk = next) {
		next = chunk->next;
		free(chunk);
	}
	free(document);
}

const char *json_kind_name(enum json_kind kind)
{
	static const char *const names[] = {
		[JSON_NULL] = "null",	    [JSON_BOOL] = "a boolean", [JSON_NUMBER] = "a number",
		[JSON_STRING] = "a string", [JSON_ARRAY] = "an array", [JSON_OBJECT] = "an object",
	};

	return names[kind];
}
