/* SPDX-License-Identifier: Apache-2.0 */
/* "." and ".." of every directory listing. */
#include "config.h"

#include "sentry/abi/fs.h"
#include "sentry/vfs/dentry_cache.h"
#include "sentry/vfs/dir_emit.h"

bool dir_emit_dots(struct file *file, struct dir_context *ctx)
{
	struct dentry *parent;
	uint64_t ino;

	if (ctx->pos == 0 && !dir_emit(ctx, ".", 1, 1, file->inode->ino, LINUX_DT_DIR))
		return false;
	if (ctx->pos != 1)
		return true;
	parent = dentry_parent_get(file->dentry);
	ino = parent->inode->ino;
	dentry_put(parent);
	return dir_emit(ctx, "..", 2, DIR_EMIT_FIRST, ino, LINUX_DT_DIR);
}
