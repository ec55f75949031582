/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Copy-up.  An object is completed before it gets its name in the upper directory:
 * regular files as unnamed files, others under a temporary name that only who holds
 * the directory's lock can see.  The directory's times stay what they were.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/fs.h"
#include "sentry/fs/overlay/overlay_private.h"
#include "sentry/mm/usercopy.h"
#include "util/checked.h"
#include "util/cleanup.h"

#define COPY_CHUNK (256UL * 1024)

/* --- contents ------------------------------------------------------------------------- */

/* One stretch of data; the written file keeps holes where there is none. */
static int copy_range(struct file *from, struct file *to, char *buf, uint64_t pos, uint64_t end)
{
	while (pos < end) {
		struct io_iter it;
		uint64_t at = pos;
		size_t size = MIN(end - pos, COPY_CHUNK);
		ssize_t n = vfs_read_kernel(from, buf, size, pos), written;

		if (n <= 0)
			return (int)n;
		io_iter_init_buffer(&it, buf, (uint64_t)n);
		written = to->ops->write(to, &it, &at);
		if (written != n)
			return written < 0 ? (int)written : -ENOSPC;
		pos += (uint64_t)n;
	}
	return 0;
}

/* The bounds of the next data from @pos, within @size; false: only a hole is left. */
static bool next_data(struct file *from, uint64_t pos, uint64_t size, uint64_t *start, uint64_t *end)
{
	int64_t at = from->ops->llseek ? from->ops->llseek(from, (int64_t)pos, LINUX_SEEK_DATA) : -EINVAL;

	if (at == -ENXIO)
		return false;
	*start = at < 0 ? pos : (uint64_t)at;
	at = at < 0 ? at : from->ops->llseek(from, at, LINUX_SEEK_HOLE);
	*end = at < 0 ? size : MIN((uint64_t)at, size);
	return *start < *end;
}

static int copy_chunks(struct file *from, struct file *to, char *buf, uint64_t size)
{
	uint64_t pos = 0, start, end;
	int rc = 0;

	while (rc == 0 && pos < size && next_data(from, pos, size, &start, &end)) {
		rc = copy_range(from, to, buf, start, end);
		pos = end;
	}
	return rc;
}

static int copy_data(struct inode *lower, struct inode *upper, uint64_t size)
{
	struct setattr set = { .mask = SETATTR_SIZE, .size = size };
	AUTO_FREE char *buf = malloc(COPY_CHUNK);
	struct file *from, *to;
	int rc;

	if (!buf)
		return -ENOMEM;
	rc = overlay_open_real(lower, LINUX_O_RDONLY, &from);
	if (rc < 0)
		return rc;
	rc = overlay_open_real(upper, LINUX_O_RDWR, &to);
	if (rc == 0) {
		rc = copy_chunks(from, to, buf, size);
		/* a hole at the end */
		if (rc == 0)
			rc = upper->ops->setattr(upper, &set);
		file_put(to);
	}
	file_put(from);
	return rc;
}

static int copy_one_xattr(struct inode *lower, struct inode *upper, const char *name)
{
	AUTO_FREE void *value = NULL;
	ssize_t n = lower->ops->getxattr(lower, name, NULL, 0);
	int rc;

	if (n < 0)
		return 0; /* gone, or not for us to read */
	value = malloc(n ? (size_t)n : 1);
	if (!value)
		return -ENOMEM;
	if (n)
		n = lower->ops->getxattr(lower, name, value, (size_t)n);
	if (n < 0)
		return 0;
	rc = upper->ops->setxattr(upper, name, value, (size_t)n, 0);
	/* name spaces the upper does not have (system.posix_acl_access) are left behind, as on Linux */
	return rc == -EOPNOTSUPP ? 0 : rc;
}

static int copy_xattrs(struct inode *lower, struct inode *upper)
{
	AUTO_FREE char *list = NULL;
	ssize_t n = lower->ops->listxattr ? lower->ops->listxattr(lower, NULL, 0) : 0;
	int rc = 0;

	if (n <= 0)
		return 0;
	list = malloc((size_t)n + 1);
	if (!list)
		return -ENOMEM;
	n = lower->ops->listxattr(lower, list, (size_t)n);
	if (n <= 0)
		return 0;
	list[n] = '\0';
	for (const char *name = list; rc == 0 && name < list + n; name += strlen(name) + 1)
		rc = copy_one_xattr(lower, upper, name);
	return rc;
}

/* Everything but the bytes: times last. */
static int copy_metadata(struct inode *lower, struct inode *upper, const struct inode_attr *attr)
{
	struct setattr set = {
		.mask = SETATTR_ATIME | SETATTR_MTIME, .atime = attr->atime, .mtime = attr->mtime,
	};
	int rc = copy_xattrs(lower, upper);

	if (rc == 0)
		rc = upper->ops->setxattr(upper, OVERLAY_XATTR_INO, &lower->ino, sizeof(lower->ino), 0);
	return rc < 0 ? rc : upper->ops->setattr(upper, &set);
}

/* --- the two ways to a name -------------------------------------------------------------- */

static struct inode_create describe(const struct inode_attr *attr, const char *target)
{
	return (struct inode_create){ .mode = attr->mode, .uid = attr->uid, .gid = attr->gid,
				      .rdev = attr->rdev, .symlink_target = target };
}

static int copy_file(struct overlay_node *node, struct inode *dir, const struct inode_attr *attr,
		     bool data, struct inode **out)
{
	struct inode_create how = describe(attr, NULL);
	struct inode *upper;
	int rc;

	mutex_lock(&dir->lock);
	rc = dir->ops->tmpfile(dir, &how, &upper);
	mutex_unlock(&dir->lock);
	if (rc < 0)
		return rc;
	if (data)
		rc = copy_data(node->lower, upper, attr->size);
	if (rc == 0)
		rc = copy_metadata(node->lower, upper, attr);
	if (rc == 0 && !node->unlinked) {
		mutex_lock(&dir->lock);
		rc = dir->ops->link(dir, node->name, upper);
		mutex_unlock(&dir->lock);
	}
	if (rc < 0)
		inode_put(upper);
	else
		*out = upper;
	return rc;
}

static int copy_special_locked(struct overlay_node *node, struct inode *dir, const struct inode_create *how,
			       const struct inode_attr *attr, struct inode **out)
{
	struct inode *upper;
	int rc = dir->ops->create(dir, OVERLAY_TEMPORARY, how, &upper);

	if (rc < 0)
		return rc;
	rc = copy_metadata(node->lower, upper, attr);
	if (rc == 0 && !node->unlinked)
		rc = overlay_install_locked(dir, upper, node->name);
	if (rc < 0 || node->unlinked) {
		int removed = inode_type(upper) == LINUX_S_IFDIR ?
				      dir->ops->rmdir(dir, OVERLAY_TEMPORARY, upper) :
				      dir->ops->unlink(dir, OVERLAY_TEMPORARY, upper);

		rc = rc < 0 ? rc : removed;
	}
	if (rc < 0)
		inode_put(upper);
	else
		*out = upper;
	return rc;
}

/* Directories, symlinks, devices, FIFOs, sockets. */
static int copy_special(struct overlay_node *node, struct inode *dir, const struct inode_attr *attr,
			struct inode **out)
{
	struct inode *lower = node->lower;
	struct inode_create how = describe(attr, NULL);
	AUTO_FREE char *target = NULL;
	int rc = 0;

	if (inode_type(lower) == LINUX_S_IFLNK) {
		rc = lower->ops->readlink(lower, &target);
		if (rc < 0)
			return rc;
		how.symlink_target = target;
	}
	mutex_lock(&dir->lock);
	rc = copy_special_locked(node, dir, &how, attr, out);
	mutex_unlock(&dir->lock);
	return rc;
}

/* --- one object, then a whole path ---------------------------------------------------------- */

static int copy_locked(struct overlay_node *node, bool data)
{
	struct inode *dir = overlay_upper(node->parent), *upper = NULL;
	struct inode_attr attr, before;
	struct setattr times = { .mask = SETATTR_MTIME | SETATTR_CTIME };
	int rc = overlay_real_getattr(node->lower, &attr);

	if (rc == 0)
		rc = overlay_real_getattr(dir, &before);
	if (rc < 0)
		return rc;
	if (inode_type(node->lower) == LINUX_S_IFREG)
		rc = copy_file(node, dir, &attr, data, &upper);
	else
		rc = copy_special(node, dir, &attr, &upper);
	if (rc < 0)
		return rc;
	times.mtime = before.mtime;
	times.ctime = before.ctime;
	rc = dir->ops->setattr(dir, &times);
	atomic_store_explicit(&node->upper, upper, memory_order_release);
	overlay_table_add(node);
	return rc;
}

/* The parent has an upper. */
static int copy_up_one(struct inode *inode, bool data)
{
	struct overlay_node *node = overlay_node(inode);
	int rc = 0;

	mutex_lock(&node->copy_up_lock);
	if (!node->upper)
		rc = copy_locked(node, data);
	mutex_unlock(&node->copy_up_lock);
	return rc < 0 ? rc : overlay_refresh(inode);
}

int overlay_copy_up(struct inode *inode, bool data)
{
	while (!overlay_upper(inode)) {
		struct inode *top = inode;
		int rc;

		while (!overlay_upper(overlay_node(top)->parent))
			top = overlay_node(top)->parent;
		rc = copy_up_one(top, top != inode || data);
		if (rc < 0)
			return rc;
	}
	return 0;
}
