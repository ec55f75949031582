/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copies between guest memory and the sentry.  Each guest byte is fetched once
 * into private memory, checked there, and used from there.  All results must be
 * checked; -EFAULT means that not everything was copied.  No lock may be held.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "sentry/abi/guest_addr.h"
#include "util/compiler.h"

struct mm;

/*
 * Asked once when an access fails at @addr: true when it did something (grew a
 * stack, answered a userfault) that makes another try worthwhile.  Set at boot.
 */
typedef bool (*usercopy_fault_fn)(struct mm *mm, guest_addr_t addr, bool write);
void usercopy_set_fault_handler(usercopy_fault_fn fn);

/*
 * Asked before a page or more is written to [addr, addr + size), which may not be guest memory: the
 * guest's own thread may be made to have the pages first.  False: the process is dead.  Set at boot.
 */
typedef bool (*usercopy_room_fn)(struct mm *mm, guest_addr_t addr, size_t size);
void usercopy_set_room_handler(usercopy_room_fn fn);

/* Whether an access may be tried at all: what Linux calls access_ok.  A first check, of calls
 * that return -EFAULT for such a range whatever else is wrong. */
bool guest_range_ok(guest_addr_t addr, uint64_t size);

int copy_in(struct mm *mm, void *dst, guest_addr_t src, size_t size) MUST_CHECK;
int copy_out(struct mm *mm, guest_addr_t dst, const void *src, size_t size) MUST_CHECK;
int clear_out(struct mm *mm, guest_addr_t dst, size_t size) MUST_CHECK;
/* As much as possible: bytes moved, or -EFAULT when none of size > 0. */
ssize_t copy_in_partial(struct mm *mm, void *dst, guest_addr_t src, size_t size) MUST_CHECK;
ssize_t copy_out_partial(struct mm *mm, guest_addr_t dst, const void *src, size_t size) MUST_CHECK;
/*
 * The same without the fault handler: of memory that is looked at from afar, where Linux pins pages, and
 * by who has a change of these pages under way, for whose end the handler would wait.
 */
ssize_t copy_in_no_fault(struct mm *mm, void *dst, guest_addr_t src, size_t size) MUST_CHECK;
ssize_t copy_out_no_fault(struct mm *mm, guest_addr_t dst, const void *src, size_t size) MUST_CHECK;

/*
 * A NUL-terminated string into @dst (capacity @size, always terminated):
 * its length without the NUL, -ENAMETOOLONG when no NUL within @size, -EFAULT.
 */
ssize_t copy_in_str(struct mm *mm, char *dst, guest_addr_t src, size_t size) MUST_CHECK;
/* A path of at most LINUX_PATH_MAX; caller frees.  -EFAULT, -ENAMETOOLONG, -ENOMEM. */
int copy_in_path(struct mm *mm, guest_addr_t src, char **out) MUST_CHECK;

static inline MUST_CHECK int copy_in_u32(struct mm *mm, uint32_t *dst, guest_addr_t src)
{
	return copy_in(mm, dst, src, sizeof(*dst));
}

static inline MUST_CHECK int copy_in_u64(struct mm *mm, uint64_t *dst, guest_addr_t src)
{
	return copy_in(mm, dst, src, sizeof(*dst));
}

static inline MUST_CHECK int copy_out_u32(struct mm *mm, guest_addr_t dst, uint32_t value)
{
	return copy_out(mm, dst, &value, sizeof(value));
}

static inline MUST_CHECK int copy_out_u64(struct mm *mm, guest_addr_t dst, uint64_t value)
{
	return copy_out(mm, dst, &value, sizeof(value));
}

/*
 * struct io_iter: where the bytes of a read or write go to or come from: guest
 * memory (one buffer or an iovec) or sentry memory (kernel-internal I/O: exec,
 * overlay copy-up, sendfile).
 */
struct guest_iovec {
	uint64_t base;
	uint64_t size;
};

struct io_iter {
	struct mm *mm;			/* NULL: sentry memory */
	const struct guest_iovec *segments; /* guest */
	uint32_t segment_count;
	uint64_t segment_offset;	/* within segments[0] */
	char *buffer;			/* sentry memory, when mm is NULL */
	uint64_t count;			/* bytes left */
	bool quiet;			/* a broken pipe is no signal: RWF_NOSIGNAL */
	struct guest_iovec single;	/* storage for one-buffer iterators; do not copy the iter then */
};

#define IO_MAX_COUNT 0x7ffff000ULL /* MAX_RW_COUNT */

/* @size is clamped to IO_MAX_COUNT as Linux does. */
void io_iter_init_guest(struct io_iter *it, struct mm *mm, guest_addr_t addr, uint64_t size);
void io_iter_init_buffer(struct io_iter *it, void *buffer, uint64_t size);
/*
 * An iovec array whose memory may be another's: count <= 1024 and sizes are checked (-EINVAL), addresses
 * are not.  *segments is malloc'ed and the caller's.
 */
int guest_iovec_read(struct mm *mm, guest_addr_t iov, uint64_t count,
		     struct guest_iovec **segments) MUST_CHECK;
/*
 * Imports an iovec array (count <= 1024, sizes checked: -EINVAL).  *segments is
 * malloc'ed and owned by the caller, who frees it after use of the iter.
 */
int io_iter_init_iovec(struct io_iter *it, struct mm *mm, guest_addr_t iov, uint64_t count,
		       struct guest_iovec **segments) MUST_CHECK;
/* Move up to @size bytes and advance; the number moved (short at the end or at a
 * fault), or -EFAULT when nothing could be moved. */
ssize_t io_iter_copy_to(struct io_iter *it, const void *src, size_t size) MUST_CHECK;
ssize_t io_iter_copy_from(struct io_iter *it, void *dst, size_t size) MUST_CHECK;
ssize_t io_iter_zero(struct io_iter *it, size_t size) MUST_CHECK;

/* Skips @size bytes, at most count. */
static inline void io_iter_advance(struct io_iter *it, uint64_t size)
{
	it->count -= size;
	if (!it->mm) {
		it->buffer += size;
		return;
	}
	it->segment_offset += size;
	while (it->segment_count > 1 && it->segment_offset >= it->segments[0].size) {
		it->segment_offset -= it->segments[0].size;
		it->segments++;
		it->segment_count--;
	}
}
