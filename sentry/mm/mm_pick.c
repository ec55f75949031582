/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The address picker: where a mapping without a fixed place goes.  A free hint
 * is taken; otherwise the highest gap below mmap_base, and when that area is
 * full the lowest gap above a third of the address space, as Linux does.  Ranges
 * that are changing count as occupied; if only they are in the way, it waits.
 */
#include "config.h"

#include <errno.h>

#include "sentry/mm/mm_private.h"
#include "sentry/platform/platform.h"

#define LOW_2G_START 0x40000000ULL
#define LOW_2G_END 0x80000000ULL

static bool range_free(struct mm *mm, uint64_t start, uint64_t size) REQUIRES(mm->lock)
{
	return !vma_set_first_in(&mm->vmas, start, start + size) &&
	       !mm_change_overlapping(mm, start, start + size);
}

static bool hint_usable(struct mm *mm, uint64_t hint, uint64_t size, unsigned flags)
	REQUIRES(mm->lock)
{
	uint64_t max = platform_address_max().v;

	if (flags & PICK_LOW_2G)
		max = MIN(max, LOW_2G_END);
	hint = page_up(hint);
	return hint >= platform_address_min().v && size <= max && hint <= max - size &&
	       range_free(mm, hint, size);
}

/* A gap that nothing is changing; false when there is none. */
static bool settled_gap_down(struct mm *mm, uint64_t low, uint64_t high, uint64_t size,
			     uint64_t *out) REQUIRES(mm->lock)
{
	uint64_t at;

	while (vma_set_gap_down(&mm->vmas, low, high, size, &at)) {
		const struct mm_change *c = mm_change_overlapping(mm, at, at + size);

		if (!c) {
			*out = at;
			return true;
		}
		if (c->start <= low)
			return false;
		high = c->start;
	}
	return false;
}

static bool settled_gap_up(struct mm *mm, uint64_t low, uint64_t high, uint64_t size,
			   uint64_t *out) REQUIRES(mm->lock)
{
	uint64_t at;

	while (vma_set_gap_up(&mm->vmas, low, high, size, &at)) {
		const struct mm_change *c = mm_change_overlapping(mm, at, at + size);

		if (!c) {
			*out = at;
			return true;
		}
		low = c->end;
	}
	return false;
}

static bool search(struct mm *mm, uint64_t size, unsigned flags, uint64_t *out)
	REQUIRES(mm->lock)
{
	uint64_t min = platform_address_min().v, max = platform_address_max().v;

	if (flags & PICK_LOW_2G)
		return settled_gap_up(mm, MAX(min, LOW_2G_START), MIN(max, LOW_2G_END), size, out);
	return settled_gap_down(mm, min, mm->mmap_base, size, out) ||
	       settled_gap_up(mm, page_up(max / 3), max, size, out);
}

int mm_pick(struct mm *mm, uint64_t hint, uint64_t size, unsigned flags, uint64_t *out)
{
	uint64_t max = platform_address_max().v;

	if (size > max)
		return -ENOMEM;
	for (;;) {
		int rc = mm_change_wait(mm, 0, 0); /* forks only */

		if (rc < 0)
			return rc;
		if (hint && hint_usable(mm, hint, size, flags)) {
			*out = page_up(hint);
			return 0;
		}
		if (search(mm, size, flags, out))
			return 0;
		if (list_empty(&mm->changes))
			return -ENOMEM;
		rc = mm_change_wait(mm, 0, max);
		if (rc < 0)
			return rc;
	}
}

int mm_find_free(struct mm *mm, uint64_t hint, uint64_t size, uint64_t *out)
{
	int rc;

	mutex_lock(&mm->lock);
	rc = mm_pick(mm, hint, page_up(size), 0, out);
	mutex_unlock(&mm->lock);
	return rc;
}
