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

struct boot_strings arena_strings(struct boot_arena *arena, const struct string_list *list)
{
	struct boot_strings out = { arena_array(arena, list->count + 1, sizeof(char *)), 0 };

	if (!out.items)
		return out;
	for (size_t i = 0; i < list->count; i++)
		out.items[out.count++] = list->items[i];
	return out;
}

struct variable {
	char *text;
	size_t place;
};

/* By name, and those of one name in their order. */
static int compare_variables(const void *a, const void *b)
{
	const struct variable *x = a, *y = b;
	size_t x_length = strcspn(x->text, "="), y_length = strcspn(y->text, "=");
	int order = strncmp(x->text, y->text, MIN(x_length, y_length));

	if (order == 0 && x_length != y_length)
		order = x_length < y_length ? -1 : 1;
	return order ? order : x->place < y->place ? -1 : 1;
}

static bool same_name(const struct variable *x, const struct variable *y)
{
	size_t length = strcspn(x->text, "=");

	return length == strcspn(y->text, "=") && !strncmp(x->text, y->text, length);
}

static size_t add_variables(struct variable *all, size_t count, const struct string_list *list)
{
	for (size_t i = 0; list && i < list->count; i++, count++)
		all[count] = (struct variable){ list->items[i], count };
	return count;
}

struct boot_strings arena_environment(struct boot_arena *arena, const struct string_list *list,
				      const struct string_list *more)
{
	size_t total = list->count + (more ? more->count : 0);
	struct boot_strings out = { arena_array(arena, total + 1, sizeof(char *)), 0 };
	struct variable *all = arena_array(arena, total + 1, sizeof(*all));

	if (!out.items || !all)
		return out;
	add_variables(all, add_variables(all, 0, list), more);
	qsort(all, total, sizeof(*all), compare_variables);
	for (size_t first = 0, next; first < total; first = next) {
		for (next = first + 1; next < total && same_name(&all[first], &all[next]);)
			next++;
		out.items[all[first].place] = all[next - 1].text;
	}
	for (size_t i = 0; i < total; i++) {
		char *text = out.items[i];

		/* The list ends with NULL. */
		out.items[i] = NULL;
		if (text)
			out.items[out.count++] = text;
	}
	return out;
}
