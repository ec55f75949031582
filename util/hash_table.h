/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Intrusive chained hash table.  Insertion never fails: when growing does, the
 * chains get longer.  The caller locks, compares keys and keeps duplicates out:
 *
 *	hash_table_for_each_hash(node, table, hash_string(name))
 *		if (!strcmp(container_of(node, struct thing, node)->name, name)) ...
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/compiler.h"

#define HASH_TABLE_MIN 16

struct hash_node {
	struct hash_node *next;
	uint64_t hash;
};

struct hash_table {
	struct hash_node **buckets; /* initial, or allocated */
	size_t bucket_count;	    /* a power of two */
	size_t count;
	struct hash_node *initial[HASH_TABLE_MIN];
};

/* The table must not move once initialised. */
void hash_table_init(struct hash_table *t);
/* The nodes are the caller's; they must have been removed or be going away too. */
void hash_table_destroy(struct hash_table *t);
void hash_table_insert(struct hash_table *t, struct hash_node *node, uint64_t hash);
/* @node is in the table. */
void hash_table_remove(struct hash_table *t, struct hash_node *node);
/* First node with @hash, and the next one with the same hash; NULL at the end. */
struct hash_node *hash_table_find(const struct hash_table *t, uint64_t hash);
struct hash_node *hash_node_next_same(const struct hash_node *node);
/* Any node, for emptying a table; NULL when empty. */
struct hash_node *hash_table_any(const struct hash_table *t);

#define hash_table_for_each_hash(pos, t, h) \
	for (pos = hash_table_find(t, h); pos; pos = hash_node_next_same(pos))
