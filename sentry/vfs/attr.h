/* SPDX-License-Identifier: Apache-2.0 */
/* Attribute operations beyond vfs.h. */
#pragma once

#include "sentry/vfs/vfs.h"

int inode_getattr(struct inode *inode, struct inode_attr *out) MUST_CHECK;
/* utimensat: @now when both times are set to the present, which writers may do too. */
int vfs_set_times(const struct vfs_context *ctx, const struct path *p, struct setattr *set,
		  bool now) MUST_CHECK;
/* For file systems whose inode->attr is the truth: atime of @inode (the file's, or what
 * is behind it) by the mount's rules. */
void file_accessed(struct file *file, struct inode *inode);

static inline int vfs_time_compare(const struct vfs_time *a, const struct vfs_time *b)
{
	if (a->sec != b->sec)
		return a->sec < b->sec ? -1 : 1;
	return a->nsec < b->nsec ? -1 : a->nsec > b->nsec;
}
