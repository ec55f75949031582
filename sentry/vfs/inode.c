/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inodes: allocation, references, attributes, and the exclusion between writing
 * and executing.  attr_lock is a leaf and held for moments only.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "sentry/abi/fs.h"
#include "sentry/cred/credentials.h"
#include "sentry/host/host_clock.h"
#include "sentry/vfs/fifo.h"
#include "sentry/vfs/file_lock.h"
#include "sentry/vfs/lease.h"
#include "sentry/vfs/inode.h"
#include "sentry/vfs/super.h"

#define NSEC_PER_SECOND 1000000000ULL

struct vfs_time vfs_now(void)
{
	uint64_t ns = host_clock_ns(CLOCK_REALTIME_COARSE);

	return (struct vfs_time){ .sec = (int64_t)(ns / NSEC_PER_SECOND),
				  .nsec = (uint32_t)(ns % NSEC_PER_SECOND) };
}

int inode_new(struct super_block *sb, const struct inode_ops *ops, uint64_t ino, uint32_t mode,
	      struct inode **out)
{
	struct inode *inode = calloc(1, sizeof(*inode));
	struct vfs_time now;

	if (!inode)
		return -ENOMEM;
	refcount_init(&inode->refs);
	inode->sb = sb;
	super_block_inode_added(sb);
	inode->ops = ops;
	inode->ino = ino ? ino : atomic_fetch_add(&sb->next_ino, 1);
	mutex_init(&inode->lock, sb->below_overlay ? LOCK_RANK_INODE_BELOW : LOCK_RANK_INODE);
	mutex_init(&inode->attr_lock, LOCK_RANK_LEAF);
	now = vfs_now();
	inode->attr = (struct inode_attr){
		.mode = mode, .nlink = 1, .blksize = 4096,
		.atime = now, .mtime = now, .ctime = now, .btime = now,
	};
	*out = inode;
	return 0;
}

struct inode *inode_get(struct inode *inode)
{
	refcount_get(&inode->refs);
	return inode;
}

void inode_put(struct inode *inode)
{
	struct super_block *sb;

	if (!inode || !refcount_put(&inode->refs))
		return;
	if (inode->pipe && vfs_upcalls.fifo_evict)
		vfs_upcalls.fifo_evict(inode);
	if (inode->ops && inode->ops->evict)
		inode->ops->evict(inode);
	file_locks_evict(inode);
	leases_evict(inode);
	inode_put(inode->anchor);
	mutex_destroy(&inode->lock);
	mutex_destroy(&inode->attr_lock);
	sb = inode->sb;
	free(inode);
	super_block_inode_gone(sb);
}

void inode_attr_read(struct inode *inode, struct inode_attr *out)
{
	mutex_lock(&inode->attr_lock);
	*out = inode->attr;
	mutex_unlock(&inode->attr_lock);
}

void inode_attr_apply(struct inode *inode, const struct setattr *set)
{
	struct inode_attr *attr = &inode->attr;

	mutex_lock(&inode->attr_lock);
	if (set->mask & SETATTR_MODE)
		attr->mode = (attr->mode & LINUX_S_IFMT) | (set->mode & 07777);
	if (set->mask & SETATTR_UID)
		attr->uid = set->uid;
	if (set->mask & SETATTR_GID)
		attr->gid = set->gid;
	if (set->mask & SETATTR_ATIME)
		attr->atime = set->atime;
	if (set->mask & SETATTR_MTIME)
		attr->mtime = set->mtime;
	if (set->mask & SETATTR_CTIME)
		attr->ctime = set->ctime;
	mutex_unlock(&inode->attr_lock);
}

int inode_setattr_simple(struct inode *inode, const struct setattr *set)
{
	if (set->mask & SETATTR_SIZE)
		return -EINVAL;
	inode_attr_apply(inode, set);
	return 0;
}

void inode_touch(struct inode *inode, uint32_t setattr_times)
{
	struct vfs_time now = vfs_now();

	mutex_lock(&inode->attr_lock);
	if (setattr_times & SETATTR_ATIME)
		inode->attr.atime = now;
	if (setattr_times & SETATTR_MTIME)
		inode->attr.mtime = now;
	if (setattr_times & SETATTR_CTIME)
		inode->attr.ctime = now;
	mutex_unlock(&inode->attr_lock);
}

/* The two counts exclude each other, so they change together under attr_lock. */
static int take_exclusive(struct inode *anchor, _Atomic uint32_t *mine, _Atomic uint32_t *other)
{
	int rc = 0;

	mutex_lock(&anchor->attr_lock);
	if (*other)
		rc = -ETXTBSY;
	else
		(*mine)++;
	mutex_unlock(&anchor->attr_lock);
	return rc;
}

int inode_get_write_access(struct inode *inode)
{
	struct inode *anchor = inode_anchor(inode);

	return take_exclusive(anchor, &anchor->writers, &anchor->deny_write);
}

void inode_put_write_access(struct inode *inode)
{
	inode_anchor(inode)->writers--;
}

int inode_deny_write_access(struct inode *inode)
{
	struct inode *anchor = inode_anchor(inode);

	return take_exclusive(anchor, &anchor->deny_write, &anchor->writers);
}

void inode_allow_write_access(struct inode *inode)
{
	inode_anchor(inode)->deny_write--;
}
