/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tmpfs directories.  The VFS holds the directory's lock around everything here
 * but iterate, which takes it itself.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/fs.h"
#include "sentry/fs/tmpfs/tmpfs_private.h"
#include "sentry/vfs/attr.h"
#include "sentry/vfs/dir_emit.h"
#include "util/hash.h"

static struct tmpfs_directory *dir_of(const struct inode *inode)
{
	return &tmpfs_node(inode)->dir;
}

static bool is_directory(const struct inode *inode)
{
	return inode_type(inode) == LINUX_S_IFDIR;
}

static struct tmpfs_entry *find_entry(struct inode *dir, const char *name)
{
	struct hash_node *node;

	hash_table_for_each_hash(node, &dir_of(dir)->names, hash_string(name))
	{
		struct tmpfs_entry *e = container_of(node, struct tmpfs_entry, hash_node);

		if (!strcmp(e->name, name))
			return e;
	}
	return NULL;
}

static struct tmpfs_entry *entry_new(const char *name)
{
	size_t size = strlen(name) + 1;
	struct tmpfs_entry *e = calloc(1, sizeof(*e) + size);

	if (e)
		memcpy(e->name, name, size);
	return e;
}

/* Times, size and link count of a directory whose entries changed. */
static void changed(struct inode *dir, int entries, int links)
{
	struct vfs_time now = vfs_now();

	mutex_lock(&dir->attr_lock);
	dir->attr.size = (uint64_t)((int64_t)dir->attr.size + entries * TMPFS_DIRENT_SIZE);
	dir->attr.nlink = (uint32_t)((int)dir->attr.nlink + links);
	dir->attr.mtime = now;
	dir->attr.ctime = now;
	mutex_unlock(&dir->attr_lock);
}

static void change_links(struct inode *inode, int links)
{
	struct vfs_time now = vfs_now();

	mutex_lock(&inode->attr_lock);
	inode->attr.nlink = (uint32_t)((int)inode->attr.nlink + links);
	inode->attr.ctime = now;
	mutex_unlock(&inode->attr_lock);
}

/* Takes over a reference on @inode. */
static void add_entry(struct inode *dir, struct tmpfs_entry *e, struct inode *inode)
{
	struct tmpfs_directory *d = dir_of(dir);

	e->inode = inode;
	e->cookie = d->next_cookie++;
	list_add_tail(&d->entries, &e->node);
	hash_table_insert(&d->names, &e->hash_node, hash_string(e->name));
	changed(dir, 1, is_directory(inode) ? 1 : 0);
}

/* Hands over the entry's reference. */
static struct inode *remove_entry(struct inode *dir, struct tmpfs_entry *e)
{
	struct inode *inode = e->inode;

	hash_table_remove(&dir_of(dir)->names, &e->hash_node);
	list_remove(&e->node);
	free(e);
	changed(dir, -1, is_directory(inode) ? -1 : 0);
	return inode;
}

/* --- operations ------------------------------------------------------------------------ */

static int tmpfs_lookup(struct inode *dir, const char *name, struct inode **out)
{
	struct tmpfs_entry *e = find_entry(dir, name);

	if (!e)
		return -ENOENT;
	*out = inode_get(e->inode);
	return 0;
}

static int tmpfs_create(struct inode *dir, const char *name, const struct inode_create *how,
			struct inode **out)
{
	struct tmpfs_entry *e = entry_new(name);
	struct inode *inode;
	int rc;

	if (!e)
		return -ENOMEM;
	rc = tmpfs_inode_new(dir->sb, how, &inode);
	if (rc < 0) {
		free(e);
		return rc;
	}
	tmpfs_inherit_flags(dir, inode);
	*out = inode_get(inode);
	add_entry(dir, e, inode);
	return 0;
}

static int tmpfs_tmpfile(struct inode *dir, const struct inode_create *how, struct inode **out)
{
	int rc = tmpfs_inode_new(dir->sb, how, out);

	if (rc < 0)
		return rc;
	tmpfs_inherit_flags(dir, *out);
	(*out)->attr.nlink = 0;
	return 0;
}

static int tmpfs_link(struct inode *dir, const char *name, struct inode *target)
{
	struct tmpfs_entry *e = entry_new(name);

	if (!e)
		return -ENOMEM;
	change_links(target, 1);
	add_entry(dir, e, inode_get(target));
	return 0;
}

static int tmpfs_unlink(struct inode *dir, const char *name, struct inode *target)
{
	struct tmpfs_entry *e = find_entry(dir, name);

	if (!e || e->inode != target)
		return -ENOENT;
	remove_entry(dir, e);
	change_links(target, -1);
	inode_put(target); /* the caller holds one still */
	return 0;
}

static int tmpfs_rmdir(struct inode *dir, const char *name, struct inode *target)
{
	struct tmpfs_entry *e = find_entry(dir, name);

	if (!e || e->inode != target)
		return -ENOENT;
	if (!list_empty(&dir_of(target)->entries))
		return -ENOTEMPTY;
	remove_entry(dir, e);
	change_links(target, -2);
	inode_put(target);
	return 0;
}

/* --- rename ------------------------------------------------------------------------------- */

static int exchange(struct inode *old_dir, struct tmpfs_entry *a, struct inode *new_dir,
		    struct tmpfs_entry *b)
{
	struct inode *source = a->inode;
	int moved = (int)is_directory(b->inode) - (int)is_directory(source);

	a->inode = b->inode;
	b->inode = source;
	changed(old_dir, 0, old_dir == new_dir ? 0 : moved);
	if (old_dir != new_dir)
		changed(new_dir, 0, -moved);
	inode_touch(a->inode, SETATTR_CTIME);
	inode_touch(b->inode, SETATTR_CTIME);
	return 0;
}

/* What is left at the old name of an overlay's upper: a 0/0 device. */
static int whiteout_new(struct inode *dir, struct inode **out)
{
	struct inode_create how = { .mode = LINUX_S_IFCHR };

	return tmpfs_inode_new(dir->sb, &how, out);
}

static void replace_target(struct inode *dir, struct tmpfs_entry *e)
{
	struct inode *inode = remove_entry(dir, e);

	change_links(inode, is_directory(inode) ? -2 : -1);
	inode_put(inode);
}

/* Whether @e is what the caller's look-up found; NULL: a free name. */
static bool is_still(const struct tmpfs_entry *e, const struct inode *found)
{
	return found ? e && e->inode == found : !e;
}

static int tmpfs_rename(struct inode *old_dir, const char *old_name, struct inode *source,
			struct inode *new_dir, const char *new_name, struct inode *target,
			uint32_t flags)
{
	struct tmpfs_entry *from = find_entry(old_dir, old_name), *to = find_entry(new_dir, new_name);
	struct tmpfs_entry *fresh, *left = NULL;
	struct inode *whiteout = NULL;
	int rc = 0;

	if (!is_still(from, source) || !is_still(to, target))
		return -ENOENT;
	if (flags & LINUX_RENAME_EXCHANGE)
		return target ? exchange(old_dir, from, new_dir, to) : -ENOENT;
	if (target && is_directory(target) && !list_empty(&dir_of(target)->entries))
		return -ENOTEMPTY;
	fresh = entry_new(new_name);
	if (!fresh)
		return -ENOMEM;
	if (flags & LINUX_RENAME_WHITEOUT) {
		left = entry_new(old_name);
		rc = left ? whiteout_new(old_dir, &whiteout) : -ENOMEM;
	}
	if (rc < 0) {
		free(left);
		free(fresh);
		return rc;
	}
	if (target)
		replace_target(new_dir, to);
	remove_entry(old_dir, from);
	add_entry(new_dir, fresh, source);
	if (left)
		add_entry(old_dir, left, whiteout);
	inode_touch(source, SETATTR_CTIME);
	return 0;
}

/* --- listing --------------------------------------------------------------------------------- */

/* The first entry with a cookie of at least @pos; short lists are walked, and the end is near. */
static struct tmpfs_entry *entry_from(struct tmpfs_directory *d, uint64_t pos)
{
	struct tmpfs_entry *e = list_last(&d->entries, struct tmpfs_entry, node);

	if (!e || e->cookie < pos)
		return NULL;
	list_for_each(e, &d->entries, node) {
		if (e->cookie >= pos)
			return e;
	}
	return NULL;
}

static int tmpfs_iterate(struct file *file, struct dir_context *ctx)
{
	struct inode *inode = file->private_data;
	struct tmpfs_directory *d = dir_of(inode);
	struct tmpfs_entry *e;

	if (!dir_emit_dots(file, ctx))
		return 0;
	mutex_lock(&inode->lock);
	e = entry_from(d, ctx->pos);
	while (e) {
		if (!dir_emit(ctx, e->name, strlen(e->name), e->cookie + 1, e->inode->ino,
			      LINUX_DT(e->inode->attr.mode)))
			break;
		e = e->node.next == &d->entries ? NULL : list_entry(e->node.next, struct tmpfs_entry, node);
	}
	mutex_unlock(&inode->lock);
	file_accessed(file, inode);
	return 0;
}

static int64_t tmpfs_directory_llseek(struct file *file, int64_t offset, int whence)
{
	return vfs_llseek_cookie(file, offset, whence);
}

static int tmpfs_directory_fsync(struct file *file, bool data_only)
{
	return 0;
}

static const struct file_ops tmpfs_directory_file_ops = {
	.iterate = tmpfs_iterate,
	.llseek = tmpfs_directory_llseek,
	.fsync = tmpfs_directory_fsync,
	.ioctl = tmpfs_ioctl,
};

int tmpfs_directory_open(struct inode *inode, struct file *file)
{
	file->ops = &tmpfs_directory_file_ops;
	file->private_data = inode;
	return 0;
}

/* --- the end ---------------------------------------------------------------------------------- */

/* A deep tree goes level by level: inner calls leave their entries to the outermost. */
static _Thread_local struct list_node *evicting;

void tmpfs_directory_evict(struct tmpfs_directory *dir)
{
	struct list_node entries = LIST_HEAD_INIT(entries);
	struct tmpfs_entry *e;

	hash_table_destroy(&dir->names);
	if (evicting) {
		list_splice_tail(evicting, &dir->entries);
		return;
	}
	list_splice_tail(&entries, &dir->entries);
	evicting = &entries;
	while ((e = list_first(&entries, struct tmpfs_entry, node))) {
		list_remove(&e->node);
		inode_put(e->inode);
		free(e);
	}
	evicting = NULL;
}

const struct inode_ops tmpfs_directory_ops = {
	.lookup = tmpfs_lookup,
	.create = tmpfs_create,
	.link = tmpfs_link,
	.unlink = tmpfs_unlink,
	.rmdir = tmpfs_rmdir,
	.rename = tmpfs_rename,
	.tmpfile = tmpfs_tmpfile,
	.getattr = tmpfs_getattr,
	.setattr = tmpfs_setattr,
	.open = tmpfs_directory_open,
	.getxattr = tmpfs_getxattr,
	.setxattr = tmpfs_setxattr,
	.listxattr = tmpfs_listxattr,
	.removexattr = tmpfs_removexattr,
	.evict = tmpfs_evict,
};
