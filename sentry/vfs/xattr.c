/* SPDX-License-Identifier: Apache-2.0 */
/* Extended attributes: who may see and change which name space. */
#include "config.h"

#include "sentry/vfs/xattr.h"

#include <errno.h>
#include <string.h>

#include "sentry/abi/capability.h"
#include "sentry/abi/fs.h"
#include "sentry/cred/credentials.h"
#include "sentry/vfs/attr.h"
#include "sentry/vfs/file_caps.h"
#include "sentry/vfs/inotify.h"
#include "sentry/vfs/mount_tree.h"
#include "sentry/vfs/permission.h"
#include "util/cleanup.h"

static bool has_prefix(const char *name, const char *prefix)
{
	return !strncmp(name, prefix, strlen(prefix));
}

/* Linux's xattr_permission. */
static int check(const struct vfs_context *ctx, struct inode *inode, const char *name, int mask)
{
	bool write = mask & LINUX_MAY_WRITE;
	struct inode_attr attr;

	if (has_prefix(name, "security.") || has_prefix(name, "system."))
		return 0;
	if (has_prefix(name, "trusted.")) {
		if (credentials_root_capable(ctx->cred, LINUX_CAP_SYS_ADMIN))
			return 0;
		return write ? -EPERM : -ENODATA;
	}
	if (has_prefix(name, "user.")) {
		uint32_t type = inode_type(inode);

		if (type != LINUX_S_IFREG && type != LINUX_S_IFDIR)
			return write ? -EPERM : -ENODATA;
		inode_attr_read(inode, &attr);
		if (type == LINUX_S_IFDIR && attr.mode & LINUX_S_ISVTX && write &&
		    !inode_owner_or_capable(inode, ctx->cred))
			return -EPERM;
	}
	return inode_permission(inode, mask, ctx->cred);
}

/* What the capability module asks for security.*. */
static int check_security(const struct vfs_context *ctx, struct inode *inode, const char *name)
{
	struct inode_attr attr;

	if (!has_prefix(name, "security."))
		return 0;
	if (strcmp(name, LINUX_XATTR_NAME_CAPS) != 0)
		return credentials_ns_capable(ctx->cred, inode->sb->user_ns, LINUX_CAP_SYS_ADMIN) ?
			       0 : -EPERM;
	inode_attr_read(inode, &attr);
	return inode_capable(&attr, ctx->cred, LINUX_CAP_SETFCAP) ? 0 : -EPERM;
}

static int check_change(const struct vfs_context *ctx, const struct path *p, const char *name)
{
	int rc;

	if (path_is_read_only(p))
		return -EROFS;
	rc = check(ctx, p->dentry->inode, name, LINUX_MAY_WRITE);
	return rc < 0 ? rc : check_security(ctx, p->dentry->inode, name);
}

static ssize_t get_caps(const struct vfs_context *ctx, struct inode *inode, void *value, size_t size)
{
	struct linux_vfs_cap_data data = { 0 };
	ssize_t n = inode->ops->getxattr(inode, LINUX_XATTR_NAME_CAPS, &data, sizeof(data));

	if (n < 0)
		return n == -ERANGE ? -EINVAL : n;
	n = file_caps_export(inode, ctx->cred, &data, (size_t)n);
	if (n < 0 || !size)
		return n;
	if ((size_t)n > size)
		return -ERANGE;
	memcpy(value, &data, (size_t)n);
	return n;
}

ssize_t vfs_getxattr(const struct vfs_context *ctx, const struct path *p, const char *name,
		     void *value, size_t size)
{
	struct inode *inode = p->dentry->inode;
	int rc = check(ctx, inode, name, LINUX_MAY_READ);

	if (rc < 0)
		return rc;
	if (!inode->ops->getxattr)
		return -EOPNOTSUPP;
	if (!strcmp(name, LINUX_XATTR_NAME_CAPS))
		return get_caps(ctx, inode, value, size);
	return inode->ops->getxattr(inode, name, value, size);
}

int vfs_setxattr(const struct vfs_context *ctx, const struct path *p, const char *name,
		 const void *value, size_t size, int flags)
{
	struct inode *inode = p->dentry->inode;
	struct linux_vfs_cap_data caps;
	int rc = 0;

	/* The value before the rights to the name: Linux's order. */
	if (size && !strcmp(name, LINUX_XATTR_NAME_CAPS) && !path_is_read_only(p)) {
		ssize_t n = file_caps_import(inode, ctx->cred, value, size, &caps);

		if (n < 0)
			return (int)n;
		value = &caps;
		size = (size_t)n;
	}
	rc = check_change(ctx, p, name);
	if (rc == 0)
		rc = inode->ops->setxattr ? inode->ops->setxattr(inode, name, value, size, flags) :
					    -EOPNOTSUPP;
	if (rc == 0)
		inotify_object(p->dentry, LINUX_IN_ATTRIB);
	return rc;
}

int vfs_removexattr(const struct vfs_context *ctx, const struct path *p, const char *name)
{
	struct inode *inode = p->dentry->inode;
	int rc = check_change(ctx, p, name);

	if (rc == 0)
		rc = inode->ops->removexattr ? inode->ops->removexattr(inode, name) : -EOPNOTSUPP;
	if (rc == 0)
		inotify_object(p->dentry, LINUX_IN_ATTRIB);
	return rc;
}

/* Drops the names of trusted.* in place; returns what is left. */
static size_t drop_trusted(char *list, size_t size)
{
	size_t kept = 0;

	for (size_t at = 0; at < size;) {
		size_t name_size = strnlen(list + at, size - at) + 1;

		if (name_size > size - at)
			break;
		if (!has_prefix(list + at, "trusted.")) {
			memmove(list + kept, list + at, name_size);
			kept += name_size;
		}
		at += name_size;
	}
	return kept;
}

/* Through a buffer of our own when names are to be hidden, so that sizes agree. */
ssize_t vfs_listxattr(const struct vfs_context *ctx, const struct path *p, char *list, size_t size)
{
	struct inode *inode = p->dentry->inode;
	AUTO_FREE char *all = NULL;
	ssize_t n;

	if (!inode->ops->listxattr)
		return 0;
	if (credentials_root_capable(ctx->cred, LINUX_CAP_SYS_ADMIN))
		return inode->ops->listxattr(inode, list, size);
	all = malloc(LINUX_XATTR_LIST_MAX);
	if (!all)
		return -ENOMEM;
	n = inode->ops->listxattr(inode, all, LINUX_XATTR_LIST_MAX);
	if (n <= 0)
		return n;
	n = (ssize_t)drop_trusted(all, (size_t)n);
	if (size && (size_t)n > size)
		return -ERANGE;
	if (size)
		memcpy(list, all, (size_t)n);
	return n;
}
