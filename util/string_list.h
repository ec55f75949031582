/* SPDX-License-Identifier: Apache-2.0 */
/* A growable list of owned strings, always NULL-terminated: usable as argv and envp. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "util/compiler.h"

struct string_list {
	char **items; /* items[count] is NULL; items itself is NULL while empty */
	size_t count;
	size_t capacity;
};

#define STRING_LIST_INIT { NULL, 0, 0 }

/* Copies @text.  Returns 0 or -ENOMEM. */
int string_list_add(struct string_list *list, const char *text) MUST_CHECK;
/* Takes @text, which is freed on failure; NULL is a failed allocation: -ENOMEM. */
int string_list_take(struct string_list *list, char *text) MUST_CHECK;
int string_list_addf(struct string_list *list, const char *fmt, ...) PRINTF_LIKE(2, 3) MUST_CHECK;
/* Appends copies of all of @from. */
int string_list_append(struct string_list *list, const struct string_list *from) MUST_CHECK;
bool string_list_contains(const struct string_list *list, const char *text);
/* The value of NAME in a list of NAME=value, borrowed; the last wins; NULL when absent. */
const char *string_list_env_get(const struct string_list *env, const char *name);
void string_list_free(struct string_list *list);

#define AUTO_STRING_LIST __attribute__((cleanup(string_list_free)))
