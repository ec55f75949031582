/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inode table and attributes.  An inode whose count has fallen to zero stays
 * in the table until its evict; look-ups pass over it and make another.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/fs.h"
#include "sentry/fs/gofer/gofer_inode.h"
#include "sentry/fs/gofer/gofer_volume.h"
#include "sentry/host/host_file.h"
#include "util/hash.h"
#include "util/log.h"

/* Inode numbers of the n-th further host device carry n in the bits no host uses. */
#define INO_DEVICE_SHIFT 56

static uint64_t key_hash(uint64_t dev, uint64_t ino)
{
	uint64_t key[2] = { dev, ino };

	return hash_bytes(key, sizeof(key));
}

uint64_t gofer_ino(struct gofer_fs *fs, uint64_t dev, uint64_t ino)
{
	uint64_t index;

	mutex_lock(&fs->table_lock);
	for (index = 0; index < fs->device_count; index++)
		if (fs->devices[index] == dev)
			break;
	if (index == fs->device_count && index < GOFER_DEVICES_MAX)
		fs->devices[fs->device_count++] = dev;
	mutex_unlock(&fs->table_lock);
	return ino ^ index << INO_DEVICE_SHIFT;
}

static struct vfs_time time_of(const struct gofer_time *t)
{
	return (struct vfs_time){ .sec = t->sec, .nsec = t->nsec };
}

/* The type stays, whatever a server says; and inode_type() looks at it without the lock. */
static void set_permissions_locked(struct inode *inode, uint32_t mode) REQUIRES(inode->attr_lock)
{
	uint32_t to = (inode->attr.mode & LINUX_S_IFMT) | (mode & ~LINUX_S_IFMT);

	if (inode->attr.mode != to)
		__atomic_store_n(&inode->attr.mode, to, __ATOMIC_RELAXED);
}

void gofer_inode_set_attr(struct inode *inode, const struct gofer_attr *attr)
{
	uint32_t major = (uint32_t)(attr->rdev >> 32), minor = (uint32_t)attr->rdev;
	struct inode_attr *to = &inode->attr;

	mutex_lock(&inode->attr_lock);
	set_permissions_locked(inode, attr->mode);
	to->nlink = attr->nlink;
	to->uid = attr->uid;
	to->gid = attr->gid;
	to->rdev = linux_makedev(major, minor);
	to->size = attr->size;
	to->blocks = attr->blocks;
	to->blksize = attr->blksize;
	to->atime = time_of(&attr->atime);
	to->mtime = time_of(&attr->mtime);
	to->ctime = time_of(&attr->ctime);
	to->btime = time_of(&attr->btime);
	mutex_unlock(&inode->attr_lock);
}

int gofer_inode_refresh_by_fd(struct inode *inode, int fd)
{
	struct inode_attr *to = &inode->attr;
	struct stat st;
	int err = host_fstat(fd, &st);

	if (err)
		return err;
	mutex_lock(&inode->attr_lock);
	set_permissions_locked(inode, st.st_mode);
	to->nlink = (uint32_t)st.st_nlink;
	to->size = (uint64_t)st.st_size;
	to->blocks = (uint64_t)st.st_blocks;
	to->atime = (struct vfs_time){ st.st_atim.tv_sec, (uint32_t)st.st_atim.tv_nsec };
	to->mtime = (struct vfs_time){ st.st_mtim.tv_sec, (uint32_t)st.st_mtim.tv_nsec };
	to->ctime = (struct vfs_time){ st.st_ctim.tv_sec, (uint32_t)st.st_ctim.tv_nsec };
	mutex_unlock(&inode->attr_lock);
	return 0;
}

/* An inode that nobody can find yet.  Node, parent and name are still to be set. */
static int inode_make(struct gofer_fs *fs, const struct gofer_attr *attr, struct inode **out)
{
	const struct inode_ops *ops =
		(attr->mode & LINUX_S_IFMT) == LINUX_S_IFDIR ? &gofer_dir_inode_ops : &gofer_inode_ops;
	struct gofer_inode *g = calloc(1, sizeof(*g));
	struct inode *inode;
	int err;

	if (!g)
		return -ENOMEM;
	err = inode_new(fs->sb, ops, gofer_ino(fs, attr->dev, attr->ino), attr->mode, &inode);
	if (err) {
		free(g);
		return err;
	}
	if (fs->volume)
		err = gofer_volume_anchor(fs->volume, attr, &inode->anchor);
	if (err) {
		inode_put(inode);
		free(g);
		return err;
	}
	inode->no_cache = fs->follows && attr->mount_id != gofer_client_root(fs->client)->attr.mount_id;
	g->inode = inode;
	g->dev = attr->dev;
	g->ino = attr->ino;
	g->fd[GOFER_FD_READ] = g->fd[GOFER_FD_WRITE] = -1;
	inode->private_data = g;
	gofer_inode_set_attr(inode, attr);
	*out = inode;
	return 0;
}

/* A live inode of the same host file, with a reference; or NULL. */
static struct inode *table_find_locked(struct gofer_fs *fs, const struct gofer_attr *attr)
	REQUIRES(fs->table_lock)
{
	struct hash_node *at;

	hash_table_for_each_hash(at, &fs->inodes, key_hash(attr->dev, attr->ino)) {
		struct gofer_inode *g = container_of(at, struct gofer_inode, table_node);

		if (g->dev == attr->dev && g->ino == attr->ino &&
		    inode_type(g->inode) == (attr->mode & LINUX_S_IFMT) &&
		    refcount_get_unless_zero(&g->inode->refs))
			return g->inode;
	}
	return NULL;
}

bool gofer_inode_is_live_locked(struct gofer_fs *fs, const struct gofer_attr *attr)
{
	struct hash_node *at;

	hash_table_for_each_hash(at, &fs->inodes, key_hash(attr->dev, attr->ino)) {
		struct gofer_inode *g = container_of(at, struct gofer_inode, table_node);

		if (g->dev == attr->dev && g->ino == attr->ino)
			return true;
	}
	return false;
}

static struct inode *table_find(struct gofer_fs *fs, const struct gofer_attr *attr)
{
	struct inode *found;

	mutex_lock(&fs->table_lock);
	found = table_find_locked(fs, attr);
	mutex_unlock(&fs->table_lock);
	return found;
}

/* Publishes @inode, or returns the one that another thread published meanwhile. */
static struct inode *table_insert(struct gofer_fs *fs, const struct gofer_attr *attr,
				  struct inode *inode)
{
	struct gofer_inode *g = gofer_inode_of(inode);
	struct inode *found;

	mutex_lock(&fs->table_lock);
	found = table_find_locked(fs, attr);
	if (!found) {
		hash_table_insert(&fs->inodes, &g->table_node, key_hash(g->dev, g->ino));
		g->in_table = true;
	}
	mutex_unlock(&fs->table_lock);
	return found;
}

/* An inode that was known already: newer attributes, and a node if it had none. */
static void inode_update(struct gofer_fs *fs, struct inode *inode, const struct gofer_entry *entry)
{
	struct gofer_inode *g = gofer_inode_of(inode);
	uint64_t none = 0;
	bool open;

	mutex_lock(&fs->table_lock);
	open = g->opens > 0;
	mutex_unlock(&fs->table_lock);
	/* What is open here may be ahead of what was learnt about its name, unless others change it. */
	if (fs->shared || (!open && !g->stale))
		gofer_inode_set_attr(inode, &entry->attr);
	if (entry->node && !atomic_compare_exchange_strong(&g->node, &none, entry->node))
		gofer_release(fs->client, entry->node);
}

static int set_address(struct inode *inode, struct inode *dir, const char *name,
		       const struct gofer_entry *entry, const char *target)
{
	struct gofer_inode *g = gofer_inode_of(inode);

	g->node = entry->node;
	if (target) {
		g->target = strdup(target);
		if (!g->target)
			return -ENOMEM;
	}
	if (entry->node)
		return 0;
	g->name = strdup(name);
	if (!g->name)
		return -ENOMEM;
	g->parent = inode_get(dir);
	return 0;
}

int gofer_inode_find(struct inode *dir, const char *name, const struct gofer_entry *entry,
		     const char *target, struct inode **out)
{
	struct gofer_fs *fs = gofer_fs_of(dir->sb);
	struct inode *inode = table_find(fs, &entry->attr), *other;
	int err;

	if (inode) {
		inode_update(fs, inode, entry);
		*out = inode;
		return 0;
	}
	err = inode_make(fs, &entry->attr, &inode);
	if (err) {
		gofer_release(fs->client, entry->node);
		return err;
	}
	err = set_address(inode, dir, name, entry, target);
	if (err) {
		inode_put(inode);
		return err;
	}
	other = table_insert(fs, &entry->attr, inode);
	if (other) {
		inode_put(inode);
		inode = other;
	}
	*out = inode;
	return 0;
}

int gofer_inode_root(struct gofer_fs *fs, struct inode **out)
{
	const struct gofer_entry *root = gofer_client_root(fs->client);
	struct inode *inode;
	int err = inode_make(fs, &root->attr, &inode);

	if (err)
		return err;
	gofer_inode_of(inode)->node = root->node;
	if (table_insert(fs, &root->attr, inode))
		panic("gofer: a root in a table that is not empty");
	*out = inode;
	return 0;
}

static void leave_table(struct inode *inode)
{
	struct gofer_fs *fs = gofer_fs_of(inode->sb);
	struct gofer_inode *g = gofer_inode_of(inode);

	mutex_lock(&fs->table_lock);
	if (g->in_table)
		hash_table_remove(&fs->inodes, &g->table_node);
	g->in_table = false;
	mutex_unlock(&fs->table_lock);
}

void gofer_inode_forget(struct inode *inode)
{
	leave_table(inode);
	gofer_volume_forget(inode->anchor);
}

void gofer_inode_evict(struct inode *inode)
{
	struct gofer_fs *fs = gofer_fs_of(inode->sb);
	struct gofer_inode *g = gofer_inode_of(inode);

	if (!g)
		return;
	leave_table(inode);
	gofer_children_evict(inode);
	gofer_fd_evict(inode);
	gofer_release(fs->client, g->node);
	if (inode->no_cache)
		gofer_release_flush(fs->client);
	inode_put(g->parent);
	free(g->name);
	free(g->target);
	free(g);
}
