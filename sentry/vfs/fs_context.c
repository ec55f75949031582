/* SPDX-License-Identifier: Apache-2.0 */
/* Paths as pairs of references, and the root, working directory and umask of tasks. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "sentry/vfs/vfs.h"

struct path path_get(const struct path *p)
{
	if (p->mount)
		mount_get(p->mount);
	if (p->dentry)
		dentry_get(p->dentry);
	return *p;
}

void path_put(struct path *p)
{
	struct path old = *p;

	*p = (struct path){ NULL, NULL };
	dentry_put(old.dentry);
	mount_put(old.mount);
}

int fs_context_new(const struct path *root, const struct path *cwd, uint32_t umask,
		   struct fs_context **out)
{
	struct fs_context *fs = calloc(1, sizeof(*fs));

	if (!fs)
		return -ENOMEM;
	refcount_init(&fs->refs);
	mutex_init(&fs->lock, LOCK_RANK_FS_CONTEXT);
	fs->root = path_get(root);
	fs->cwd = path_get(cwd);
	fs->umask = umask;
	fs->users = 1;
	*out = fs;
	return 0;
}

int fs_context_copy(struct fs_context *from, struct fs_context **out)
{
	struct path root, cwd;
	uint32_t umask;
	int rc;

	mutex_lock(&from->lock);
	root = path_get(&from->root);
	cwd = path_get(&from->cwd);
	umask = from->umask;
	mutex_unlock(&from->lock);
	rc = fs_context_new(&root, &cwd, umask, out);
	path_put(&root);
	path_put(&cwd);
	return rc;
}

struct fs_context *fs_context_share(struct fs_context *fs)
{
	refcount_get(&fs->refs);
	mutex_lock(&fs->lock);
	fs->users++;
	mutex_unlock(&fs->lock);
	return fs;
}

void fs_context_put(struct fs_context *fs)
{
	if (!fs)
		return;
	mutex_lock(&fs->lock);
	fs->users--;
	mutex_unlock(&fs->lock);
	if (!refcount_put(&fs->refs))
		return;
	path_put(&fs->root);
	path_put(&fs->cwd);
	mutex_destroy(&fs->lock);
	free(fs);
}

void fs_context_enter(struct fs_context *fs, struct mount_namespace *ns)
{
	struct path root, old_root, old_cwd;

	mount_namespace_root(ns, &root);
	mutex_lock(&fs->lock);
	old_root = fs->root;
	old_cwd = fs->cwd;
	fs->root = root;
	fs->cwd = path_get(&root);
	mutex_unlock(&fs->lock);
	path_put(&old_root);
	path_put(&old_cwd);
}
