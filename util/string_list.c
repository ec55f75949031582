/* SPDX-License-Identifier: Apache-2.0 */
/* A growable, NULL-terminated list of owned strings. */
#include "util/string_list.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/checked.h"

int string_list_take(struct string_list *list, char *text)
{
	if (!text)
		return -ENOMEM;
	if (list->count + 1 >= list->capacity) {
		size_t capacity = MAX(list->capacity * 2, (size_t)8);
		char **items = reallocarray(list->items, capacity, sizeof(*items));

		if (!items) {
			free(text);
			return -ENOMEM;
		}
		list->items = items;
		list->capacity = capacity;
	}
	list->items[list->count++] = text;
	list->items[list->count] = NULL;
	return 0;
}

int string_list_add(struct string_list *list, const char *text)
{
	return string_list_take(list, strdup(text));
}

int string_list_addf(struct string_list *list, const char *fmt, ...)
{
	va_list args;
	char *text;
	int n;

	va_start(args, fmt);
	n = vasprintf(&text, fmt, args);
	va_end(args);
	return n < 0 ? -ENOMEM : string_list_take(list, text);
}

int string_list_append(struct string_list *list, const struct string_list *from)
{
	for (size_t i = 0; i < from->count; i++) {
		int error = string_list_add(list, from->items[i]);

		if (error)
			return error;
	}
	return 0;
}

bool string_list_contains(const struct string_list *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++)
		if (!strcmp(list->items[i], text))
			return true;
	return false;
}

const char *string_list_env_get(const struct string_list *env, const char *name)
{
	size_t length = strlen(name);

	for (size_t i = env->count; i-- > 0;)
		if (!strncmp(env->items[i], name, length) && env->items[i][length] == '=')
			return env->items[i] + length + 1;
	return NULL;
}

void string_list_free(struct string_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct string_list)STRING_LIST_INIT;
}
