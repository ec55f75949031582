/* SPDX-License-Identifier: Apache-2.0 */
/* pivot_root: another mount becomes the root, and the root goes somewhere else. */
#include "config.h"

#include <errno.h>

#include "sentry/abi/fs.h"
#include "sentry/vfs/mount_peers.h"
#include "sentry/vfs/mount_tree.h"

static bool is_shared(const struct mount *m)
{
	return m && m->group;
}

static int check_pivot_locked(const struct path *root, const struct path *new_root,
			      const struct path *put_old)
{
	if (!root->mount || !root->mount->ns || root->mount->ns != new_root->mount->ns ||
	    root->mount->ns != put_old->mount->ns)
		return -EINVAL;
	/* What others share must not change its place with them not knowing. */
	if (is_shared(put_old->mount) || is_shared(root->mount->parent) || is_shared(new_root->mount->parent))
		return -EINVAL;
	if (new_root->mount->locked)
		return -EINVAL;
	if (new_root->dentry->inode->dead)
		return -ENOENT;
	if (new_root->mount == root->mount || put_old->mount == root->mount)
		return -EBUSY;
	if (!mount_is_root(root) || !mount_is_root(new_root) || !new_root->mount->parent)
		return -EINVAL;
	if (!mount_reachable_locked(put_old, new_root) || !mount_reachable_locked(new_root, root))
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

	/* What is in the old root's place hides what that one hid. */
	if (old->locked) {
		new_root->mount->locked = true;
		old->locked = false;
	}
	/* olds[1] will hold @place's references until the caller puts them */
	olds[0] = mount_move_locked(new_root->mount, place.mount ? &place : NULL);
	olds[1] = mount_move_locked(old, put_old);
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
	struct path there = path_get(put_old);
	int rc;

	path_follow_mounts(&there);
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
