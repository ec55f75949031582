/* SPDX-License-Identifier: Apache-2.0 */
/* munmap, mprotect and brk: one host order each, then the set. */
#include "config.h"

#include <errno.h>

#include "sentry/mm/mm_private.h"
#include "sentry/platform/platform.h"

/* --- munmap -------------------------------------------------------------------------- */

static int decode_unmap(struct mm *mm, uint64_t addr, uint64_t size) REQUIRES(mm->lock)
{
	int rc = mm_change_wait(mm, addr, addr + size);
	const struct vma *first;

	if (rc < 0)
		return rc;
	first = vma_set_first_in(&mm->vmas, addr, addr + size);
	if (first && first->start < addr && first->end > addr + size &&
	    mm->vmas.count >= LINUX_MAX_MAP_COUNT)
		return -ENOMEM;
	return mm_range_sealed(mm, addr, addr + size) ? -EPERM : 0;
}

int mm_munmap(struct mm *mm, struct context *ctx, uint64_t addr, uint64_t size)
{
	uint64_t max = platform_address_max().v;
	bool nothing = false;
	struct mm_change c;
	int rc;

	if (!page_aligned(addr) || addr > max || size > max - addr)
		return -EINVAL;
	size = page_up(size);
	if (!size)
		return -EINVAL;
	rc = mm_change_init(&c);
	if (rc < 0)
		return rc;
	mutex_lock(&mm->lock);
	rc = decode_unmap(mm, addr, size);
	if (rc == 0)
		nothing = !vma_set_first_in(&mm->vmas, addr, addr + size);
	if (rc == 0 && !nothing)
		mm_change_begin(mm, &c, addr, addr + size);
	mutex_unlock(&mm->lock);
	if (rc == 0 && !nothing) {
		rc = platform_unmap(ctx, guest_addr(addr), size);
		mutex_lock(&mm->lock);
		if (rc == 0)
			mm_range_remove(mm, &c, addr, addr + size);
		mm_change_end(mm, &c);
		mutex_unlock(&mm->lock);
	}
	mm_change_finish(&c);
	return rc;
}

/* --- brk ------------------------------------------------------------------------------- */

struct brk_request {
	uint64_t addr;	    /* the break asked for */
	uint64_t low, high; /* what is mapped or unmapped; equal: nothing */
	bool grow;
	struct vma like;
};

static bool brk_may_grow(struct mm *mm, const struct mm_limits *limits, struct brk_request *r)
	REQUIRES(mm->lock)
{
	uint64_t max = platform_address_max().v;

	/* a page stays free above, as in Linux */
	if (r->high > max - GUEST_PAGE_SIZE || mm->vmas.count > LINUX_MAX_MAP_COUNT ||
	    vma_set_first_in(&mm->vmas, r->low, r->high + GUEST_PAGE_SIZE))
		return false;
	r->like = (struct vma){ .start = r->low, .end = r->high,
				.prot = LINUX_PROT_READ | LINUX_PROT_WRITE,
				.flags = mm->lock_future, .name = "[heap]",
				.max_prot = LINUX_PROT_READ | LINUX_PROT_WRITE | LINUX_PROT_EXEC };
	if (limits->personality_read_implies_exec)
		r->like.prot |= LINUX_PROT_EXEC;
	if ((r->like.flags & VMA_LOCKED) && !mm_may_lock(mm, limits, r->high - r->low))
		return false;
	return mm_may_expand(mm, limits, r->high - r->low, r->like.prot, r->like.flags);
}

/* True when there is something to do or nothing to change but the number; else the break stays. */
static bool decode_brk(struct mm *mm, const struct mm_limits *limits, struct brk_request *r)
	REQUIRES(mm->lock)
{
	uint64_t new_top, old_top;

	do {
		if (r->addr < mm->brk_start || r->addr > platform_address_max().v)
			return false;
		if (limits->data != UINT64_MAX &&
		    r->addr - mm->brk_start + (mm->end_data - mm->start_data) > limits->data)
			return false;
		new_top = page_up(r->addr);
		old_top = page_up(mm->brk);
		r->grow = new_top > old_top;
		r->low = MIN(new_top, old_top);
		r->high = MAX(new_top, old_top);
		/* One page more on both sides: two changes of the break never run at once. */
		if (mm_change_wait(mm, r->low - GUEST_PAGE_SIZE, r->high + GUEST_PAGE_SIZE) < 0)
			return false;
	} while (old_top != page_up(mm->brk));
	if (r->grow)
		return brk_may_grow(mm, limits, r);
	return !mm_range_sealed(mm, r->low, r->high);
}

static void settle_brk(struct mm *mm, struct mm_change *c, const struct brk_request *r)
	REQUIRES(mm->lock)
{
	if (r->grow)
		mm_range_insert(mm, c, &r->like);
	else
		mm_range_remove(mm, c, r->low, r->high);
	mm->brk = r->addr;
}

uint64_t mm_brk(struct mm *mm, struct context *ctx, const struct mm_limits *limits, uint64_t addr)
{
	struct brk_request r = { .addr = addr };
	struct mm_change c;
	bool change = false;
	uint64_t now;
	int rc;

	if (mm_change_init(&c) < 0)
		r.addr = 0; /* as a query */
	mutex_lock(&mm->lock);
	if (decode_brk(mm, limits, &r)) {
		change = r.low != r.high;
		if (change)
			mm_change_begin(mm, &c, r.low - GUEST_PAGE_SIZE, r.high + GUEST_PAGE_SIZE);
		else
			mm->brk = addr;
	}
	now = mm->brk;
	mutex_unlock(&mm->lock);
	if (change) {
		rc = r.grow ? mm_order_map(ctx, &r.like)
			    : platform_unmap(ctx, guest_addr(r.low), r.high - r.low);
		mutex_lock(&mm->lock);
		if (rc == 0)
			settle_brk(mm, &c, &r);
		now = mm->brk;
		mm_change_end(mm, &c);
		mutex_unlock(&mm->lock);
	}
	mm_change_finish(&c);
	return now;
}
