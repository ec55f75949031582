/* SPDX-License-Identifier: Apache-2.0 */
/* Access checks shared by the VFS's operations; private to sentry/vfs and the calls above it. */
#pragma once

#include "sentry/vfs/vfs.h"

/* Linux's capable_wrt_inode_uidgid. */
bool inode_capable(const struct inode_attr *attr, const struct credentials *cred, int capability);
/* The ordinary check, for inode_ops.permission to fall back on. */
int inode_permission_by_mode(struct inode *inode, int mask, const struct credentials *cred) MUST_CHECK;
bool credentials_in_fsgroup(const struct credentials *cred, uint32_t gid);
/* Write and search on the directory, which must not be removed; its lock is held. */
int may_create(const struct path *dir, const struct credentials *cred) MUST_CHECK;
/* And the sticky bit, and the victim's type: -ENOTDIR, -EISDIR. */
int may_delete(const struct path *dir, struct inode *victim, bool want_directory,
	       const struct credentials *cred) MUST_CHECK;
