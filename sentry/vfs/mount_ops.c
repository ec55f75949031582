/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes to mount trees: mount, bind, remount, move, umount, pivot_root.
 * Permission (CAP_SYS_ADMIN) is the caller's to check; propagation is private.
 */
#include "config.h"

#include <errno.h>

#include "sentry/abi/fs.h"
#include "sentry/cred/credentials.h"
#include "sentry/vfs/dentry_cache.h"
#include "sentry/vfs/mount_tree.h"

#define NAMESPACE_MOUNTS_MAX 100000U /* fs.mount-max */

static bool is_mount_root(const struct path *p)
{
	return p->mount && p->dentry == p->mount->root;
}

static bool is_directory(const struct dentry *d)
{
	return inode_type(d->inode) == LINUX_S_IFDIR;
}

/* Only a directory on a directory, and only in a live tree. */
static int check_place_locked(const struct dentry *root, const struct path *at)
{
	if (!at->mount || !at->mount->ns)
		return -EINVAL;
	if (is_directory(root) != is_directory(at->dentry))
		return -ENOTDIR;
	if (at->dentry->inode->dead || (!at->dentry->hashed && at->dentry->parent != at->dentry))
		return -ENOENT;
	if (at->mount->ns->mount_count >= NAMESPACE_MOUNTS_MAX)
		return -ENOSPC;
	return 0;
}

/* Where a new mount goes: on top of what is there already. */
static struct path top_of(const struct path *at)
{
	struct path top = path_get(at);

	path_follow_mounts(&top);
	return top;
}

/* Gives every mount of the tree at @m to @ns. */
static void adopt_tree_locked(struct mount *m, struct mount_namespace *ns)
{
	struct mount *child;

	m->ns = ns;
	list_add_tail(&ns->mounts, &m->in_namespace);
	ns->mount_count++;
	list_for_each(child, &m->children, siblings)
		adopt_tree_locked(child, ns);
}

/* Links the tree @m, whose reference is taken over, at @at. */
static int graft(struct mount *m, const struct path *at)
{
	struct list_node dead = LIST_HEAD_INIT(dead);
	struct path top = top_of(at);
	struct mount_namespace *ns = NULL;
	int rc;

	mount_tree_write_lock();
	rc = check_place_locked(m->root, &top);
	if (rc == 0) {
		ns = top.mount->ns;
		mount_attach_locked(m, &top, NULL);
		adopt_tree_locked(m, ns);
		mount_namespace_changed(ns);
	} else {
		mount_detach_tree_locked(m, &dead);
	}
	mount_tree_write_unlock();
	mount_put_dead(&dead);
	path_put(&top);
	return rc;
}

int vfs_mount_sb(struct super_block *sb, struct dentry *root, const struct path *at, uint32_t flags)
{
	struct mount *m;
	int rc = mount_new(sb, root, flags, &m);

	return rc < 0 ? rc : graft(m, at);
}

int vfs_bind_mount(const struct path *from, const struct path *at, bool recursive, uint32_t flags)
{
	struct list_node dead = LIST_HEAD_INIT(dead);
	struct mount *m = NULL;
	int rc = -EINVAL;

	mount_tree_write_lock();
	if (from->mount && from->mount->ns)
		rc = mount_copy_tree_locked(from->mount, from->dentry, recursive, &m);
	if (rc < 0 && m)
		mount_detach_tree_locked(m, &dead);
	mount_tree_write_unlock();
	mount_put_dead(&dead);
	if (rc < 0)
		return rc;
	m->flags |= flags;
	return graft(m, at);
}

int vfs_remount(const struct path *at, uint32_t flags, bool bind, bool read_only, const char *options)
{
	struct super_block *sb = at->dentry->sb;
	int rc = 0;

	if (!is_mount_root(at))
		return -EINVAL;
	if (!bind) {
		if (options && *options && sb->ops && sb->ops->remount)
			rc = sb->ops->remount(sb, options);
		if (rc < 0)
			return rc;
		sb->read_only = read_only;
		if (!read_only)
			flags &= ~(uint32_t)MOUNT_READONLY;
	}
	at->mount->flags = flags;
	mount_tree_write_lock();
	if (at->mount->ns)
		mount_namespace_changed(at->mount->ns);
	mount_tree_write_unlock();
	return rc;
}

/* --- umount -------------------------------------------------------------------------- */

/* Held by the namespace's list and by the caller's path; whatever is more is a user. */
static bool is_busy_locked(struct mount *m)
{
	return !list_empty(&m->children) || refcount_read(&m->refs) > 2;
}

int vfs_umount(const struct path *at, int umount_flags)
{
	struct list_node dead = LIST_HEAD_INIT(dead);
	struct mount *m = at->mount;
	struct mount_namespace *ns;
	int rc = 0;

	if (!is_mount_root(at))
		return -EINVAL;
	mount_tree_write_lock();
	ns = m->ns;
	if (!ns)
		rc = -EINVAL;
	else if (!m->parent && m == ns->root)
		rc = umount_flags & LINUX_MNT_DETACH ? -EINVAL : -EBUSY;
	else if (!(umount_flags & LINUX_MNT_DETACH) && is_busy_locked(m))
		rc = -EBUSY;
	else if (umount_flags & LINUX_MNT_EXPIRE)
		rc = -EAGAIN; /* the first call marks; nothing here ever expires */
	if (rc == 0) {
		mount_detach_tree_locked(m, &dead);
		mount_namespace_changed(ns);
	}
	mount_tree_write_unlock();
	mount_put_dead(&dead);
	return rc;
}

/* --- move ------------------------------------------------------------------------------ */

static bool tree_contains_locked(struct mount *top, struct mount *m)
{
	for (; m; m = m->parent) {
		if (m == top)
			return true;
	}
	return false;
}

/* Changes the place of @m; the old one's references are handed out. */
static struct path move_locked(struct mount *m, const struct path *to)
{
	struct path old = { m->parent, m->mountpoint };

	if (list_linked(&m->siblings)) {
		list_remove(&m->siblings);
		m->mountpoint->mounted--;
	}
	m->parent = NULL;
	m->mountpoint = NULL;
	if (to)
		mount_attach_locked(m, to, NULL);
	return old;
}

int vfs_move_mount(const struct path *from, const struct path *to)
{
	struct path top = top_of(to), old = { NULL, NULL };
	struct mount *m = from->mount;
	int rc;

	mount_tree_write_lock();
	rc = check_place_locked(m->root, &top);
	if (!is_mount_root(from) || !m->ns || !m->parent || (rc == 0 && m->ns != top.mount->ns))
		rc = -EINVAL;
	else if (rc == 0 && tree_contains_locked(m, top.mount))
		rc = -ELOOP;
	if (rc == 0) {
		old = move_locked(m, &top);
		mount_namespace_changed(m->ns);
	}
	mount_tree_write_unlock();
	path_put(&old);
	path_put(&top);
	return rc;
}

/* --- pivot_root -------------------------------------------------------------------------- */

/* @p is @root or below it, over mounts. */
static bool is_reachable_locked(const struct path *p, const struct path *root)
{
	struct path at = *p;

	while (at.mount != root->mount && at.mount->parent)
		at = (struct path){ at.mount->parent, at.mount->mountpoint };
	return at.mount == root->mount && dentry_is_below(at.dentry, root->dentry);
}

static int check_pivot_locked(const struct path *root, const struct path *new_root,
			      const struct path *put_old)
{
	if (!root->mount || !root->mount->ns || root->mount->ns != new_root->mount->ns ||
	    root->mount->ns != put_old->mount->ns)
		return -EINVAL;
	if (new_root->dentry->inode->dead)
		return -ENOENT;
	if (new_root->mount == root->mount || put_old->mount == root->mount)
		return -EBUSY;
	if (!is_mount_root(root) || !is_mount_root(new_root) || !new_root->mount->parent)
		return -EINVAL;
	if (!is_reachable_locked(put_old, new_root) || !is_reachable_locked(new_root, root))
		return -EINVAL;
	return 0;
}

/* The namespace's root mount changes only when the old root was it. */
static void pivot_locked(const struct path *root, const struct path *new_root,
			 const struct path *put_old, struct path olds[2])
{
	struct mount *old = root->mount;
	struct mount_namespace *ns = old->ns;
	struct path place = { old->parent, old->mountpoint };

	/* olds[1] will hold @place's references until the caller puts them */
	olds[0] = move_locked(new_root->mount, place.mount ? &place : NULL);
	olds[1] = move_locked(old, put_old);
	if (ns->root == old) {
		mount_get(new_root->mount);
		ns->root = new_root->mount;
	} else {
		mount_get(old); /* the caller drops one of the root */
	}
	mount_namespace_changed(ns);
}

int vfs_pivot_root(const struct vfs_context *ctx, const struct path *new_root, const struct path *put_old)
{
	struct path olds[2] = { { NULL, NULL }, { NULL, NULL } }, root, cwd;
	struct path there = top_of(put_old);
	int rc;

	mutex_lock(&ctx->fs->lock);
	root = path_get(&ctx->fs->root);
	cwd = path_get(&ctx->fs->cwd);
	mutex_unlock(&ctx->fs->lock);
	mount_tree_write_lock();
	rc = check_pivot_locked(&root, new_root, &there);
	if (rc == 0)
		pivot_locked(&root, new_root, &there, olds);
	mount_tree_write_unlock();
	if (rc == 0) {
		struct path fresh_root = path_get(new_root), fresh_cwd = path_get(&cwd);
		struct path old_root, old_cwd;

		/* every process whose root or cwd was the old root moves on Linux; here the caller's */
		if (cwd.mount == root.mount && cwd.dentry == root.dentry) {
			path_put(&fresh_cwd);
			fresh_cwd = path_get(new_root);
		}
		mutex_lock(&ctx->fs->lock);
		old_root = ctx->fs->root;
		old_cwd = ctx->fs->cwd;
		ctx->fs->root = fresh_root;
		ctx->fs->cwd = fresh_cwd;
		mutex_unlock(&ctx->fs->lock);
		path_put(&old_root);
		path_put(&old_cwd);
		mount_put(root.mount); /* the namespace's */
	}
	path_put(&olds[0]);
	path_put(&olds[1]);
	path_put(&root);
	path_put(&cwd);
	path_put(&there);
	return rc;
}

/* --- sync ---------------------------------------------------------------------------------- */

/* By number, so that no lock is held while a file system works. */
static struct super_block *nth_super(struct mount_namespace *ns, uint32_t n)
{
	struct super_block *sb = NULL;
	struct mount *m;

	mount_tree_read_lock();
	list_for_each(m, &ns->mounts, in_namespace) {
		if (n-- == 0) {
			sb = super_block_get(m->sb);
			break;
		}
	}
	mount_tree_read_unlock();
	return sb;
}

void vfs_sync_namespace(struct mount_namespace *ns)
{
	struct super_block *sb;

	for (uint32_t n = 0; (sb = nth_super(ns, n)); n++) {
		/* sync(2) reports no errors */
		if (sb->ops && sb->ops->sync)
			(void)sb->ops->sync(sb);
		super_block_put(sb);
	}
}
