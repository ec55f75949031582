/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memfd_create(2): nameless files of an internal tmpfs.
 */
#include "config.h"

#include "sentry/fs/tmpfs/memfd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sentry/abi/fs.h"
#include "sentry/cred/credentials.h"
#include "sentry/fs/tmpfs/tmpfs_private.h"

static struct super_block *memfd_sb; /* written at boot */
static struct file_ops memfd_file_ops; /* tmpfs_file_ops and a description; written at boot */

static void memfd_describe(struct file *file, char *buf, size_t size)
{
	/* the name of a dentry that is in no directory does not change */
	snprintf(buf, size, "/%s (deleted)", file->dentry->name);
}

static int memfd_open(struct inode *inode, struct file *file)
{
	file->ops = &memfd_file_ops;
	file->private_data = inode;
	return 0;
}

static struct inode_ops memfd_inode_ops; /* tmpfs_file_inode_ops with memfd_open; written at boot */

int memfd_init(struct user_namespace *user_ns)
{
	memfd_file_ops = tmpfs_file_ops;
	memfd_file_ops.describe = memfd_describe;
	memfd_inode_ops = tmpfs_file_inode_ops;
	memfd_inode_ops.open = memfd_open;
	/* Bounded, unlike Linux's: what a guest allocates here the sentry allocates. */
	const struct tmpfs_options options = { .mode = 01777, .max_bytes = tmpfs_default_size() };

	return memfd_sb ? 0 : tmpfs_new(&options, user_ns, &memfd_sb);
}

static uint32_t initial_seals(uint32_t flags)
{
	uint32_t seals = flags & LINUX_MFD_ALLOW_SEALING ? 0 : LINUX_F_SEAL_SEAL;

	if (flags & LINUX_MFD_NOEXEC_SEAL)
		seals = (seals & ~LINUX_F_SEAL_SEAL) | LINUX_F_SEAL_EXEC;
	return seals;
}

int memfd_new(const char *name, uint32_t flags, const struct credentials *cred, struct file **out)
{
	struct inode_create how = {
		.mode = LINUX_S_IFREG | (flags & LINUX_MFD_NOEXEC_SEAL ? 0666 : 0777),
		.uid = cred->fsuid, .gid = cred->fsgid,
	};
	char full[VFS_NAME_MAX + 1];
	struct dentry *dentry = NULL;
	struct inode *inode;
	int rc = tmpfs_inode_new(memfd_sb, &how, &inode);

	if (rc < 0)
		return rc;
	inode->attr.nlink = 0;
	inode->ops = &memfd_inode_ops;
	tmpfs_node(inode)->file.seals = initial_seals(flags);
	snprintf(full, sizeof(full), "memfd:%s", name);
	rc = dentry_new_anonymous(inode, full, &dentry);
	if (rc == 0)
		rc = file_new(&memfd_file_ops, inode, NULL, dentry,
			      LINUX_O_RDWR | LINUX_O_LARGEFILE, cred, out);
	if (rc == 0)
		(*out)->private_data = inode;
	dentry_put(dentry);
	inode_put(inode);
	return rc;
}
