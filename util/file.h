/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole-file reading and writing.  All return 0 (or a byte count) or a negative
 * errno and restart on EINTR.  @path is relative to @dirfd as in openat(2).
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "util/compiler.h"

/* Writes all @size bytes. */
int fd_write_all(int fd, const void *data, size_t size) MUST_CHECK;
/* Reads until @size bytes or the end of file; returns the bytes read. */
ssize_t fd_read_full(int fd, void *data, size_t size) MUST_CHECK;
/*
 * Reads up to the end of file.  *data is allocated (the caller frees it) and
 * NUL-terminated after *size bytes.  More than @max bytes are -EFBIG, before
 * anything is read when the file's size tells.
 */
int fd_read_all(int fd, size_t max, char **data, size_t *size) MUST_CHECK;
/* As fd_read_all; a path that is not a regular file is read too (/proc, pipes). */
int file_read_all(int dirfd, const char *path, size_t max, char **data, size_t *size) MUST_CHECK;

/*
 * Replaces @path whole or not at all: a temporary file beside it is written and
 * takes its place.  Safe against the death of processes; not synced, since what is
 * kept so (container state) does not outlive the machine's uptime.
 */
int file_write_atomic(int dirfd, const char *path, const void *data, size_t size,
		      mode_t mode) MUST_CHECK;
/* Writes @text into an existing file with one write(2), as /proc and cgroup files want. */
int file_write_text(int dirfd, const char *path, const char *text) MUST_CHECK;
