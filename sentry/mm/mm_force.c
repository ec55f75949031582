/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Access against the protection of a mapping, for debuggers: Linux's FOLL_FORCE.
 *
 * Only what the guest could have given itself by mprotect is done: a private mapping
 * may become writable (the host then copies the page, the file stays as it is), a
 * shared one never.  The page is accessible to the guest's other threads for as long
 * as the copy takes; it is announced as changing, so no other change meets it.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "sentry/mm/mm_private.h"
#include "sentry/platform/platform.h"
#include "util/log.h"

/* Announces the page; *prot is what it has, *wanted what the access needs. */
static int begin_access(struct mm *mm, struct mm_change *c, uint64_t page, bool write, int *prot,
			int *wanted)
{
	int need = write ? LINUX_PROT_READ | LINUX_PROT_WRITE : LINUX_PROT_READ;
	const struct vma *vma;
	int rc;

	mutex_lock(&mm->lock);
	rc = mm_change_wait(mm, page, page + GUEST_PAGE_SIZE);
	vma = rc ? NULL : vma_set_find(&mm->vmas, page);
	if (!rc && (!vma || vma->start > page || (need & ~vma->max_prot) ||
		    (write && (vma->flags & VMA_SHARED) && !(vma->prot & LINUX_PROT_WRITE))))
		rc = -EFAULT;
	if (!rc) {
		*prot = vma->prot;
		*wanted = vma->prot | need;
		mm_change_begin(mm, c, page, page + GUEST_PAGE_SIZE);
	}
	mutex_unlock(&mm->lock);
	return rc;
}

static ssize_t copy_page(struct mm *mm, uint64_t addr, void *buf, size_t size, bool write)
{
	return write ? copy_out_no_fault(mm, guest_addr(addr), buf, size) :
		       copy_in_no_fault(mm, buf, guest_addr(addr), size);
}

/* Within one page. */
static int access_page(struct mm *mm, struct context *ctx, uint64_t addr, void *buf, size_t size,
		       bool write)
{
	guest_addr_t page = guest_addr(page_down(addr));
	int prot = 0, wanted = 0, rc;
	struct mm_change c;

	rc = mm_change_init(&c);
	if (rc)
		return rc;
	rc = begin_access(mm, &c, page.v, write, &prot, &wanted);
	if (!rc) {
		if (prot != wanted)
			rc = platform_protect(ctx, page, GUEST_PAGE_SIZE, wanted);
		if (!rc && copy_page(mm, addr, buf, size, write) != (ssize_t)size)
			rc = -EFAULT;
		if (prot != wanted && platform_protect(ctx, page, GUEST_PAGE_SIZE, prot))
			log_debug("a page's protection did not come back: its process is dying");
		mutex_lock(&mm->lock);
		mm_change_end(mm, &c);
		mutex_unlock(&mm->lock);
	}
	mm_change_finish(&c);
	return rc;
}

int mm_access_forced(struct mm *mm, struct context *ctx, uint64_t addr, void *buf, size_t size,
		     bool write)
{
	char *at = buf;

	while (size) {
		size_t chunk = MIN(size, GUEST_PAGE_SIZE - (addr & (GUEST_PAGE_SIZE - 1)));
		int rc;

		if (addr >= platform_address_max().v)
			return -EFAULT;
		rc = access_page(mm, ctx, addr, at, chunk, write);
		if (rc)
			return rc;
		addr += chunk;
		at += chunk;
		size -= chunk;
	}
	return 0;
}
