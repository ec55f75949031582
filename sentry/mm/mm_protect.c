/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mprotect.  The range up to the first hole or the first VMA that does not allow
 * the protection is changed with one host order; then the error is reported, as
 * in Linux.  An order that fails half-way is undone VMA by VMA.
 */
#include "config.h"

#include <errno.h>

#include "sentry/mm/mm_private.h"
#include "sentry/platform/platform.h"

#define ALL_PROT (LINUX_PROT_READ | LINUX_PROT_WRITE | LINUX_PROT_EXEC)

struct protect_request {
	uint64_t start, end;
	int prot;
	bool grows_down;
	bool change;	  /* some page has another protection now */
	uint64_t applies; /* the order covers [start, applies) */
	int result;	  /* what the call returns once that is done */
};

static int decode_first(struct mm *mm, struct protect_request *r) REQUIRES(mm->lock)
{
	const struct vma *vma = vma_set_find(&mm->vmas, r->start);

	if (!vma)
		return -ENOMEM;
	if (r->grows_down) {
		if (vma->start >= r->end)
			return -ENOMEM;
		if (!(vma->flags & VMA_GROWSDOWN))
			return -EINVAL;
		r->start = vma->start;
		return 0;
	}
	return vma->start > r->start ? -ENOMEM : 0;
}

static int check_vma(const struct mm *mm, const struct vma *vma, int prot)
{
	if ((prot & ~vma->max_prot) || mm_denies_exec(mm, vma->prot, prot))
		return -EACCES;
	return vma->flags & VMA_SEALED ? -EPERM : 0;
}

/* How far the order may go, and what stops it. */
static void decode_extent(struct mm *mm, struct protect_request *r) REQUIRES(mm->lock)
{
	const struct vma *vma = vma_set_find(&mm->vmas, r->start);
	uint64_t at = r->start;

	for (;;) {
		if (!vma || vma->start > at) {
			r->result = -ENOMEM;
			break;
		}
		r->result = check_vma(mm, vma, r->prot);
		if (r->result < 0)
			break;
		if (vma->prot != r->prot)
			r->change = true;
		at = vma->end;
		if (at >= r->end) {
			at = r->end;
			break;
		}
		vma = vma_set_next(&mm->vmas, vma);
	}
	r->applies = at;
}

static int decode(struct mm *mm, struct protect_request *r) REQUIRES(mm->lock)
{
	int rc = mm_change_wait(mm, r->start, r->end);

	if (rc == 0)
		rc = decode_first(mm, r);
	if (rc == 0 && r->grows_down) /* the start moved */
		rc = mm_change_wait(mm, r->start, r->end);
	if (rc < 0)
		return rc;
	decode_extent(mm, r);
	if (mm->vmas.count + mm_range_splits(mm, r->start, r->applies) > LINUX_MAX_MAP_COUNT + 1)
		return -ENOMEM;
	return 0;
}

/* The set still has the old protections. */
static void undo(struct mm *mm, struct context *ctx, const struct protect_request *r)
{
	uint64_t at = r->start;
	struct vma vma;

	while (at < r->applies && mm_find_vma(mm, at, &vma)) {
		uint64_t start = MAX(vma.start, r->start), end = MIN(vma.end, r->applies);

		if (start < end &&
		    platform_protect(ctx, guest_addr(start), end - start, vma.prot) < 0)
			end = r->applies; /* nothing left to try */
		at = end;
		mm_vma_release(&vma);
	}
}

static int order_and_settle(struct mm *mm, struct context *ctx, struct mm_change *c,
			    struct protect_request *r)
{
	int rc = platform_protect(ctx, guest_addr(r->start), r->applies - r->start, r->prot);

	if (rc < 0)
		undo(mm, ctx, r);
	mutex_lock(&mm->lock);
	if (rc == 0)
		mm_range_set(mm, c, r->start, r->applies, ALL_PROT, r->prot, 0, 0);
	mm_change_end(mm, c);
	mutex_unlock(&mm->lock);
	return rc < 0 ? rc : r->result;
}

int mm_mprotect(struct mm *mm, struct context *ctx, uint64_t addr, uint64_t size, int prot)
{
	int grows = prot & (LINUX_PROT_GROWSDOWN | LINUX_PROT_GROWSUP);
	struct protect_request r = { .start = addr };
	struct mm_change c;
	int rc;

	prot &= ~grows;
	if (grows == (LINUX_PROT_GROWSDOWN | LINUX_PROT_GROWSUP) || !page_aligned(addr))
		return -EINVAL;
	if (!size)
		return 0;
	r.end = addr + page_up(size);
	if (r.end <= addr)
		return -ENOMEM;
	if (prot & ~(ALL_PROT | LINUX_PROT_SEM))
		return -EINVAL;
	if (grows == LINUX_PROT_GROWSUP)
		return -EINVAL; /* no VMA grows up here */
	r.prot = prot & ALL_PROT;
	r.grows_down = grows;
	rc = mm_change_init(&c);
	if (rc < 0)
		return rc;
	mutex_lock(&mm->lock);
	rc = decode(mm, &r);
	if (rc == 0 && r.change)
		mm_change_begin(mm, &c, r.start, r.applies);
	mutex_unlock(&mm->lock);
	if (rc == 0)
		rc = r.change ? order_and_settle(mm, ctx, &c, &r) : r.result;
	mm_change_finish(&c);
	return rc;
}
