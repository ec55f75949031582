/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attributes, symlink targets and extended attributes.  In an exclusive tree the
 * cached attributes are the truth, but for files with an FD open (the host changes
 * them as the guest reads and writes) and after operations that touched them in passing.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/fs.h"
#include "sentry/fs/gofer/gofer_inode.h"
#include "sentry/host/host_file.h"

static int fetch_attr(struct inode *inode)
{
	struct gofer_fs *fs = gofer_fs_of(inode->sb);
	struct gofer_address address;
	struct gofer_attr attr;
	int err;

	rwlock_read_lock(&fs->names);
	gofer_inode_of(inode)->stale = false;
	err = gofer_address(inode, &address);
	if (!err)
		err = gofer_getattr(fs->client, address.node, address.name, &attr);
	rwlock_read_unlock(&fs->names);
	if (!err)
		gofer_inode_set_attr(inode, &attr);
	return err;
}

/* By the FD that is open, if any, but for the owner: that is as our user namespace sees it. */
static int refresh_open(struct inode *inode)
{
	int fd = gofer_fd_peek(inode, false), err;

	if (fd < 0)
		return 0;
	err = gofer_inode_refresh_by_fd(inode, fd);
	gofer_fd_put(inode);
	return err;
}

int gofer_op_getattr(struct inode *inode, struct inode_attr *out)
{
	struct gofer_inode *g = gofer_inode_of(inode);
	bool ask = gofer_fs_of(inode->sb)->shared || g->stale;
	int err = ask ? fetch_attr(inode) : refresh_open(inode);

	/* Without a name or a node left, what is known is what can be known. */
	if (err && err != -ESTALE)
		return err;
	inode_attr_read(inode, out);
	return 0;
}

static struct gofer_time time_to_gofer(const struct vfs_time *t)
{
	return (struct gofer_time){ .sec = t->sec, .nsec = t->nsec };
}

static struct gofer_setattr change_to_gofer(const struct setattr *from)
{
	static const struct {
		uint32_t from, to;
	} bits[] = {
		{ SETATTR_MODE, GOFER_SET_MODE },   { SETATTR_UID, GOFER_SET_UID },
		{ SETATTR_GID, GOFER_SET_GID },	    { SETATTR_SIZE, GOFER_SET_SIZE },
		{ SETATTR_ATIME, GOFER_SET_ATIME }, { SETATTR_MTIME, GOFER_SET_MTIME },
	};
	struct gofer_setattr to = {
		.mode = from->mode & 07777,
		.uid = from->uid,
		.gid = from->gid,
		.size = from->size,
		.atime = time_to_gofer(&from->atime),
		.mtime = time_to_gofer(&from->mtime),
	};

	for (size_t i = 0; i < ARRAY_SIZE(bits); i++)
		if (from->mask & bits[i].from)
			to.mask |= bits[i].to;
	return to;
}

/* A change of size alone of a file that is open for writing needs no message. */
static int truncate_open(struct inode *inode, uint64_t size)
{
	int fd = gofer_fd_peek(inode, true), err;

	if (fd < 0)
		return -EBADF;
	err = host_ftruncate(fd, size);
	if (!err)
		err = gofer_inode_refresh_by_fd(inode, fd);
	gofer_fd_put(inode);
	return err;
}

int gofer_op_setattr(struct inode *inode, const struct setattr *change)
{
	struct gofer_fs *fs = gofer_fs_of(inode->sb);
	struct gofer_setattr to = change_to_gofer(change);
	struct gofer_address address;
	struct gofer_attr attr;
	int err;

	/* The host sets ctime, and mtime with the size. */
	if (to.mask == GOFER_SET_SIZE || to.mask == (GOFER_SET_SIZE | GOFER_SET_MTIME)) {
		err = truncate_open(inode, to.size);
		if (err != -EBADF)
			return err;
	}
	if (!to.mask)
		return 0;
	rwlock_read_lock(&fs->names);
	err = gofer_address(inode, &address);
	if (!err)
		err = gofer_setattr(fs->client, address.node, address.name, &to, &attr);
	rwlock_read_unlock(&fs->names);
	if (!err)
		gofer_inode_set_attr(inode, &attr);
	return err;
}

/* Keeps @target for the next time; the cached copy of another thread does as well. */
static void keep_target(struct gofer_fs *fs, struct gofer_inode *g, const char *target)
{
	char *copy = strdup(target);

	mutex_lock(&fs->table_lock);
	if (!g->target) {
		g->target = copy;
		copy = NULL;
	}
	mutex_unlock(&fs->table_lock);
	free(copy);
}

static int fetch_target(struct inode *inode, char *target)
{
	struct gofer_fs *fs = gofer_fs_of(inode->sb);
	struct gofer_address address;
	int err;

	rwlock_read_lock(&fs->names);
	err = gofer_address(inode, &address);
	if (!err)
		err = gofer_readlink(fs->client, address.node, address.name, target);
	rwlock_read_unlock(&fs->names);
	return err;
}

int gofer_op_readlink(struct inode *inode, char **out)
{
	struct gofer_fs *fs = gofer_fs_of(inode->sb);
	struct gofer_inode *g = gofer_inode_of(inode);
	char target[GOFER_SYMLINK_MAX + 1];
	char *copy;
	bool known;
	int err;

	if (inode_type(inode) != LINUX_S_IFLNK)
		return -EINVAL;
	mutex_lock(&fs->table_lock);
	known = g->target;
	copy = known ? strdup(g->target) : NULL;
	mutex_unlock(&fs->table_lock);
	if (!known) {
		err = fetch_target(inode, target);
		if (err)
			return err;
		keep_target(fs, g, target);
		copy = strdup(target);
	}
	if (!copy)
		return -ENOMEM;
	*out = copy;
	return 0;
}

ssize_t gofer_op_getxattr(struct inode *inode, const char *name, void *value, size_t size)
{
	struct gofer_fs *fs = gofer_fs_of(inode->sb);
	struct gofer_address address;
	ssize_t ret;

	rwlock_read_lock(&fs->names);
	ret = gofer_address(inode, &address);
	if (!ret)
		ret = gofer_getxattr(fs->client, address.node, address.name, name, value, size);
	rwlock_read_unlock(&fs->names);
	return ret;
}

int gofer_op_setxattr(struct inode *inode, const char *name, const void *value, size_t size,
		      int flags)
{
	struct gofer_fs *fs = gofer_fs_of(inode->sb);
	uint32_t to = (flags & LINUX_XATTR_CREATE ? GOFER_XATTR_CREATE : 0) |
		      (flags & LINUX_XATTR_REPLACE ? GOFER_XATTR_REPLACE : 0);
	struct gofer_address address;
	int err;

	rwlock_read_lock(&fs->names);
	err = gofer_address(inode, &address);
	if (!err)
		err = gofer_setxattr(fs->client, address.node, address.name, name, value, size, to);
	rwlock_read_unlock(&fs->names);
	gofer_inode_of(inode)->stale = true;
	return err;
}

ssize_t gofer_op_listxattr(struct inode *inode, char *list, size_t size)
{
	struct gofer_fs *fs = gofer_fs_of(inode->sb);
	struct gofer_address address;
	ssize_t ret;

	rwlock_read_lock(&fs->names);
	ret = gofer_address(inode, &address);
	if (!ret)
		ret = gofer_listxattr(fs->client, address.node, address.name, list, size);
	rwlock_read_unlock(&fs->names);
	return ret;
}

int gofer_op_removexattr(struct inode *inode, const char *name)
{
	struct gofer_fs *fs = gofer_fs_of(inode->sb);
	struct gofer_address address;
	int err;

	rwlock_read_lock(&fs->names);
	err = gofer_address(inode, &address);
	if (!err)
		err = gofer_removexattr(fs->client, address.node, address.name, name);
	rwlock_read_unlock(&fs->names);
	gofer_inode_of(inode)->stale = true;
	return err;
}
