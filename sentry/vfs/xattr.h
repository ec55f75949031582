/* SPDX-License-Identifier: Apache-2.0 */
/* Extended attributes with Linux's permission rules; names are complete ("user.x"). */
#pragma once

#include "sentry/vfs/vfs.h"

ssize_t vfs_getxattr(const struct vfs_context *ctx, const struct path *p, const char *name,
		     void *value, size_t size) MUST_CHECK;
int vfs_setxattr(const struct vfs_context *ctx, const struct path *p, const char *name,
		 const void *value, size_t size, int flags) MUST_CHECK;
ssize_t vfs_listxattr(const struct vfs_context *ctx, const struct path *p, char *list,
		      size_t size) MUST_CHECK;
int vfs_removexattr(const struct vfs_context *ctx, const struct path *p, const char *name) MUST_CHECK;
