/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Properties of a unit: a name and a D-Bus value.  Adding one fails with -ENOMEM, which is remembered:
 * whoever sends the list finds that out by property_list_failed.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/compiler.h"
#include "util/error.h"

/* D-Bus's own codes of types. */
enum value_type {
	VALUE_BYTE = 'y',
	VALUE_BOOL = 'b',
	VALUE_INT16 = 'n',
	VALUE_UINT16 = 'q',
	VALUE_INT32 = 'i',
	VALUE_UINT32 = 'u',
	VALUE_INT64 = 'x',
	VALUE_UINT64 = 't',
	VALUE_DOUBLE = 'd',
	VALUE_STRING = 's',
	VALUE_OBJECT_PATH = 'o',
	VALUE_SIGNATURE = 'g',
	VALUE_ARRAY = 'a',
	VALUE_VARIANT = 'v',
};

struct value {
	enum value_type type;
	union {
		uint64_t number; /* of every integer type, and bool */
		int64_t signed_number;
		double real;
		char *text; /* owned */
	};
	char *contents;	       /* of an array: the type of its items; owned */
	struct value *items;   /* of an array; of a variant, the one it holds */
	size_t count;
};

struct property {
	char *name;
	struct value value;
};

struct property_list {
	struct property *items;
	size_t count;
	bool failed;
};

#define PROPERTY_LIST_INIT { NULL, 0, false }

void value_free(struct value *value);
/* The D-Bus signature; a value has one item's at least. */
char *value_signature(const struct value *value);
/* Appends @item, which is taken in either case. */
int value_append(struct value *container, struct value *item) MUST_CHECK;

/* Takes @value in either case. */
void property_add(struct property_list *list, const char *name, struct value *value);
void property_add_bool(struct property_list *list, const char *name, bool flag);
void property_add_u64(struct property_list *list, const char *name, uint64_t number);
void property_add_string(struct property_list *list, const char *name, const char *text);
/* An array with one item. */
void property_add_strings(struct property_list *list, const char *name, const char *text);
void property_add_u32s(struct property_list *list, const char *name, uint32_t number);
void property_add_bytes(struct property_list *list, const char *name, const uint8_t *bytes,
			size_t count);
bool property_list_failed(const struct property_list *list);
void property_list_free(struct property_list *list);

#define AUTO_PROPERTY_LIST __attribute__((cleanup(property_list_free)))
