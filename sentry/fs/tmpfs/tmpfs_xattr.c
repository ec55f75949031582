/* SPDX-License-Identifier: Apache-2.0 */
/* Extended attributes in memory, a list per inode under its attr_lock; bounded per inode. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/fs.h"
#include "sentry/fs/tmpfs/tmpfs_private.h"

#define XATTR_BYTES_MAX (128UL * 1024)

/* -EOPNOTSUPP, or -EINVAL for a prefix with nothing behind it. */
static int check_name(const char *name)
{
	static const char *const prefixes[] = { "user.", "trusted.", "security." };

	for (size_t i = 0; i < ARRAY_SIZE(prefixes); i++) {
		size_t size = strlen(prefixes[i]);

		if (!strncmp(name, prefixes[i], size))
			return name[size] ? 0 : -EINVAL;
	}
	return -EOPNOTSUPP;
}

/* The link that points at the attribute, or at the end. */
static struct tmpfs_xattr **find(struct tmpfs_node *node, const char *name)
{
	struct tmpfs_xattr **link = &node->xattrs;

	while (*link && strcmp((*link)->name, name) != 0)
		link = &(*link)->next;
	return link;
}

static void xattr_free(struct tmpfs_xattr *x)
{
	if (x)
		free(x->value);
	free(x);
}

ssize_t tmpfs_getxattr(struct inode *inode, const char *name, void *value, size_t size)
{
	struct tmpfs_xattr *x;
	ssize_t n = check_name(name);

	if (n < 0)
		return n;
	mutex_lock(&inode->attr_lock);
	x = *find(tmpfs_node(inode), name);
	if (!x)
		n = -ENODATA;
	else if (size && size < x->size)
		n = -ERANGE;
	else
		n = (ssize_t)x->size;
	if (n > 0 && size)
		memcpy(value, x->value, x->size);
	mutex_unlock(&inode->attr_lock);
	return n;
}

static struct tmpfs_xattr *xattr_new(const char *name, const void *value, size_t size)
{
	size_t name_size = strlen(name) + 1;
	struct tmpfs_xattr *x = calloc(1, sizeof(*x) + name_size);

	if (!x)
		return NULL;
	memcpy(x->name, name, name_size);
	x->size = size;
	x->value = malloc(size ? size : 1);
	if (!x->value) {
		free(x);
		return NULL;
	}
	if (size)
		memcpy(x->value, value, size);
	return x;
}

static size_t footprint(const struct tmpfs_xattr *x)
{
	return x ? sizeof(*x) + strlen(x->name) + 1 + x->size : 0;
}

/* Puts @fresh (or nothing) in the place of the one named @name, which is handed back. */
static int replace_locked(struct tmpfs_node *node, const char *name, struct tmpfs_xattr *fresh,
			  int flags, struct tmpfs_xattr **old)
{
	struct tmpfs_xattr **link = find(node, name), *x = *link;
	size_t bytes = node->xattr_bytes - footprint(x) + footprint(fresh);

	if (x && flags & LINUX_XATTR_CREATE)
		return -EEXIST;
	if (!x && (flags & LINUX_XATTR_REPLACE || !fresh))
		return -ENODATA;
	if (fresh && bytes > XATTR_BYTES_MAX)
		return -ENOSPC;
	if (x)
		*link = x->next;
	if (fresh) {
		fresh->next = node->xattrs;
		node->xattrs = fresh;
	}
	node->xattr_bytes = bytes;
	*old = x;
	return 0;
}

int tmpfs_setxattr(struct inode *inode, const char *name, const void *value, size_t size, int flags)
{
	struct tmpfs_xattr *fresh, *old = NULL;
	int rc = check_name(name);

	if (rc < 0)
		return rc;
	fresh = xattr_new(name, value, size);
	if (!fresh)
		return -ENOMEM;
	mutex_lock(&inode->attr_lock);
	rc = replace_locked(tmpfs_node(inode), name, fresh, flags, &old);
	mutex_unlock(&inode->attr_lock);
	xattr_free(rc < 0 ? fresh : old);
	if (rc == 0)
		inode_touch(inode, SETATTR_CTIME);
	return rc;
}

int tmpfs_removexattr(struct inode *inode, const char *name)
{
	struct tmpfs_xattr *old = NULL;
	int rc = check_name(name);

	if (rc < 0)
		return rc;
	mutex_lock(&inode->attr_lock);
	rc = replace_locked(tmpfs_node(inode), name, NULL, 0, &old);
	mutex_unlock(&inode->attr_lock);
	xattr_free(old);
	if (rc == 0)
		inode_touch(inode, SETATTR_CTIME);
	return rc;
}

ssize_t tmpfs_listxattr(struct inode *inode, char *list, size_t size)
{
	size_t used = 0;
	ssize_t rc = 0;

	mutex_lock(&inode->attr_lock);
	for (struct tmpfs_xattr *x = tmpfs_node(inode)->xattrs; x; x = x->next) {
		size_t name_size = strlen(x->name) + 1;

		if (size && used + name_size > size) {
			rc = -ERANGE;
			break;
		}
		if (size)
			memcpy(list + used, x->name, name_size);
		used += name_size;
	}
	mutex_unlock(&inode->attr_lock);
	return rc < 0 ? rc : (ssize_t)used;
}

void tmpfs_xattrs_free(struct tmpfs_node *node)
{
	while (node->xattrs) {
		struct tmpfs_xattr *x = node->xattrs;

		node->xattrs = x->next;
		xattr_free(x);
	}
}
