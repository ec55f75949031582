/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host memfds and their read-only twins.
 *
 * Rights live in the FD: whoever maps a read-write memfd can make a read-only
 * mapping of it writable later.  A guest that opened a file read-only is
 * therefore given another open description of the same memfd that was opened
 * O_RDONLY.  F_SEAL_FUTURE_WRITE does not serve here: it would bind the sentry's
 * own write(2) as well, and leave already made writable mappings as they are.
 * The twin comes from re-opening /proc/self/fd/N below the sentry's own minimal
 * procfs: the only form of openat(2) the confined sentry may use.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "util/compiler.h"

/* @procfs: an O_PATH|O_DIRECTORY or plain directory FD of a procfs of the sentry's PID
 * namespace; kept open for life.  Boot, before confinement, once. */
void host_memfd_init(int procfs);
/* @name is for the host's /proc only.  O_CLOEXEC. */
int host_memfd_create(const char *name, uint64_t size) MUST_CHECK;
/* Bytes of memory in it, of whole pages. */
int host_memfd_allocated(int fd, uint64_t *bytes) MUST_CHECK;
/* Whether there is a page at @offset. */
bool host_memfd_has_data(int fd, uint64_t offset) MUST_CHECK;
/* A new FD of the same object, open for reading only. */
int host_memfd_read_only_twin(int fd) MUST_CHECK;
