/* SPDX-License-Identifier: Apache-2.0 */
/* Access checks: mode bits, capabilities, read-only and noexec mounts, the sticky bit. */
#include "config.h"

#include <errno.h>

#include "sentry/abi/capability.h"
#include "sentry/abi/fs.h"
#include "sentry/cred/credentials.h"
#include "sentry/vfs/mount_tree.h"
#include "sentry/vfs/permission.h"

/* A capability counts only where the inode's owners have a name in the caller's namespace. */
bool inode_capable(const struct inode_attr *attr, const struct credentials *cred, int capability)
{
	struct user_namespace *ns = cred->user_ns;

	if (ns->parent && (uid_to_kernel(ns, uid_from_kernel(ns, attr->uid)) != attr->uid ||
			   gid_to_kernel(ns, gid_from_kernel(ns, attr->gid)) != attr->gid))
		return false;
	return credentials_capable(cred, capability);
}

bool credentials_in_fsgroup(const struct credentials *cred, uint32_t gid)
{
	return cred->fsgid == gid || credentials_in_group(cred, gid);
}

static bool mode_allows(const struct inode_attr *attr, uint32_t mask, const struct credentials *cred)
{
	uint32_t bits = attr->mode;

	if (attr->uid == cred->fsuid)
		bits >>= 6;
	else if (((bits >> 3) ^ bits) & 7 && credentials_in_fsgroup(cred, attr->gid))
		bits >>= 3;
	return !(mask & ~bits & 7);
}

static int capability_allows(const struct inode_attr *attr, uint32_t mask,
			     const struct credentials *cred)
{
	bool directory = (attr->mode & LINUX_S_IFMT) == LINUX_S_IFDIR;

	if (directory ? !(mask & LINUX_MAY_WRITE) : mask == LINUX_MAY_READ) {
		if (inode_capable(attr, cred, LINUX_CAP_DAC_READ_SEARCH))
			return 0;
	}
	if (directory || !(mask & LINUX_MAY_EXEC) || attr->mode & LINUX_S_IXUGO) {
		if (inode_capable(attr, cred, LINUX_CAP_DAC_OVERRIDE))
			return 0;
	}
	return -EACCES;
}

static bool is_content(uint32_t type)
{
	return type == LINUX_S_IFREG || type == LINUX_S_IFDIR || type == LINUX_S_IFLNK;
}

int inode_permission_by_mode(struct inode *inode, int mask, const struct credentials *cred)
{
	struct inode_attr attr;

	inode_attr_read(inode, &attr);
	if (mode_allows(&attr, (uint32_t)mask, cred))
		return 0;
	return capability_allows(&attr, (uint32_t)mask, cred);
}

int inode_permission(struct inode *inode, int mask, const struct credentials *cred)
{
	if (mask & LINUX_MAY_WRITE && inode->sb->read_only && is_content(inode_type(inode)))
		return -EROFS;
	if (inode->ops && inode->ops->permission)
		return inode->ops->permission(inode, mask, cred);
	return inode_permission_by_mode(inode, mask, cred);
}

int path_permission(const struct path *p, int mask, const struct credentials *cred)
{
	struct inode *inode = p->dentry->inode;
	uint32_t flags = p->mount ? p->mount->flags : 0, type = inode_type(inode);
	int rc = inode_permission(inode, mask, cred);

	if (rc < 0)
		return rc;
	if (mask & LINUX_MAY_WRITE && flags & MOUNT_READONLY && is_content(type))
		return -EROFS;
	if (mask & LINUX_MAY_EXEC && type == LINUX_S_IFREG && flags & MOUNT_NOEXEC)
		return -EACCES;
	return 0;
}

bool inode_owner_or_capable(struct inode *inode, const struct credentials *cred)
{
	struct inode_attr attr;

	inode_attr_read(inode, &attr);
	return attr.uid == cred->fsuid || inode_capable(&attr, cred, LINUX_CAP_FOWNER);
}

int may_create(const struct path *dir, const struct credentials *cred)
{
	int rc;

	if (dir->dentry->inode->dead)
		return -ENOENT;
	rc = inode_permission(dir->dentry->inode, LINUX_MAY_WRITE | LINUX_MAY_EXEC, cred);
	return rc;
}

int may_delete(const struct path *dir, struct inode *victim, bool want_directory,
	       const struct credentials *cred)
{
	struct inode_attr dir_attr, attr;
	int rc = inode_permission(dir->dentry->inode, LINUX_MAY_WRITE | LINUX_MAY_EXEC, cred);

	if (rc < 0)
		return rc;
	inode_attr_read(dir->dentry->inode, &dir_attr);
	inode_attr_read(victim, &attr);
	if (dir_attr.mode & LINUX_S_ISVTX && attr.uid != cred->fsuid &&
	    dir_attr.uid != cred->fsuid && !inode_capable(&attr, cred, LINUX_CAP_FOWNER))
		return -EPERM;
	if (want_directory && inode_type(victim) != LINUX_S_IFDIR)
		return -ENOTDIR;
	if (!want_directory && inode_type(victim) == LINUX_S_IFDIR)
		return -EISDIR;
	return 0;
}
