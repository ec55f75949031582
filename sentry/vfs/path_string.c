/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The textual path of a place, built backwards from the leaf.  The mount tree's
 * read lock and the cache lock are held together, so one state of both is seen.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sentry/vfs/dentry_cache.h"
#include "sentry/vfs/mount_tree.h"

struct back_buffer {
	char *start, *at;
	bool overflow;
};

static void prepend(struct back_buffer *b, const char *text)
{
	size_t size = strlen(text);

	if ((size_t)(b->at - b->start) < size) {
		b->overflow = true;
		return;
	}
	b->at -= size;
	memcpy(b->at, text, size);
}

/* Walks from @p to @root; false when the top of the tree came first. */
static bool prepend_path(struct back_buffer *b, const struct path *p, const struct path *root)
{
	struct mount *m = p->mount;
	struct dentry *d = p->dentry;

	while (d != root->dentry || m != root->mount) {
		if (m && d == m->root) {
			if (!m->parent)
				return false;
			d = m->mountpoint;
			m = m->parent;
			continue;
		}
		if (d->parent == d) {
			/* anonymous: "pipe:[3]", "memfd:x" */
			if (!m && d != d->sb->root) {
				prepend(b, d->name);
				return true;
			}
			return false;
		}
		prepend(b, d->name);
		prepend(b, "/");
		d = d->parent;
	}
	return true;
}

int vfs_path_string_reached(const struct path *p, const struct path *root, char *buf, size_t size,
			    char **out, bool *reached)
{
	struct back_buffer b = { buf, buf + size, false };
	struct dentry *d = p->dentry;
	bool deleted, anonymous;
	char *tail;

	if (size < 2)
		return -ENAMETOOLONG;
	*--b.at = '\0';
	mount_tree_read_lock();
	dentry_cache_lock();
	anonymous = !p->mount && d->parent == d && d != d->sb->root;
	deleted = !anonymous && !d->hashed && d->parent != d;
	if (deleted)
		prepend(&b, " (deleted)");
	tail = b.at;
	*reached = prepend_path(&b, p, root);
	if (b.at == tail && !anonymous)
		prepend(&b, "/");
	dentry_cache_unlock();
	mount_tree_read_unlock();
	if (b.overflow)
		return -ENAMETOOLONG;
	*out = b.at;
	return 0;
}

int vfs_path_string(const struct path *p, const struct path *root, char *buf, size_t size,
		    char **out)
{
	bool reached;

	return vfs_path_string_reached(p, root, buf, size, out, &reached);
}

int file_path_string(struct file *file, const struct path *root, char *buf, size_t size, char **out)
{
	struct path p = { file->mount, file->dentry };

	if (file->ops && file->ops->describe) {
		file->ops->describe(file, buf, size);
		*out = buf;
		return 0;
	}
	return vfs_path_string(&p, root, buf, size, out);
}
