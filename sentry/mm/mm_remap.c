/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mremap: shrink, grow in place, move, duplicate (old size 0).  Pages move by the
 * platform's remap, which keeps private copies; growth of an object's mapping is
 * a fresh mapping of that object's own descriptor, so nothing but its own bytes
 * can appear.  The host may have split what is one VMA here: a move that it
 * refuses for that reason is done in halves.
 */
#include "config.h"

#include <errno.h>

#include "sentry/mm/mm_private.h"
#include "sentry/platform/platform.h"

struct remap {
	struct mm *mm;
	struct context *ctx;
	const struct mm_limits *limits;
	uint64_t old, old_size, to, new_size;
	bool fixed, retry;
	bool keep; /* MREMAP_DONTUNMAP: the source stays, empty */
	struct vma vma; /* copy of the VMA at old, with a reference on its object */
};

/* --- decode --------------------------------------------------------------------------- */

static int check_resize(struct remap *r, const struct vma *vma) REQUIRES(r->mm->lock)
{
	uint64_t grow, offset;

	if (vma->flags & VMA_SEALED)
		return -EPERM;
	if (r->old_size == 0 && !(vma->flags & VMA_SHARED))
		return -EINVAL;
	if (r->old_size > vma->end - r->old)
		return -EFAULT;
	if (r->keep)
		return mm_may_expand(r->mm, r->limits, r->old_size, vma->prot, vma->flags) ? 0 : -ENOMEM;
	if (r->new_size <= r->old_size)
		return 0;
	grow = r->new_size - r->old_size;
	if (add_overflows(vma->offset + (r->old - vma->start), r->new_size, &offset))
		return -EINVAL;
	if ((vma->flags & VMA_LOCKED) && !mm_may_lock(r->mm, r->limits, grow))
		return -EAGAIN;
	return mm_may_expand(r->mm, r->limits, grow, vma->prot, vma->flags) ? 0 : -ENOMEM;
}

static bool expandable(const struct remap *r, const struct vma *vma) REQUIRES(r->mm->lock)
{
	uint64_t end = r->old + r->new_size, max = platform_address_max().v;

	return r->old_size == vma->end - r->old && end > r->old && end <= max &&
	       !vma_set_first_in(&r->mm->vmas, vma->end, end) &&
	       !mm_change_overlapping(r->mm, vma->end, end);
}

/* What holds of a new address, be it exact or a hint. */
static int check_target(const struct remap *r, bool may_move)
{
	if (!page_aligned(r->to) || r->to > platform_address_max().v - r->new_size)
		return -EINVAL;
	if (!may_move || (r->keep && r->old_size != r->new_size))
		return -EINVAL;
	if (r->old + r->old_size > r->to && r->to + r->new_size > r->old)
		return -EINVAL;
	return 0;
}

/* --- orders ----------------------------------------------------------------------------- */

/* Moves @size bytes; in halves where the host's VMAs end inside. */
static int order_move(struct context *ctx, uint64_t from, uint64_t to, uint64_t size)
{
	int rc = platform_remap(ctx, guest_addr(from), size, guest_addr(to), size);
	uint64_t half = page_down(size / 2);

	if (rc != -EFAULT || half == 0)
		return rc;
	rc = order_move(ctx, from, to, half);
	if (rc < 0)
		return rc;
	rc = order_move(ctx, from + half, to + half, size - half);
	if (rc < 0 && order_move(ctx, to, from, half) < 0)
		return -EFAULT;
	return rc;
}

/* What the moved range looks like at its new place, @skip bytes in. */
static struct vma moved_vma(const struct remap *r, uint64_t skip, uint64_t size)
{
	struct vma vma = r->vma;

	vma.start = r->to + skip;
	vma.end = vma.start + size;
	vma.offset = vma.object ? r->vma.offset + (r->old - r->vma.start) + skip : 0;
	return vma;
}

static int order_grow(struct remap *r, uint64_t to)
{
	struct vma tail;

	r->to = to;
	tail = moved_vma(r, r->old_size, r->new_size - r->old_size);
	return mm_order_map(r->ctx, &tail);
}

/* The source's pages have gone; what a first touch finds there is fresh. */
static int order_renew(struct remap *r)
{
	struct vma source = r->vma;
	int rc;

	source.start = r->old;
	source.end = r->old + r->old_size;
	source.offset = source.object ? r->vma.offset + (r->old - r->vma.start) : 0;
	rc = mm_order_map(r->ctx, &source);
	if (rc < 0 && order_move(r->ctx, r->to, r->old, r->old_size) < 0)
		return -EFAULT; /* the pages stay at the new place, without a VMA */
	return rc;
}

static int order_relocate(struct remap *r)
{
	int rc = 0;

	if (r->old_size)
		rc = order_move(r->ctx, r->old, r->to, MIN(r->old_size, r->new_size));
	if (rc == 0 && r->keep)
		return order_renew(r);
	if (rc < 0 || r->new_size <= r->old_size)
		return rc;
	rc = order_grow(r, r->to);
	if (rc < 0 && r->old_size && order_move(r->ctx, r->to, r->old, r->old_size) < 0)
		return -EFAULT; /* the pages stay at the new place, without a VMA */
	return rc;
}

/* --- phases ------------------------------------------------------------------------------ */

static int grow_in_place(struct remap *r, struct mm_change *c)
{
	int rc = order_grow(r, r->old);

	mutex_lock(&r->mm->lock);
	if (rc == 0) {
		struct vma tail = moved_vma(r, r->old_size, r->new_size - r->old_size);

		mm_range_insert(r->mm, c, &tail);
	}
	mm_change_end(r->mm, c);
	mutex_unlock(&r->mm->lock);
	return rc;
}

static int relocate(struct remap *r, struct mm_change *from, struct mm_change *to, bool replaces)
{
	bool cleared = false;
	struct vma vma;
	int rc = 0;

	/* The target goes first, as in Linux; a failure behind this leaves it unmapped. */
	if (replaces) {
		rc = platform_unmap(r->ctx, guest_addr(r->to), r->new_size);
		cleared = rc == 0;
	}
	if (rc == 0)
		rc = order_relocate(r);
	vma = moved_vma(r, 0, r->new_size);
	mutex_lock(&r->mm->lock);
	if (cleared)
		mm_range_remove(r->mm, to, r->to, r->to + r->new_size);
	if (rc == 0) {
		if (r->keep)
			mm_range_set(r->mm, from, r->old, r->old + r->old_size, 0, 0, VMA_LOCKED, 0);
		else
			mm_range_remove(r->mm, from, r->old, r->old + r->old_size);
		mm_range_insert(r->mm, to, &vma);
	}
	mm_change_end(r->mm, from);
	mm_change_end(r->mm, to);
	mutex_unlock(&r->mm->lock);
	return rc;
}

/* Waits until neither range is changing. */
static int wait_both(struct remap *r) REQUIRES(r->mm->lock)
{
	int rc;

	do {
		rc = mm_change_wait(r->mm, r->old, r->old + r->old_size);
		if (rc == 0)
			rc = mm_change_wait(r->mm, r->to, r->to + r->new_size);
	} while (rc == 0 && mm_change_overlapping(r->mm, r->old, r->old + r->old_size));
	return rc;
}

static int copy_source(struct remap *r) REQUIRES(r->mm->lock)
{
	struct vma *vma = vma_set_first_in(&r->mm->vmas, r->old, r->old + 1);

	if (!vma)
		return -EFAULT;
	r->vma = *vma;
	list_node_init(&r->vma.node);
	if (vma->object)
		vma->object->ops->get(vma->object);
	return 0;
}

enum plan { PLAN_NOTHING, PLAN_GROW, PLAN_MOVE };

/* Decides under the lock; on success the changes are begun. */
static int decode_resize(struct remap *r, bool may_move, struct mm_change *from,
			 struct mm_change *to, enum plan *plan) REQUIRES(r->mm->lock)
{
	const struct vma *vma;
	int rc;

	if (r->fixed) {
		rc = wait_both(r);
		if (rc == 0 && mm_range_sealed(r->mm, r->to, r->to + r->new_size))
			rc = -EPERM;
	} else {
		rc = mm_change_wait(r->mm, r->old, r->old + MAX(r->old_size, 1));
	}
	vma = vma_set_first_in(&r->mm->vmas, r->old, r->old + 1);
	if (rc == 0)
		rc = vma ? check_resize(r, vma) : -EFAULT;
	if (rc < 0)
		return rc;
	if (!r->fixed && !r->keep && expandable(r, vma)) {
		*plan = PLAN_GROW;
		mm_change_begin(r->mm, from, r->old + r->old_size, r->old + r->new_size);
		return copy_source(r);
	}
	if (!may_move)
		return -ENOMEM;
	if (r->mm->vmas.count + 2 >= LINUX_MAX_MAP_COUNT)
		return -ENOMEM;
	if (!r->fixed) {
		rc = mm_pick(r->mm, r->to, r->new_size, 0, &r->to);
		if (rc < 0)
			return rc;
		/* the picker may have waited; the source must still be settled and the same */
		vma = vma_set_first_in(&r->mm->vmas, r->old, r->old + 1);
		if (!vma || mm_change_overlapping(r->mm, r->old, r->old + MAX(r->old_size, 1)) ||
		    check_resize(r, vma) < 0) {
			r->retry = true;
			return -EAGAIN;
		}
	}
	*plan = PLAN_MOVE;
	rc = copy_source(r);
	if (rc < 0)
		return rc;
	mm_change_begin(r->mm, from, r->old, r->old + r->old_size);
	mm_change_begin(r->mm, to, r->to, r->to + r->new_size);
	return 0;
}

static int resize(struct remap *r, bool may_move, uint64_t *out)
{
	enum plan plan = PLAN_NOTHING;
	struct mm_change from, to;
	bool replaces = false;
	int rc = mm_change_init(&from);

	if (rc < 0)
		return rc;
	rc = mm_change_init(&to);
	if (rc < 0) {
		mm_change_finish(&from);
		return rc;
	}
	mutex_lock(&r->mm->lock);
	rc = decode_resize(r, may_move, &from, &to, &plan);
	if (rc == 0 && plan == PLAN_MOVE)
		replaces = vma_set_first_in(&r->mm->vmas, r->to, r->to + r->new_size);
	mutex_unlock(&r->mm->lock);
	if (rc == 0)
		rc = plan == PLAN_GROW ? grow_in_place(r, &from)
				       : relocate(r, &from, &to, replaces);
	if (rc == 0)
		*out = plan == PLAN_GROW ? r->old : r->to;
	mm_vma_release(&r->vma);
	mm_change_finish(&from);
	mm_change_finish(&to);
	return rc;
}

static int check_source(struct remap *r)
{
	struct vma vma;
	bool found = mm_find_vma(r->mm, r->old, &vma);
	bool holds = found && vma.start <= r->old;
	bool sealed = holds && (vma.flags & VMA_SEALED);

	if (found)
		mm_vma_release(&vma);
	if (sealed)
		return -EPERM;
	return holds ? 0 : -EFAULT;
}

static int remap_fixed(struct remap *r, uint64_t *out)
{
	int rc = r->to < platform_address_min().v ? -EPERM : 0;

	/* before the source loses its end */
	mutex_lock(&r->mm->lock);
	if (rc == 0 && mm_range_sealed(r->mm, r->to, r->to + r->new_size))
		rc = -EPERM;
	mutex_unlock(&r->mm->lock);
	if (rc == 0 && r->old_size > r->new_size) {
		rc = mm_munmap(r->mm, r->ctx, r->old + r->new_size, r->old_size - r->new_size);
		r->old_size = r->new_size;
	}
	return rc < 0 ? rc : resize(r, true, out);
}

int mm_mremap(struct mm *mm, struct context *ctx, const struct mm_limits *limits, uint64_t addr,
	      uint64_t old_size, uint64_t new_size, int flags, uint64_t new_addr, uint64_t *out)
{
	struct remap r = { .mm = mm, .ctx = ctx, .limits = limits, .old = addr,
			   .old_size = page_up(old_size), .new_size = page_up(new_size) };
	int rc;

	if (flags & ~(LINUX_MREMAP_FIXED | LINUX_MREMAP_MAYMOVE | LINUX_MREMAP_DONTUNMAP))
		return -EINVAL;
	if (!page_aligned(addr) || !r.new_size || r.new_size > platform_address_max().v)
		return -EINVAL;
	r.fixed = flags & LINUX_MREMAP_FIXED;
	r.keep = flags & LINUX_MREMAP_DONTUNMAP;
	if (r.fixed || r.keep) {
		r.to = new_addr;
		rc = check_target(&r, flags & LINUX_MREMAP_MAYMOVE);
		if (rc < 0)
			return rc;
	}
	rc = check_source(&r);
	if (rc < 0)
		return rc;
	if (r.fixed)
		return remap_fixed(&r, out);
	if (r.old_size >= r.new_size && !r.keep) {
		if (r.old_size > r.new_size)
			rc = mm_munmap(mm, ctx, addr + r.new_size, r.old_size - r.new_size);
		if (rc == 0)
			*out = addr;
		return rc;
	}
	do {
		r.to = r.keep ? new_addr : 0;
		r.retry = false;
		rc = resize(&r, flags & LINUX_MREMAP_MAYMOVE, out);
	} while (r.retry);
	return rc;
}
