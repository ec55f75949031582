/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making, linking, removing and renaming.  The VFS holds the directories' locks.
 * What changes which name leads where holds `names` for writing around its message,
 * so that whoever reaches a file by its name finds the same file.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/fs.h"
#include "sentry/fs/gofer/gofer_inode.h"
#include "util/cleanup.h"

/* @name in @dir is new or gone: what was known about either is out of date. */
static void dir_changed(struct inode *dir, const char *name, bool exists)
{
	gofer_inode_of(dir)->stale = true;
	gofer_children_drop(dir, name, exists);
}

/* The message by type; a regular file comes with an FD. */
static int make(struct gofer_client *client, uint64_t dir, const char *name,
		const struct inode_create *how, struct gofer_entry *entry, int *fd)
{
	struct gofer_owner owner = { how->uid, how->gid };

	switch (how->mode & LINUX_S_IFMT) {
	case LINUX_S_IFREG:
		*fd = gofer_create(client, dir, name, how->mode, owner, GOFER_READ_WRITE, entry);
		return *fd < 0 ? *fd : 0;
	case LINUX_S_IFDIR:
		return gofer_mkdir(client, dir, name, how->mode, owner, entry);
	case LINUX_S_IFLNK:
		return gofer_symlink(client, dir, name, how->symlink_target, owner, entry);
	default:
		return gofer_mknod(client, dir, name, how->mode, owner, entry);
	}
}

int gofer_op_create(struct inode *dir, const char *name, const struct inode_create *how,
		    struct inode **out)
{
	struct gofer_fs *fs = gofer_fs_of(dir->sb);
	struct gofer_entry entry;
	uint64_t node;
	int fd = -1, err = gofer_node(dir, &node);

	if (!err)
		err = make(fs->client, node, name, how, &entry, &fd);
	if (err)
		return err;
	dir_changed(dir, name, true);
	/* In a shared tree an inode must be reachable whatever happens to its name. */
	if (fs->shared && !entry.node)
		err = gofer_lookup(fs->client, node, name, GOFER_WALK_NODE, &entry, NULL);
	if (!err)
		err = gofer_inode_find(dir, name, &entry, how->symlink_target, out);
	if (fd >= 0 && !err)
		gofer_fd_adopt(*out, GOFER_FD_WRITE, fd);
	else if (fd >= 0)
		gofer_fd_discard(fd);
	return err;
}

int gofer_op_link(struct inode *dir, const char *name, struct inode *target)
{
	struct gofer_fs *fs = gofer_fs_of(dir->sb);
	struct gofer_address address;
	struct gofer_entry entry;
	uint64_t node;
	int err = gofer_node(dir, &node);

	if (err)
		return err;
	rwlock_read_lock(&fs->names);
	err = gofer_address(target, &address);
	if (!err)
		err = gofer_link(fs->client, address.node, address.name, node, name, &entry);
	rwlock_read_unlock(&fs->names);
	if (err)
		return err;
	gofer_inode_set_attr(target, &entry.attr);
	dir_changed(dir, name, true);
	return 0;
}

/* One name of @inode is gone from the host. */
static void lost_name(struct inode *inode)
{
	bool gone;

	mutex_lock(&inode->attr_lock);
	if (inode_type(inode) == LINUX_S_IFDIR)
		inode->attr.nlink = 0;
	else if (inode->attr.nlink)
		inode->attr.nlink--;
	gone = !inode->attr.nlink;
	mutex_unlock(&inode->attr_lock);
	if (gone)
		gofer_inode_forget(inode);
	gofer_inode_of(inode)->stale = true;
}

static int remove_name(struct inode *dir, const char *name, struct inode *target, uint32_t flags)
{
	struct gofer_fs *fs = gofer_fs_of(dir->sb);
	uint64_t node;
	int err = gofer_node(dir, &node);

	if (err)
		return err;
	rwlock_write_lock(&fs->names);
	err = gofer_address_keep_locked(target, dir, name);
	if (!err)
		err = gofer_unlink(fs->client, node, name, flags);
	if (!err)
		gofer_address_lost_locked(target, dir, name);
	rwlock_write_unlock(&fs->names);
	if (err)
		return err;
	lost_name(target);
	dir_changed(dir, name, false);
	return 0;
}

int gofer_op_unlink(struct inode *dir, const char *name, struct inode *target)
{
	return remove_name(dir, name, target, 0);
}

int gofer_op_rmdir(struct inode *dir, const char *name, struct inode *target)
{
	return remove_name(dir, name, target, GOFER_UNLINK_DIRECTORY);
}

struct rename {
	struct inode *old_dir, *new_dir, *source, *target;
	const char *old_name, *new_name;
	uint32_t flags; /* GOFER_RENAME_* */
	char *source_name, *target_name; /* copies for the new addresses */
};

static int rename_locked(struct gofer_fs *fs, struct rename *r, uint64_t old_node, uint64_t new_node)
	REQUIRES(fs->names)
{
	bool exchange = r->flags & GOFER_RENAME_EXCHANGE;
	int err = 0;

	if (r->target && !exchange)
		err = gofer_address_keep_locked(r->target, r->new_dir, r->new_name);
	if (!err)
		err = gofer_rename(fs->client, old_node, r->old_name, new_node, r->new_name, r->flags);
	if (err)
		return err;
	if (r->target && !exchange)
		gofer_address_lost_locked(r->target, r->new_dir, r->new_name);
	if (r->target && exchange)
		gofer_address_moved_locked(r->target, r->old_dir, move_ptr(r->target_name));
	gofer_address_moved_locked(r->source, r->new_dir, move_ptr(r->source_name));
	return 0;
}

static void rename_done(struct rename *r)
{
	bool exchange = r->flags & GOFER_RENAME_EXCHANGE;

	gofer_inode_of(r->source)->stale = true;
	if (r->target && exchange)
		gofer_inode_of(r->target)->stale = true;
	else if (r->target)
		lost_name(r->target);
	dir_changed(r->old_dir, r->old_name, exchange);
	dir_changed(r->new_dir, r->new_name, true);
}

int gofer_op_rename(struct inode *old_dir, const char *old_name, struct inode *source,
		    struct inode *new_dir, const char *new_name, struct inode *target,
		    uint32_t flags)
{
	struct gofer_fs *fs = gofer_fs_of(old_dir->sb);
	struct rename r = { old_dir, new_dir, source, target, old_name, new_name, 0, NULL, NULL };
	uint64_t old_node = 0, new_node = 0;
	int err;

	if (flags & ~(LINUX_RENAME_NOREPLACE | LINUX_RENAME_EXCHANGE))
		return -EINVAL;
	r.flags = (flags & LINUX_RENAME_NOREPLACE ? GOFER_RENAME_NOREPLACE : 0) |
		  (flags & LINUX_RENAME_EXCHANGE ? GOFER_RENAME_EXCHANGE : 0);
	/* Two names of one file: nothing happens, as rename(2) has it. */
	if (source == target && !(flags & LINUX_RENAME_NOREPLACE))
		return 0;
	err = gofer_node(old_dir, &old_node);
	if (!err)
		err = gofer_node(new_dir, &new_node);
	if (err)
		return err;
	r.source_name = strdup(new_name);
	r.target_name = strdup(old_name);
	if (!r.source_name || !r.target_name)
		err = -ENOMEM;
	rwlock_write_lock(&fs->names);
	if (!err)
		err = rename_locked(fs, &r, old_node, new_node);
	rwlock_write_unlock(&fs->names);
	free(r.source_name);
	free(r.target_name);
	if (!err)
		rename_done(&r);
	return err;
}
