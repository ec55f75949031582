/* SPDX-License-Identifier: Apache-2.0 */
/* The steps by which the gofer gives up what it does not need. */
#pragma once

#include <stddef.h>

#include "util/error.h"

/*
 * The directory /proc/self/fd, owned by the caller: of the procfs @proc_fd, else
 * of a private mount that shows this process only, else of /proc.
 */
int confine_open_proc(int proc_fd, struct error **err) MUST_CHECK;
/* Closes everything but the @count descriptors of @keep, which is sorted in place. */
int confine_descriptors(int *keep, size_t count, struct error **err) MUST_CHECK;
/*
 * no_new_privs, not dumpable, no core, and no capability but those for files.
 * Of the calling thread: threads made later inherit it.
 */
int confine_privileges(struct error **err) MUST_CHECK;
/*
 * The seccomp allow-list, for all threads; KILL_PROCESS for anything else.
 * @log_fd is the one descriptor that may be written to; -1: none.
 */
int confine_syscalls(int log_fd, struct error **err) MUST_CHECK;
