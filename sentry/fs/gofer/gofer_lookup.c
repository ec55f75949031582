/* SPDX-License-Identifier: Apache-2.0 */
/* Looking up and revalidating names; the tables of inode operations. */
#include "config.h"

#include <errno.h>

#include "sentry/abi/fs.h"
#include "sentry/fs/gofer/gofer_inode.h"

/* By what a listing said; -EAGAIN when the gofer must be asked. */
static int lookup_listed(struct inode *dir, const char *name, struct inode **out)
{
	struct gofer_entry entry = { .node = 0 };

	switch (gofer_children_find(dir, name, &entry.attr)) {
	case GOFER_CHILD_FOUND:
		return gofer_inode_find(dir, name, &entry, NULL, out);
	case GOFER_CHILD_MISSING:
		return -ENOENT;
	default:
		return -EAGAIN;
	}
}

static int gofer_op_lookup(struct inode *dir, const char *name, struct inode **out)
{
	struct gofer_fs *fs = gofer_fs_of(dir->sb);
	char target[GOFER_SYMLINK_MAX + 1];
	struct gofer_entry entry;
	uint64_t node;
	int err = lookup_listed(dir, name, out);

	if (err != -EAGAIN)
		return err;
	target[0] = 0;
	err = gofer_node(dir, &node);
	if (!err)
		err = gofer_lookup(fs->client, node, name,
				   fs->shared ? GOFER_WALK_NODE : GOFER_WALK_DIRECTORY_NODE, &entry,
				   target);
	return err ? err : gofer_inode_find(dir, name, &entry, *target ? target : NULL, out);
}

static bool same_file(const struct inode *inode, const struct gofer_attr *attr)
{
	const struct gofer_inode *g = gofer_inode_of(inode);

	return g->dev == attr->dev && g->ino == attr->ino &&
	       inode_type(inode) == (attr->mode & LINUX_S_IFMT);
}

static int gofer_op_revalidate(struct inode *dir, const char *name, struct inode *inode)
{
	struct gofer_fs *fs = gofer_fs_of(dir->sb);
	struct gofer_entry entry;
	uint64_t node;
	int err;

	if (!fs->shared)
		return 1;
	err = gofer_node(dir, &node);
	if (!err)
		err = gofer_lookup(fs->client, node, name, 0, &entry, NULL);
	if (err == -ENOENT)
		return inode ? 0 : 1;
	if (err)
		return err;
	if (!inode || !same_file(inode, &entry.attr))
		return 0;
	gofer_inode_set_attr(inode, &entry.attr);
	return 1;
}

const struct inode_ops gofer_dir_inode_ops = {
	.lookup = gofer_op_lookup,
	.create = gofer_op_create,
	.link = gofer_op_link,
	.unlink = gofer_op_unlink,
	.rmdir = gofer_op_rmdir,
	.rename = gofer_op_rename,
	.revalidate = gofer_op_revalidate,
	.getattr = gofer_op_getattr,
	.setattr = gofer_op_setattr,
	.open = gofer_op_open_dir,
	.getxattr = gofer_op_getxattr,
	.setxattr = gofer_op_setxattr,
	.listxattr = gofer_op_listxattr,
	.removexattr = gofer_op_removexattr,
	.evict = gofer_inode_evict,
};

const struct inode_ops gofer_inode_ops = {
	.getattr = gofer_op_getattr,
	.setattr = gofer_op_setattr,
	.readlink = gofer_op_readlink,
	.open = gofer_op_open,
	.getxattr = gofer_op_getxattr,
	.setxattr = gofer_op_setxattr,
	.listxattr = gofer_op_listxattr,
	.removexattr = gofer_op_removexattr,
	.evict = gofer_inode_evict,
};
