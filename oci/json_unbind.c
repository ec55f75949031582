/* SPDX-License-Identifier: Apache-2.0 */
/* The other two uses of field tables: freeing what was bound, and writing it. */
#include "oci/json_bind.h"

#include <stdlib.h>
#include <string.h>

#include "util/log.h"

struct any_array {
	void *items;
	size_t count;
};

static void unbind_array(const struct json_struct *sub, struct any_array *array)
{
	for (size_t i = 0; sub && i < array->count; i++)
		json_unbind(sub, (char *)array->items + i * sub->size);
	free(array->items);
}

static void unbind_member(const struct json_field *field, void *member)
{
	switch (field->type) {
	case JSON_FIELD_STRING:
		free(*(char **)member);
		break;
	case JSON_FIELD_STRINGS:
		string_list_free(member);
		break;
	case JSON_FIELD_STRING_MAP: {
		struct string_map *map = member;

		for (size_t i = 0; i < map->count; i++) {
			free(map->items[i].key);
			free(map->items[i].value);
		}
		free(map->items);
		break;
	}
	case JSON_FIELD_U32S:
	case JSON_FIELD_OBJECTS:
		unbind_array(field->sub, member);
		break;
	case JSON_FIELD_OBJECT_MAP: {
		struct any_array *array = member;

		for (size_t i = 0; i < array->count; i++)
			free(*(char **)(void *)((char *)array->items + i * field->sub->size));
		unbind_array(field->sub, member);
		break;
	}
	case JSON_FIELD_OBJECT:
		json_unbind(field->sub, member);
		break;
	case JSON_FIELD_OBJECT_PTR:
		json_load_free(field->sub, *(void **)member);
		break;
	default: /* owns nothing */
		break;
	}
}

void json_unbind(const struct json_struct *type, void *object)
{
	for (size_t i = 0; i < type->field_count; i++)
		unbind_member(&type->fields[i], (char *)object + type->fields[i].offset);
	memset(object, 0, type->size);
}

void json_load_free(const struct json_struct *type, void *object)
{
	if (!object)
		return;
	json_unbind(type, object);
	free(object);
}

/* One row: is the member written, and its value as the widest type. */
#define WRITE_INTEGER(c_type, write)                            \
	do {                                                    \
		c_type value_ = *(const c_type *)member;        \
		if (value_ || field->keep_empty) {              \
			json_write_key(w, field->name);         \
			write(w, value_);                       \
		}                                               \
	} while (0)
#define WRITE_OPTIONAL(opt_type, write)                                 \
	do {                                                            \
		const struct opt_type *optional_ = member;              \
		if (optional_->set) {                                   \
			json_write_key(w, field->name);                 \
			write(w, optional_->value);                     \
		}                                                       \
	} while (0)

static void write_scalar(struct json_writer *w, const struct json_field *field, const void *member)
{
	switch (field->type) {
	case JSON_FIELD_STRING:
		if (*(char *const *)member || field->keep_empty)
			json_put_string(w, field->name, *(char *const *)member);
		break;
	case JSON_FIELD_BOOL:
		WRITE_INTEGER(bool, json_write_bool);
		break;
	case JSON_FIELD_I32:
		WRITE_INTEGER(int32_t, json_write_int);
		break;
	case JSON_FIELD_I64:
		WRITE_INTEGER(int64_t, json_write_int);
		break;
	case JSON_FIELD_U32:
		WRITE_INTEGER(uint32_t, json_write_uint);
		break;
	case JSON_FIELD_U64:
		WRITE_INTEGER(uint64_t, json_write_uint);
		break;
	case JSON_FIELD_OPT_BOOL:
		WRITE_OPTIONAL(opt_bool, json_write_bool);
		break;
	case JSON_FIELD_OPT_I32:
		WRITE_OPTIONAL(opt_i32, json_write_int);
		break;
	case JSON_FIELD_OPT_I64:
		WRITE_OPTIONAL(opt_i64, json_write_int);
		break;
	case JSON_FIELD_OPT_U16:
		WRITE_OPTIONAL(opt_u16, json_write_uint);
		break;
	case JSON_FIELD_OPT_U32:
		WRITE_OPTIONAL(opt_u32, json_write_uint);
		break;
	case JSON_FIELD_OPT_U64:
		WRITE_OPTIONAL(opt_u64, json_write_uint);
		break;
	default:
		panic("json_write_object: field type %d is no scalar", field->type);
	}
}

static void write_string_map(struct json_writer *w, const struct string_map *map)
{
	json_write_object_begin(w);
	for (size_t i = 0; i < map->count; i++)
		json_put_string(w, map->items[i].key, map->items[i].value);
	json_write_object_end(w);
}

static void write_items(struct json_writer *w, const struct json_field *field,
			const struct any_array *array)
{
	bool map = field->type == JSON_FIELD_OBJECT_MAP;

	if (map)
		json_write_object_begin(w);
	else
		json_write_array_begin(w);
	for (size_t i = 0; i < array->count; i++) {
		const char *item;

		if (field->type == JSON_FIELD_U32S) {
			json_write_uint(w, ((const uint32_t *)array->items)[i]);
			continue;
		}
		item = (const char *)array->items + i * field->sub->size;
		if (map)
			json_write_key(w, *(char *const *)(const void *)item);
		json_write_object(w, field->sub, item);
	}
	if (map)
		json_write_object_end(w);
	else
		json_write_array_end(w);
}

static bool all_zero(const void *data, size_t size)
{
	const char *bytes = data;

	return !size || (!bytes[0] && !memcmp(bytes, bytes + 1, size - 1));
}

static void write_member(struct json_writer *w, const struct json_field *field, const void *member)
{
	switch (field->type) {
	case JSON_FIELD_STRINGS: {
		const struct string_list *list = member;

		if (list->count || field->keep_empty)
			json_put_strings(w, field->name, list);
		break;
	}
	case JSON_FIELD_STRING_MAP: {
		const struct string_map *map = member;

		if (!map->count && !field->keep_empty)
			break;
		json_write_key(w, field->name);
		write_string_map(w, map);
		break;
	}
	case JSON_FIELD_U32S:
	case JSON_FIELD_OBJECTS:
	case JSON_FIELD_OBJECT_MAP: {
		const struct any_array *array = member;

		if (!array->count && !field->keep_empty)
			break;
		json_write_key(w, field->name);
		write_items(w, field, array);
		break;
	}
	case JSON_FIELD_OBJECT:
		if (all_zero(member, field->sub->size) && !field->keep_empty)
			break;
		json_write_key(w, field->name);
		json_write_object(w, field->sub, member);
		break;
	case JSON_FIELD_OBJECT_PTR:
		if (!*(void *const *)member)
			break;
		json_write_key(w, field->name);
		json_write_object(w, field->sub, *(void *const *)member);
		break;
	case JSON_FIELD_IGNORED:
		break;
	default:
		write_scalar(w, field, member);
	}
}

void json_write_object(struct json_writer *w, const struct json_struct *type, const void *object)
{
	json_write_object_begin(w);
	for (size_t i = 0; i < type->field_count; i++)
		write_member(w, &type->fields[i],
			     (const char *)object + type->fields[i].offset);
	json_write_object_end(w);
}
