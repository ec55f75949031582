/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What READDIR told about a directory's entries, kept for the lookups that follow
 * it (exclusive trees only): a lookup after a listing asks nobody, and once a listing
 * was complete, neither does one of a name that is not there.  An entry whose attributes may
 * have changed since keeps its name only.  Bounded; the oldest listings go first.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/fs.h"
#include "sentry/fs/gofer/gofer_inode.h"
#include "util/hash.h"

#define ENTRIES_MAX 16384 /* of all directories of one file system; about 200 bytes each */

struct gofer_children {
	struct list_node node; /* in fs->cached */
	struct gofer_inode *dir; /* borrowed: it owns this */
	struct hash_table names;
	uint64_t next_cookie; /* where the listing goes on; UINT64_MAX: it was not sequential */
	bool complete;
};

struct child {
	struct hash_node node;
	bool has_attr;
	struct gofer_attr attr;
	char name[];
};

static struct child *find_locked(const struct gofer_children *c, const char *name, uint64_t hash)
{
	struct hash_node *at;

	hash_table_for_each_hash(at, &c->names, hash) {
		struct child *child = container_of(at, struct child, node);

		if (!strcmp(child->name, name))
			return child;
	}
	return NULL;
}

static void remove_locked(struct gofer_fs *fs, struct gofer_children *c, struct child *child)
	REQUIRES(fs->table_lock)
{
	hash_table_remove(&c->names, &child->node);
	free(child);
	fs->cached_entries--;
}

static void clear_locked(struct gofer_fs *fs, struct gofer_children *c) REQUIRES(fs->table_lock)
{
	struct hash_node *at;

	while ((at = hash_table_any(&c->names)))
		remove_locked(fs, c, container_of(at, struct child, node));
	c->complete = false;
	c->next_cookie = 0;
}

static void free_locked(struct gofer_fs *fs, struct gofer_children *c) REQUIRES(fs->table_lock)
{
	clear_locked(fs, c);
	list_remove(&c->node);
	c->dir->children = NULL;
	hash_table_destroy(&c->names);
	free(c);
}

static struct gofer_children *make_locked(struct gofer_fs *fs, struct gofer_inode *dir)
	REQUIRES(fs->table_lock)
{
	struct gofer_children *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	hash_table_init(&c->names);
	c->dir = dir;
	dir->children = c;
	list_add_tail(&fs->cached, &c->node);
	return c;
}

/* Attributes hold as long as nothing of ours can change them unseen. */
static bool attr_lasts_locked(struct gofer_fs *fs, const struct gofer_attr *attr)
	REQUIRES(fs->table_lock)
{
	if (fs->sb->read_only)
		return true;
	if ((attr->mode & LINUX_S_IFMT) != LINUX_S_IFDIR && attr->nlink > 1)
		return false;
	return !gofer_inode_is_live_locked(fs, attr);
}

static bool add_one_locked(struct gofer_fs *fs, struct gofer_children *c,
			   const struct gofer_dirent *entry, const char *name)
	REQUIRES(fs->table_lock)
{
	uint64_t hash = hash_string(name);
	struct child *child = find_locked(c, name, hash);

	if (!child) {
		child = malloc(sizeof(*child) + entry->name_length + 1);
		if (!child)
			return false;
		memcpy(child->name, name, entry->name_length + 1u);
		hash_table_insert(&c->names, &child->node, hash);
		fs->cached_entries++;
	}
	child->attr = entry->attr;
	child->has_attr = entry->has_attr && attr_lasts_locked(fs, &entry->attr);
	return true;
}

/* Makes room for @count entries in @keep; false if that takes more than all others have. */
static bool make_room_locked(struct gofer_fs *fs, const struct gofer_children *keep, uint32_t count)
	REQUIRES(fs->table_lock)
{
	struct gofer_children *c, *next;

	list_for_each_safe(c, next, &fs->cached, node) {
		if (fs->cached_entries + count <= ENTRIES_MAX)
			break;
		if (c != keep)
			free_locked(fs, c);
	}
	return fs->cached_entries + count <= ENTRIES_MAX;
}

static void add_locked(struct gofer_fs *fs, struct gofer_inode *dir, const struct gofer_batch *batch,
		       uint64_t cookie) REQUIRES(fs->table_lock)
{
	struct gofer_children *c = dir->children ? dir->children : make_locked(fs, dir);
	struct gofer_batch rest = *batch;
	const struct gofer_dirent *entry;
	const char *name;

	if (!c)
		return;
	if (!cookie)
		clear_locked(fs, c);
	if (c->next_cookie != cookie)
		return;
	if (!make_room_locked(fs, c, batch->count)) {
		c->next_cookie = UINT64_MAX;
		return;
	}
	while ((entry = gofer_batch_next(&rest, &name))) {
		if (!add_one_locked(fs, c, entry, name)) {
			c->next_cookie = UINT64_MAX;
			return;
		}
		c->next_cookie = entry->cookie;
	}
	c->complete = batch->end;
}

void gofer_children_add(struct inode *dir, const struct gofer_batch *batch, uint64_t cookie)
{
	struct gofer_fs *fs = gofer_fs_of(dir->sb);

	if (fs->shared)
		return;
	mutex_lock(&fs->table_lock);
	add_locked(fs, gofer_inode_of(dir), batch, cookie);
	mutex_unlock(&fs->table_lock);
}

static enum gofer_child find_child_locked(struct gofer_fs *fs, const struct gofer_children *c,
					  const char *name, struct gofer_attr *attr)
	REQUIRES(fs->table_lock)
{
	struct child *child = find_locked(c, name, hash_string(name));

	if (!child)
		return c->complete ? GOFER_CHILD_MISSING : GOFER_CHILD_UNKNOWN;
	if (!child->has_attr)
		return GOFER_CHILD_UNKNOWN;
	*attr = child->attr;
	/* There will be an inode, whose attributes are from now on the newer ones. */
	if (!fs->sb->read_only)
		child->has_attr = false;
	return GOFER_CHILD_FOUND;
}

enum gofer_child gofer_children_find(struct inode *dir, const char *name, struct gofer_attr *attr)
{
	struct gofer_fs *fs = gofer_fs_of(dir->sb);
	enum gofer_child found = GOFER_CHILD_UNKNOWN;
	struct gofer_children *c;

	mutex_lock(&fs->table_lock);
	c = gofer_inode_of(dir)->children;
	if (c)
		found = find_child_locked(fs, c, name, attr);
	mutex_unlock(&fs->table_lock);
	return found;
}

void gofer_children_drop(struct inode *dir, const char *name, bool exists)
{
	struct gofer_fs *fs = gofer_fs_of(dir->sb);
	struct gofer_children *c;
	struct child *child;

	mutex_lock(&fs->table_lock);
	c = gofer_inode_of(dir)->children;
	if (c) {
		child = find_locked(c, name, hash_string(name));
		if (child)
			remove_locked(fs, c, child);
		if (exists) {
			c->complete = false;
			c->next_cookie = UINT64_MAX;
		}
	}
	mutex_unlock(&fs->table_lock);
}

void gofer_children_evict(struct inode *dir)
{
	struct gofer_fs *fs = gofer_fs_of(dir->sb);
	struct gofer_children *c;

	mutex_lock(&fs->table_lock);
	c = gofer_inode_of(dir)->children;
	if (c)
		free_locked(fs, c);
	mutex_unlock(&fs->table_lock);
}
