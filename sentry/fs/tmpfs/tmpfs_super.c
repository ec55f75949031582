/* SPDX-License-Identifier: Apache-2.0 */
/* tmpfs super blocks, statfs. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "sentry/abi/fs.h"
#include "sentry/cred/credentials.h"
#include "sentry/fs/tmpfs/memfd.h"
#include "sentry/fs/tmpfs/tmpfs_private.h"

/* --- super block operations ------------------------------------------------------------- */

static int tmpfs_statfs(struct super_block *sb, struct statfs_result *out)
{
	struct tmpfs_super *ts = sb->private_data;
	uint64_t used = ts->used_pages, inodes = ts->used_inodes;

	*out = (struct statfs_result){
		.type = LINUX_TMPFS_MAGIC, .bsize = TMPFS_PAGE, .frsize = TMPFS_PAGE,
		.namelen = VFS_NAME_MAX, .fsid = sb->dev,
	};
	if (ts->max_pages) {
		out->blocks = ts->max_pages;
		out->bfree = ts->max_pages > used ? ts->max_pages - used : 0;
		out->bavail = out->bfree;
	}
	if (ts->max_inodes) {
		out->files = ts->max_inodes;
		out->ffree = ts->max_inodes > inodes ? ts->max_inodes - inodes : 0;
	}
	return 0;
}

static void tmpfs_destroy(struct super_block *sb)
{
	free(sb->private_data);
}

static const struct super_block_ops tmpfs_super_ops = {
	.statfs = tmpfs_statfs,
	.show_options = tmpfs_show_options,
	.type = &tmpfs_type,
	.destroy = tmpfs_destroy,
	.path_of_ino = tmpfs_path_of_ino,
};

int tmpfs_new(const struct tmpfs_options *options, struct user_namespace *user_ns,
	      struct super_block **out)
{
	static const struct tmpfs_options defaults = { .mode = 01777 };
	const struct tmpfs_options *o = options ? options : &defaults;
	struct inode_create root = { .mode = LINUX_S_IFDIR | (o->mode & 07777), .uid = o->uid, .gid = o->gid };
	struct tmpfs_super *ts = calloc(1, sizeof(*ts));
	struct super_block *sb;
	struct inode *inode;
	int rc;

	if (!ts)
		return -ENOMEM;
	rc = super_block_new(&tmpfs_super_ops, o->fs_type ? o->fs_type : "tmpfs", LINUX_TMPFS_MAGIC, user_ns, &sb);
	if (rc < 0) {
		free(ts);
		return rc;
	}
	ts->options = *o;
	ts->max_pages = tmpfs_pages(o->max_bytes);
	ts->max_inodes = o->max_inodes;
	sb->private_data = ts;
	sb->below_overlay = o->overlay_upper;
	rc = tmpfs_inode_new(sb, &root, &inode);
	if (rc == 0)
		rc = super_block_set_root(sb, inode);
	if (rc < 0) {
		super_block_put(sb);
		return rc;
	}
	*out = sb;
	return 0;
}

int tmpfs_init(uint64_t memory, struct user_namespace *user_ns)
{
	int rc;

	tmpfs_set_memory(memory);
	rc = memfd_init(user_ns);
	return rc < 0 ? rc : file_system_register(&tmpfs_type);
}
