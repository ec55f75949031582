/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Declarative binding of JSON objects to C structures: one table row per
 * property.  The same table reads (strictly), writes and frees.
 *
 *	static const struct json_field point_fields[] = {
 *		FIELD(struct point, x, "x", I64),
 *		FIELD(struct point, label, "label", STRING, .required = true),
 *	};
 *	static const struct json_struct point_type = JSON_STRUCT(struct point, point_fields);
 *
 * The macros refuse, at compile time, a member whose C type is not the row's.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "oci/json.h"
#include "oci/json_write.h"
#include "oci/spec.h"
#include "util/compiler.h"
#include "util/string_list.h"

enum json_field_type {
	JSON_FIELD_STRING,     /* char * */
	JSON_FIELD_BOOL,       /* bool */
	JSON_FIELD_I32,	       /* integers of the named width */
	JSON_FIELD_I64,
	JSON_FIELD_U32,
	JSON_FIELD_U64,
	JSON_FIELD_OPT_BOOL,   /* struct opt_*, oci/spec.h */
	JSON_FIELD_OPT_I32,
	JSON_FIELD_OPT_I64,
	JSON_FIELD_OPT_U16,
	JSON_FIELD_OPT_U32,
	JSON_FIELD_OPT_U64,
	JSON_FIELD_STRINGS,    /* struct string_list */
	JSON_FIELD_STRING_MAP, /* struct string_map */
	JSON_FIELD_U32S,       /* SPEC_ARRAY(uint32_t) */
	JSON_FIELD_OBJECT,     /* a structure embedded in its parent */
	JSON_FIELD_OBJECT_PTR, /* a pointer to an allocated structure, NULL when absent */
	JSON_FIELD_OBJECTS,    /* SPEC_ARRAY(structure) */
	JSON_FIELD_OBJECT_MAP, /* SPEC_ARRAY(structure whose first member, char *, is the key) */
	JSON_FIELD_IGNORED,    /* known, and of no meaning here */
};

struct json_struct;

struct json_field {
	const char *name;
	enum json_field_type type;
	bool required;
	bool keep_empty; /* written even when empty, zero or false */
	size_t offset;
	const struct json_struct *sub; /* OBJECT* types */
};

struct json_struct {
	size_t size;
	const struct json_field *fields; /* at most 64, in the order they are written */
	size_t field_count;
};

#define JSON_STRUCT(c_type, table) { sizeof(c_type), (table), ARRAY_SIZE(table) }

#define JSON_C_TYPE_STRING char *
#define JSON_C_TYPE_BOOL bool
#define JSON_C_TYPE_I32 int32_t
#define JSON_C_TYPE_I64 int64_t
#define JSON_C_TYPE_U32 uint32_t
#define JSON_C_TYPE_U64 uint64_t
#define JSON_C_TYPE_OPT_BOOL struct opt_bool
#define JSON_C_TYPE_OPT_I32 struct opt_i32
#define JSON_C_TYPE_OPT_I64 struct opt_i64
#define JSON_C_TYPE_OPT_U16 struct opt_u16
#define JSON_C_TYPE_OPT_U32 struct opt_u32
#define JSON_C_TYPE_OPT_U64 struct opt_u64
#define JSON_C_TYPE_STRINGS struct string_list
#define JSON_C_TYPE_STRING_MAP struct string_map

#define JSON_MEMBER_IS(expression, c_type) \
	(0 * sizeof(char[__builtin_types_compatible_p(__typeof__(expression), c_type) ? 1 : -1]))

#define FIELD(c_type, member, json_name, kind, ...)                                             \
	{ .name = (json_name),                                                                  \
	  .type = JSON_FIELD_##kind,                                                            \
	  .offset = offsetof(c_type, member) +                                                  \
		    JSON_MEMBER_IS(((c_type *)0)->member, JSON_C_TYPE_##kind),                  \
	  __VA_ARGS__ }
#define FIELD_U32S(c_type, member, json_name)                                                   \
	{ .name = (json_name),                                                                  \
	  .type = JSON_FIELD_U32S,                                                              \
	  .offset = offsetof(c_type, member) +                                                  \
		    JSON_MEMBER_IS(((c_type *)0)->member.items, uint32_t *) }
#define FIELD_OBJECT(c_type, member, json_name, sub_c_type, sub_type, ...)                      \
	{ .name = (json_name),                                                                  \
	  .type = JSON_FIELD_OBJECT,                                                            \
	  .offset = offsetof(c_type, member) +                                                  \
		    JSON_MEMBER_IS(((c_type *)0)->member, sub_c_type),                          \
	  .sub = (sub_type),                                                                    \
	  __VA_ARGS__ }
#define FIELD_OBJECT_PTR(c_type, member, json_name, sub_c_type, sub_type)                       \
	{ .name = (json_name),                                                                  \
	  .type = JSON_FIELD_OBJECT_PTR,                                                        \
	  .offset = offsetof(c_type, member) +                                                  \
		    JSON_MEMBER_IS(((c_type *)0)->member, sub_c_type *),                        \
	  .sub = (sub_type) }
#define FIELD_OBJECTS(c_type, member, json_name, sub_c_type, sub_type)                          \
	{ .name = (json_name),                                                                  \
	  .type = JSON_FIELD_OBJECTS,                                                           \
	  .offset = offsetof(c_type, member) +                                                  \
		    JSON_MEMBER_IS(((c_type *)0)->member.items, sub_c_type *),                  \
	  .sub = (sub_type) }
#define FIELD_OBJECT_MAP(c_type, member, json_name, sub_c_type, sub_type)                       \
	{ .name = (json_name),                                                                  \
	  .type = JSON_FIELD_OBJECT_MAP,                                                        \
	  .offset = offsetof(c_type, member) +                                                  \
		    JSON_MEMBER_IS(((c_type *)0)->member.items, sub_c_type *),                  \
	  .sub = (sub_type) }
#define FIELD_IGNORED(json_name) { .name = (json_name), .type = JSON_FIELD_IGNORED }

/*
 * Fills @object, which is zeroed, from @value.  null counts as absent, a
 * duplicate property is an error, an unknown one a line in @warnings (may be
 * NULL).  On failure @object holds what was bound so far: json_unbind it.
 */
int json_bind(const struct json_struct *type, const struct json_value *value, const char *name,
	      void *object, struct string_list *warnings, struct error **err) MUST_CHECK;
/* Frees what @object's members own, and zeroes it; not @object itself. */
void json_unbind(const struct json_struct *type, void *object);
/* Writes @object; empty, zero and false members are left out unless keep_empty. */
void json_write_object(struct json_writer *w, const struct json_struct *type, const void *object);

/* json_parse and json_bind in one: *out is allocated, freed by json_load_free. */
int json_load(const struct json_struct *type, const char *json, size_t size, const char *name,
	      void **out, struct string_list *warnings, struct error **err) MUST_CHECK;
void json_load_free(const struct json_struct *type, void *object);
