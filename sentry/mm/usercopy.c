/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies between guest memory and the sentry, over the platform's remote access.
 * An access that stops early asks the fault handler once about the address it
 * stopped at, and goes on from there when told so; then it is -EFAULT.  Ranges
 * are checked against the guest's part of the address space here, so the stub's own
 * memory is out of reach.  No locks.
 */
#include "config.h"

#include "sentry/mm/usercopy.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/mm/mm.h"
#include "sentry/platform/platform.h"
#include "util/checked.h"
#include "util/cleanup.h"

#define PATH_SIZE_MAX 4096 /* with the NUL */
#define STRING_FIRST_CHUNK 256

static _Atomic(usercopy_fault_fn) fault_handler;
static _Atomic(usercopy_room_fn) room_handler;

void usercopy_set_fault_handler(usercopy_fault_fn fn)
{
	atomic_store(&fault_handler, fn);
}

void usercopy_set_room_handler(usercopy_room_fn fn)
{
	atomic_store(&room_handler, fn);
}

static bool make_room(struct mm *mm, guest_addr_t addr, size_t size)
{
	usercopy_room_fn fn = atomic_load_explicit(&room_handler, memory_order_relaxed);

	return size < GUEST_PAGE_SIZE || !fn || fn(mm, addr, size);
}

static bool fault(struct mm *mm, guest_addr_t addr, bool write)
{
	usercopy_fault_fn fn = atomic_load_explicit(&fault_handler, memory_order_relaxed);

	return fn && fn(mm, addr, write);
}

/* How much of [addr, addr + size) is guest memory at all. */
static size_t clamp_range(guest_addr_t addr, size_t size)
{
	uint64_t max = platform_address_max().v;

	if (addr.v >= max)
		return 0;
	return MIN(size, max - addr.v);
}

static ssize_t finish(size_t done, size_t size)
{
	return done || !size ? (ssize_t)done : -EFAULT;
}

static ssize_t read_guest(struct mm *mm, void *dst, guest_addr_t src, size_t size, bool may_fault)
{
	size_t limit = clamp_range(src, size), done = 0;

	while (done < limit) {
		ssize_t rc = address_space_read(mm->as, guest_add(src, done), (char *)dst + done,
						limit - done);

		if (rc > 0) {
			done += (size_t)rc;
			continue;
		}
		if (!may_fault || !fault(mm, guest_add(src, done), false))
			break;
		may_fault = false;
	}
	return finish(done, size);
}

static ssize_t write_guest(struct mm *mm, guest_addr_t dst, const void *src, size_t size, bool may_fault)
{
	size_t limit = clamp_range(dst, size), done = 0;

	if (!make_room(mm, dst, limit))
		return -EFAULT;
	while (done < limit) {
		ssize_t rc = address_space_write(mm->as, guest_add(dst, done),
						 (const char *)src + done, limit - done);

		if (rc > 0) {
			done += (size_t)rc;
			continue;
		}
		if (!may_fault || !fault(mm, guest_add(dst, done), true))
			break;
		may_fault = false;
	}
	return finish(done, size);
}

ssize_t copy_in_partial(struct mm *mm, void *dst, guest_addr_t src, size_t size)
{
	return read_guest(mm, dst, src, size, true);
}

ssize_t copy_out_partial(struct mm *mm, guest_addr_t dst, const void *src, size_t size)
{
	return write_guest(mm, dst, src, size, true);
}

ssize_t copy_in_no_fault(struct mm *mm, void *dst, guest_addr_t src, size_t size)
{
	return read_guest(mm, dst, src, size, false);
}

ssize_t copy_out_no_fault(struct mm *mm, guest_addr_t dst, const void *src, size_t size)
{
	return write_guest(mm, dst, src, size, false);
}

int copy_in(struct mm *mm, void *dst, guest_addr_t src, size_t size)
{
	ssize_t rc = copy_in_partial(mm, dst, src, size);

	if (rc == (ssize_t)size)
		return 0;
	/* as copy_from_user: no stale bytes behind a fault */
	memset((char *)dst + MAX(rc, 0), 0, size - (size_t)MAX(rc, 0));
	return -EFAULT;
}

int copy_out(struct mm *mm, guest_addr_t dst, const void *src, size_t size)
{
	return copy_out_partial(mm, dst, src, size) == (ssize_t)size ? 0 : -EFAULT;
}

int clear_out(struct mm *mm, guest_addr_t dst, size_t size)
{
	static const char zeroes[GUEST_PAGE_SIZE];

	while (size) {
		size_t chunk = MIN(size, sizeof(zeroes) - (dst.v & (GUEST_PAGE_SIZE - 1)));
		int rc = copy_out(mm, dst, zeroes, chunk);

		if (rc < 0)
			return rc;
		dst = guest_add(dst, chunk);
		size -= chunk;
	}
	return 0;
}

/* At least a byte, and as many as are to be had at once. */
static ssize_t copy_in_some(struct mm *mm, void *dst, guest_addr_t src, size_t size)
{
	size_t limit = clamp_range(src, size);
	ssize_t rc;

	if (limit == 0)
		return -EFAULT;
	rc = address_space_read(mm->as, src, dst, limit);
	if (rc <= 0 && fault(mm, src, false))
		rc = address_space_read(mm->as, src, dst, limit);
	return rc > 0 ? rc : -EFAULT;
}

ssize_t copy_in_str(struct mm *mm, char *dst, guest_addr_t src, size_t size)
{
	size_t done = 0, limit = STRING_FIRST_CHUNK;

	if (size == 0)
		return -ENAMETOOLONG;
	/* A chunk never crosses into the next page: that may be unmapped and not be needed. */
	while (done < size) {
		guest_addr_t at = guest_add(src, done);
		size_t chunk = GUEST_PAGE_SIZE - (at.v & (GUEST_PAGE_SIZE - 1));
		ssize_t rc;
		char *nul;

		chunk = MIN(MIN(chunk, size - done), limit);
		limit = GUEST_PAGE_SIZE;
		rc = copy_in_some(mm, dst + done, at, chunk);
		if (rc < 0) {
			dst[0] = '\0';
			return -EFAULT;
		}
		nul = memchr(dst + done, '\0', (size_t)rc);
		if (nul)
			return nul - dst;
		done += (size_t)rc;
	}
	dst[size - 1] = '\0';
	return -ENAMETOOLONG;
}

int copy_in_path(struct mm *mm, guest_addr_t src, char **out)
{
	char buf[PATH_SIZE_MAX];
	ssize_t length = copy_in_str(mm, buf, src, sizeof(buf));
	char *copy;

	if (length < 0)
		return (int)length;
	copy = malloc((size_t)length + 1);
	if (!copy)
		return -ENOMEM;
	memcpy(copy, buf, (size_t)length + 1);
	*out = copy;
	return 0;
}
