/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rename: the super block's rename lock when the directories differ (so that
 * ancestry stands still), then both directories, an ancestor first, otherwise by
 * address; then the replaced directory, which must stay empty.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "sentry/abi/fs.h"
#include "sentry/cred/credentials.h"
#include "sentry/vfs/dentry_cache.h"
#include "sentry/vfs/inotify_internal.h"
#include "sentry/vfs/mount_tree.h"
#include "sentry/vfs/permission.h"
#include "sentry/vfs/walk.h"

struct renaming {
	struct walk from, to;
	uint32_t flags;
	struct dentry *source, *target; /* references; target NULL: free name */
	/* names are looked up in the end only, the source's first */
	bool source_too_long, target_too_long;
};

static bool is_directory(const struct dentry *d)
{
	return inode_type(d->inode) == LINUX_S_IFDIR;
}

static void lock_directories(struct renaming *r) NO_LOCK_ANALYSIS
{
	struct dentry *a = r->from.at.dentry, *b = r->to.at.dentry;

	if (a->inode == b->inode) {
		mutex_lock(&a->inode->lock);
		return;
	}
	mutex_lock(&a->sb->rename_lock);
	if (dentry_is_below(a, b) || (!dentry_is_below(b, a) && (uintptr_t)b->inode < (uintptr_t)a->inode)) {
		mutex_lock(&b->inode->lock);
		mutex_lock_nested(&a->inode->lock);
	} else {
		mutex_lock(&a->inode->lock);
		mutex_lock_nested(&b->inode->lock);
	}
}

static void unlock_directories(struct renaming *r) NO_LOCK_ANALYSIS
{
	struct dentry *a = r->from.at.dentry, *b = r->to.at.dentry;

	mutex_unlock(&a->inode->lock);
	if (a->inode == b->inode)
		return;
	mutex_unlock(&b->inode->lock);
	mutex_unlock(&a->sb->rename_lock);
}

static int lookup_both_locked(struct renaming *r)
{
	int rc;

	if (r->source_too_long)
		return -ENAMETOOLONG;
	rc = dir_lookup_locked(r->from.at.dentry, r->from.name, &r->source);
	if (rc < 0)
		return rc;
	if (r->target_too_long)
		return -ENAMETOOLONG;
	rc = dir_lookup_locked(r->to.at.dentry, r->to.name, &r->target);
	if (rc == -ENOENT)
		return r->flags & LINUX_RENAME_EXCHANGE ? -ENOENT : 0;
	if (rc < 0)
		return rc;
	return r->flags & LINUX_RENAME_NOREPLACE ? -EEXIST : 0;
}

/* In the order of Linux's do_renameat2, behind the look-ups. */
static int check_shape(const struct renaming *r)
{
	if (r->flags & LINUX_RENAME_EXCHANGE && !is_directory(r->target) && r->to.trailing_slash)
		return -ENOTDIR;
	if (!is_directory(r->source)) {
		if (r->from.trailing_slash)
			return -ENOTDIR;
		if (!(r->flags & LINUX_RENAME_EXCHANGE) && r->to.trailing_slash)
			return -ENOTDIR;
	}
	/* a directory cannot go below itself, nor replace an ancestor */
	if (dentry_is_below(r->to.at.dentry, r->source))
		return -EINVAL;
	if (r->target && dentry_is_below(r->from.at.dentry, r->target))
		return r->flags & LINUX_RENAME_EXCHANGE ? -EINVAL : -ENOTEMPTY;
	return 0;
}

static int check_access(struct renaming *r)
{
	const struct credentials *cred = r->from.ctx->cred;
	bool directory = is_directory(r->source);
	int rc;

	if (path_is_read_only(&r->from.at) || path_is_read_only(&r->to.at))
		return -EROFS;
	rc = may_delete(&r->from.at, r->source->inode, directory, cred);
	if (rc < 0)
		return rc;
	if (!r->target)
		rc = may_create(&r->to.at, cred);
	else if (r->flags & LINUX_RENAME_EXCHANGE)
		rc = may_delete(&r->to.at, r->target->inode, is_directory(r->target), cred);
	else
		rc = may_delete(&r->to.at, r->target->inode, directory, cred);
	if (rc < 0)
		return rc;
	/* a directory that moves gets another "..", so it must be writable */
	if (r->from.at.dentry != r->to.at.dentry) {
		if (directory)
			rc = inode_permission(r->source->inode, LINUX_MAY_WRITE, cred);
		if (rc == 0 && r->flags & LINUX_RENAME_EXCHANGE && is_directory(r->target))
			rc = inode_permission(r->target->inode, LINUX_MAY_WRITE, cred);
	}
	if (rc == 0 && (r->source->mounted || (r->target && r->target->mounted)))
		rc = -EBUSY;
	return rc;
}

static int commit_names(struct renaming *r)
{
	int rc;

	if (r->flags & LINUX_RENAME_EXCHANGE)
		return dentry_exchange(r->source, r->target);
	if (r->target)
		dentry_delete(r->target);
	dentry_drop_name(r->to.at.dentry, r->to.name);
	rc = dentry_move(r->source, r->to.at.dentry, r->to.name);
	/* done on disk; a name the cache cannot hold is looked up again */
	if (rc < 0)
		dentry_drop(r->source);
	return 0;
}

static int call_rename(struct renaming *r) NO_LOCK_ANALYSIS
{
	struct inode *old_dir = r->from.at.dentry->inode, *new_dir = r->to.at.dentry->inode;
	struct inode *target = r->target ? r->target->inode : NULL;
	bool replaces = target && !(r->flags & LINUX_RENAME_EXCHANGE) && is_directory(r->target);
	int rc;

	if (!old_dir->ops->rename)
		return -EPERM;
	if (replaces)
		mutex_lock_nested(&target->lock);
	rc = old_dir->ops->rename(old_dir, r->from.name, r->source->inode, new_dir, r->to.name, target,
				  r->flags);
	if (replaces) {
		if (rc == 0)
			target->dead = true;
		mutex_unlock(&target->lock);
	}
	return rc < 0 ? rc : commit_names(r);
}

static int rename_locked(struct renaming *r)
{
	int rc = lookup_both_locked(r);

	if (rc == 0)
		rc = check_shape(r);
	if (rc < 0)
		return rc;
	/* two names of one file: nothing to do */
	if (r->target && r->source->inode == r->target->inode)
		return 0;
	rc = check_access(r);
	return rc < 0 ? rc : call_rename(r);
}

static void report(struct renaming *r)
{
	uint32_t dir = is_directory(r->source) ? LINUX_IN_ISDIR : 0, cookie = inotify_next_cookie();
	struct inode *lost = r->target && !(r->flags & LINUX_RENAME_EXCHANGE) ? r->target->inode : NULL;

	if (r->from.at.dentry == r->to.at.dentry)
		inotify_report(r->from.at.dentry->inode, INOTIFY_RENAME, 0, NULL);
	inotify_report(r->from.at.dentry->inode, LINUX_IN_MOVED_FROM | dir, cookie, r->from.name);
	inotify_report(r->to.at.dentry->inode, LINUX_IN_MOVED_TO | dir, cookie, r->to.name);
	if (lost)
		inotify_link_count(lost);
	inotify_report(r->source->inode, LINUX_IN_MOVE_SELF, 0, NULL);
	if (lost)
		inotify_unlinked(r->target);
}

static int walk_to_parent(struct walk *w, bool *too_long)
{
	int rc = walk_parent(w);

	*too_long = rc == -ENAMETOOLONG && walk_is_last(w);
	return *too_long ? 0 : rc;
}

/* r->from is at its directory. */
static int rename_walked(struct renaming *r)
{
	int rc = walk_to_parent(&r->to, &r->target_too_long);

	if (rc < 0)
		return rc;
	if (r->from.at.mount != r->to.at.mount || r->from.at.dentry->sb != r->to.at.dentry->sb)
		return -EXDEV;
	if (r->from.last_type != WALK_NORMAL)
		return -EBUSY;
	if (r->to.last_type != WALK_NORMAL)
		return r->flags & LINUX_RENAME_NOREPLACE ? -EEXIST : -EBUSY;
	lock_directories(r);
	rc = rename_locked(r);
	unlock_directories(r);
	if (rc == 0 && inotify_active())
		report(r);
	dentry_put(r->source);
	dentry_put(r->target);
	return rc;
}

int vfs_rename_flags(uint32_t flags)
{
	const uint32_t known = LINUX_RENAME_NOREPLACE | LINUX_RENAME_EXCHANGE | LINUX_RENAME_WHITEOUT;

	if (flags & ~known || (flags & LINUX_RENAME_EXCHANGE &&
			       flags & (LINUX_RENAME_NOREPLACE | LINUX_RENAME_WHITEOUT)))
		return -EINVAL;
	return 0;
}

int vfs_rename(const struct vfs_context *ctx, int old_dirfd, const char *old_name, int new_dirfd,
	       const char *new_name, uint32_t flags)
{
	struct renaming r = { .flags = flags };
	int rc = vfs_rename_flags(flags);

	if (rc < 0)
		return rc;
	rc = walk_begin(&r.from, ctx, old_dirfd, old_name, 0);
	if (rc < 0)
		return rc;
	/* nothing is said of the new name before the old one's directory is there */
	rc = walk_to_parent(&r.from, &r.source_too_long);
	if (rc == 0)
		rc = walk_begin(&r.to, ctx, new_dirfd, new_name, 0);
	if (rc == 0) {
		rc = rename_walked(&r);
		walk_end(&r.to);
	}
	walk_end(&r.from);
	return rc;
}

int vfs_find_parent(const struct vfs_context *ctx, int dirfd, const char *name)
{
	struct walk w;
	int rc = walk_begin(&w, ctx, dirfd, name, 0);

	if (rc < 0)
		return rc;
	rc = walk_parent(&w);
	walk_end(&w);
	return rc;
}
