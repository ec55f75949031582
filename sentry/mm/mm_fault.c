/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Page faults that the host could not resolve.  Mostly they are the guest's own
 * errors.  Two are not: an access below a mapping that grows down, and one that fell
 * into the moment in which a change had taken a range away to put it back.
 */
#include "config.h"

#include <errno.h>

#include "sentry/mm/mm_private.h"
#include "sentry/platform/platform.h"

#define STACK_GUARD_GAP (256ULL << GUEST_PAGE_SHIFT)
#define ERROR_WRITE 2U
#define ERROR_FETCH 16U

static bool permits(const struct vma *vma, uint64_t error_code)
{
	if (error_code & ERROR_FETCH)
		return vma->prot & LINUX_PROT_EXEC;
	if (error_code & ERROR_WRITE)
		return vma->prot & LINUX_PROT_WRITE;
	return vma->prot != LINUX_PROT_NONE;
}

/* Linux's acct_stack_growth and the guard gap. */
static bool may_grow(struct mm *mm, const struct mm_limits *limits, const struct vma *vma,
		     uint64_t start) REQUIRES(mm->lock)
{
	const struct vma *below = vma_set_prev(&mm->vmas, vma);
	uint64_t grow = vma->start - start;

	if (start < platform_address_min().v || vma->end - start > limits->stack)
		return false;
	if (below && !(below->flags & VMA_GROWSDOWN) && below->prot != LINUX_PROT_NONE &&
	    start - below->end < STACK_GUARD_GAP)
		return false;
	if ((vma->flags & VMA_LOCKED) && !mm_may_lock(mm, limits, grow))
		return false;
	return mm_may_expand(mm, limits, grow, vma->prot, vma->flags);
}

/* 1: to be grown by *piece, whose change is begun. */
static int decode(struct mm *mm, const struct mm_limits *limits, uint64_t addr,
		  uint64_t error_code, struct mm_change *c, struct vma *piece) REQUIRES(mm->lock)
{
	const struct vma *vma;
	int rc;

	do {
		/* As far as the mapping above, which may itself be changing. */
		vma = vma_set_find(&mm->vmas, addr);
		rc = mm_change_wait(mm, addr, vma ? MAX(vma->start, addr) + 1 : addr + 1);
		if (rc < 0)
			return rc;
	} while (vma != vma_set_find(&mm->vmas, addr));
	if (!vma)
		return -EFAULT;
	if (vma->start <= addr)
		return permits(vma, error_code) ? 0 : -EFAULT;
	if (!(vma->flags & VMA_GROWSDOWN) || !may_grow(mm, limits, vma, addr))
		return -EFAULT;
	*piece = *vma;
	list_node_init(&piece->node);
	piece->start = addr;
	piece->end = vma->start;
	mm_change_begin(mm, c, piece->start, piece->end);
	return 1;
}

int mm_fault(struct mm *mm, struct context *ctx, const struct mm_limits *limits, uint64_t addr,
	     uint64_t error_code)
{
	struct mm_change c;
	struct vma piece;
	int rc;

	addr = page_down(addr);
	if (addr >= platform_address_max().v)
		return -EFAULT;
	rc = mm_change_init(&c);
	if (rc < 0)
		return rc;
	mutex_lock(&mm->lock);
	rc = decode(mm, limits, addr, error_code, &c, &piece);
	mutex_unlock(&mm->lock);
	if (rc > 0) {
		rc = platform_fetch_registers(ctx);
		if (rc == 0)
			rc = mm_order_map(ctx, &piece);
		mutex_lock(&mm->lock);
		if (rc == 0)
			mm_range_insert(mm, &c, &piece);
		mm_change_end(mm, &c);
		mutex_unlock(&mm->lock);
		/* As Linux: it grows also for an access that is not allowed. */
		if (rc == 0 && !permits(&piece, error_code))
			rc = -EFAULT;
	}
	mm_change_finish(&c);
	return rc;
}
