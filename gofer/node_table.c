/* SPDX-License-Identifier: Apache-2.0 */
/* An id is generation << 32 | slot + 1.  Freed slots are reused last in, first out. */
#include "gofer/node_table.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "util/checked.h"
#include "util/cleanup.h"

#define FIRST_CAPACITY 64u

void gofer_node_table_init(struct gofer_node_table *t, uint32_t limit, _Atomic int64_t *budget)
{
	*t = (struct gofer_node_table){ .limit = limit, .budget = budget };
}

void gofer_node_table_destroy(struct gofer_node_table *t)
{
	for (uint32_t i = 0; i < t->used; i++) {
		if (t->slots[i].fd < 0)
			continue;
		close(t->slots[i].fd);
		atomic_fetch_add(t->budget, 1);
	}
	free(t->slots);
	gofer_node_table_init(t, t->limit, t->budget);
}

static int grow(struct gofer_node_table *t)
{
	uint32_t capacity = t->capacity ? t->capacity * 2 : FIRST_CAPACITY;
	struct gofer_node *slots;

	if (t->capacity >= t->limit)
		return -ENFILE;
	capacity = MIN(capacity, t->limit);
	slots = reallocarray(t->slots, capacity, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	t->slots = slots;
	t->capacity = capacity;
	return 0;
}

static int take_slot(struct gofer_node_table *t, uint32_t *slot)
{
	int err;

	if (t->first_free) {
		*slot = t->first_free - 1;
		t->first_free = t->slots[*slot].next_free;
		return 0;
	}
	if (t->used == t->capacity) {
		err = grow(t);
		if (err)
			return err;
	}
	*slot = t->used++;
	t->slots[*slot].generation = 1;
	return 0;
}

int gofer_node_add(struct gofer_node_table *t, int *fd, uint32_t type, uint64_t *id)
{
	struct gofer_node *node;
	uint32_t slot;
	int err;

	if (atomic_fetch_sub(t->budget, 1) <= 0) {
		atomic_fetch_add(t->budget, 1);
		return -ENFILE;
	}
	err = take_slot(t, &slot);
	if (err) {
		atomic_fetch_add(t->budget, 1);
		return err;
	}
	node = &t->slots[slot];
	node->fd = move_fd(fd);
	node->type = type;
	node->next_free = 0;
	*id = (uint64_t)node->generation << 32 | (slot + 1);
	return 0;
}

const struct gofer_node *gofer_node_find(const struct gofer_node_table *t, uint64_t id)
{
	uint32_t slot = (uint32_t)id - 1; /* 0 wraps beyond any slot */
	const struct gofer_node *node;

	if (slot >= t->used)
		return NULL;
	node = &t->slots[slot];
	return node->fd >= 0 && node->generation == id >> 32 ? node : NULL;
}

void gofer_node_remove(struct gofer_node_table *t, uint64_t id)
{
	uint32_t slot = (uint32_t)id - 1;
	struct gofer_node *node;

	if (!gofer_node_find(t, id))
		return;
	node = &t->slots[slot];
	close(node->fd);
	node->fd = -1;
	if (++node->generation == 0)
		node->generation = 1;
	node->next_free = t->first_free;
	t->first_free = slot + 1;
	atomic_fetch_add(t->budget, 1);
}
