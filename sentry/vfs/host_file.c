/* SPDX-License-Identifier: Apache-2.0 */
/* Guest I/O on host FDs through a bounce buffer; sentry memory goes directly.  No locks. */
#include "config.h"

#include "sentry/vfs/host_file.h"

#include <errno.h>

#include "sentry/host/host_file.h"
#include "sentry/mm/usercopy.h"
#include "sentry/vfs/bounce.h"
#include "util/checked.h"

static void advance_buffer(struct io_iter *it, ssize_t n)
{
	if (n > 0) {
		it->buffer += n;
		it->count -= (uint64_t)n;
	}
}

ssize_t host_file_pread(int fd, struct io_iter *to, uint64_t pos)
{
	struct bounce bounce;
	ssize_t total = 0, n;
	int rc;

	if (!to->mm) {
		n = host_pread(fd, to->buffer, to->count, pos);
		advance_buffer(to, n);
		return n;
	}
	rc = bounce_begin(&bounce, to->count);
	if (rc < 0)
		return rc;
	while (to->count) {
		size_t size = MIN(to->count, bounce.size);
		ssize_t got = host_pread(fd, bounce.buffer, size, pos + (uint64_t)total);

		n = got > 0 ? io_iter_copy_to(to, bounce.buffer, (size_t)got) : got;
		if (n < 0 && !total)
			total = n;
		if (n <= 0)
			break;
		total += n;
		if (n < got || (size_t)got < size)
			break;
	}
	bounce_end(&bounce);
	return total;
}

ssize_t host_file_pwrite(int fd, struct io_iter *from, uint64_t pos)
{
	struct bounce bounce;
	ssize_t total = 0, n;
	int rc;

	if (!from->mm) {
		n = host_pwrite(fd, from->buffer, from->count, pos);
		advance_buffer(from, n);
		return n;
	}
	rc = bounce_begin(&bounce, from->count);
	if (rc < 0)
		return rc;
	while (from->count) {
		size_t size = MIN(from->count, bounce.size);
		ssize_t got = io_iter_copy_from(from, bounce.buffer, size);

		n = got > 0 ? host_pwrite(fd, bounce.buffer, (size_t)got, pos + (uint64_t)total) : got;
		if (n < 0 && !total)
			total = n;
		if (n <= 0)
			break;
		total += n;
		if (n < got || (size_t)got < size)
			break;
	}
	bounce_end(&bounce);
	return total;
}

/*
 * What was read from a stream and cannot be delivered is lost, as with a host
 * read(2) into a bad buffer; so nothing is read for a buffer that is empty.
 */
ssize_t host_file_read(int fd, struct io_iter *to)
{
	struct bounce bounce;
	ssize_t n;
	int rc;

	if (!to->count)
		return 0;
	if (!to->mm) {
		n = host_read_nowait(fd, to->buffer, to->count);
		advance_buffer(to, n);
		return n;
	}
	rc = bounce_begin(&bounce, to->count);
	if (rc < 0)
		return rc;
	n = host_read_nowait(fd, bounce.buffer, MIN(to->count, bounce.size));
	if (n > 0)
		n = io_iter_copy_to(to, bounce.buffer, (size_t)n);
	bounce_end(&bounce);
	return n;
}

/*
 * The iterator moves as far as the host took; a copy of it is what the guest is
 * read through, so that what the host refused is read again the next time.
 */
ssize_t host_file_write(int fd, struct io_iter *from)
{
	struct bounce bounce;
	struct io_iter ahead;
	ssize_t n;
	int rc;

	if (!from->mm) {
		n = host_write_nowait(fd, from->buffer, from->count);
		advance_buffer(from, n);
		return n;
	}
	rc = bounce_begin(&bounce, from->count);
	if (rc < 0)
		return rc;
	ahead = *from;
	n = io_iter_copy_from(&ahead, bounce.buffer, MIN(from->count, bounce.size));
	if (n >= 0)
		n = host_write_nowait(fd, bounce.buffer, (size_t)n);
	if (n > 0)
		io_iter_advance(from, (uint64_t)n);
	bounce_end(&bounce);
	return n;
}
