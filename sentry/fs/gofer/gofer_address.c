/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How the gofer reaches an inode: by node, or by directory and name.  A name is
 * used only while `names` is held for reading, so no rename or unlink of ours
 * can put another file behind it; in exclusive trees nobody else does.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/fs.h"
#include "sentry/fs/gofer/gofer_inode.h"

int gofer_address(struct inode *inode, struct gofer_address *out)
{
	struct gofer_inode *g = gofer_inode_of(inode);
	uint64_t node = g->node;

	if (node) {
		*out = (struct gofer_address){ node, "" };
		return 0;
	}
	if (!g->parent)
		return -ESTALE; /* it had lost its name before anyone opened it */
	*out = (struct gofer_address){ gofer_inode_of(g->parent)->node, g->name };
	return 0;
}

/* Gives @g the node of @entry, if that is the file it stands for. */
static int adopt_node(struct gofer_fs *fs, struct gofer_inode *g, const struct gofer_entry *entry,
		      uint64_t *node)
{
	uint64_t none = 0;

	if (entry->attr.dev != g->dev || entry->attr.ino != g->ino) {
		gofer_release(fs->client, entry->node);
		return -ESTALE;
	}
	if (!atomic_compare_exchange_strong(&g->node, &none, entry->node))
		gofer_release(fs->client, entry->node);
	*node = g->node;
	return 0;
}

int gofer_node_locked(struct inode *inode, uint64_t *node)
{
	struct gofer_fs *fs = gofer_fs_of(inode->sb);
	struct gofer_inode *g = gofer_inode_of(inode);
	struct gofer_address address;
	struct gofer_entry entry;
	int err = gofer_address(inode, &address);

	if (err)
		return err;
	if (!*address.name) {
		*node = address.node;
		return 0;
	}
	err = gofer_lookup(fs->client, address.node, address.name, GOFER_WALK_NODE, &entry, NULL);
	return err ? err : adopt_node(fs, g, &entry, node);
}

int gofer_node(struct inode *inode, uint64_t *node)
{
	struct gofer_fs *fs = gofer_fs_of(inode->sb);
	uint64_t known = gofer_inode_of(inode)->node;
	int err;

	if (known) {
		*node = known;
		return 0;
	}
	rwlock_read_lock(&fs->names);
	err = gofer_node_locked(inode, node);
	rwlock_read_unlock(&fs->names);
	return err;
}

void gofer_address_moved_locked(struct inode *inode, struct inode *dir, char *name)
{
	struct gofer_inode *g = gofer_inode_of(inode);

	if (g->node) {
		free(name);
		return;
	}
	free(g->name);
	g->name = name;
	if (g->parent == dir)
		return;
	/* The old parent is in use by the VFS's rename: this is not its last reference. */
	inode_put(g->parent);
	g->parent = inode_get(dir);
}

void gofer_address_lost_locked(struct inode *inode, struct inode *dir, const char *name)
{
	struct gofer_inode *g = gofer_inode_of(inode);

	if (g->node || g->parent != dir || strcmp(g->name, name) != 0)
		return;
	/* @dir is locked by the VFS, hence alive beyond this. */
	inode_put(g->parent);
	g->parent = NULL;
}

int gofer_address_keep_locked(struct inode *inode, struct inode *dir, const char *name)
{
	struct gofer_fs *fs = gofer_fs_of(inode->sb);
	struct gofer_inode *g = gofer_inode_of(inode);
	uint64_t node;
	bool needed;

	if (g->node || g->parent != dir || strcmp(g->name, name) != 0)
		return 0;
	mutex_lock(&fs->table_lock);
	needed = g->opens > 0;
	mutex_unlock(&fs->table_lock);
	mutex_lock(&inode->attr_lock);
	needed = needed || inode->attr.nlink > 1 || inode_type(inode) == LINUX_S_IFDIR;
	mutex_unlock(&inode->attr_lock);
	return needed ? gofer_node_locked(inode, &node) : 0;
}
