/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading and writing host FDs on behalf of a guest file: through a bounded
 * bounce buffer, never holding a lock across the guest copy.
 */
#pragma once

#include <stdint.h>
#include <sys/types.h>

#include "util/compiler.h"

struct io_iter;

/* pread/pwrite semantics at @pos. */
ssize_t host_file_pread(int fd, struct io_iter *to, uint64_t pos) MUST_CHECK;
ssize_t host_file_pwrite(int fd, struct io_iter *from, uint64_t pos) MUST_CHECK;
/* Streams: one non-blocking read or write; -EAGAIN when not ready. */
ssize_t host_file_read(int fd, struct io_iter *to) MUST_CHECK;
ssize_t host_file_write(int fd, struct io_iter *from) MUST_CHECK;
