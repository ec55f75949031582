/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Numbers and nodes.  A number is in use until both ends of its pair are closed, its node exists
 * until the master is.  Pairs are a limited good of the whole sandbox: see DEVPTS_TOTAL_MAX.
 */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "sentry/abi/fs.h"
#include "sentry/fs/devpts/devpts_private.h"
#include "sentry/fs/tty/tty.h"
#include "sentry/kernel/task.h"
#include "sentry/vfs/dentry_cache.h"
#include "sentry/vfs/vfs.h"
#include "util/cleanup.h"

static _Atomic uint32_t total;

/* --- numbers ------------------------------------------------------------------------------- */

static int grow_locked(struct devpts *d)
{
	uint32_t count = d->slot_count ? d->slot_count * 2 : 8;
	struct devpts_slot *slots = realloc(d->slots, count * sizeof(*slots));

	if (!slots)
		return -ENOMEM;
	for (uint32_t i = d->slot_count; i < count; i++)
		slots[i] = (struct devpts_slot){ 0 };
	d->slots = slots;
	d->slot_count = count;
	return 0;
}

static int take_number(struct devpts *d, uint32_t *out)
{
	uint32_t i = 0;
	int rc = 0;

	if (atomic_fetch_add(&total, 1) >= DEVPTS_TOTAL_MAX - DEVPTS_TOTAL_RESERVED) {
		atomic_fetch_sub(&total, 1);
		return -ENOSPC;
	}
	mutex_lock(&d->lock);
	while (i < d->slot_count && d->slots[i].used)
		i++;
	if (i >= d->options.max)
		rc = -ENOSPC;
	else if (i == d->slot_count)
		rc = grow_locked(d);
	if (!rc) {
		d->slots[i].used = true;
		*out = i;
	}
	mutex_unlock(&d->lock);
	if (rc)
		atomic_fetch_sub(&total, 1);
	return rc;
}

static void give_number(struct devpts *d, uint32_t index)
{
	mutex_lock(&d->lock);
	d->slots[index].used = false;
	mutex_unlock(&d->lock);
	atomic_fetch_sub(&total, 1);
}

/* --- nodes ---------------------------------------------------------------------------------- */

static void node_evict(struct inode *inode)
{
	pty_put(inode->private_data);
	inode->private_data = NULL;
}

static const struct inode_ops node_ops = { .setattr = devpts_setattr, .evict = node_evict };

static int make_inode(struct devpts *d, struct pty *pty)
{
	struct task *t = task_current();
	struct devpts_options options;
	struct inode *inode;
	int rc;

	mutex_lock(&d->lock);
	options = d->options;
	mutex_unlock(&d->lock);
	rc = inode_new(d->sb, &node_ops, DEVPTS_FIRST_INO + pty->index, LINUX_S_IFCHR | options.mode,
		       &inode);
	if (rc < 0)
		return rc;
	inode->attr.rdev = pty->terminal.device;
	inode->attr.blksize = 1024;
	inode->attr.uid = options.has_uid ? options.uid : t ? t->cred->fsuid : 0;
	inode->attr.gid = options.has_gid ? options.gid : t ? t->cred->fsgid : 0;
	pty_get(pty);
	inode->private_data = pty;
	pty->inode = inode;
	return 0;
}

static int make_pair(struct devpts *d, struct pty **out)
{
	struct pty *pty;
	uint32_t index;
	int rc = take_number(d, &index);

	if (rc)
		return rc;
	rc = pty_new(index, &pty);
	if (!rc) {
		rc = make_inode(d, pty);
		if (rc)
			pty_put(pty);
	}
	if (rc) {
		give_number(d, index);
		return rc;
	}
	pty->devpts = d;
	super_block_get(d->sb);
	*out = pty;
	return 0;
}

static void publish(struct devpts *d, struct pty *pty)
{
	pty_get(pty);
	mutex_lock(&d->lock);
	d->slots[pty->index].pty = pty;
	mutex_unlock(&d->lock);
}

void devpts_remove(struct pty *pty)
{
	struct devpts *d = pty->devpts;
	struct pty *named;
	struct inode *inode;

	if (!d)
		return;
	mutex_lock(&d->lock);
	named = move_ptr(d->slots[pty->index].pty);
	inode = move_ptr(pty->inode);
	if (inode)
		inode->attr.nlink = 0;
	mutex_unlock(&d->lock);
	inode_put(inode);
	pty_put(named);
}

void devpts_release(struct pty *pty)
{
	struct devpts *d = pty->devpts;

	if (!d)
		return;
	give_number(d, pty->index);
	super_block_put(d->sb);
}

/* --- opening ----------------------------------------------------------------------------------- */

static struct devpts *instance_of(struct super_block *sb)
{
	return sb->magic == DEVPTS_MAGIC ? sb->private_data : NULL;
}

/* A ptmx node elsewhere: what is mounted at "pts" beside it. */
static int find_beside(struct file *file, struct path *out)
{
	struct vfs_context ctx;
	struct path start = { file->mount, NULL };
	int rc;

	if (!task_current())
		return -ENODEV;
	ctx = task_vfs_context(task_current());
	start.dentry = dentry_parent_get(file->dentry);
	rc = vfs_lookup_from(&ctx, &start, "pts", LOOKUP_FOLLOW, out);
	dentry_put(start.dentry);
	if (rc < 0)
		return -ENODEV;
	if (instance_of(out->dentry->sb) && out->dentry == out->dentry->sb->root)
		return 0;
	path_put(out);
	return -ENODEV;
}

int devpts_open_ptmx(struct inode *inode, struct file *file)
{
	struct devpts *d = instance_of(inode->sb);
	struct path beside = { NULL, NULL };
	struct pty *pty;
	int rc = d ? 0 : find_beside(file, &beside);

	if (rc)
		return rc;
	if (!d)
		d = instance_of(beside.dentry->sb);
	rc = make_pair(d, &pty);
	if (!rc) {
		pty_lock(pty);
		rc = tty_attach(&pty->ends[PTY_MASTER], file);
		pty_unlock(pty);
		if (!rc) {
			publish(d, pty);
		} else {
			devpts_remove(pty);
			devpts_release(pty);
		}
		pty_put(pty);
	}
	path_put(&beside);
	return rc;
}

int devpts_open_node(struct inode *inode, struct file *file)
{
	if (!instance_of(inode->sb) || !inode->private_data)
		return -EIO;
	return pty_open_slave(inode->private_data, file);
}

int devpts_open_slave(struct pty *pty, struct mount *mount, uint32_t flags, struct file **out)
{
	struct vfs_context ctx = task_vfs_context(task_current());
	struct path root = { mount, NULL }, path;
	char name[16];
	int rc;

	if (!pty->devpts)
		return -EIO;
	root.dentry = pty->devpts->sb->root;
	snprintf(name, sizeof(name), "%u", pty->index);
	rc = vfs_lookup_from(&ctx, &root, name, 0, &path);
	if (rc)
		return rc == -ENOENT ? -EIO : rc;
	rc = vfs_open_path(&ctx, &path, flags, out);
	path_put(&path);
	return rc;
}
