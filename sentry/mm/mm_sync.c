/* SPDX-License-Identifier: Apache-2.0 */
/*
 * msync and mincore.  Shared memory is the host's page cache, so msync only has to
 * ask the object for durability.  mincore reports what the host's page tables of the
 * stub hold; files are taken to be in the page cache throughout.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "sentry/host/host_procfs.h"
#include "sentry/mm/mm_private.h"
#include "sentry/platform/platform.h"

static int sync_vma(const struct vma *vma, uint64_t start, uint64_t end, int flags)
{
	struct mappable *object = vma->object;

	if ((flags & LINUX_MS_INVALIDATE) && (vma->flags & VMA_LOCKED))
		return -EBUSY;
	if (!(flags & LINUX_MS_SYNC) || !object || !(vma->flags & VMA_SHARED) || !object->ops->sync)
		return 0;
	return object->ops->sync(object, vma->offset + (start - vma->start), end - start);
}

int mm_msync(struct mm *mm, uint64_t addr, uint64_t size, int flags)
{
	uint64_t end, at = addr;
	bool hole = false;
	struct vma vma;

	if (flags & ~(LINUX_MS_ASYNC | LINUX_MS_INVALIDATE | LINUX_MS_SYNC))
		return -EINVAL;
	if (!page_aligned(addr))
		return -EINVAL;
	if ((flags & LINUX_MS_ASYNC) && (flags & LINUX_MS_SYNC))
		return -EINVAL;
	end = addr + page_up(size);
	if (end < addr)
		return -ENOMEM;
	while (at < end && mm_find_vma(mm, at, &vma)) {
		uint64_t start = MAX(vma.start, at), stop = MIN(vma.end, end);
		int rc = start < stop ? sync_vma(&vma, start, stop, flags) : 0;

		mm_vma_release(&vma);
		if (rc < 0)
			return rc;
		hole = hole || start > at;
		at = MAX(start, stop);
	}
	return hole || at < end ? -ENOMEM : 0;
}

/* Fills in [at, *stop), which is cut at the first hole; true: there is none. */
static bool present_pages(struct mm *mm, uint64_t at, uint64_t *stop, uint8_t *present)
{
	size_t count = (*stop - at) >> GUEST_PAGE_SHIFT;
	const struct vma *vma;
	uint64_t hole;
	bool whole;

	if (host_procfs_pages(address_space_host_pid(mm->as), at, count, present) < 0)
		memset(present, HOST_PAGE_PRESENT, count);
	for (size_t i = 0; i < count; i++)
		present[i] &= HOST_PAGE_PRESENT;
	mutex_lock(&mm->lock);
	whole = mm_range_mapped(mm, at, *stop, &hole);
	if (!whole)
		*stop = hole;
	for (vma = vma_set_first_in(&mm->vmas, at, *stop); vma && vma->start < *stop;
	     vma = vma_set_next(&mm->vmas, vma)) {
		uint64_t start = MAX(vma->start, at), end = MIN(vma->end, *stop);

		if (vma->object && !mappable_is_shared_memory(vma->object))
			memset(present + ((start - at) >> GUEST_PAGE_SHIFT), HOST_PAGE_PRESENT,
			       (end - start) >> GUEST_PAGE_SHIFT);
	}
	mutex_unlock(&mm->lock);
	return whole;
}

int mm_mincore(struct mm *mm, uint64_t addr, uint64_t size, guest_addr_t vec)
{
	uint64_t max = platform_address_max().v, at, end;
	uint8_t present[GUEST_PAGE_SIZE];

	if (!page_aligned(addr))
		return -EINVAL;
	if (!guest_range_ok(guest_addr(addr), size))
		return -ENOMEM;
	end = addr + page_up(size);
	if (vec.v > max || (end - addr) >> GUEST_PAGE_SHIFT > max - vec.v)
		return -EFAULT;
	for (at = addr; at < end; vec = guest_add(vec, sizeof(present))) {
		uint64_t stop = MIN(end, at + (sizeof(present) << GUEST_PAGE_SHIFT));
		bool whole = present_pages(mm, at, &stop, present);
		int rc = copy_out(mm, vec, present, (stop - at) >> GUEST_PAGE_SHIFT);

		if (rc < 0)
			return rc;
		if (!whole)
			return -ENOMEM;
		at = stop;
	}
	return 0;
}
