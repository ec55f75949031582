/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The dentry cache, private to sentry/vfs.
 *
 * A dentry is hashed by (parent, name) while it can be found; the cache holds one
 * reference on each hashed dentry, so a count of one means unused.  A clock hand
 * drops unused ones when the cache outgrows its limit.  A dentry's inode never
 * changes: creating a file replaces the negative dentry, removing one unhashes it.
 *
 * Lock: one mutex (LOCK_RANK_DENTRY_CACHE) guards hash, ring, names, parents and
 * child lists.  Inodes are put after it is released: eviction may do I/O.
 */
#pragma once

#include "sentry/vfs/inode.h"

#define DENTRY_CACHE_LIMIT 16384

uint32_t dentry_name_hash(const char *name, size_t size);
/* The cached child, positive or negative, with a reference; or NULL. */
struct dentry *dentry_find(struct dentry *parent, const char *name, size_t size, uint32_t hash);
/*
 * Puts a new name into the cache (@inode NULL: negative; takes its own reference),
 * replacing a negative dentry.  Returns a reference on it, or on the positive
 * dentry that was there first.  The caller holds the directory's lock.
 */
int dentry_insert(struct dentry *parent, const char *name, struct inode *inode,
		  struct dentry **out) MUST_CHECK;
/* A dentry in no hash, child of @parent, which it keeps alive (O_TMPFILE). */
int dentry_new_unhashed(struct dentry *parent, const char *name, struct inode *inode,
			struct dentry **out) MUST_CHECK;
/* Makes it unreachable by name; what is open stays. */
void dentry_drop(struct dentry *d);
/* The same where the name is gone from the file system: the last put tells who watches the inode. */
void dentry_delete(struct dentry *d);
/* The cached child @name of @parent goes (negative dentry before a creation). */
void dentry_drop_name(struct dentry *parent, const char *name);
/* Gives @d the name @name in @parent.  -ENOMEM before anything changed. */
int dentry_move(struct dentry *d, struct dentry *parent, const char *name) MUST_CHECK;
int dentry_exchange(struct dentry *a, struct dentry *b) MUST_CHECK;
/* A root: its own parent. */
int dentry_new_root(struct super_block *sb, struct inode *inode, struct dentry **out) MUST_CHECK;
struct dentry *dentry_parent_get(struct dentry *d) MUST_CHECK;
/* @d is @ancestor or below it. */
bool dentry_is_below(struct dentry *d, struct dentry *ancestor);
/* Drops everything of @sb. */
void dentry_cache_prune(struct super_block *sb);
/* Drops what is unused; returns how many are left (tests). */
size_t dentry_cache_shrink(void);
size_t dentry_cache_count(void);

/* For path strings: the walk up must see one state of the tree. */
void dentry_cache_lock(void);
void dentry_cache_unlock(void);
