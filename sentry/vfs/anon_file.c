/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Anonymous files: open descriptions of objects that have no name in any file
 * system.  Each has an inode of its own in one internal super block.
 */
#include "config.h"

#include <errno.h>
#include <stdio.h>

#include "sentry/abi/fs.h"
#include "sentry/cred/credentials.h"
#include "sentry/vfs/vfs.h"

static struct super_block *anonymous_sb; /* written by vfs_init */

struct super_block *anonymous_super_block(void)
{
	return anonymous_sb;
}

static const struct super_block_ops anonymous_sb_ops = { 0 };
/* Opening one again through /proc/PID/fd is refused (ENXIO) by the want of an open operation. */
static const struct inode_ops anonymous_inode_ops = { .fixed_attr = true };

int file_new_anonymous(const struct file_ops *ops, const char *name, uint32_t mode, uint32_t flags,
		       void *private_data, struct file **out)
{
	struct inode *inode;
	struct dentry *dentry = NULL;
	struct file *file;
	int rc = inode_new(anonymous_sb, &anonymous_inode_ops, 0, mode, &inode);

	if (rc < 0)
		return rc;
	rc = dentry_new_anonymous(inode, name, &dentry);
	if (rc == 0)
		rc = file_new(ops, inode, NULL, dentry, flags, NULL, &file);
	inode_put(inode);
	dentry_put(dentry);
	if (rc != 0)
		return rc;
	file->private_data = private_data;
	*out = file;
	return 0;
}

int vfs_init(void)
{
	struct user_namespace *ns;
	int rc;

	if (anonymous_sb)
		return 0;
	rc = user_namespace_new_root(&ns);
	if (rc < 0)
		return rc;
	rc = super_block_new(&anonymous_sb_ops, "anon_inodefs", LINUX_ANON_INODE_FS_MAGIC, ns,
			     &anonymous_sb);
	user_namespace_put(ns);
	return rc;
}
