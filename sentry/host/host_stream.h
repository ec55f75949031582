/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host calls on FDs that the caller of the container handed in (stdio): their
 * description is shared with other processes, so O_NONBLOCK is never set on it;
 * each call asks not to block instead.  For the allow-list:
 *   preadv2 pwritev2 read write recvfrom sendto poll fstat fcntl(F_GETFL) lseek
 *   ftruncate fsync fdatasync pread64 pwrite64 ioctl(FIONREAD) shutdown close
 *
 * All return a count, 0, or a negative errno.  A broken pipe is -EPIPE without a
 * signal (host_epoll_new ignores SIGPIPE).
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "util/compiler.h"

enum host_stream_kind {
	HOST_STREAM_REGULAR, /* regular file, block device: never waits, has an offset */
	HOST_STREAM_PIPE,    /* pipe, FIFO, character device */
	HOST_STREAM_SOCKET,
};

int host_stream_stat(int fd, struct stat *out) MUST_CHECK;
enum host_stream_kind host_stream_kind(const struct stat *st);
/* The open flags (O_ACCMODE, O_APPEND, O_NONBLOCK ...). */
int host_stream_flags(int fd) MUST_CHECK;
/* At the description's own offset; -EAGAIN instead of waiting. */
ssize_t host_stream_read(int fd, enum host_stream_kind kind, void *buf, size_t size) MUST_CHECK;
ssize_t host_stream_write(int fd, enum host_stream_kind kind, const void *buf, size_t size)
	MUST_CHECK;
ssize_t host_stream_pread(int fd, void *buf, size_t size, uint64_t pos) MUST_CHECK;
ssize_t host_stream_pwrite(int fd, const void *buf, size_t size, uint64_t pos) MUST_CHECK;
/* POLL* bits ready now. */
uint32_t host_stream_poll(int fd);
int64_t host_stream_seek(int fd, int64_t offset, int whence) MUST_CHECK;
int host_stream_truncate(int fd, uint64_t size) MUST_CHECK;
int host_stream_sync(int fd, int data_only) MUST_CHECK;
int host_stream_readable_bytes(int fd, int *count) MUST_CHECK;
void host_stream_close(int fd);
