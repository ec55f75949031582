/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading JSON objects into structures by field tables.  Recursion follows the
 * tables and is bounded by them, not by the input.  The path of the value at
 * hand is a chain of stack frames, put together only when there is an error.
 */
#include "oci/json_bind.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"
#include "util/log.h"
#include "util/parse.h"
#include "util/strbuf.h"

#define WARNINGS_MAX 100

/* How SPEC_ARRAY and struct string_map lie in memory, whatever their items. */
struct any_array {
	void *items;
	size_t count;
};

struct path {
	const struct path *parent; /* NULL: the root */
	const char *key;	   /* NULL: an array index */
	size_t index;
	bool quoted; /* the key is the user's, not ours */
};

struct binding {
	const char *name;
	struct string_list *warnings;
	struct error **err;
};

static void path_text(struct strbuf *out, const struct path *path)
{
	if (!path->parent)
		return;
	path_text(out, path->parent);
	if (!path->key)
		strbuf_addf(out, "[%zu]", path->index);
	else if (path->quoted)
		strbuf_addf(out, "[\"%s\"]", path->key);
	else
		strbuf_addf(out, "%s%s", out->length ? "." : "", path->key);
}

/* "config.json: process.args[2]: " and the message. */
static PRINTF_LIKE(4, 5) int fail(struct binding *b, const struct path *path, int code,
				  const char *fmt, ...)
{
	AUTO_STRBUF struct strbuf where = STRBUF_INIT;
	AUTO_FREE char *message = NULL;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vasprintf(&message, fmt, args);
	va_end(args);
	if (n < 0) {
		message = NULL;
		return error_set_errno(b->err, -ENOMEM, "%s", b->name);
	}
	path_text(&where, path);
	return error_set(b->err, code, "%s: %s%s%s", b->name, strbuf_text(&where),
			 where.length ? ": " : "", message);
}

static int out_of_memory(struct binding *b, const struct path *path)
{
	return fail(b, path, -ENOMEM, "out of memory");
}

static int expect(struct binding *b, const struct path *path, const struct json_value *v,
		  enum json_kind kind)
{
	if (v->kind == kind)
		return 0;
	return fail(b, path, -EINVAL, "expected %s, found %s", json_kind_name(kind),
		    json_kind_name(v->kind));
}

static int bind_string(struct binding *b, const struct path *path, const struct json_value *v,
		       char **out)
{
	int error = expect(b, path, v, JSON_STRING);

	if (error)
		return error;
	*out = strdup(v->text);
	return *out ? 0 : out_of_memory(b, path);
}

static int bind_signed(struct binding *b, const struct path *path, const struct json_value *v,
		       int64_t min, int64_t max, int64_t *out)
{
	int error = expect(b, path, v, JSON_NUMBER);

	if (error)
		return error;
	if (parse_i64(v->text, min, max, out))
		return fail(b, path, -EINVAL,
			    "expected an integer from %" PRId64 " to %" PRId64 ", found %.40s", min,
			    max, v->text);
	return 0;
}

static int bind_unsigned(struct binding *b, const struct path *path, const struct json_value *v,
			 uint64_t max, uint64_t *out)
{
	int error = expect(b, path, v, JSON_NUMBER);

	if (error)
		return error;
	if (parse_u64(v->text, 10, max, out))
		return fail(b, path, -EINVAL, "expected an integer from 0 to %" PRIu64 ", found %.40s",
			    max, v->text);
	return 0;
}

/* A scalar member, optional or not: the same but for the flag before it. */
#define BIND_INTEGER(c_type, wide_type, call)           \
	do {                                            \
		wide_type wide_ = 0;                    \
		error = call;                           \
		if (!error)                             \
			*(c_type *)member = (c_type)wide_; \
	} while (0)
#define BIND_OPTIONAL(opt_type, c_type, wide_type, call)                                       \
	do {                                                                                  \
		wide_type wide_ = 0;                                                          \
		error = call;                                                                 \
		if (!error)                                                                   \
			*(struct opt_type *)member = (struct opt_type){ true, (c_type)wide_ }; \
	} while (0)
#define SIGNED(bits) bind_signed(b, path, v, INT##bits##_MIN, INT##bits##_MAX, &wide_)
#define UNSIGNED(bits) bind_unsigned(b, path, v, UINT##bits##_MAX, &wide_)

static int bind_scalar(struct binding *b, const struct path *path, enum json_field_type type,
		       const struct json_value *v, void *member)
{
	int error = 0;

	switch (type) {
	case JSON_FIELD_STRING:
		return bind_string(b, path, v, member);
	case JSON_FIELD_BOOL:
		error = expect(b, path, v, JSON_BOOL);
		*(bool *)member = v->boolean;
		return error;
	case JSON_FIELD_OPT_BOOL:
		error = expect(b, path, v, JSON_BOOL);
		*(struct opt_bool *)member = (struct opt_bool){ true, v->boolean };
		return error;
	case JSON_FIELD_I32:
		BIND_INTEGER(int32_t, int64_t, SIGNED(32));
		return error;
	case JSON_FIELD_I64:
		BIND_INTEGER(int64_t, int64_t, SIGNED(64));
		return error;
	case JSON_FIELD_U32:
		BIND_INTEGER(uint32_t, uint64_t, UNSIGNED(32));
		return error;
	case JSON_FIELD_U64:
		BIND_INTEGER(uint64_t, uint64_t, UNSIGNED(64));
		return error;
	case JSON_FIELD_OPT_I32:
		BIND_OPTIONAL(opt_i32, int32_t, int64_t, SIGNED(32));
		return error;
	case JSON_FIELD_OPT_I64:
		BIND_OPTIONAL(opt_i64, int64_t, int64_t, SIGNED(64));
		return error;
	case JSON_FIELD_OPT_U16:
		BIND_OPTIONAL(opt_u16, uint16_t, uint64_t, UNSIGNED(16));
		return error;
	case JSON_FIELD_OPT_U32:
		BIND_OPTIONAL(opt_u32, uint32_t, uint64_t, UNSIGNED(32));
		return error;
	case JSON_FIELD_OPT_U64:
		BIND_OPTIONAL(opt_u64, uint64_t, uint64_t, UNSIGNED(64));
		return error;
	default:
		panic("json_bind: field type %d is no scalar", type);
	}
}

static int bind_strings(struct binding *b, const struct path *parent, const struct json_value *v,
			struct string_list *list)
{
	struct path path = { .parent = parent };
	int error = expect(b, parent, v, JSON_ARRAY);

	for (const struct json_value *item = v->first; !error && item; item = item->next) {
		char *text;

		error = bind_string(b, &path, item, &text);
		if (!error && string_list_take(list, text))
			error = out_of_memory(b, &path);
		path.index++;
	}
	return error;
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sorts items that begin with their key; a key that comes twice is an error. */
static int sort_by_key(struct binding *b, const struct path *path, struct any_array *array,
		       size_t item_size)
{
	const char *items = array->items;

	if (array->count < 2)
		return 0;
	qsort(array->items, array->count, item_size, compare_keys);
	for (size_t i = 1; i < array->count; i++)
		if (!compare_keys(items + (i - 1) * item_size, items + i * item_size))
			return fail(b, path, -EINVAL, "duplicate property \"%s\"",
				    *(char *const *)(const void *)(items + i * item_size));
	return 0;
}

static int bind_string_map(struct binding *b, const struct path *parent,
			   const struct json_value *v, struct string_map *map)
{
	int error = expect(b, parent, v, JSON_OBJECT);

	if (error || !v->count)
		return error;
	map->items = calloc(v->count, sizeof(*map->items));
	if (!map->items)
		return out_of_memory(b, parent);
	for (const struct json_value *item = v->first; item; item = item->next) {
		struct path path = { .parent = parent, .key = item->key, .quoted = true };
		struct string_pair *pair = &map->items[map->count++];

		pair->key = strdup(item->key);
		if (!pair->key)
			return out_of_memory(b, &path);
		error = bind_string(b, &path, item, &pair->value);
		if (error)
			return error;
	}
	return sort_by_key(b, parent, (struct any_array *)(void *)map, sizeof(*map->items));
}

static int bind_object(struct binding *b, const struct path *path, const struct json_struct *type,
		       const struct json_value *v, void *object);

/* The items of an array, or of an object whose keys become the items' first member. */
static int bind_items(struct binding *b, const struct path *parent, const struct json_field *field,
		      const struct json_value *v, struct any_array *array)
{
	bool map = field->type == JSON_FIELD_OBJECT_MAP, numbers = field->type == JSON_FIELD_U32S;
	size_t size = numbers ? sizeof(uint32_t) : field->sub->size;
	int error = expect(b, parent, v, map ? JSON_OBJECT : JSON_ARRAY);

	if (error || !v->count)
		return error;
	array->items = calloc(v->count, size);
	if (!array->items)
		return out_of_memory(b, parent);
	for (const struct json_value *item = v->first; item; item = item->next) {
		struct path path = { parent, item->key, array->count, map };
		void *object = (char *)array->items + array->count++ * size;

		if (map && !(*(char **)object = strdup(item->key)))
			return out_of_memory(b, &path);
		error = numbers ? bind_scalar(b, &path, JSON_FIELD_U32, item, object)
				: bind_object(b, &path, field->sub, item, object);
		if (error)
			return error;
	}
	return map ? sort_by_key(b, parent, array, size) : 0;
}

static int bind_member(struct binding *b, const struct path *path, const struct json_field *field,
		       const struct json_value *v, void *member)
{
	switch (field->type) {
	case JSON_FIELD_STRINGS:
		return bind_strings(b, path, v, member);
	case JSON_FIELD_STRING_MAP:
		return bind_string_map(b, path, v, member);
	case JSON_FIELD_U32S:
	case JSON_FIELD_OBJECTS:
	case JSON_FIELD_OBJECT_MAP:
		return bind_items(b, path, field, v, member);
	case JSON_FIELD_OBJECT:
		return bind_object(b, path, field->sub, v, member);
	case JSON_FIELD_OBJECT_PTR:
		*(void **)member = calloc(1, field->sub->size);
		if (!*(void **)member)
			return out_of_memory(b, path);
		return bind_object(b, path, field->sub, v, *(void **)member);
	case JSON_FIELD_IGNORED:
		return 0;
	default:
		return bind_scalar(b, path, field->type, v, member);
	}
}

/* The specification forbids failing on unknown properties; they are worth a word. */
static int warn_unknown(struct binding *b, const struct path *path)
{
	AUTO_STRBUF struct strbuf where = STRBUF_INIT;

	if (!b->warnings || b->warnings->count >= WARNINGS_MAX)
		return 0;
	path_text(&where, path);
	if (string_list_addf(b->warnings, "%s: %s: unknown property ignored", b->name,
			     strbuf_text(&where)))
		return out_of_memory(b, path);
	return 0;
}

static int bind_object(struct binding *b, const struct path *parent,
		       const struct json_struct *type, const struct json_value *v, void *object)
{
	uint64_t seen = 0;
	int error = expect(b, parent, v, JSON_OBJECT);

	ASSERT(type->field_count <= 64);
	for (const struct json_value *item = v->first; !error && item; item = item->next) {
		struct path path = { .parent = parent, .key = item->key };
		const struct json_field *field = NULL;
		size_t i;

		for (i = 0; i < type->field_count && !field; i++)
			if (!strcmp(type->fields[i].name, item->key))
				field = &type->fields[i];
		if (!field) {
			error = warn_unknown(b, &path);
			continue;
		}
		i--;
		if (seen & (1ull << i))
			return fail(b, &path, -EINVAL, "duplicate property");
		seen |= 1ull << i;
		if (item->kind != JSON_NULL)
			error = bind_member(b, &path, field, item, (char *)object + field->offset);
		else
			seen &= field->required ? ~(1ull << i) : UINT64_MAX;
	}
	for (size_t i = 0; !error && i < type->field_count; i++) {
		struct path path = { .parent = parent, .key = type->fields[i].name };

		if (type->fields[i].required && !(seen & (1ull << i)))
			error = fail(b, &path, -EINVAL, "is required, and missing");
	}
	return error;
}

int json_bind(const struct json_struct *type, const struct json_value *value, const char *name,
	      void *object, struct string_list *warnings, struct error **err)
{
	struct binding b = { name, warnings, err };
	struct path root = { .parent = NULL };

	return bind_object(&b, &root, type, value, object);
}

int json_load(const struct json_struct *type, const char *json, size_t size, const char *name,
	      void **out, struct string_list *warnings, struct error **err)
{
	AUTO_JSON_DOCUMENT struct json_document *document = NULL;
	void *object;
	int error = json_parse(json, size, name, &document, err);

	if (error)
		return error;
	object = calloc(1, type->size);
	if (!object)
		return error_set_errno(err, -ENOMEM, "%s", name);
	error = json_bind(type, json_root(document), name, object, warnings, err);
	if (error)
		json_load_free(type, object);
	else
		*out = object;
	return error;
}
