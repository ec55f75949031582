/* SPDX-License-Identifier: Apache-2.0 */
/* Intrusive chained hash table, at most one node a bucket on average. */
#include "util/hash_table.h"

#include <stdlib.h>
#include <string.h>

#include "util/log.h"

void hash_table_init(struct hash_table *t)
{
	memset(t, 0, sizeof(*t));
	t->buckets = t->initial;
	t->bucket_count = HASH_TABLE_MIN;
}

void hash_table_destroy(struct hash_table *t)
{
	if (t->buckets != t->initial)
		free(t->buckets);
	hash_table_init(t);
}

static struct hash_node **bucket_of(const struct hash_table *t, uint64_t hash)
{
	return &t->buckets[hash & (t->bucket_count - 1)];
}

static void hash_table_grow(struct hash_table *t)
{
	struct hash_node **old = t->buckets, **buckets;
	size_t old_count = t->bucket_count;

	buckets = calloc(old_count * 2, sizeof(*buckets));
	if (!buckets)
		return;
	t->buckets = buckets;
	t->bucket_count = old_count * 2;
	for (size_t i = 0; i < old_count; i++) {
		for (struct hash_node *node = old[i], *next; node; node = next) {
			struct hash_node **bucket = bucket_of(t, node->hash);

			next = node->next;
			node->next = *bucket;
			*bucket = node;
		}
	}
	if (old != t->initial)
		free(old);
}

void hash_table_insert(struct hash_table *t, struct hash_node *node, uint64_t hash)
{
	struct hash_node **bucket;

	if (t->count >= t->bucket_count)
		hash_table_grow(t);
	bucket = bucket_of(t, hash);
	node->hash = hash;
	node->next = *bucket;
	*bucket = node;
	t->count++;
}

void hash_table_remove(struct hash_table *t, struct hash_node *node)
{
	struct hash_node **link = bucket_of(t, node->hash);

	while (*link != node) {
		ASSERT(*link);
		link = &(*link)->next;
	}
	*link = node->next;
	node->next = NULL;
	t->count--;
}

struct hash_node *hash_table_find(const struct hash_table *t, uint64_t hash)
{
	struct hash_node *node = *bucket_of(t, hash);

	while (node && node->hash != hash)
		node = node->next;
	return node;
}

struct hash_node *hash_node_next_same(const struct hash_node *node)
{
	uint64_t hash = node->hash;
	struct hash_node *next = node->next;

	while (next && next->hash != hash)
		next = next->next;
	return next;
}

struct hash_node *hash_table_any(const struct hash_table *t)
{
	for (size_t i = 0; t->count && i < t->bucket_count; i++)
		if (t->buckets[i])
			return t->buckets[i];
	return NULL;
}
