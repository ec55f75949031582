/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Node ids of one connection: a generation-checked index over O_PATH FDs.  A
 * node is one FD for its whole life, so it means the same object whatever is
 * renamed or unlinked meanwhile.  Bounded by a limit of its own and by the budget
 * of FDs that all connections share.  Used by one thread.
 */
#pragma once

#include <stdatomic.h>
#include <stdint.h>

#include "util/compiler.h"

struct gofer_node {
	int fd; /* O_PATH, owned; -1 when the slot is free */
	uint32_t generation; /* never 0 */
	uint32_t type; /* S_IFMT bits; does not change */
	uint32_t next_free; /* slot + 1; 0 ends the list */
};

struct gofer_node_table {
	struct gofer_node *slots;
	uint32_t capacity;
	uint32_t limit; /* of slots; does not change */
	uint32_t used; /* slots that ever held a node */
	uint32_t first_free; /* slot + 1; 0: none */
	_Atomic int64_t *budget; /* FDs left to all connections; borrowed */
};

void gofer_node_table_init(struct gofer_node_table *t, uint32_t limit, _Atomic int64_t *budget);
/* Closes every FD. */
void gofer_node_table_destroy(struct gofer_node_table *t);
/* Takes over *fd (set to -1) and stores an id that is never 0; -ENFILE at the limits, -ENOMEM. */
int gofer_node_add(struct gofer_node_table *t, int *fd, uint32_t type, uint64_t *id) MUST_CHECK;
/* NULL if @id is stale or was never handed out. */
const struct gofer_node *gofer_node_find(const struct gofer_node_table *t, uint64_t id);
void gofer_node_remove(struct gofer_node_table *t, uint64_t id);
