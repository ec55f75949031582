/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a process does to harden itself: mseal, and PR_SET_MDWE's rule.  Both are
 * about the guest's system calls: they are kept here and the host is not told.
 */
#include "config.h"

#include <errno.h>

#include "sentry/abi/prctl.h"
#include "sentry/mm/mm_private.h"

bool mm_denies_exec(const struct mm *mm, int old, int prot)
{
	if (!(atomic_load(&mm->mdwe) & LINUX_PR_MDWE_REFUSE_EXEC_GAIN) ||
	    !(prot & LINUX_PROT_EXEC))
		return false;
	return (prot & LINUX_PROT_WRITE) || !(old & LINUX_PROT_EXEC);
}

/* @seal: VMA_SEALED or 0. */
static int set_seal(struct mm *mm, struct mm_change *c, uint64_t start, uint64_t end, uint32_t seal)
	REQUIRES(mm->lock)
{
	uint64_t hole;
	int rc = mm_change_wait(mm, start, end);

	if (rc < 0)
		return rc;
	if (!mm_range_mapped(mm, start, end, &hole))
		return -ENOMEM;
	if (mm->vmas.count + mm_range_splits(mm, start, end) > LINUX_MAX_MAP_COUNT + 1)
		return -ENOMEM;
	mm_range_set(mm, c, start, end, 0, 0, VMA_SEALED, seal);
	return 0;
}

static int change_seal(struct mm *mm, uint64_t start, uint64_t end, uint32_t seal)
{
	struct mm_change c;
	int rc = mm_change_init(&c);

	if (rc < 0)
		return rc;
	mutex_lock(&mm->lock);
	rc = set_seal(mm, &c, start, end, seal);
	mutex_unlock(&mm->lock);
	mm_change_finish(&c);
	return rc;
}

int mm_mseal(struct mm *mm, uint64_t addr, uint64_t size, uint64_t flags)
{
	uint64_t end = addr + page_up(size);

	if (flags || !page_aligned(addr) || (size && !page_up(size)) || end < addr)
		return -EINVAL;
	return end == addr ? 0 : change_seal(mm, addr, end, VMA_SEALED);
}

int mm_unseal(struct mm *mm, const struct vma *vma)
{
	return vma->flags & VMA_SEALED ? change_seal(mm, vma->start, vma->end, 0) : 0;
}
