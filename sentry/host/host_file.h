/* SPDX-License-Identifier: Apache-2.0 */
/* I/O on host FDs the sentry was given or made.  Negative errno; EINTR is retried. */
#pragma once

#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "util/compiler.h"

ssize_t host_pread(int fd, void *buf, size_t size, uint64_t pos) MUST_CHECK;
ssize_t host_pwrite(int fd, const void *buf, size_t size, uint64_t pos) MUST_CHECK;
/* Streams: never sleep, also on blocking FDs; -EAGAIN. */
ssize_t host_read_nowait(int fd, void *buf, size_t size) MUST_CHECK;
ssize_t host_write_nowait(int fd, const void *buf, size_t size) MUST_CHECK;
int host_ftruncate(int fd, uint64_t size) MUST_CHECK;
int host_fallocate(int fd, int mode, uint64_t offset, uint64_t size) MUST_CHECK;
int host_fsync(int fd, int data_only) MUST_CHECK;
int64_t host_lseek(int fd, int64_t offset, int whence) MUST_CHECK;
void host_close(int fd); /* -1 is a no-op */
int host_fstat(int fd, struct stat *st) MUST_CHECK;
/* SEEK_DATA/SEEK_HOLE constants of the host are those of the guest. */
