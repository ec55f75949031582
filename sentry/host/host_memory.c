/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host calls made here: fallocate (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE),
 * getrandom, pwrite64.
 */
#include "config.h"

#include "sentry/host/host_memory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/random.h>
#include <unistd.h>

#include "util/log.h"

int host_punch_hole(int fd, uint64_t offset, uint64_t size)
{
	if (fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset, (off_t)size) < 0)
		return -errno;
	return 0;
}

void host_random(void *out, size_t size)
{
	ssize_t rc;

	do
		rc = getrandom(out, size, 0);
	while (rc < 0 && errno == EINTR);
	ASSERT(rc == (ssize_t)size);
}

int host_memory_fill(int fd, const void *data, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t rc = pwrite(fd, (const char *)data + done, size - done, (off_t)done);

		if (rc < 0 && errno == EINTR)
			continue;
		if (rc <= 0)
			return rc < 0 ? -errno : -EIO;
		done += (size_t)rc;
	}
	return 0;
}
