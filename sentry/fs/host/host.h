/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Guest files in front of host FDs that the container's caller handed in: stdin,
 * stdout, stderr, and what else it passes.
 */
#pragma once

#include <stdint.h>

#include "util/compiler.h"

struct file;
struct user_namespace;

/* The internal file system these files live in.  Boot, once, after vfs_init; also
 * starts the poller thread, so before confinement. */
int host_fs_init(struct user_namespace *user_ns) MUST_CHECK;

/*
 * A guest file for @host_fd, whose ownership it takes (on failure too).  @flags:
 * LINUX_O_* of the new description; its access mode must not exceed the host's,
 * and O_APPEND of the host's description is added.
 */
int host_file_new(int host_fd, uint32_t flags, struct file **out) MUST_CHECK;
/* The guest sees @uid and @gid (kernel ids) as its owner; the host's file stays what it is.  Not
 * for the null device, which is everybody's.  Before the file is reachable. */
void host_file_set_owner(struct file *file, uint32_t uid, uint32_t gid);
