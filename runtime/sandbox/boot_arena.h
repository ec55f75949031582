/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory of a boot_config under construction.  A failed allocation is remembered in `failed`,
 * so that a converter checks once, at the end.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "oci/spec.h"
#include "runtime/sandbox/boot_config_build.h"
#include "sentry/control/boot_config.h"
#include "util/error.h"
#include "util/string_list.h"

struct arena_block;

struct boot_arena {
	struct arena_block *blocks;
	bool failed;
};

void arena_free(struct boot_arena *arena);
#define AUTO_ARENA __attribute__((cleanup(arena_free)))

/* Zeroed; NULL if @count is 0 or memory is short. */
void *arena_array(struct boot_arena *arena, size_t count, size_t size);
char *arena_text(struct boot_arena *arena, const char *text);
char *arena_join(struct boot_arena *arena, const char *head, const char *tail);
/* The strings of @list, borrowed. */
struct boot_strings arena_strings(struct boot_arena *arena, const struct string_list *list);
/*
 * The variables of @list and then of @more (may be NULL), borrowed, as setenv(3) of one after the other leaves them:
 * the last value of a name, in the place of the first.
 */
struct boot_strings arena_environment(struct boot_arena *arena, const struct string_list *list,
				      const struct string_list *more);

/* boot_process_convert.c */
int arena_process(struct boot_arena *arena, const struct spec_process *process,
		  const struct boot_extra *extra, struct boot_process *out,
		  struct error **err) MUST_CHECK;
