/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host calls: pread64, pwrite64, preadv2, pwritev2, read, write, poll, ftruncate,
 * fallocate, fsync, fdatasync, lseek, fstat (newfstatat with AT_EMPTY_PATH), close.
 *
 * Streams may be blocking FDs shared with the caller of moat, whose flags are not
 * ours to change: RWF_NOWAIT where the kernel has it for the file, else poll(2) and
 * at most PIPE_BUF bytes, which a ready pipe or terminal takes without blocking.
 */
#include "config.h"

#include "sentry/host/host_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/uio.h>
#include <unistd.h>

#define RETRY(expr)                                             \
	({                                                      \
		ssize_t rc_;                                    \
		do                                              \
			rc_ = (expr);                           \
		while (rc_ < 0 && errno == EINTR);              \
		rc_ < 0 ? -errno : rc_;                         \
	})

ssize_t host_pread(int fd, void *buf, size_t size, uint64_t pos)
{
	return RETRY(pread(fd, buf, size, (off_t)pos));
}

ssize_t host_pwrite(int fd, const void *buf, size_t size, uint64_t pos)
{
	return RETRY(pwrite(fd, buf, size, (off_t)pos));
}

static int ready(int fd, short events)
{
	struct pollfd p = { .fd = fd, .events = events };
	ssize_t n = RETRY(poll(&p, 1, 0));

	if (n < 0)
		return (int)n;
	return n ? 0 : -EAGAIN;
}

ssize_t host_read_nowait(int fd, void *buf, size_t size)
{
	struct iovec iov = { buf, size };
	ssize_t n = RETRY(preadv2(fd, &iov, 1, -1, RWF_NOWAIT));

	if (n != -EOPNOTSUPP)
		return n;
	n = ready(fd, POLLIN);
	return n < 0 ? n : RETRY(read(fd, buf, size));
}

ssize_t host_write_nowait(int fd, const void *buf, size_t size)
{
	struct iovec iov = { (void *)(uintptr_t)buf, size };
	ssize_t n = RETRY(pwritev2(fd, &iov, 1, -1, RWF_NOWAIT));

	if (n != -EOPNOTSUPP)
		return n;
	n = ready(fd, POLLOUT);
	return n < 0 ? n : RETRY(write(fd, buf, size < PIPE_BUF ? size : PIPE_BUF));
}

int host_ftruncate(int fd, uint64_t size)
{
	return (int)RETRY(ftruncate(fd, (off_t)size));
}

int host_fallocate(int fd, int mode, uint64_t offset, uint64_t size)
{
	return (int)RETRY(fallocate(fd, mode, (off_t)offset, (off_t)size));
}

int host_fsync(int fd, int data_only)
{
	return (int)RETRY(data_only ? fdatasync(fd) : fsync(fd));
}

int64_t host_lseek(int fd, int64_t offset, int whence)
{
	return RETRY(lseek(fd, offset, whence));
}

int host_fstat(int fd, struct stat *st)
{
	return (int)RETRY(fstat(fd, st));
}

/* Linux closes the FD whatever it returns. */
void host_close(int fd)
{
	if (fd >= 0)
		close(fd);
}
