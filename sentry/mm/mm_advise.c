/* SPDX-License-Identifier: Apache-2.0 */
/*
 * madvise.  Advice about pages goes to the host, one order for each run without a
 * hole; advice about fork and dumps is kept in the VMAs only (the host is never
 * told: fork's child carries it out); MADV_REMOVE punches the object itself.
 * Order of errors as in Linux: EINVAL for the advice, then for the range, then
 * ENOMEM for holes after the rest was advised.
 */
#include "config.h"

#include <errno.h>

#include "sentry/host/host_memory.h"
#include "sentry/mm/mm_private.h"
#include "sentry/platform/platform.h"

enum advice_kind {
	ADVICE_UNKNOWN,
	ADVICE_FLAGS,  /* changes VMA flags */
	ADVICE_HINT,   /* told to the host, whose refusal does not matter */
	ADVICE_ORDER,  /* told to the host, whose answer counts */
	ADVICE_REMOVE,
};

struct advice {
	enum advice_kind kind;
	uint32_t set, clear;	/* VMA flags; ADVICE_FLAGS and the huge page hints */
	uint32_t refuse;	/* VMA flags that make it EINVAL */
	bool private_only;	/* EINVAL on anything but private anonymous memory */
	bool discards;		/* EPERM on sealed memory that cannot be written */
};

static const struct advice advices[] = {
	[LINUX_MADV_NORMAL] = { ADVICE_HINT },
	[LINUX_MADV_RANDOM] = { ADVICE_HINT },
	[LINUX_MADV_SEQUENTIAL] = { ADVICE_HINT },
	[LINUX_MADV_WILLNEED] = { ADVICE_HINT },
	[LINUX_MADV_DONTNEED] = { ADVICE_ORDER, .refuse = VMA_LOCKED, .discards = true },
	[LINUX_MADV_FREE] = { ADVICE_ORDER, .private_only = true, .discards = true },
	[LINUX_MADV_REMOVE] = { ADVICE_REMOVE, .refuse = VMA_LOCKED, .discards = true },
	[LINUX_MADV_DONTFORK] = { ADVICE_FLAGS, .set = VMA_DONTFORK, .discards = true },
	[LINUX_MADV_DOFORK] = { ADVICE_FLAGS, .clear = VMA_DONTFORK },
	[LINUX_MADV_HUGEPAGE] = { ADVICE_HINT, .set = VMA_HUGEPAGE, .clear = VMA_NOHUGEPAGE },
	[LINUX_MADV_NOHUGEPAGE] = { ADVICE_HINT, .set = VMA_NOHUGEPAGE, .clear = VMA_HUGEPAGE },
	[LINUX_MADV_DONTDUMP] = { ADVICE_FLAGS, .set = VMA_DONTDUMP },
	[LINUX_MADV_DODUMP] = { ADVICE_FLAGS, .clear = VMA_DONTDUMP },
	[LINUX_MADV_WIPEONFORK] = { ADVICE_FLAGS, .set = VMA_WIPEONFORK, .private_only = true, .discards = true },
	[LINUX_MADV_KEEPONFORK] = { ADVICE_FLAGS, .clear = VMA_WIPEONFORK },
	[LINUX_MADV_COLD] = { ADVICE_HINT, .refuse = VMA_LOCKED },
	[LINUX_MADV_PAGEOUT] = { ADVICE_HINT, .refuse = VMA_LOCKED },
	[LINUX_MADV_POPULATE_READ] = { ADVICE_ORDER },
	[LINUX_MADV_POPULATE_WRITE] = { ADVICE_ORDER },
	[LINUX_MADV_DONTNEED_LOCKED] = { ADVICE_ORDER, .discards = true },
};

struct advise_request {
	struct mm *mm;
	struct context *ctx; /* NULL: another process, whose stub takes no hint from here */
	uint64_t start, end;
	int advice; /* LINUX_MADV_* */
	const struct advice *how;
};

/* What could be overwritten or is a file's may be thrown away too. */
static bool seal_forbids(const struct advise_request *r, const struct vma *vma)
{
	return r->how->discards && (vma->flags & VMA_SEALED) && !vma->object &&
	       !(vma->prot & LINUX_PROT_WRITE);
}

static int check_vma(const struct advise_request *r, const struct vma *vma)
{
	if (seal_forbids(r, vma))
		return -EPERM;
	if (vma->flags & r->how->refuse)
		return -EINVAL;
	if (r->how->private_only && (vma->object || (vma->flags & VMA_SHARED)))
		return -EINVAL;
	return 0;
}

/* The run from *at: up to the first hole or the first VMA that refuses (*rc). */
static uint64_t next_run(struct advise_request *r, uint64_t at, bool *hole, int *rc)
	REQUIRES(r->mm->lock)
{
	const struct vma *vma = vma_set_find(&r->mm->vmas, at);

	while (vma && vma->start <= at) {
		*rc = check_vma(r, vma);
		if (*rc < 0)
			return at;
		at = MIN(vma->end, r->end);
		if (at == r->end)
			return at;
		vma = vma_set_next(&r->mm->vmas, vma);
	}
	*hole = true;
	return at;
}

static uint64_t skip_hole(struct advise_request *r, uint64_t at) REQUIRES(r->mm->lock)
{
	const struct vma *vma = vma_set_find(&r->mm->vmas, at);

	return vma ? MIN(MAX(vma->start, at), r->end) : r->end;
}

/* What the run [start, end) gets: called without the lock. */
static int order_run(struct advise_request *r, uint64_t start, uint64_t end)
{
	int advice = r->advice, rc;

	if (!r->ctx)
		return 0;
	if (advice == LINUX_MADV_DONTNEED_LOCKED)
		advice = LINUX_MADV_DONTNEED; /* guest locks are not the host's */
	rc = platform_advise(r->ctx, guest_addr(start), end - start, advice);
	/* a hole that opened meanwhile is reported; a hint the host does not take is not */
	return r->how->kind == ADVICE_HINT && rc != -ENOMEM ? 0 : rc;
}

/* Runs up to the end; each is looked up under the lock and ordered without it. */
static int advise_runs(struct advise_request *r)
{
	bool hole = false;
	uint64_t at = r->start;

	atomic_fetch_add_explicit(&r->mm->discards, 1, memory_order_relaxed);
	while (at < r->end) {
		uint64_t start, end;
		int refused = 0, rc = 0;

		mutex_lock(&r->mm->lock);
		start = skip_hole(r, at);
		hole = hole || start != at;
		end = start < r->end ? next_run(r, start, &hole, &refused) : start;
		mutex_unlock(&r->mm->lock);
		if (end > start)
			rc = order_run(r, start, end);
		if (rc < 0 || refused < 0)
			return rc < 0 ? rc : refused;
		at = end;
	}
	return hole ? -ENOMEM : 0;
}

/* --- flags ------------------------------------------------------------------------------- */

static int check_flags(struct advise_request *r, bool *hole) REQUIRES(r->mm->lock)
{
	const struct vma *vma;
	uint64_t at = r->start;

	for (vma = vma_set_first_in(&r->mm->vmas, r->start, r->end); vma && vma->start < r->end;
	     vma = vma_set_next(&r->mm->vmas, vma)) {
		int rc = check_vma(r, vma);

		if (rc < 0) {
			r->end = MAX(vma->start, r->start);
			return rc;
		}
		*hole = *hole || vma->start > at;
		at = vma->end;
	}
	*hole = *hole || at < r->end;
	return 0;
}

static int advise_flags(struct advise_request *r)
{
	uint32_t mask = r->how->set | r->how->clear;
	struct mm_change c;
	bool hole = false;
	int rc = mm_change_init(&c), refused;

	if (rc < 0)
		return rc;
	mutex_lock(&r->mm->lock);
	rc = mm_change_wait(r->mm, r->start, r->end);
	if (rc == 0 && r->mm->vmas.count + mm_range_splits(r->mm, r->start, r->end) >
			       LINUX_MAX_MAP_COUNT + 1)
		rc = -ENOMEM;
	if (rc == 0) {
		refused = check_flags(r, &hole);
		mm_range_set(r->mm, &c, r->start, r->end, 0, 0, mask, r->how->set);
		rc = refused < 0 ? refused : hole ? -ENOMEM : 0;
	}
	mutex_unlock(&r->mm->lock);
	mm_change_finish(&c);
	return rc;
}

/* --- MADV_REMOVE --------------------------------------------------------------------------- */

static int remove_from(const struct advise_request *r, const struct vma *vma, uint64_t start,
		       uint64_t end)
{
	uint64_t host_offset;
	int fd, rc;

	if (seal_forbids(r, vma))
		return -EPERM;
	if (vma->flags & VMA_LOCKED)
		return -EINVAL;
	if (!vma->object)
		return -EINVAL;
	if (!(vma->flags & VMA_SHARED) || !(vma->max_prot & LINUX_PROT_WRITE))
		return -EACCES;
	rc = vma->object->ops->host_fd(vma->object, vma->offset + (start - vma->start),
				       end - start, LINUX_PROT_READ | LINUX_PROT_WRITE, true, &fd,
				       &host_offset);
	return rc < 0 ? rc : host_punch_hole(fd, host_offset, end - start);
}

static int advise_remove(struct advise_request *r)
{
	uint64_t at = r->start;
	bool hole = false;
	struct vma vma;

	while (at < r->end && mm_find_vma(r->mm, at, &vma)) {
		uint64_t start = MAX(vma.start, at), end = MIN(vma.end, r->end);
		int rc = start < end ? remove_from(r, &vma, start, end) : 0;

		mm_vma_release(&vma);
		if (rc < 0)
			return rc;
		hole = hole || start > at;
		at = MAX(start, end);
	}
	return hole || at < r->end ? -ENOMEM : 0;
}

int mm_madvise(struct mm *mm, struct context *ctx, uint64_t addr, uint64_t size, int advice)
{
	struct advise_request r = { .mm = mm, .ctx = ctx, .start = addr, .advice = advice };
	int rc;

	if (advice < 0 || (unsigned)advice >= ARRAY_SIZE(advices))
		return -EINVAL;
	r.how = &advices[advice];
	if (r.how->kind == ADVICE_UNKNOWN || !page_aligned(addr))
		return -EINVAL;
	if (size && !page_up(size))
		return -EINVAL;
	r.end = addr + page_up(size);
	if (r.end < addr)
		return -EINVAL;
	if (r.end == addr)
		return 0;
	if (r.how->kind == ADVICE_FLAGS)
		return advise_flags(&r);
	if (r.how->kind == ADVICE_REMOVE)
		return advise_remove(&r);
	if (r.how->set) {
		rc = advise_flags(&r);
		if (rc < 0)
			return rc;
	}
	return advise_runs(&r);
}
