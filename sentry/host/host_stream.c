/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host calls on handed-in streams; see the header.  Where the host's file does
 * not know RWF_NOWAIT the call is preceded by poll, and a write is cut to
 * PIPE_BUF bytes, which a pipe that polls writable takes without waiting.
 */
#include "sentry/host/host_stream.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

static ssize_t result(ssize_t rc)
{
	return rc < 0 ? -errno : rc;
}

int host_stream_stat(int fd, struct stat *out)
{
	return (int)result(fstat(fd, out));
}

enum host_stream_kind host_stream_kind(const struct stat *st)
{
	switch (st->st_mode & S_IFMT) {
	case S_IFREG:
	case S_IFBLK:
	case S_IFDIR:
		return HOST_STREAM_REGULAR;
	case S_IFSOCK:
		return HOST_STREAM_SOCKET;
	default:
		return HOST_STREAM_PIPE;
	}
}

int host_stream_flags(int fd)
{
	return (int)result(fcntl(fd, F_GETFL));
}

uint32_t host_stream_poll(int fd)
{
	struct pollfd entry = { .fd = fd, .events = POLLIN | POLLPRI | POLLOUT | POLLRDHUP |
						    POLLRDNORM | POLLWRNORM };

	if (poll(&entry, 1, 0) <= 0)
		return 0;
	return (uint16_t)entry.revents;
}

/* The file does not support RWF_NOWAIT: poll first. */
static ssize_t read_if_ready(int fd, void *buf, size_t size)
{
	if (!(host_stream_poll(fd) & (POLLIN | POLLHUP | POLLERR)))
		return -EAGAIN;
	return result(read(fd, buf, size));
}

static ssize_t write_if_ready(int fd, const void *buf, size_t size)
{
	if (!(host_stream_poll(fd) & (POLLOUT | POLLHUP | POLLERR)))
		return -EAGAIN;
	return result(write(fd, buf, size < PIPE_BUF ? size : PIPE_BUF));
}

ssize_t host_stream_read(int fd, enum host_stream_kind kind, void *buf, size_t size)
{
	struct iovec iov = { buf, size };
	ssize_t rc;

	if (kind == HOST_STREAM_SOCKET)
		return result(recv(fd, buf, size, MSG_DONTWAIT));
	if (kind == HOST_STREAM_REGULAR)
		return result(read(fd, buf, size));
	rc = result(preadv2(fd, &iov, 1, -1, RWF_NOWAIT));
	return rc == -EOPNOTSUPP || rc == -ENOSYS ? read_if_ready(fd, buf, size) : rc;
}

ssize_t host_stream_write(int fd, enum host_stream_kind kind, const void *buf, size_t size)
{
	struct iovec iov = { (void *)(uintptr_t)buf, size };
	ssize_t rc;

	if (kind == HOST_STREAM_SOCKET)
		return result(send(fd, buf, size, MSG_DONTWAIT | MSG_NOSIGNAL));
	if (kind == HOST_STREAM_REGULAR)
		return result(write(fd, buf, size));
	rc = result(pwritev2(fd, &iov, 1, -1, RWF_NOWAIT));
	return rc == -EOPNOTSUPP || rc == -ENOSYS ? write_if_ready(fd, buf, size) : rc;
}

ssize_t host_stream_pread(int fd, void *buf, size_t size, uint64_t pos)
{
	return result(pread(fd, buf, size, (off_t)pos));
}

ssize_t host_stream_pwrite(int fd, const void *buf, size_t size, uint64_t pos)
{
	return result(pwrite(fd, buf, size, (off_t)pos));
}

int64_t host_stream_seek(int fd, int64_t offset, int whence)
{
	return result(lseek(fd, offset, whence));
}

int host_stream_truncate(int fd, uint64_t size)
{
	return (int)result(ftruncate(fd, (off_t)size));
}

int host_stream_sync(int fd, int data_only)
{
	return (int)result(data_only ? fdatasync(fd) : fsync(fd));
}

int host_stream_readable_bytes(int fd, int *count)
{
	int value = 0;

	if (ioctl(fd, FIONREAD, &value) < 0)
		return -errno;
	*count = value;
	return 0;
}

void host_stream_close(int fd)
{
	close(fd);
}
