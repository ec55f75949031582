/* SPDX-License-Identifier: Apache-2.0 */
/* tmpfs inodes: creation, attributes, symlinks, eviction. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/fs.h"
#include "sentry/fs/tmpfs/tmpfs_private.h"

#define BLOCKS_PER_PAGE (TMPFS_PAGE / 512)

static int charge_inode(struct tmpfs_super *ts)
{
	uint64_t used = ts->used_inodes, max = ts->max_inodes;

	do {
		if (max && used >= max)
			return -ENOSPC;
	} while (!atomic_compare_exchange_weak(&ts->used_inodes, &used, used + 1));
	return 0;
}

static const struct inode_ops *ops_of(uint32_t mode)
{
	switch (mode & LINUX_S_IFMT) {
	case LINUX_S_IFDIR:
		return &tmpfs_directory_ops;
	case LINUX_S_IFREG:
		return &tmpfs_file_inode_ops;
	case LINUX_S_IFLNK:
		return &tmpfs_symlink_ops;
	default:
		return &tmpfs_special_ops;
	}
}

static int node_new(const struct inode_create *how, struct tmpfs_node **out)
{
	struct tmpfs_node *node = calloc(1, sizeof(*node));

	if (!node)
		return -ENOMEM;
	switch (how->mode & LINUX_S_IFMT) {
	case LINUX_S_IFDIR:
		hash_table_init(&node->dir.names);
		list_init(&node->dir.entries);
		node->dir.next_cookie = 2; /* DIR_EMIT_FIRST */
		break;
	case LINUX_S_IFREG:
		node->file.memfd = -1;
		node->file.twin = -1;
		node->file.seals = LINUX_F_SEAL_SEAL;
		break;
	case LINUX_S_IFLNK:
		node->target = strdup(how->symlink_target);
		if (!node->target) {
			free(node);
			return -ENOMEM;
		}
		break;
	default:
		break;
	}
	*out = node;
	return 0;
}

int tmpfs_inode_new(struct super_block *sb, const struct inode_create *how, struct inode **out)
{
	struct tmpfs_super *ts = sb->private_data;
	struct tmpfs_node *node;
	struct inode *inode;
	int rc = charge_inode(ts);

	if (rc < 0)
		return rc;
	rc = node_new(how, &node);
	if (rc < 0)
		goto uncharge;
	rc = inode_new(sb, ops_of(how->mode), 0, how->mode, &inode);
	if (rc < 0)
		goto free_node;
	inode->private_data = node;
	inode->attr.uid = how->uid;
	inode->attr.gid = how->gid;
	inode->attr.rdev = how->rdev;
	switch (how->mode & LINUX_S_IFMT) {
	case LINUX_S_IFDIR:
		inode->attr.nlink = 2;
		inode->attr.size = 2 * TMPFS_DIRENT_SIZE;
		break;
	case LINUX_S_IFLNK:
		inode->attr.size = strlen(how->symlink_target);
		break;
	default:
		break;
	}
	*out = inode;
	return 0;
free_node:
	if ((how->mode & LINUX_S_IFMT) == LINUX_S_IFLNK)
		free(node->target);
	free(node);
uncharge:
	atomic_fetch_sub(&ts->used_inodes, 1);
	return rc;
}

void tmpfs_evict(struct inode *inode)
{
	struct tmpfs_node *node = tmpfs_node(inode);

	switch (inode_type(inode)) {
	case LINUX_S_IFDIR:
		tmpfs_directory_evict(&node->dir);
		break;
	case LINUX_S_IFREG:
		tmpfs_storage_evict(inode);
		break;
	case LINUX_S_IFLNK:
		free(node->target);
		break;
	default:
		break;
	}
	tmpfs_xattrs_free(node);
	free(node);
	atomic_fetch_sub(&tmpfs_super(inode)->used_inodes, 1);
}

/* --- attributes ------------------------------------------------------------------------ */

int tmpfs_getattr(struct inode *inode, struct inode_attr *out)
{
	uint64_t pages = 0;

	if (inode_type(inode) == LINUX_S_IFREG) {
		mutex_lock(&inode->lock);
		tmpfs_storage_recount_locked(inode);
		pages = tmpfs_node(inode)->file.pages;
		mutex_unlock(&inode->lock);
	}
	inode_attr_read(inode, out);
	out->blocks = pages * BLOCKS_PER_PAGE;
	return 0;
}

int tmpfs_setattr(struct inode *inode, const struct setattr *set)
{
	int rc = 0;

	if (inode_type(inode) == LINUX_S_IFREG && set->mask & SETATTR_MODE &&
	    tmpfs_node(inode)->file.seals & LINUX_F_SEAL_EXEC && (set->mode ^ inode->attr.mode) & LINUX_S_IXUGO)
		return -EPERM;
	if (set->mask & SETATTR_SIZE) {
		mutex_lock(&inode->lock);
		rc = tmpfs_storage_resize_locked(inode, set->size);
		mutex_unlock(&inode->lock);
	}
	if (rc == 0)
		inode_attr_apply(inode, set);
	return rc;
}

static int tmpfs_readlink(struct inode *inode, char **out)
{
	*out = strdup(tmpfs_node(inode)->target);
	return *out ? 0 : -ENOMEM;
}

const struct inode_ops tmpfs_symlink_ops = {
	.getattr = tmpfs_getattr,
	.setattr = tmpfs_setattr,
	.readlink = tmpfs_readlink,
	.getxattr = tmpfs_getxattr,
	.setxattr = tmpfs_setxattr,
	.listxattr = tmpfs_listxattr,
	.removexattr = tmpfs_removexattr,
	.evict = tmpfs_evict,
};

const struct inode_ops tmpfs_special_ops = {
	.getattr = tmpfs_getattr,
	.setattr = tmpfs_setattr,
	.getxattr = tmpfs_getxattr,
	.setxattr = tmpfs_setxattr,
	.listxattr = tmpfs_listxattr,
	.removexattr = tmpfs_removexattr,
	.evict = tmpfs_evict,
};
