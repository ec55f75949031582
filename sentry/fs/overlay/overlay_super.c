/* SPDX-License-Identifier: Apache-2.0 */
/* Overlay super blocks. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/fs.h"
#include "sentry/fs/overlay/overlay_private.h"

/* Space is the upper's; one without limits shows the lower's numbers. */
static int overlay_statfs(struct super_block *sb, struct statfs_result *out)
{
	struct overlay_super *os = overlay_super(sb);
	int rc = os->upper->ops->statfs(os->upper, out);

	if (rc == 0 && !out->blocks)
		rc = os->lower->ops->statfs(os->lower, out);
	if (rc < 0)
		return rc;
	out->type = LINUX_OVERLAYFS_SUPER_MAGIC;
	out->fsid = sb->dev;
	out->flags = 0;
	return 0;
}

static void overlay_destroy(struct super_block *sb)
{
	struct overlay_super *os = overlay_super(sb);

	super_block_put(os->lower);
	super_block_put(os->upper);
	hash_table_destroy(&os->by_upper);
	mutex_destroy(&os->table_lock);
	free(os);
}

static const struct super_block_ops overlay_super_ops = {
	.statfs = overlay_statfs,
	.destroy = overlay_destroy,
};

/* Inodes made from now on get the rank by themselves; the root was there before. */
static void put_below(struct super_block *sb)
{
	sb->below_overlay = true;
	sb->root->inode->lock.rank = LOCK_RANK_INODE_BELOW;
}

/* The upper's root looks like the lower's. */
static int copy_root(struct inode *lower, struct inode *upper)
{
	struct inode_attr attr;
	struct setattr set;
	int rc = overlay_real_getattr(lower, &attr);

	if (rc < 0)
		return rc;
	set = (struct setattr){
		.mask = SETATTR_MODE | SETATTR_UID | SETATTR_GID | SETATTR_ATIME | SETATTR_MTIME,
		.mode = attr.mode, .uid = attr.uid, .gid = attr.gid,
		.atime = attr.atime, .mtime = attr.mtime,
	};
	return upper->ops->setattr(upper, &set);
}

static int make_root(struct super_block *sb)
{
	struct overlay_super *os = overlay_super(sb);
	struct inode *lower = os->lower->root->inode, *upper = os->upper->root->inode, *inode;
	int rc = copy_root(lower, upper);

	if (rc < 0)
		return rc;
	rc = overlay_inode_get(sb, inode_get(upper), inode_get(lower), NULL, NULL, &inode);
	return rc < 0 ? rc : super_block_set_root(sb, inode);
}

int overlay_new(struct super_block *lower, struct super_block *upper, struct user_namespace *ns,
		struct super_block **out)
{
	struct overlay_super *os;
	struct super_block *sb;
	int rc;

	if (inode_type(lower->root->inode) != LINUX_S_IFDIR)
		return -ENOTDIR;
	os = calloc(1, sizeof(*os));
	if (!os)
		return -ENOMEM;
	rc = super_block_new(&overlay_super_ops, "overlay", LINUX_OVERLAYFS_SUPER_MAGIC, ns, &sb);
	if (rc < 0) {
		free(os);
		return rc;
	}
	os->lower = super_block_get(lower);
	os->upper = super_block_get(upper);
	mutex_init(&os->table_lock, LOCK_RANK_FS_PRIVATE);
	hash_table_init(&os->by_upper);
	sb->private_data = os;
	put_below(lower);
	put_below(upper);
	rc = make_root(sb);
	if (rc < 0) {
		super_block_put(sb);
		return rc;
	}
	*out = sb;
	return 0;
}
