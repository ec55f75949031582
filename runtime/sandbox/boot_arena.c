/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/sandbox/boot_arena.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/checked.h"

struct arena_block {
	struct arena_block *next;
	max_align_t data[];
};

void arena_free(struct boot_arena *arena)
{
	while (arena->blocks) {
		struct arena_block *next = arena->blocks->next;

		free(arena->blocks);
		arena->blocks = next;
	}
}

void *arena_array(struct boot_arena *arena, size_t count, size_t size)
{
	struct arena_block *block = NULL;
	size_t total;

	if (count == 0)
		return NULL;
	if (!mul_overflows(count, size, &total) && !add_overflows(total, sizeof(*block), &total))
		block = calloc(1, total);
	if (!block) {
		arena->failed = true;
		return NULL;
	}
	block->next = arena->blocks;
	arena->blocks = block;
	return block->data;
}

char *arena_join(struct boot_arena *arena, const char *head, const char *tail)
{
	size_t size = strlen(head) + strlen(tail) + 1;
	char *copy = arena_array(arena, size, 1);

	if (copy)
		snprintf(copy, size, "%s%s", head, tail);
	return copy;
}

char *arena_text(struct boot_arena *arena, const char *text)
{
	return arena_join(arena, "", text);
}

struct boot_strings arena_strings(struct boot_arena *arena, const struct string_list *list,
				  const struct string_list *more)
{
	size_t total = list->count + (more ? more->count : 0);
	struct boot_strings out = { arena_array(arena, total + 1, sizeof(char *)), 0 };

	if (!out.items)
		return out;
	for (size_t i = 0; i < list->count; i++)
		out.items[out.count++] = list->items[i];
	for (size_t i = 0; more && i < more->count; i++)
		out.items[out.count++] = more->items[i];
	return out;
}
