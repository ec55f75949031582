/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files that a super block is made or changed through (fsopen, fspick), as Linux's fs_context: it
 * is first given its options, then made, then mounted, and from then on can be changed.  Reading
 * one gives its messages.
 *
 * Each has a lock (LOCK_RANK_MOUNT_CONTEXT) around everything that is done with it; @caller is who
 * does it, who need not be who opened it.
 */
#pragma once

#include "sentry/vfs/fs_config.h"

/* A file to make a super block of @type. */
int mount_context_open(const struct file_system_type *type, const struct credentials *cred,
		       struct file **out) MUST_CHECK;
/* One to change the super block whose root @at is.  -EINVAL: it is no root of a mount. */
int mount_context_pick(const struct path *at, const struct credentials *cred, struct file **out)
	MUST_CHECK;
bool file_is_mount_context(const struct file *file) MUST_CHECK;

/* Each of these with a file that is one.  -EBUSY: it is not the time for it. */
int mount_context_set(struct file *file, const struct credentials *caller,
		      const struct fs_parameter *p) MUST_CHECK;
int mount_context_create(struct file *file, const struct credentials *caller, bool exclusive)
	MUST_CHECK;
int mount_context_reconfigure(struct file *file, const struct credentials *caller) MUST_CHECK;
/* A mount of what was made, in no namespace: an O_PATH file that keeps it as vfs_open_detached()
 * says.  @flags: enum mount_flags.  -EINVAL: nothing was made; -EPERM: it would show what is hidden
 * in @own, the caller's. */
int mount_context_mount(struct file *file, const struct mount_namespace *own, uint32_t flags,
			struct file **out) MUST_CHECK;
