/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/systemd/property.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_text(enum value_type type)
{
	return type == VALUE_STRING || type == VALUE_OBJECT_PATH || type == VALUE_SIGNATURE;
}

void value_free(struct value *value)
{
	if (is_text(value->type))
		free(value->text);
	for (size_t i = 0; i < value->count; i++)
		value_free(&value->items[i]);
	free(value->items);
	free(value->contents);
	memset(value, 0, sizeof(*value));
}

char *value_signature(const struct value *value)
{
	char *signature;

	if (asprintf(&signature, "%c%s", value->type,
		     value->type == VALUE_ARRAY ? value->contents : "") < 0)
		return NULL;
	return signature;
}

int value_append(struct value *container, struct value *item)
{
	struct value *items = reallocarray(container->items, container->count + 1, sizeof(*items));

	if (!items) {
		value_free(item);
		return -ENOMEM;
	}
	container->items = items;
	items[container->count++] = *item;
	memset(item, 0, sizeof(*item));
	return 0;
}

void property_add(struct property_list *list, const char *name, struct value *value)
{
	struct property *items = reallocarray(list->items, list->count + 1, sizeof(*items));
	char *copy = strdup(name);

	if (items)
		list->items = items;
	if (!items || !copy || list->failed) {
		free(copy);
		value_free(value);
		list->failed = true;
		return;
	}
	items[list->count++] = (struct property){ .name = copy, .value = *value };
	memset(value, 0, sizeof(*value));
}

void property_add_bool(struct property_list *list, const char *name, bool flag)
{
	property_add(list, name, &(struct value){ .type = VALUE_BOOL, .number = flag });
}

void property_add_u64(struct property_list *list, const char *name, uint64_t number)
{
	property_add(list, name, &(struct value){ .type = VALUE_UINT64, .number = number });
}

void property_add_string(struct property_list *list, const char *name, const char *text)
{
	struct value value = { .type = VALUE_STRING, .text = strdup(text) };

	list->failed |= !value.text;
	property_add(list, name, &value);
}

static void add_array(struct property_list *list, const char *name, const char *contents,
		      struct value *items, size_t count)
{
	struct value array = { .type = VALUE_ARRAY, .contents = strdup(contents) };

	list->failed |= !array.contents;
	for (size_t i = 0; i < count; i++)
		list->failed |= value_append(&array, &items[i]) < 0;
	property_add(list, name, &array);
}

void property_add_strings(struct property_list *list, const char *name, const char *text)
{
	struct value item = { .type = VALUE_STRING, .text = strdup(text) };

	list->failed |= !item.text;
	add_array(list, name, "s", &item, 1);
}

void property_add_u32s(struct property_list *list, const char *name, uint32_t number)
{
	struct value item = { .type = VALUE_UINT32, .number = number };

	add_array(list, name, "u", &item, 1);
}

void property_add_bytes(struct property_list *list, const char *name, const uint8_t *bytes,
			size_t count)
{
	struct value array = { .type = VALUE_ARRAY, .contents = strdup("y") };

	list->failed |= !array.contents;
	for (size_t i = 0; i < count; i++) {
		struct value item = { .type = VALUE_BYTE, .number = bytes[i] };

		list->failed |= value_append(&array, &item) < 0;
	}
	property_add(list, name, &array);
}

bool property_list_failed(const struct property_list *list)
{
	return list->failed;
}

void property_list_free(struct property_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->items[i].name);
		value_free(&list->items[i].value);
	}
	free(list->items);
	memset(list, 0, sizeof(*list));
}
