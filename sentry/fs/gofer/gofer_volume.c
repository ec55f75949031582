/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A volume is a super block that is never mounted, whose inodes are the anchors.  It lives as long as a
 * file system that serves it; an anchor as long as an inode of any of them.  What is going away is passed
 * over by who searches, and takes itself out of list or table.
 */
#include "config.h"

#include "sentry/fs/gofer/gofer_volume.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "gofer/protocol.h"
#include "sentry/abi/fs.h"
#include "sentry/vfs/inode.h"
#include "util/hash.h"
#include "util/hash_table.h"

struct volume {
	struct list_node node;	  /* volumes_lock */
	struct super_block *sb;	  /* borrowed: it owns this; does not change */
	struct list_node members;  /* struct gofer_volume_member; volumes_lock */
	struct hash_table anchors; /* struct anchor by node; volumes_lock */
};

struct anchor {
	struct inode *inode; /* borrowed: it owns this; does not change */
	uint64_t dev, ino;   /* the host's; do not change */
	bool in_table;	     /* volumes_lock */
	struct hash_node node; /* volumes_lock */
};

static struct mutex volumes_lock = MUTEX_INIT(LOCK_RANK_LEAF);
static struct list_node volumes = LIST_HEAD_INIT(volumes); /* struct volume; volumes_lock */

/* --- volumes ------------------------------------------------------------------------------ */

static void volume_destroy(struct super_block *sb)
{
	struct volume *v = sb->private_data;

	if (!v)
		return;
	mutex_lock(&volumes_lock);
	list_remove(&v->node);
	mutex_unlock(&volumes_lock);
	hash_table_destroy(&v->anchors);
	free(v);
}

static const struct super_block_ops volume_ops = { .destroy = volume_destroy };

static bool is_within(const struct gofer_volume_id *id, const struct gofer_volume_id *other)
{
	for (uint32_t i = 0; i < id->within_count; i++) {
		if (id->within[i] == other->ino)
			return true;
	}
	return false;
}

static bool is_related(const struct gofer_volume_id *a, const struct gofer_volume_id *b)
{
	return a->dev == b->dev && (a->ino == b->ino || is_within(a, b) || is_within(b, a));
}

static bool has_related_locked(const struct volume *v, const struct gofer_volume_id *id)
	REQUIRES(volumes_lock)
{
	const struct gofer_volume_member *m;

	list_for_each(m, &v->members, node) {
		if (is_related(&m->id, id))
			return true;
	}
	return false;
}

static struct super_block *find_volume_locked(const struct gofer_volume_id *id) REQUIRES(volumes_lock)
{
	struct volume *v;

	list_for_each(v, &volumes, node) {
		if (has_related_locked(v, id) && refcount_get_unless_zero(&v->sb->refs))
			return v->sb;
	}
	return NULL;
}

static int volume_new(struct user_namespace *user_ns, struct volume **out)
{
	struct volume *v = calloc(1, sizeof(*v));
	int rc;

	if (!v)
		return -ENOMEM;
	rc = super_block_new(&volume_ops, "gofer", 0, user_ns, &v->sb);
	if (rc) {
		free(v);
		return rc;
	}
	list_init(&v->members);
	hash_table_init(&v->anchors);
	*out = v;
	return 0;
}

static int copy_id(const struct gofer_volume_id *from, struct gofer_volume_id *to)
{
	size_t size = from->within_count * sizeof(*from->within);
	uint64_t *within = NULL;

	if (size) {
		within = malloc(size);
		if (!within)
			return -ENOMEM;
		memcpy(within, from->within, size);
	}
	*to = *from;
	to->within = within;
	return 0;
}

static void volume_discard(struct volume *v)
{
	super_block_put(v->sb);
	hash_table_destroy(&v->anchors);
	free(v);
}

int gofer_volume_join(const struct gofer_volume_id *id, struct user_namespace *user_ns,
		      struct gofer_volume_member *member, struct super_block **out)
{
	struct super_block *found;
	struct volume *fresh, *v;
	int rc = volume_new(user_ns, &fresh);

	if (rc)
		return rc;
	rc = copy_id(id, &member->id);
	if (rc) {
		volume_discard(fresh);
		return rc;
	}
	mutex_lock(&volumes_lock);
	found = find_volume_locked(id);
	v = found ? found->private_data : fresh;
	if (!found) {
		list_add_tail(&volumes, &fresh->node);
		fresh->sb->private_data = fresh;
	}
	list_add_tail(&v->members, &member->node);
	mutex_unlock(&volumes_lock);
	*out = v->sb;
	if (found)
		volume_discard(fresh);
	return 0;
}

void gofer_volume_leave(struct gofer_volume_member *member)
{
	if (!list_linked(&member->node))
		return;
	mutex_lock(&volumes_lock);
	list_remove(&member->node);
	mutex_unlock(&volumes_lock);
	free((void *)member->id.within);
}

uint32_t gofer_volume_count(void)
{
	const struct volume *v;
	uint32_t count = 0;

	mutex_lock(&volumes_lock);
	list_for_each(v, &volumes, node)
		count++;
	mutex_unlock(&volumes_lock);
	return count;
}

/* --- anchors ------------------------------------------------------------------------------ */

static struct anchor *anchor_of(const struct inode *inode)
{
	return inode->private_data;
}

static uint64_t key_hash(uint64_t dev, uint64_t ino)
{
	uint64_t key[2] = { dev, ino };

	return hash_bytes(key, sizeof(key));
}

static void leave_table(struct inode *inode)
{
	struct volume *v = inode->sb->private_data;
	struct anchor *a = anchor_of(inode);

	mutex_lock(&volumes_lock);
	if (a->in_table)
		hash_table_remove(&v->anchors, &a->node);
	a->in_table = false;
	mutex_unlock(&volumes_lock);
}

static void anchor_evict(struct inode *inode)
{
	if (!anchor_of(inode))
		return;
	leave_table(inode);
	free(anchor_of(inode));
}

static const struct inode_ops anchor_ops = { .evict = anchor_evict };

static struct inode *find_anchor_locked(struct volume *v, const struct gofer_attr *attr)
	REQUIRES(volumes_lock)
{
	struct hash_node *at;

	hash_table_for_each_hash(at, &v->anchors, key_hash(attr->dev, attr->ino)) {
		struct anchor *a = container_of(at, struct anchor, node);

		if (a->dev == attr->dev && a->ino == attr->ino &&
		    inode_type(a->inode) == (attr->mode & LINUX_S_IFMT) &&
		    refcount_get_unless_zero(&a->inode->refs))
			return a->inode;
	}
	return NULL;
}

static struct inode *find_anchor(struct volume *v, const struct gofer_attr *attr)
{
	struct inode *found;

	mutex_lock(&volumes_lock);
	found = find_anchor_locked(v, attr);
	mutex_unlock(&volumes_lock);
	return found;
}

static int anchor_new(struct super_block *volume, const struct gofer_attr *attr, struct inode **out)
{
	struct anchor *a = calloc(1, sizeof(*a));
	int rc;

	if (!a)
		return -ENOMEM;
	rc = inode_new(volume, &anchor_ops, attr->ino, attr->mode & LINUX_S_IFMT, &a->inode);
	if (rc) {
		free(a);
		return rc;
	}
	a->dev = attr->dev;
	a->ino = attr->ino;
	a->inode->private_data = a;
	*out = a->inode;
	return 0;
}

int gofer_volume_anchor(struct super_block *volume, const struct gofer_attr *attr, struct inode **out)
{
	struct volume *v = volume->private_data;
	struct inode *found = find_anchor(v, attr), *fresh;
	int rc;

	if (found) {
		*out = found;
		return 0;
	}
	rc = anchor_new(volume, attr, &fresh);
	if (rc)
		return rc;
	mutex_lock(&volumes_lock);
	found = find_anchor_locked(v, attr);
	if (!found) {
		hash_table_insert(&v->anchors, &anchor_of(fresh)->node, key_hash(attr->dev, attr->ino));
		anchor_of(fresh)->in_table = true;
	}
	mutex_unlock(&volumes_lock);
	if (found)
		inode_put(fresh);
	*out = found ? found : fresh;
	return 0;
}

void gofer_volume_forget(struct inode *anchor)
{
	if (anchor)
		leave_table(anchor);
}
