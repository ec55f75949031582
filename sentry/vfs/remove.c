/* SPDX-License-Identifier: Apache-2.0 */
/* unlink and rmdir: directory's lock, then the victim's (parent before child). */
#include "config.h"

#include <errno.h>

#include "sentry/abi/fs.h"
#include "sentry/vfs/dentry_cache.h"
#include "sentry/vfs/inotify.h"
#include "sentry/vfs/mount_tree.h"
#include "sentry/vfs/permission.h"
#include "sentry/vfs/walk.h"
#include "util/cleanup.h"

static int unlink_locked(struct walk *w, struct dentry *d)
{
	struct inode *dir = w->at.dentry->inode, *victim = d->inode;
	int rc;

	if (w->trailing_slash)
		return inode_type(victim) == LINUX_S_IFDIR ? -EISDIR : -ENOTDIR;
	if (path_is_read_only(&w->at))
		return -EROFS;
	rc = may_delete(&w->at, victim, false, w->ctx->cred);
	if (rc < 0)
		return rc;
	if (d->mounted)
		return -EBUSY;
	if (!dir->ops->unlink)
		return -EPERM;
	rc = dir->ops->unlink(dir, w->name, victim);
	if (rc == 0)
		dentry_delete(d);
	return rc;
}

static int rmdir_locked(struct walk *w, struct dentry *d)
{
	struct inode *dir = w->at.dentry->inode, *victim = d->inode;
	int rc;

	if (path_is_read_only(&w->at))
		return -EROFS;
	rc = may_delete(&w->at, victim, true, w->ctx->cred);
	if (rc < 0)
		return rc;
	if (d->mounted)
		return -EBUSY;
	if (!dir->ops->rmdir)
		return -EPERM;
	mutex_lock_nested(&victim->lock);
	rc = dir->ops->rmdir(dir, w->name, victim);
	if (rc == 0)
		victim->dead = true;
	mutex_unlock(&victim->lock);
	if (rc == 0) {
		dentry_invalidate_children(d);
		dentry_delete(d);
	}
	return rc;
}

static int last_type_error(const struct walk *w, bool directory)
{
	if (!directory)
		return w->last_type == WALK_NORMAL ? 0 : -EISDIR;
	switch (w->last_type) {
	case WALK_NORMAL:
		return 0;
	case WALK_DOT:
		return -EINVAL;
	case WALK_DOTDOT:
		return -ENOTEMPTY;
	default:
		return -EBUSY;
	}
}

static int remove_name(struct walk *w, bool directory)
{
	struct dentry *d = NULL;
	struct inode *dir;
	int rc = walk_parent(w);

	if (rc == 0)
		rc = last_type_error(w, directory);
	if (rc < 0)
		return rc;
	dir = w->at.dentry->inode;
	mutex_lock(&dir->lock);
	rc = dir_lookup_locked(w->at.dentry, w->name, &d);
	if (rc == 0)
		rc = directory ? rmdir_locked(w, d) : unlink_locked(w, d);
	mutex_unlock(&dir->lock);
	if (rc == 0) {
		if (!directory)
			inotify_link_count(d->inode);
		inotify_unlinked(d);
		/* Unless it is open the object goes before its directory hears of it. */
		dentry_put(move_ptr(d));
		inotify_entry(dir, LINUX_IN_DELETE | (directory ? LINUX_IN_ISDIR : 0), w->name);
	}
	dentry_put(d);
	return rc;
}

static int remove_at(const struct vfs_context *ctx, int dirfd, const char *name, bool directory)
{
	struct walk w;
	int rc = walk_begin(&w, ctx, dirfd, name, 0);

	if (rc < 0)
		return rc;
	rc = remove_name(&w, directory);
	walk_end(&w);
	return rc;
}

int vfs_unlink(const struct vfs_context *ctx, int dirfd, const char *name)
{
	return remove_at(ctx, dirfd, name, false);
}

int vfs_rmdir(const struct vfs_context *ctx, int dirfd, const char *name)
{
	return remove_at(ctx, dirfd, name, true);
}
