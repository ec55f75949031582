/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attributes: reading them, and changing mode, owners, times and size with the
 * permission checks of Linux's setattr_prepare.  File systems only carry out.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "sentry/abi/capability.h"
#include "sentry/abi/fs.h"
#include "sentry/cred/credentials.h"
#include "sentry/vfs/attr.h"
#include "sentry/vfs/inotify.h"
#include "sentry/vfs/lease.h"
#include "sentry/vfs/mount_tree.h"
#include "sentry/vfs/permission.h"

int inode_getattr(struct inode *inode, struct inode_attr *out)
{
	if (inode->ops->getattr)
		return inode->ops->getattr(inode, out);
	inode_attr_read(inode, out);
	return 0;
}

int vfs_getattr(const struct path *p, struct inode_attr *out)
{
	return inode_getattr(p->dentry->inode, out);
}

int vfs_statfs(const struct path *p, struct statfs_result *out)
{
	static const struct {
		uint32_t mount, statfs;
	} flags[] = {
		{ MOUNT_READONLY, LINUX_ST_RDONLY },	 { MOUNT_NOSUID, LINUX_ST_NOSUID },
		{ MOUNT_NODEV, LINUX_ST_NODEV },	 { MOUNT_NOEXEC, LINUX_ST_NOEXEC },
		{ MOUNT_NOATIME, LINUX_ST_NOATIME },	 { MOUNT_NODIRATIME, LINUX_ST_NODIRATIME },
		{ MOUNT_RELATIME, LINUX_ST_RELATIME },
		{ MOUNT_NOSYMFOLLOW, LINUX_ST_NOSYMFOLLOW },
	};
	struct super_block *sb = p->dentry->sb;
	uint32_t mount_flags = p->mount ? p->mount->flags : 0;
	int rc = 0;

	if (sb->ops && sb->ops->statfs)
		rc = sb->ops->statfs(sb, out);
	else
		*out = (struct statfs_result){ .type = sb->magic, .bsize = 4096,
					       .namelen = VFS_NAME_MAX };
	if (rc < 0)
		return rc;
	out->flags |= LINUX_ST_VALID;
	if (sb->read_only)
		out->flags |= LINUX_ST_RDONLY;
	if (sb->flags & LINUX_MS_SYNCHRONOUS)
		out->flags |= LINUX_ST_SYNCHRONOUS;
	if (sb->flags & LINUX_MS_MANDLOCK)
		out->flags |= LINUX_ST_MANDLOCK;
	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (mount_flags & flags[i].mount)
			out->flags |= flags[i].statfs;
	}
	if (!out->frsize)
		out->frsize = out->bsize;
	return 0;
}

/* --- the checks ------------------------------------------------------------------------ */

static int check_owner_change(const struct inode_attr *old, const struct setattr *set,
			      const struct credentials *cred)
{
	bool owner = old->uid == cred->fsuid;

	if (set->mask & SETATTR_UID && !(owner && set->uid == old->uid) &&
	    !inode_capable(old, cred, LINUX_CAP_CHOWN))
		return -EPERM;
	if (set->mask & SETATTR_GID &&
	    !(owner && (set->gid == old->gid || credentials_in_fsgroup(cred, set->gid))) &&
	    !inode_capable(old, cred, LINUX_CAP_CHOWN))
		return -EPERM;
	return 0;
}

static int check_mode_change(const struct inode_attr *old, struct setattr *set,
			     const struct credentials *cred)
{
	uint32_t gid = set->mask & SETATTR_GID ? set->gid : old->gid;

	if (!(set->mask & SETATTR_MODE))
		return 0;
	if (old->uid != cred->fsuid && !inode_capable(old, cred, LINUX_CAP_FOWNER))
		return -EPERM;
	if (set->mode & LINUX_S_ISGID && !credentials_in_fsgroup(cred, gid) &&
	    !inode_capable(old, cred, LINUX_CAP_FSETID))
		set->mode &= ~LINUX_S_ISGID;
	return 0;
}

/* chown takes set-uid and set-gid away from what is not a directory. */
static void kill_privileges(const struct inode_attr *old, struct setattr *set,
			    const struct credentials *cred)
{
	uint32_t drop = LINUX_S_ISUID;

	if (set->mask & SETATTR_MODE || (old->mode & LINUX_S_IFMT) == LINUX_S_IFDIR)
		return;
	if (old->mode & LINUX_S_IXGRP || (!credentials_in_fsgroup(cred, old->gid) &&
					  !inode_capable(old, cred, LINUX_CAP_FSETID)))
		drop |= LINUX_S_ISGID;
	if (!(old->mode & drop))
		return;
	set->mask |= SETATTR_MODE;
	set->mode = old->mode & ~drop;
}

static int call_setattr(struct inode *inode, struct setattr *set)
{
	if (!inode->ops->setattr)
		return inode->ops->fixed_attr ? -EOPNOTSUPP : -EPERM;
	set->mask |= SETATTR_CTIME;
	set->ctime = vfs_now();
	return inode->ops->setattr(inode, set);
}

int vfs_setattr(const struct vfs_context *ctx, const struct path *p, struct setattr *set)
{
	struct inode *inode = p->dentry->inode;
	struct inode_attr old;
	int rc;

	if (path_is_read_only(p))
		return -EROFS;
	if (inode->ops->fixed_attr)
		return -EOPNOTSUPP;
	rc = inode_getattr(inode, &old);
	if (rc == 0)
		rc = check_owner_change(&old, set, ctx->cred);
	if (rc == 0)
		rc = check_mode_change(&old, set, ctx->cred);
	if (rc < 0)
		return rc;
	if (set->mask & SETATTR_CHOWN)
		kill_privileges(&old, set, ctx->cred);
	set->mask &= ~(uint32_t)SETATTR_CHOWN;
	if (set->mask & SETATTR_MODE)
		set->mode = (old.mode & LINUX_S_IFMT) | (set->mode & 07777);
	rc = call_setattr(inode, set);
	if (rc == 0)
		inotify_object(p->dentry, LINUX_IN_ATTRIB);
	return rc;
}

int vfs_set_times(const struct vfs_context *ctx, const struct path *p, struct setattr *set, bool now)
{
	struct inode *inode = p->dentry->inode;
	int rc = 0;

	if (path_is_read_only(p))
		return -EROFS;
	if (!inode_owner_or_capable(inode, ctx->cred)) {
		if (!now)
			return -EPERM;
		rc = inode_permission(inode, LINUX_MAY_WRITE, ctx->cred);
	}
	if (rc == 0)
		rc = call_setattr(inode, set);
	if (rc == 0)
		inotify_object(p->dentry, LINUX_IN_ATTRIB);
	return rc;
}

/* --- size ---------------------------------------------------------------------------------- */

int vfs_set_size(const struct vfs_context *ctx, struct inode *inode, uint64_t size)
{
	struct setattr set = { .mask = SETATTR_SIZE | SETATTR_MTIME, .size = size };
	struct inode_attr old;
	int rc = inode_getattr(inode, &old);

	if (rc < 0)
		return rc;
	if (size > inode->sb->max_file_size)
		return -EFBIG;
	if (size > old.size && size > ctx->fsize_limit)
		return -EFBIG;
	set.mtime = vfs_now();
	if (old.mode & (LINUX_S_ISUID | LINUX_S_ISGID) &&
	    !credentials_root_capable(ctx->cred, LINUX_CAP_FSETID))
		kill_privileges(&old, &set, ctx->cred);
	return call_setattr(inode, &set);
}

int vfs_truncate(const struct vfs_context *ctx, const struct path *p, uint64_t size)
{
	struct inode *inode = p->dentry->inode;
	int rc;

	if (inode_type(inode) == LINUX_S_IFDIR)
		return -EISDIR;
	if (inode_type(inode) != LINUX_S_IFREG)
		return -EINVAL;
	rc = path_permission(p, LINUX_MAY_WRITE, ctx->cred);
	if (rc == 0)
		rc = inode_get_write_access(inode);
	if (rc < 0)
		return rc;
	rc = lease_break(inode, true, false);
	if (rc == 0)
		rc = vfs_set_size(ctx, inode, size);
	inode_put_write_access(inode);
	if (rc == 0)
		inotify_object(p->dentry, LINUX_IN_MODIFY);
	return rc;
}

int vfs_readlink(const struct path *p, char **out)
{
	struct inode *inode = p->dentry->inode;

	if (inode_type(inode) != LINUX_S_IFLNK || !inode->ops->readlink)
		return -EINVAL;
	return inode->ops->readlink(inode, out);
}

/* relatime: once a day, or when something changed since. */
void file_accessed(struct file *file, struct inode *inode)
{
	uint32_t flags = file->mount ? file->mount->flags : 0;
	struct vfs_time now;

	if (file->flags & LINUX_O_NOATIME || flags & (MOUNT_NOATIME | MOUNT_READONLY) ||
	    inode->sb->read_only)
		return;
	if (flags & MOUNT_NODIRATIME && inode_type(inode) == LINUX_S_IFDIR)
		return;
	now = vfs_now();
	mutex_lock(&inode->attr_lock);
	if (inode->no_atime) {
		mutex_unlock(&inode->attr_lock);
		return;
	}
	if (!(flags & MOUNT_RELATIME) || inode->attr.atime.sec + 86400 <= now.sec ||
	    vfs_time_compare(&inode->attr.atime, &inode->attr.mtime) <= 0 ||
	    vfs_time_compare(&inode->attr.atime, &inode->attr.ctime) <= 0)
		inode->attr.atime = now;
	mutex_unlock(&inode->attr_lock);
}
