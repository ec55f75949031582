/* SPDX-License-Identifier: Apache-2.0 */
/* Making names, shared by the files of sentry/vfs that do. */
#pragma once

#include "sentry/vfs/walk.h"

/* umask, ids, and what a set-gid directory hands down. */
void prepare_create(const struct vfs_context *ctx, struct inode *dir, uint32_t mode,
		    struct inode_create *how);
/* With dir's lock held and the name known to be free: makes it and caches it. */
int create_locked(const struct path *dir, const char *name, const struct inode_create *how,
		  struct dentry **out) MUST_CHECK;
