/* SPDX-License-Identifier: Apache-2.0 */
/* From a number in a handle to the object, by the file system's own search and a walk without mounts. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "sentry/vfs/mount_tree.h"
#include "sentry/vfs/walk.h"
#include "util/strbuf.h"

static int step(struct dentry **at, const char *name)
{
	struct dentry *dir = *at, *child;
	int rc;

	mutex_lock(&dir->inode->lock);
	rc = dir_lookup_locked(dir, name, &child);
	mutex_unlock(&dir->inode->lock);
	if (rc < 0)
		return rc == -ENOENT || rc == -ENOTDIR ? -ESTALE : rc;
	dentry_put(dir);
	*at = child;
	return 0;
}

int vfs_find_by_ino(const struct path *in, uint64_t ino, struct path *out)
{
	struct super_block *sb = in->dentry->sb;
	AUTO_STRBUF struct strbuf path = STRBUF_INIT;
	struct dentry *at;
	char *rest, *name;
	int rc;

	if (!sb->ops->path_of_ino || !in->mount)
		return -ESTALE;
	rc = sb->ops->path_of_ino(sb, ino, &path);
	if (rc < 0)
		return rc;
	at = dentry_get(sb->root);
	rest = path.length ? path.data : NULL;
	while (rc == 0 && (name = strsep(&rest, "/")))
		rc = step(&at, name);
	/* it may have gone, and another come */
	if (rc == 0 && at->inode->ino != ino)
		rc = -ESTALE;
	if (rc < 0) {
		dentry_put(at);
		return rc;
	}
	*out = (struct path){ mount_get(in->mount), at };
	return 0;
}
