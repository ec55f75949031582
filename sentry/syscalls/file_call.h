/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the file system calls share.  A handler runs for the current task, whose
 * own fds, mm and cred pointers only it changes, so they are used without
 * references.
 */
#pragma once

#include "sentry/abi/fs.h"
#include "sentry/syscalls/handlers.h"
#include "sentry/vfs/attr.h"
#include "sentry/vfs/vfs.h"
#include "util/cleanup.h"

static inline void cleanup_file(struct file **file)
{
	file_put(*file);
}

static inline void cleanup_path(struct path *p)
{
	path_put(p);
}

#define AUTO_FILE CLEANUP(cleanup_file)
#define AUTO_PATH CLEANUP(cleanup_path)

/* A reference on an open file that is not O_PATH; NULL: -EBADF. */
static inline MUST_CHECK struct file *call_file(struct task *t, int fd)
{
	return fd_table_lookup(t->fds, fd);
}

static inline struct path file_path(const struct file *file)
{
	return (struct path){ file->mount, file->dentry };
}

/*
 * Copies the path in and looks it up.  @lookup: enum lookup_flags.  With
 * LOOKUP_EMPTY an empty or null path means @dirfd itself.
 */
int call_lookup(struct task *t, int dirfd, guest_addr_t name, uint32_t lookup, struct path *out) MUST_CHECK;
/* @at_flags: LINUX_AT_EMPTY_PATH and LINUX_AT_SYMLINK_NOFOLLOW as enum lookup_flags. */
uint32_t call_lookup_flags(int at_flags);
/* -EFBIG by RLIMIT_FSIZE raises SIGXFSZ. */
int64_t call_size_result(struct task *t, int64_t rc);
