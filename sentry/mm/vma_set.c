/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The treap behind struct vma_set.  Priorities come from a keyed hash, so a
 * guest that chooses addresses cannot choose the tree's shape.  Invariants: the
 * tree's in-order walk is the list; node->gap is the distance to the VMA before
 * (or to address 0); node->max_gap covers the node's subtree.
 */
#include "config.h"

#include "sentry/mm/vma_set.h"

#include <stdatomic.h>

#include "util/checked.h"
#include "util/hash.h"

void vma_set_init(struct vma_set *set)
{
	list_init(&set->list);
	set->root = NULL;
	set->count = 0;
}

struct vma *vma_set_first(const struct vma_set *set)
{
	return list_first(&set->list, struct vma, node);
}

struct vma *vma_set_next(const struct vma_set *set, const struct vma *vma)
{
	return vma->node.next == &set->list ? NULL : list_entry(vma->node.next, struct vma, node);
}

struct vma *vma_set_prev(const struct vma_set *set, const struct vma *vma)
{
	return vma->node.prev == &set->list ? NULL : list_entry(vma->node.prev, struct vma, node);
}

struct vma *vma_set_find(const struct vma_set *set, uint64_t addr)
{
	struct vma_node *n = set->root, *best = NULL;

	while (n) {
		if (n->vma.end > addr) {
			best = n;
			if (n->vma.start <= addr)
				break;
			n = n->left;
		} else {
			n = n->right;
		}
	}
	return best ? &best->vma : NULL;
}

struct vma *vma_set_first_in(const struct vma_set *set, uint64_t start, uint64_t end)
{
	struct vma *vma = start < end ? vma_set_find(set, start) : NULL;

	return vma && vma->start < end ? vma : NULL;
}

/* Recomputes @n's max_gap; true when it changed. */
static bool pull(struct vma_node *n)
{
	uint64_t max = n->gap;

	if (n->left)
		max = MAX(max, n->left->max_gap);
	if (n->right)
		max = MAX(max, n->right->max_gap);
	if (max == n->max_gap)
		return false;
	n->max_gap = max;
	return true;
}

static void pull_up(struct vma_node *n)
{
	while (n && pull(n))
		n = n->parent;
}

/* Sets the gap below @vma from its neighbour. */
static void update_gap(struct vma_set *set, struct vma *vma)
{
	const struct vma *prev = vma_set_prev(set, vma);
	struct vma_node *n = vma_node_of(vma);

	n->gap = vma->start - (prev ? prev->end : 0);
	pull_up(n);
}

static void replace_child(struct vma_set *set, struct vma_node *parent, struct vma_node *old,
			  struct vma_node *child)
{
	if (!parent)
		set->root = child;
	else if (parent->left == old)
		parent->left = child;
	else
		parent->right = child;
	if (child)
		child->parent = parent;
}

/* Lifts @n above its parent. */
static void rotate_up(struct vma_set *set, struct vma_node *n)
{
	struct vma_node *p = n->parent;

	replace_child(set, p->parent, p, n);
	if (p->left == n) {
		p->left = n->right;
		if (p->left)
			p->left->parent = p;
		n->right = p;
	} else {
		p->right = n->left;
		if (p->right)
			p->right->parent = p;
		n->left = p;
	}
	p->parent = n;
	pull(p);
	pull(n);
}

static uint64_t next_priority(void)
{
	static _Atomic uint64_t counter;

	return hash_u64(atomic_fetch_add_explicit(&counter, 1, memory_order_relaxed));
}

/* Hangs @node as a leaf at its place; returns the VMA that comes after it. */
static struct vma *attach(struct vma_set *set, struct vma_node *node)
{
	struct vma_node *parent = NULL, *n = set->root;
	struct vma *after = NULL;

	while (n) {
		parent = n;
		if (node->vma.start < n->vma.start) {
			after = &n->vma;
			n = n->left;
		} else {
			n = n->right;
		}
	}
	node->parent = parent;
	if (!parent)
		set->root = node;
	else if (after == &parent->vma)
		parent->left = node;
	else
		parent->right = node;
	return after;
}

void vma_set_insert(struct vma_set *set, struct vma_node *node)
{
	struct vma *after;

	node->left = node->right = NULL;
	node->priority = next_priority();
	node->gap = 0;
	node->max_gap = 0;
	after = attach(set, node);
	list_add_tail(after ? &after->node : &set->list, &node->vma.node);
	set->count++;
	update_gap(set, &node->vma);
	if (after)
		update_gap(set, after);
	while (node->parent && node->parent->priority < node->priority)
		rotate_up(set, node);
}

void vma_set_remove(struct vma_set *set, struct vma_node *node)
{
	struct vma *after = vma_set_next(set, &node->vma);
	struct vma_node *child, *parent;

	while (node->left && node->right)
		rotate_up(set, node->left->priority > node->right->priority ? node->left
									      : node->right);
	child = node->left ? node->left : node->right;
	parent = node->parent;
	replace_child(set, parent, node, child);
	pull_up(parent);
	list_remove(&node->vma.node);
	set->count--;
	node->left = node->right = node->parent = NULL;
	if (after)
		update_gap(set, after);
}

void vma_set_resize(struct vma_set *set, struct vma *vma, uint64_t start, uint64_t end)
{
	struct vma *after = vma_set_next(set, vma);

	vma->start = start;
	vma->end = end;
	update_gap(set, vma);
	if (after)
		update_gap(set, after);
}

/* Recursion is as deep as the tree: some 40 levels at 65,530 VMAs. */
static bool gap_down(const struct vma_node *n, uint64_t low, uint64_t high, uint64_t size,
		     uint64_t *out)
{
	uint64_t bottom, top;

	if (!n || n->max_gap < size)
		return false;
	if (n->vma.end < high && high - n->vma.end >= size &&
	    gap_down(n->right, low, high, size, out))
		return true;
	bottom = MAX(n->vma.start - n->gap, low);
	top = MIN(n->vma.start, high);
	if (n->gap >= size && top > bottom && top - bottom >= size) {
		*out = top - size;
		return true;
	}
	/* every gap to the left ends below this node's gap */
	return n->vma.start - n->gap > low && gap_down(n->left, low, high, size, out);
}

static bool gap_up(const struct vma_node *n, uint64_t low, uint64_t high, uint64_t size,
		   uint64_t *out)
{
	uint64_t bottom, top;

	if (!n || n->max_gap < size)
		return false;
	if (n->vma.start - n->gap > low && gap_up(n->left, low, high, size, out))
		return true;
	bottom = MAX(n->vma.start - n->gap, low);
	top = MIN(n->vma.start, high);
	if (n->gap >= size && top > bottom && top - bottom >= size) {
		*out = bottom;
		return true;
	}
	return n->vma.end < high && high - n->vma.end >= size &&
	       gap_up(n->right, low, high, size, out);
}

/* The start of the free range above the last VMA, not below @low. */
static uint64_t tail_start(const struct vma_set *set, uint64_t low)
{
	const struct vma *last = list_last(&set->list, struct vma, node);

	return last ? MAX(last->end, low) : low;
}

bool vma_set_gap_down(const struct vma_set *set, uint64_t low, uint64_t high, uint64_t size,
		      uint64_t *out)
{
	uint64_t tail = tail_start(set, low);

	if (tail < high && high - tail >= size) {
		*out = high - size;
		return true;
	}
	return gap_down(set->root, low, high, size, out);
}

bool vma_set_gap_up(const struct vma_set *set, uint64_t low, uint64_t high, uint64_t size,
		    uint64_t *out)
{
	uint64_t tail = tail_start(set, low);

	if (gap_up(set->root, low, high, size, out))
		return true;
	if (tail < high && high - tail >= size) {
		*out = tail;
		return true;
	}
	return false;
}
