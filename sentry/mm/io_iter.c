/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct io_iter: the memory side of a read or write.  An iterator belongs to
 * one thread; guest segments were bounded when it was made, and a fault in the
 * middle shortens the transfer as in Linux.  No locks.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/mm/mm.h"
#include "sentry/mm/usercopy.h"
#include "util/checked.h"
#include "util/cleanup.h"

#define IOV_MAX_COUNT 1024
#define USER_HALF_END ((1ULL << 47) - GUEST_PAGE_SIZE)

void io_iter_init_guest(struct io_iter *it, struct mm *mm, guest_addr_t addr, uint64_t size)
{
	*it = (struct io_iter){ .mm = mm, .segment_count = 1 };
	it->single.base = addr.v;
	it->single.size = MIN(size, IO_MAX_COUNT);
	it->segments = &it->single;
	it->count = it->single.size;
}

void io_iter_init_buffer(struct io_iter *it, void *buffer, uint64_t size)
{
	*it = (struct io_iter){ .buffer = buffer, .count = size };
}

/* About the whole user half, as Linux's access_ok: what is beyond the platform's part faults later. */
bool guest_range_ok(guest_addr_t addr, uint64_t size)
{
	return addr.v <= USER_HALF_END && size <= USER_HALF_END - addr.v;
}

/* As Linux's copy_iovec_from_user: one by one, so a bad size before the end of the memory is EINVAL. */
static int read_segments(struct mm *mm, struct guest_iovec *v, guest_addr_t iov, uint64_t count)
{
	size_t size = count * sizeof(*v);
	ssize_t have = copy_in_partial(mm, v, iov, size);

	for (ssize_t i = 0; i < have / (ssize_t)sizeof(*v); i++)
		if ((int64_t)v[i].size < 0)
			return -EINVAL;
	return have == (ssize_t)size ? 0 : -EFAULT;
}

/* Addresses outside the guest are EFAULT before the clamp; one alone is clamped first. */
static int check_segments(struct guest_iovec *v, uint64_t count, uint64_t *total)
{
	uint64_t sum = 0;

	for (uint64_t i = 0; i < count; i++) {
		if (!guest_range_ok(guest_addr(v[i].base), count == 1 ? MIN(v[i].size, IO_MAX_COUNT) : v[i].size))
			return -EFAULT;
		if (v[i].size > IO_MAX_COUNT - sum)
			v[i].size = IO_MAX_COUNT - sum;
		sum += v[i].size;
	}
	*total = sum;
	return 0;
}

int guest_iovec_read(struct mm *mm, guest_addr_t iov, uint64_t count, struct guest_iovec **segments)
{
	AUTO_FREE struct guest_iovec *v = NULL;
	int rc;

	if (count > IOV_MAX_COUNT)
		return -EINVAL;
	v = calloc(count ? count : 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	rc = read_segments(mm, v, iov, count);
	if (rc < 0)
		return rc;
	*segments = move_ptr(v);
	return 0;
}

int io_iter_init_iovec(struct io_iter *it, struct mm *mm, guest_addr_t iov, uint64_t count,
		       struct guest_iovec **segments)
{
	AUTO_FREE struct guest_iovec *v = NULL;
	uint64_t total = 0;
	int rc = guest_iovec_read(mm, iov, count, &v);

	if (rc < 0)
		return rc;
	rc = check_segments(v, count, &total);
	if (rc < 0)
		return rc;
	*it = (struct io_iter){
		.mm = mm, .segments = v, .segment_count = (uint32_t)count, .count = total
	};
	*segments = move_ptr(v);
	return 0;
}

static void advance(struct io_iter *it, uint64_t size)
{
	it->count -= size;
	it->segment_offset += size;
	while (it->segment_count && it->segment_offset >= it->segments->size) {
		it->segment_offset -= it->segments->size;
		it->segments++;
		it->segment_count--;
	}
}

enum direction { TO_GUEST, FROM_GUEST };

/* Moves at most @size bytes of the current segment. */
static ssize_t move_segment(struct io_iter *it, char *host, size_t size, enum direction direction)
{
	guest_addr_t at = guest_addr(it->segments->base + it->segment_offset);
	size_t chunk = MIN(size, it->segments->size - it->segment_offset);

	if (direction == TO_GUEST)
		return copy_out_partial(it->mm, at, host, chunk);
	return copy_in_partial(it->mm, host, at, chunk);
}

static ssize_t move_guest(struct io_iter *it, char *host, size_t size, enum direction direction)
{
	size_t done = 0;

	size = MIN(size, it->count);
	while (done < size) {
		ssize_t rc;
		size_t wanted;

		advance(it, 0); /* over empty segments */
		wanted = MIN(size - done, it->segments->size - it->segment_offset);
		rc = move_segment(it, host + done, wanted, direction);
		if (rc < 0)
			return done ? (ssize_t)done : -EFAULT;
		advance(it, (uint64_t)rc);
		done += (size_t)rc;
		if ((size_t)rc < wanted)
			break;
	}
	return (ssize_t)done;
}

static char *take_buffer(struct io_iter *it, size_t *size)
{
	char *at = it->buffer;

	*size = MIN(*size, it->count);
	it->buffer += *size;
	it->count -= *size;
	return at;
}

ssize_t io_iter_copy_to(struct io_iter *it, const void *src, size_t size)
{
	if (it->mm)
		return move_guest(it, (char *)(uintptr_t)src, size, TO_GUEST);

	char *at = take_buffer(it, &size);

	if (size)
		memcpy(at, src, size);
	return (ssize_t)size;
}

ssize_t io_iter_copy_from(struct io_iter *it, void *dst, size_t size)
{
	if (it->mm)
		return move_guest(it, dst, size, FROM_GUEST);

	char *at = take_buffer(it, &size);

	if (size)
		memcpy(dst, at, size);
	return (ssize_t)size;
}

ssize_t io_iter_zero(struct io_iter *it, size_t size)
{
	static const char zeroes[4 * GUEST_PAGE_SIZE];
	size_t done = 0;

	if (!it->mm) {
		char *at = take_buffer(it, &size);

		if (size)
			memset(at, 0, size);
		return (ssize_t)size;
	}
	while (done < size && it->count) {
		size_t chunk = MIN(size - done, sizeof(zeroes));
		ssize_t rc = io_iter_copy_to(it, zeroes, chunk);

		if (rc < 0)
			return done ? (ssize_t)done : rc;
		done += (size_t)rc;
		if ((size_t)rc < chunk)
			break;
	}
	return (ssize_t)done;
}
