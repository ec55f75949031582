/* SPDX-License-Identifier: Apache-2.0 */
/* Argument strings on their way to a new program, and Linux's limits on them. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/loader/loader_private.h"
#include "util/checked.h"

#define STACK_LIMIT_DEFAULT (8ULL << 20) /* _STK_LIM */
#define ARG_SPACE_MIN (128ULL * 1024)	 /* ARG_MAX */

void string_vector_free(struct string_vector *v)
{
	free(v->bytes);
	*v = (struct string_vector){ 0 };
}

/* Bytes of the first @count strings. */
static uint64_t prefix_size(const struct string_vector *v, uint32_t count)
{
	uint64_t at = 0;

	for (uint32_t i = 0; i < count && i < v->count; i++)
		at += strnlen(v->bytes + at, v->size - at) + 1;
	return MIN(at, v->size);
}

int string_vector_prepend(struct string_vector *v, uint32_t drop, const char *const *strings,
			  uint32_t count)
{
	uint64_t dropped = prefix_size(v, drop), added = 0, rest = v->size - dropped;
	char *bytes, *at;

	for (uint32_t i = 0; i < count; i++)
		added += strlen(strings[i]) + 1;
	bytes = malloc(added + rest + 1);
	if (!bytes)
		return -ENOMEM;
	at = bytes;
	for (uint32_t i = 0; i < count; i++) {
		size_t size = strlen(strings[i]) + 1;

		memcpy(at, strings[i], size);
		at += size;
	}
	if (rest)
		memcpy(at, v->bytes + dropped, rest);
	free(v->bytes);
	v->bytes = bytes;
	v->size = added + rest;
	v->count = v->count - MIN(drop, v->count) + count;
	return 0;
}

static bool has_long_string(const struct string_vector *v)
{
	uint64_t at = 0;

	for (uint32_t i = 0; i < v->count && at < v->size; i++) {
		uint64_t size = strnlen(v->bytes + at, v->size - at) + 1;

		if (size > ARG_STRING_MAX)
			return true;
		at += size;
	}
	return false;
}

int argument_limits_check(const struct string_vector *argv, const struct string_vector *envv,
			  const char *name, uint64_t stack_limit)
{
	uint64_t limit = MIN(STACK_LIMIT_DEFAULT / 4 * 3, stack_limit / 4);
	uint64_t pointers = ((uint64_t)MAX(argv->count, 1) + envv->count) * sizeof(uint64_t);

	limit = MAX(limit, ARG_SPACE_MIN);
	if (has_long_string(argv) || has_long_string(envv))
		return -E2BIG;
	if (limit <= pointers)
		return -E2BIG;
	return argv->size + envv->size + strlen(name) + 1 > limit - pointers ? -E2BIG : 0;
}
