/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ordered set of VMAs that do not overlap: a list by address for walking, and a
 * treap over it for look-up, augmented with the largest free gap of each subtree
 * so that the address picker is logarithmic too.  Knows nothing of limits,
 * merging or locks: the caller holds mm->lock.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sentry/mm/mm.h"

struct vma_node {
	struct vma vma; /* first */
	struct vma_node *left, *right, *parent;
	uint64_t priority; /* random; a parent's is not less than its children's */
	uint64_t gap;	   /* free bytes just below vma.start */
	uint64_t max_gap;  /* the largest gap in this subtree */
};

void vma_set_init(struct vma_set *set);

static inline struct vma_node *vma_node_of(struct vma *vma)
{
	return container_of(vma, struct vma_node, vma);
}

/* The VMA that holds @addr or the first above it; NULL: none. */
struct vma *vma_set_find(const struct vma_set *set, uint64_t addr);
/* As vma_set_find, NULL unless it begins below @end. */
struct vma *vma_set_first_in(const struct vma_set *set, uint64_t start, uint64_t end);
struct vma *vma_set_first(const struct vma_set *set);
struct vma *vma_set_next(const struct vma_set *set, const struct vma *vma);
struct vma *vma_set_prev(const struct vma_set *set, const struct vma *vma);

/* @node->vma is filled in and overlaps nothing in the set. */
void vma_set_insert(struct vma_set *set, struct vma_node *node);
void vma_set_remove(struct vma_set *set, struct vma_node *node);
/* Moves a boundary; the VMA must not meet a neighbour. */
void vma_set_resize(struct vma_set *set, struct vma *vma, uint64_t start, uint64_t end);

/* The highest (lowest) free [*out, *out + size) within [low, high). */
bool vma_set_gap_down(const struct vma_set *set, uint64_t low, uint64_t high, uint64_t size,
		      uint64_t *out) MUST_CHECK;
bool vma_set_gap_up(const struct vma_set *set, uint64_t low, uint64_t high, uint64_t size,
		    uint64_t *out) MUST_CHECK;
