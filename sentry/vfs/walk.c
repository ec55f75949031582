/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The path walk: one component at a time, with symlinks, "..", mounts and the
 * limits of openat2.  A walk holds references, never a lock between components.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/fs.h"
#include "sentry/cred/credentials.h"
#include "sentry/vfs/dentry_cache.h"
#include "sentry/vfs/mount_tree.h"
#include "sentry/vfs/walk.h"

#define SYMLINKS_MAX 40

/* --- one name in one directory ---------------------------------------------------- */

/* Is what the cache says still so?  1, 0, or an error. */
static int still_valid(struct dentry *dir, const char *name, struct dentry *d)
{
	if (!dir->sb->revalidate || !dir->inode->ops->revalidate)
		return 1;
	return dir->inode->ops->revalidate(dir->inode, name, d->inode);
}

/* The cached child if it is valid, or NULL. */
static int find_valid(struct dentry *dir, const char *name, size_t size, struct dentry **out)
{
	struct dentry *d = dentry_find(dir, name, size, dentry_name_hash(name, size));
	int rc;

	*out = NULL;
	if (!d)
		return 0;
	rc = still_valid(dir, name, d);
	if (rc > 0) {
		*out = d;
		return 0;
	}
	if (rc == 0 && !d->mounted)
		dentry_drop(d);
	dentry_put(d);
	return rc;
}

int dir_lookup_locked(struct dentry *dir, const char *name, struct dentry **out)
{
	struct inode *inode = NULL;
	struct dentry *d = NULL;
	int rc = find_valid(dir, name, strlen(name), &d);

	if (rc == 0 && !d) {
		if (dir->inode->dead || !dir->inode->ops->lookup)
			return dir->inode->dead ? -ENOENT : -ENOTDIR;
		rc = dir->inode->ops->lookup(dir->inode, name, &inode);
		if (rc == -ENOENT && !dir->sb->no_cache)
			rc = dentry_insert(dir, name, NULL, &d);
		else if (rc >= 0)
			rc = dentry_insert(dir, name, inode, &d);
		inode_put(inode);
	}
	if (rc < 0)
		return rc;
	if (!d->inode) {
		dentry_put(d);
		return -ENOENT;
	}
	*out = d;
	return 0;
}

static int dir_lookup(struct dentry *dir, const char *name, size_t size, struct dentry **out)
{
	struct dentry *d = NULL;
	int rc = find_valid(dir, name, size, &d);

	if (rc < 0)
		return rc;
	if (!d) {
		mutex_lock(&dir->inode->lock);
		rc = dir_lookup_locked(dir, name, out);
		mutex_unlock(&dir->inode->lock);
		return rc;
	}
	if (!d->inode) {
		dentry_put(d);
		return -ENOENT;
	}
	*out = d;
	return 0;
}

/* --- begin and end ------------------------------------------------------------------- */

static void current_root(const struct vfs_context *ctx, struct path *out)
{
	mutex_lock(&ctx->fs->lock);
	*out = path_get(&ctx->fs->root);
	mutex_unlock(&ctx->fs->lock);
}

static void current_directory(const struct vfs_context *ctx, struct path *out)
{
	mutex_lock(&ctx->fs->lock);
	*out = path_get(&ctx->fs->cwd);
	mutex_unlock(&ctx->fs->lock);
}

static int start_of_fd(const struct vfs_context *ctx, int dirfd, bool empty, struct path *out)
{
	struct file *file;
	struct path p;

	if (dirfd == LINUX_AT_FDCWD) {
		current_directory(ctx, out);
		return 0;
	}
	file = fd_table_lookup_path(ctx->fds, dirfd);
	if (!file)
		return -EBADF;
	p = (struct path){ file->mount, file->dentry };
	if (!empty && inode_type(file->inode) != LINUX_S_IFDIR) {
		file_put(file);
		return -ENOTDIR;
	}
	*out = path_get(&p);
	file_put(file);
	return 0;
}

int walk_begin_at(struct walk *w, const struct vfs_context *ctx, const struct path *start,
		  const char *name, uint32_t flags)
{
	memset(w, 0, offsetof(struct walk, name));
	w->ctx = ctx;
	w->flags = flags;
	w->rest = name;
	if (!*name && !(flags & LOOKUP_EMPTY))
		return -ENOENT;
	if (*name == '/' && flags & LOOKUP_BENEATH)
		return -EXDEV;
	if (flags & LOOKUP_IN_ROOT)
		w->root = path_get(start);
	else
		current_root(ctx, &w->root);
	w->at = path_get(*name == '/' ? &w->root : start);
	w->start = path_get(&w->at);
	return 0;
}

int walk_begin(struct walk *w, const struct vfs_context *ctx, int dirfd, const char *name,
	       uint32_t flags)
{
	struct path start = { NULL, NULL };
	int rc = 0;

	if (!*name && !(flags & LOOKUP_EMPTY))
		return -ENOENT;
	/* an absolute path does not look at dirfd */
	if (*name == '/' && !(flags & LOOKUP_IN_ROOT))
		current_root(ctx, &start);
	else
		rc = start_of_fd(ctx, dirfd, !*name, &start);
	if (rc < 0)
		return rc;
	rc = walk_begin_at(w, ctx, &start, name, flags);
	path_put(&start);
	return rc;
}

void walk_end(struct walk *w)
{
	path_put(&w->at);
	path_put(&w->root);
	path_put(&w->start);
	free(w->buffer);
	w->buffer = NULL;
}

/* --- steps ------------------------------------------------------------------------------ */

static bool same_place(const struct path *a, const struct path *b)
{
	return a->dentry == b->dentry && a->mount == b->mount;
}

static void move_to(struct walk *w, struct path to)
{
	path_put(&w->at);
	w->at = to;
}

static int cross_mounts(struct walk *w, struct path *p)
{
	if (p->dentry->mounted && path_follow_mounts(p) && w->flags & LOOKUP_NO_XDEV)
		return -EXDEV;
	return 0;
}

static int walk_up(struct walk *w)
{
	struct path to;

	for (;;) {
		if (same_place(&w->at, &w->start) && w->flags & LOOKUP_BENEATH)
			return -EXDEV;
		if (same_place(&w->at, &w->root))
			return 0;
		if (!w->at.mount || w->at.dentry != w->at.mount->root)
			break;
		if (!mount_parent(w->at.mount, &to))
			return 0;
		if (w->flags & LOOKUP_NO_XDEV) {
			path_put(&to);
			return -EXDEV;
		}
		move_to(w, to);
	}
	to.mount = w->at.mount ? mount_get(w->at.mount) : NULL;
	to.dentry = dentry_parent_get(w->at.dentry);
	move_to(w, to);
	return cross_mounts(w, &w->at);
}

/* The child named w->name, mounts crossed. */
int walk_last(struct walk *w, struct path *out)
{
	struct path child = { w->at.mount, NULL };
	int rc = dir_lookup(w->at.dentry, w->name, w->name_size, &child.dentry);

	if (rc < 0)
		return rc;
	if (child.mount)
		mount_get(child.mount);
	rc = cross_mounts(w, &child);
	if (rc < 0) {
		path_put(&child);
		return rc;
	}
	*out = child;
	return 0;
}

/* --- symlinks ------------------------------------------------------------------------------ */

/* fs.protected_symlinks: in sticky world-writable directories only one's own, or the directory owner's. */
static int may_follow(const struct walk *w, struct inode *link)
{
	struct inode_attr dir, own;

	inode_attr_read(w->at.dentry->inode, &dir);
	if ((dir.mode & (LINUX_S_ISVTX | 2)) != (LINUX_S_ISVTX | 2))
		return 0;
	inode_attr_read(link, &own);
	if (own.uid == w->ctx->cred->fsuid || own.uid == dir.uid)
		return 0;
	return -EACCES;
}

static int follow_magic(struct walk *w, struct inode *inode)
{
	struct path to = { NULL, NULL };
	int rc;

	if (w->flags & LOOKUP_NO_MAGICLINKS)
		return -ELOOP;
	if (w->flags & (LOOKUP_BENEATH | LOOKUP_IN_ROOT))
		return -EXDEV;
	rc = inode->ops->get_link(inode, &to.mount, &to.dentry);
	if (rc < 0)
		return rc;
	if (w->flags & LOOKUP_NO_XDEV && to.mount != w->at.mount) {
		path_put(&to);
		return -EXDEV;
	}
	move_to(w, to);
	return 0;
}

/* Puts the target before what is left of the path. */
static int push_target(struct walk *w, const char *target)
{
	size_t size = strlen(target), left = strlen(w->rest);
	char *joined;

	if (!size)
		return -ENOENT;
	joined = malloc(size + left + 1);
	if (!joined)
		return -ENOMEM;
	memcpy(joined, target, size);
	memcpy(joined + size, w->rest, left + 1);
	free(w->buffer);
	w->buffer = joined;
	w->rest = joined;
	return 0;
}

static int follow_link(struct walk *w, struct inode *inode)
{
	char *target = NULL;
	int rc;

	if (++w->links > SYMLINKS_MAX || w->flags & LOOKUP_NO_SYMLINKS ||
	    (w->at.mount && w->at.mount->flags & MOUNT_NOSYMFOLLOW))
		return -ELOOP;
	rc = may_follow(w, inode);
	if (rc < 0)
		return rc;
	if (inode->ops->get_link)
		return follow_magic(w, inode);
	if (!inode->ops->readlink)
		return -EINVAL;
	rc = inode->ops->readlink(inode, &target);
	if (rc < 0)
		return rc;
	if (*target == '/') {
		if (w->flags & LOOKUP_BENEATH)
			rc = -EXDEV;
		else if (w->flags & LOOKUP_NO_XDEV && w->root.mount != w->at.mount)
			rc = -EXDEV;
		else
			move_to(w, path_get(&w->root));
	}
	if (rc == 0)
		rc = push_target(w, target);
	free(target);
	return rc;
}

/* --- the loop --------------------------------------------------------------------------------- */

static int may_search(struct walk *w)
{
	struct inode *inode = w->at.dentry->inode;

	if (inode_type(inode) != LINUX_S_IFDIR)
		return -ENOTDIR;
	return inode_permission(inode, LINUX_MAY_EXEC, w->ctx->cred);
}

/* Takes one component off w->rest.  *last: only slashes follow. */
static int next_component(struct walk *w, bool *last)
{
	const char *from = w->rest, *end = strchrnul(from, '/'), *after = end;
	size_t size = (size_t)(end - from);

	while (*after == '/')
		after++;
	*last = !*after;
	w->trailing_slash = *last && after != end;
	w->last_type = size == 1 && from[0] == '.'		       ? WALK_DOT :
		       size == 2 && from[0] == '.' && from[1] == '.' ? WALK_DOTDOT :
								       WALK_NORMAL;
	/* the slash stays, for a symlink's target to be joined with it */
	w->rest = end;
	if (size > VFS_NAME_MAX)
		return -ENAMETOOLONG;
	memcpy(w->name, from, size);
	w->name[size] = '\0';
	w->name_size = size;
	return 0;
}

static int walk_child(struct walk *w, bool last)
{
	bool follow = !last || w->flags & LOOKUP_FOLLOW || w->trailing_slash;
	struct path child;
	int rc = walk_last(w, &child);

	if (rc < 0)
		return rc;
	if (follow && inode_type(child.dentry->inode) == LINUX_S_IFLNK) {
		rc = follow_link(w, child.dentry->inode);
		path_put(&child);
		return rc;
	}
	move_to(w, child);
	return 0;
}

/* Walks to the end, or stops at the last component for walk_parent. */
static int walk_run(struct walk *w, bool parent)
{
	bool last = false;

	for (;;) {
		int rc;

		while (*w->rest == '/')
			w->rest++;
		if (!*w->rest)
			break;
		rc = may_search(w);
		if (rc == 0)
			rc = next_component(w, &last);
		if (rc < 0)
			return rc;
		if (last && parent)
			return 0;
		if (w->last_type == WALK_DOTDOT)
			rc = walk_up(w);
		else if (w->last_type == WALK_NORMAL)
			rc = walk_child(w, last);
		if (rc < 0)
			return rc;
	}
	w->last_type = WALK_ROOT;
	return 0;
}

bool walk_is_last(const struct walk *w)
{
	return !w->rest[strspn(w->rest, "/")];
}

int walk_parent(struct walk *w)
{
	w->trailing_slash = false;
	return walk_run(w, true);
}

int walk_full(struct walk *w)
{
	int rc = walk_run(w, false);

	if (rc < 0)
		return rc;
	if ((w->trailing_slash || w->flags & LOOKUP_DIRECTORY) &&
	    inode_type(w->at.dentry->inode) != LINUX_S_IFDIR)
		return -ENOTDIR;
	return 0;
}

int walk_into_link(struct walk *w, struct path *link)
{
	int rc = follow_link(w, link->dentry->inode);

	path_put(link);
	return rc;
}

int walk_special(struct walk *w)
{
	return w->last_type == WALK_DOTDOT ? walk_up(w) : 0;
}

/* --- entry points --------------------------------------------------------------------------------- */

static int finish(struct walk *w, struct path *out)
{
	int rc = walk_full(w);

	if (rc == 0)
		*out = path_get(&w->at);
	walk_end(w);
	return rc;
}

int vfs_lookup(const struct vfs_context *ctx, int dirfd, const char *name, uint32_t flags,
	       struct path *out)
{
	struct walk w;
	int rc = walk_begin(&w, ctx, dirfd, name, flags);

	return rc < 0 ? rc : finish(&w, out);
}

int vfs_lookup_from(const struct vfs_context *ctx, const struct path *start, const char *name,
		    uint32_t flags, struct path *out)
{
	struct walk w;
	int rc = walk_begin_at(&w, ctx, start, name, flags);

	return rc < 0 ? rc : finish(&w, out);
}
