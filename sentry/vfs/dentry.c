/* SPDX-License-Identifier: Apache-2.0 */
/* The dentry cache: see dentry_cache.h for the rules. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/vfs/dentry_cache.h"
#include "sentry/vfs/dentry_private.h"
#include "sentry/vfs/inotify.h"
#include "util/hash.h"
#include "util/log.h"

#define BUCKET_COUNT 4096
#define CLOCK_STEPS 24 /* ring entries looked at for each one added */

static struct mutex cache_lock = MUTEX_INIT(LOCK_RANK_DENTRY_CACHE);
static struct dentry *buckets[BUCKET_COUNT];		/* protected by cache_lock */
static struct list_node ring = LIST_HEAD_INIT(ring);	/* hashed dentries; cache_lock */
static size_t hashed_count;				/* protected by cache_lock */

void dentry_cache_lock(void) NO_LOCK_ANALYSIS
{
	mutex_lock(&cache_lock);
}

void dentry_cache_unlock(void) NO_LOCK_ANALYSIS
{
	mutex_unlock(&cache_lock);
}

uint32_t dentry_name_hash(const char *name, size_t size)
{
	uint64_t hash = hash_bytes(name, size);

	return (uint32_t)(hash ^ hash >> 32);
}

static struct dentry **bucket_of(const struct dentry *parent, uint32_t hash)
{
	uintptr_t key = (uintptr_t)parent / sizeof(struct dentry);

	return &buckets[(hash ^ key ^ key >> 12) % BUCKET_COUNT];
}

/* --- life ---------------------------------------------------------------------- */

static struct dentry *dentry_alloc(struct super_block *sb, struct dentry *parent, const char *name,
				   struct inode *inode)
{
	size_t size = strlen(name) + 1;
	struct dentry *d = calloc(1, sizeof(*d) + size);

	if (!d)
		return NULL;
	refcount_init(&d->refs);
	d->sb = sb;
	d->parent = parent ? dentry_get(parent) : d;
	d->inode = inode ? inode_get(inode) : NULL;
	d->name = (char *)(d + 1);
	memcpy(d->name, name, size);
	d->name_hash = dentry_name_hash(name, size - 1);
	list_init(&d->children);
	return d;
}

struct dentry *dentry_get(struct dentry *d)
{
	refcount_get(&d->refs);
	return d;
}

/* Nobody can find it any more.  Returns the parent whose reference is now the caller's. */
static struct dentry *dentry_free(struct dentry *d)
{
	struct dentry *parent = d->parent == d ? NULL : d->parent;

	ASSERT(!d->hashed && list_empty(&d->children));
	if (d->inode && inode_is_watched(d->inode))
		inotify_dentry_gone(d);
	inode_put(d->inode);
	if (d->name_owned)
		free(d->name);
	free(d);
	return parent;
}

void dentry_unlink_locked(struct dentry *d)
{
	struct dentry **link = bucket_of(d->parent, d->name_hash);

	while (*link != d)
		link = &(*link)->hash_next;
	*link = d->hash_next;
	d->hash_next = NULL;
	list_remove(&d->siblings);
}

void dentry_link_locked(struct dentry *d)
{
	struct dentry **bucket = bucket_of(d->parent, d->name_hash);

	d->hash_next = *bucket;
	*bucket = d;
	list_add_tail(&d->parent->children, &d->siblings);
}

/* Unlinks from hash, ring and parent; the cache's reference is handed to @dead. */
static void unhash_locked(struct dentry *d, struct list_node *dead) REQUIRES(cache_lock)
{
	dentry_unlink_locked(d);
	d->hashed = false;
	hashed_count--;
	list_remove(&d->lru);
	list_add_tail(dead, &d->lru);
}

static void hash_locked(struct dentry *d) REQUIRES(cache_lock)
{
	dentry_link_locked(d);
	d->hashed = true;
	hashed_count++;
	list_add_tail(&ring, &d->lru);
}

static void put_dead(struct list_node *dead)
{
	struct dentry *d;

	while ((d = list_first(dead, struct dentry, lru))) {
		list_remove(&d->lru);
		dentry_put(d);
	}
}

/* The last user of a dentry that must not stay cached. */
static bool drop_uncached(struct dentry *d)
{
	struct list_node dead = LIST_HEAD_INIT(dead);
	bool last;

	mutex_lock(&cache_lock);
	if (d->hashed && refcount_read(&d->refs) == 2)
		unhash_locked(d, &dead);
	if (!list_empty(&dead)) {
		list_remove(&d->lru);
		last = refcount_put(&d->refs);
		ASSERT(!last);
	}
	last = refcount_put(&d->refs);
	mutex_unlock(&cache_lock);
	return last;
}

void dentry_put(struct dentry *d)
{
	while (d) {
		bool uncached = d->sb->no_cache || (d->inode && d->inode->no_cache);
		bool last = uncached && refcount_read(&d->refs) <= 2 ? drop_uncached(d) :
								       refcount_put(&d->refs);

		if (!last)
			return;
		d = dentry_free(d);
	}
}

/* --- the clock -------------------------------------------------------------------- */

static bool evictable_locked(struct dentry *d) REQUIRES(cache_lock)
{
	if (refcount_read(&d->refs) != 1)
		return false;
	if (d->referenced) {
		d->referenced = false;
		return false;
	}
	return true;
}

static void clock_locked(size_t steps, size_t limit, struct list_node *dead) REQUIRES(cache_lock)
{
	while (steps-- && hashed_count > limit) {
		struct dentry *d = list_first(&ring, struct dentry, lru);

		if (evictable_locked(d)) {
			unhash_locked(d, dead);
		} else {
			list_remove(&d->lru);
			list_add_tail(&ring, &d->lru);
		}
	}
}

size_t dentry_cache_shrink(void)
{
	size_t before, after;

	do {
		struct list_node dead = LIST_HEAD_INIT(dead);

		mutex_lock(&cache_lock);
		before = hashed_count;
		clock_locked(2 * before, 0, &dead);
		after = hashed_count;
		mutex_unlock(&cache_lock);
		put_dead(&dead); /* may make parents unused */
	} while (after < before);
	return after;
}

size_t dentry_cache_count(void)
{
	size_t count;

	mutex_lock(&cache_lock);
	count = hashed_count;
	mutex_unlock(&cache_lock);
	return count;
}

/* --- look-up and insertion ----------------------------------------------------------- */

static struct dentry *find_locked(struct dentry *parent, const char *name, size_t size, uint32_t hash)
	REQUIRES(cache_lock)
{
	struct dentry *d = *bucket_of(parent, hash);

	for (; d; d = d->hash_next) {
		if (d->parent == parent && d->name_hash == hash && !memcmp(d->name, name, size) &&
		    !d->name[size])
			return d;
	}
	return NULL;
}

struct dentry *dentry_find(struct dentry *parent, const char *name, size_t size, uint32_t hash)
{
	struct dentry *d;

	mutex_lock(&cache_lock);
	d = find_locked(parent, name, size, hash);
	if (d) {
		d->referenced = true;
		dentry_get(d);
	}
	mutex_unlock(&cache_lock);
	return d;
}

int dentry_insert(struct dentry *parent, const char *name, struct inode *inode, struct dentry **out)
{
	struct dentry *d = dentry_alloc(parent->sb, parent, name, inode), *old;
	struct list_node dead = LIST_HEAD_INIT(dead);

	if (!d)
		return -ENOMEM;
	mutex_lock(&cache_lock);
	old = find_locked(parent, name, strlen(name), d->name_hash);
	if (old && (old->inode || !inode)) {
		dentry_get(old);
	} else {
		if (old)
			unhash_locked(old, &dead);
		old = NULL;
		dentry_get(d); /* the cache's */
		hash_locked(d);
		clock_locked(CLOCK_STEPS, DENTRY_CACHE_LIMIT, &dead);
	}
	mutex_unlock(&cache_lock);
	if (old) {
		/* not dentry_put: it was never visible, and no_cache has nothing to drop */
		dentry_put(dentry_free(d));
		d = old;
	}
	put_dead(&dead);
	*out = d;
	return 0;
}

int dentry_new_unhashed(struct dentry *parent, const char *name, struct inode *inode,
			struct dentry **out)
{
	struct dentry *d = dentry_alloc(parent->sb, parent, name, inode);

	if (!d)
		return -ENOMEM;
	*out = d;
	return 0;
}

int dentry_new_root(struct super_block *sb, struct inode *inode, struct dentry **out)
{
	struct dentry *d = dentry_alloc(sb, NULL, "/", inode);

	if (!d)
		return -ENOMEM;
	*out = d;
	return 0;
}

int dentry_new_anonymous(struct inode *inode, const char *name, struct dentry **out)
{
	struct dentry *d = dentry_alloc(inode->sb, NULL, name, inode);

	if (!d)
		return -ENOMEM;
	*out = d;
	return 0;
}

void dentry_cache_add(struct dentry *parent, const char *name, struct inode *inode)
{
	struct dentry *d;

	if (!parent->sb->no_cache && dentry_insert(parent, name, inode, &d) == 0)
		dentry_put(d);
}

/* --- removal ---------------------------------------------------------------------------- */

void dentry_drop(struct dentry *d)
{
	struct list_node dead = LIST_HEAD_INIT(dead);

	mutex_lock(&cache_lock);
	if (d->hashed)
		unhash_locked(d, &dead);
	mutex_unlock(&cache_lock);
	put_dead(&dead);
}

void dentry_delete(struct dentry *d)
{
	mutex_lock(&cache_lock);
	d->deleted = true;
	d->parent_hears = d->parent != d && inode_is_watched(d->parent->inode);
	mutex_unlock(&cache_lock);
	dentry_drop(d);
}

void dentry_drop_name(struct dentry *parent, const char *name)
{
	size_t size = strlen(name);
	struct list_node dead = LIST_HEAD_INIT(dead);
	struct dentry *d;

	mutex_lock(&cache_lock);
	d = find_locked(parent, name, size, dentry_name_hash(name, size));
	if (d)
		unhash_locked(d, &dead);
	mutex_unlock(&cache_lock);
	put_dead(&dead);
}

static void unhash_children_locked(struct dentry *d, struct list_node *dead) REQUIRES(cache_lock)
{
	struct dentry *child, *next;

	list_for_each_safe(child, next, &d->children, siblings) {
		if (!child->mounted)
			unhash_locked(child, dead);
	}
}

/* The dead list serves as the queue of a breadth-first walk. */
void dentry_invalidate_children(struct dentry *top)
{
	struct list_node dead = LIST_HEAD_INIT(dead);
	struct dentry *d;

	mutex_lock(&cache_lock);
	unhash_children_locked(top, &dead);
	list_for_each(d, &dead, lru)
		unhash_children_locked(d, &dead);
	mutex_unlock(&cache_lock);
	put_dead(&dead);
}

void dentry_cache_prune(struct super_block *sb)
{
	struct list_node dead = LIST_HEAD_INIT(dead);
	struct dentry *d, *next;

	mutex_lock(&cache_lock);
	list_for_each_safe(d, next, &ring, lru) {
		if (d->sb == sb)
			unhash_locked(d, &dead);
	}
	mutex_unlock(&cache_lock);
	put_dead(&dead);
}
