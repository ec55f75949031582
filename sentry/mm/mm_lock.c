/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mlock, munlock, mlockall, munlockall: policy and accounting.  Nothing is pinned on
 * the host, where a guest could take memory from everyone; what a guest can
 * observe (limits, VmLck, errors, that the pages are there afterwards) is Linux's.
 */
#include "config.h"

#include <errno.h>

#include "sentry/mm/mm_private.h"
#include "sentry/platform/platform.h"

static int may_lock_at_all(const struct mm_limits *limits)
{
	return limits->memlock == 0 && !mm_use_lock_right(limits) ? -EPERM : 0;
}

/* Linux's apply_vma_lock_flags: up to the first hole. */
static int set_locked(struct mm *mm, uint64_t start, uint64_t end, uint32_t locked,
		      const struct mm_limits *limits)
{
	struct mm_change c;
	uint64_t hole = end;
	bool whole;
	int rc = mm_change_init(&c);

	if (rc < 0)
		return rc;
	mutex_lock(&mm->lock);
	rc = mm_change_wait(mm, start, end);
	if (rc == 0 && locked) {
		uint64_t grow = (end - start) -
				(mm_range_pages(mm, start, end).locked << GUEST_PAGE_SHIFT);

		if (!mm_may_lock(mm, limits, end - start) && !mm_may_lock(mm, limits, grow))
			rc = -ENOMEM;
	}
	if (rc == 0 && mm->vmas.count + mm_range_splits(mm, start, end) > LINUX_MAX_MAP_COUNT + 1)
		rc = -ENOMEM;
	if (rc == 0) {
		whole = mm_range_mapped(mm, start, end, &hole);
		mm_range_set(mm, &c, start, whole ? end : hole, 0, 0, VMA_LOCKED, locked);
		rc = whole ? 0 : -ENOMEM;
	}
	mutex_unlock(&mm->lock);
	mm_change_finish(&c);
	return rc;
}

/* The pages that hold [addr, addr + size); 0: none, 1: some, or an error. */
static int page_range(uint64_t addr, uint64_t size, uint64_t *start, uint64_t *end)
{
	*start = page_down(addr);
	*end = *start + page_up(size + (addr - *start));
	if (*end < *start)
		return -EINVAL;
	return *end != *start;
}

/* The mapping at @at or behind it; false: none before @end. */
static bool next_mapping(struct mm *mm, uint64_t at, uint64_t end, struct vma *out)
{
	const struct vma *vma;

	mutex_lock(&mm->lock);
	vma = vma_set_find(&mm->vmas, at);
	if (vma && vma->start < end)
		*out = *vma;
	else
		vma = NULL;
	mutex_unlock(&mm->lock);
	return vma;
}

/* Memory that may be executed only is not the host's to read ahead, so its refusal says nothing. */
static int populate_one(struct context *ctx, uint64_t start, uint64_t end, const struct vma *vma)
{
	bool write = (vma->prot & LINUX_PROT_WRITE) && !(vma->flags & VMA_SHARED);
	int rc;

	if (vma->prot == LINUX_PROT_NONE)
		return -ENOMEM;
	rc = platform_advise(ctx, guest_addr(start), end - start,
			     write ? LINUX_MADV_POPULATE_WRITE : LINUX_MADV_POPULATE_READ);
	return rc == -EFAULT && vma->prot & LINUX_PROT_READ ? -ENOMEM : 0;
}

/* @all: goes on behind what cannot be had, which is no error. */
static int populate(struct mm *mm, struct context *ctx, uint64_t start, uint64_t end, bool all)
{
	struct vma vma;
	int rc = 0;

	while ((rc == 0 || all) && start < end && next_mapping(mm, start, end, &vma)) {
		uint64_t to = MIN(end, vma.end);

		rc = populate_one(ctx, MAX(start, vma.start), to, &vma);
		start = to;
	}
	return all ? 0 : rc;
}

int mm_mlock(struct mm *mm, struct context *ctx, const struct mm_limits *limits, uint64_t addr, uint64_t size,
	     int flags)
{
	uint64_t start, end;
	int rc;

	if (flags & ~LINUX_MLOCK_ONFAULT)
		return -EINVAL;
	rc = may_lock_at_all(limits);
	if (rc < 0)
		return rc;
	rc = page_range(addr, size, &start, &end);
	/* a range that wraps is above any limit, and Linux asks for that first */
	if (rc < 0 && page_up(size + addr % GUEST_PAGE_SIZE) > limits->memlock &&
	    !mm_use_lock_right(limits))
		return -ENOMEM;
	if (rc <= 0)
		return rc;
	rc = set_locked(mm, start, end, VMA_LOCKED, limits);
	return rc < 0 || flags & LINUX_MLOCK_ONFAULT ? rc : populate(mm, ctx, start, end, false);
}

int mm_munlock(struct mm *mm, uint64_t addr, uint64_t size)
{
	uint64_t start, end;
	int rc = page_range(addr, size, &start, &end);

	return rc <= 0 ? rc : set_locked(mm, start, end, 0, NULL);
}

static int set_all(struct mm *mm, uint32_t locked)
{
	struct mm_change c;
	int rc = mm_change_init(&c);

	if (rc < 0)
		return rc;
	mutex_lock(&mm->lock);
	rc = mm_change_wait(mm, 0, UINT64_MAX);
	if (rc == 0)
		mm_range_set(mm, &c, 0, UINT64_MAX & ~(GUEST_PAGE_SIZE - 1), 0, 0, VMA_LOCKED,
			     locked);
	mutex_unlock(&mm->lock);
	mm_change_finish(&c);
	return rc;
}

static void set_future_locked(struct mm *mm, int flags)
{
	mm->lock_future = flags & LINUX_MCL_FUTURE ? VMA_LOCKED : 0;
	mm->lock_on_fault = mm->lock_future && flags & LINUX_MCL_ONFAULT;
}

int mm_mlockall(struct mm *mm, struct context *ctx, const struct mm_limits *limits, int flags)
{
	int rc;

	if (!flags || (flags & ~(LINUX_MCL_CURRENT | LINUX_MCL_FUTURE | LINUX_MCL_ONFAULT)) ||
	    flags == LINUX_MCL_ONFAULT)
		return -EINVAL;
	rc = may_lock_at_all(limits);
	if (rc < 0)
		return rc;
	mutex_lock(&mm->lock);
	if ((flags & LINUX_MCL_CURRENT) &&
	    mm->total_pages > limits->memlock >> GUEST_PAGE_SHIFT && !mm_use_lock_right(limits))
		rc = -ENOMEM;
	else
		set_future_locked(mm, flags);
	mutex_unlock(&mm->lock);
	if (rc < 0 || !(flags & LINUX_MCL_CURRENT))
		return rc;
	rc = set_all(mm, VMA_LOCKED);
	return rc < 0 || flags & LINUX_MCL_ONFAULT ? rc : populate(mm, ctx, 0, UINT64_MAX, true);
}

int mm_munlockall(struct mm *mm)
{
	mutex_lock(&mm->lock);
	set_future_locked(mm, 0);
	mutex_unlock(&mm->lock);
	return set_all(mm, 0);
}
