/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes to ranges of the VMA set: splitting, removing, inserting, merging as
 * Linux merges, and the page counts that go with them.  None can fail: nodes
 * come from the change.  All under mm->lock.
 */
#include "config.h"

#include <stddef.h>

#include "sentry/mm/mm_private.h"
#include "util/log.h"

bool vma_is_data(int prot, uint32_t flags)
{
	return (prot & LINUX_PROT_WRITE) && !(flags & (VMA_SHARED | VMA_GROWSDOWN));
}

/* Neither the sharing nor max_prot of a VMA ever changes. */
static void count_writer(const struct vma *vma, int change)
{
	if (vma->flags & VMA_SHARED && vma->max_prot & LINUX_PROT_WRITE &&
	    vma->object->ops->count_writer)
		vma->object->ops->count_writer(vma->object, change);
}

void vma_object_hold(const struct vma *vma)
{
	if (!vma->object)
		return;
	vma->object->ops->get(vma->object);
	count_writer(vma, 1);
}

void vma_object_release(const struct vma *vma)
{
	if (!vma->object)
		return;
	count_writer(vma, -1);
	vma->object->ops->put(vma->object);
}

/* Adds (@sign 1) or takes away (-1) what @vma counts for. */
static void account(struct mm *mm, const struct vma *vma, int sign)
{
	uint64_t pages = (vma_size(vma) >> GUEST_PAGE_SHIFT) * (uint64_t)(int64_t)sign;

	mm->total_pages += pages;
	if (vma->flags & VMA_GROWSDOWN)
		mm->stack_pages += pages;
	if (vma_is_data(vma->prot, vma->flags))
		mm->data_pages += pages;
	if (vma->flags & VMA_LOCKED)
		mm->locked_pages += pages;
}

static struct vma_node *take_spare(struct mm_change *c)
{
	for (unsigned i = 0; i < MM_SPARE_NODES; i++)
		if (c->spare[i])
			return move_ptr(c->spare[i]);
	panic("mm: a change needs more nodes than it has");
}

static void split_at(struct mm *mm, struct mm_change *c, uint64_t addr)
{
	struct vma *vma = vma_set_find(&mm->vmas, addr);
	struct vma_node *upper;

	if (!vma || vma->start >= addr)
		return;
	upper = take_spare(c);
	upper->vma = *vma;
	list_node_init(&upper->vma.node);
	upper->vma.start = addr;
	if (vma->object)
		upper->vma.offset += addr - vma->start;
	vma_object_hold(&upper->vma);
	vma_set_resize(&mm->vmas, vma, vma->start, addr);
	vma_set_insert(&mm->vmas, upper);
}

void mm_range_isolate(struct mm *mm, struct mm_change *c, uint64_t start, uint64_t end)
{
	split_at(mm, c, start);
	split_at(mm, c, end);
}

/* Out of the set, to be freed with the change. */
static void bury(struct mm *mm, struct mm_change *c, struct vma *vma)
{
	vma_set_remove(&mm->vmas, vma_node_of(vma));
	list_add_tail(&c->dead, &vma->node);
}

void mm_range_remove(struct mm *mm, struct mm_change *c, uint64_t start, uint64_t end)
{
	struct vma *vma;

	if (!vma_set_first_in(&mm->vmas, start, end))
		return;
	mm_range_isolate(mm, c, start, end);
	while ((vma = vma_set_first_in(&mm->vmas, start, end))) {
		account(mm, vma, -1);
		bury(mm, c, vma);
	}
}

static bool mergeable(const struct vma *low, const struct vma *high)
{
	return low->end == high->start && low->prot == high->prot && low->flags == high->flags &&
	       low->object == high->object && low->name == high->name &&
	       low->max_prot == high->max_prot &&
	       (!low->object || low->offset + vma_size(low) == high->offset);
}

/* Merges @vma with the one before it; returns the one that remains. */
static struct vma *merge_with_prev(struct mm *mm, struct mm_change *c, struct vma *vma)
{
	struct vma *prev = vma_set_prev(&mm->vmas, vma);
	uint64_t end = vma->end;

	if (!prev || !mergeable(prev, vma))
		return vma;
	bury(mm, c, vma);
	vma_set_resize(&mm->vmas, prev, prev->start, end);
	return prev;
}

static void merge_around(struct mm *mm, struct mm_change *c, struct vma *vma)
{
	struct vma *next;

	vma = merge_with_prev(mm, c, vma);
	next = vma_set_next(&mm->vmas, vma);
	if (next)
		merge_with_prev(mm, c, next);
}

void mm_range_insert(struct mm *mm, struct mm_change *c, const struct vma *like)
{
	struct vma_node *node = take_spare(c);

	node->vma = *like;
	list_node_init(&node->vma.node);
	vma_object_hold(&node->vma);
	vma_set_insert(&mm->vmas, node);
	account(mm, &node->vma, 1);
	merge_around(mm, c, &node->vma);
}

void mm_range_set(struct mm *mm, struct mm_change *c, uint64_t start, uint64_t end, int prot_mask,
		  int prot, uint32_t flag_mask, uint32_t flags)
{
	struct vma *vma, *next;

	if (start >= end)
		return;
	mm_range_isolate(mm, c, start, end);
	for (vma = vma_set_first_in(&mm->vmas, start, end); vma && vma->start < end;
	     vma = vma_set_next(&mm->vmas, vma)) {
		account(mm, vma, -1);
		vma->prot = (vma->prot & ~prot_mask) | (prot & prot_mask);
		vma->flags = (vma->flags & ~flag_mask) | (flags & flag_mask);
		account(mm, vma, 1);
	}
	for (vma = vma_set_first_in(&mm->vmas, start, end); vma && vma->start <= end; vma = next) {
		vma = merge_with_prev(mm, c, vma);
		next = vma_set_next(&mm->vmas, vma);
	}
}

bool mm_range_mapped(struct mm *mm, uint64_t start, uint64_t end, uint64_t *hole)
{
	struct vma *vma = vma_set_find(&mm->vmas, start);

	while (vma && vma->start <= start) {
		start = vma->end;
		if (start >= end)
			return true;
		vma = vma_set_next(&mm->vmas, vma);
	}
	*hole = start;
	return false;
}

bool mm_range_sealed(struct mm *mm, uint64_t start, uint64_t end)
{
	const struct vma *vma = vma_set_first_in(&mm->vmas, start, end);

	for (; vma && vma->start < end; vma = vma_set_next(&mm->vmas, vma))
		if (vma->flags & VMA_SEALED)
			return true;
	return false;
}

unsigned mm_range_splits(struct mm *mm, uint64_t start, uint64_t end)
{
	const struct vma *first = vma_set_first_in(&mm->vmas, start, end);
	const struct vma *last = vma_set_find(&mm->vmas, end);

	return (first && first->start < start) + (last && last->start < end);
}

struct range_pages mm_range_pages(struct mm *mm, uint64_t start, uint64_t end)
{
	struct range_pages sum = { 0 };
	const struct vma *vma = vma_set_first_in(&mm->vmas, start, end);

	for (; vma && vma->start < end; vma = vma_set_next(&mm->vmas, vma)) {
		uint64_t pages = (MIN(vma->end, end) - MAX(vma->start, start)) >> GUEST_PAGE_SHIFT;

		sum.total += pages;
		if (vma_is_data(vma->prot, vma->flags))
			sum.data += pages;
		if (vma->flags & VMA_LOCKED)
			sum.locked += pages;
	}
	return sum;
}

bool mm_may_expand(const struct mm *mm, const struct mm_limits *limits, uint64_t grow, int prot,
		   uint32_t flags)
{
	uint64_t pages = grow >> GUEST_PAGE_SHIFT;

	if (mm->total_pages + pages > limits->address_space >> GUEST_PAGE_SHIFT)
		return false;
	return !vma_is_data(prot, flags) ||
	       mm->data_pages + pages <= limits->data >> GUEST_PAGE_SHIFT;
}

bool mm_use_lock_right(const struct mm_limits *limits)
{
	if (limits->use_lock_right)
		limits->use_lock_right();
	return limits->use_lock_right;
}

bool mm_may_lock(const struct mm *mm, const struct mm_limits *limits, uint64_t grow)
{
	return mm->locked_pages + (grow >> GUEST_PAGE_SHIFT) <= limits->memlock >> GUEST_PAGE_SHIFT ||
	       mm_use_lock_right(limits);
}

bool mm_is_mapped(struct mm *mm, uint64_t start, uint64_t end, bool partly)
{
	const struct vma *first;
	bool mapped;
	uint64_t hole;

	mutex_lock(&mm->lock);
	first = vma_set_first_in(&mm->vmas, start, end);
	mapped = partly ? first && first->start < end : mm_range_mapped(mm, start, end, &hole);
	mutex_unlock(&mm->lock);
	return mapped;
}
