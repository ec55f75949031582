/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside overlay.
 *
 * An overlay inode stands for a lower inode, an upper one, or for a directory both
 * (merged).  Writing copies a lower object up, after which upper is set for good.
 * A name removed from a merged directory leaves a whiteout (a 0/0 device) in the
 * upper; a directory made where the lower has something is opaque (an xattr).
 * Inode numbers stay what the lower's were: a copied up object remembers it in an
 * xattr.  Directories with a lower part are not renamed (EXDEV), as on Linux
 * without redirect_dir, so a lower object's parent and name never change.
 *
 * Lock order: overlay inode->lock (held by the VFS), node->copy_up_lock
 * (LOCK_RANK_OVERLAY, one at a time: parents are copied up first), lock of an inode
 * of upper or lower (LOCK_RANK_INODE_BELOW), table_lock (LOCK_RANK_FS_PRIVATE).
 */
#pragma once

#include "sentry/fs/overlay/overlay.h"
#include "sentry/vfs/vfs.h"
#include "util/hash_table.h"

#define OVERLAY_XATTR "trusted.overlay."
#define OVERLAY_XATTR_OPAQUE OVERLAY_XATTR "opaque"
#define OVERLAY_XATTR_INO OVERLAY_XATTR "ino"
#define OVERLAY_XATTR_LINKS OVERLAY_XATTR "links"
/* A name in an upper directory while its lock is held; no guest can make one with a slash. */
#define OVERLAY_TEMPORARY "/new"
/* Set in the numbers of objects that only the upper has. */
#define OVERLAY_UPPER_INO (1ULL << 54)

struct overlay_super {
	struct super_block *lower, *upper; /* references; do not change */
	struct mutex table_lock;	   /* LOCK_RANK_FS_PRIVATE */
	struct hash_table by_upper;	   /* overlay_node by upper inode; table_lock */
};

struct overlay_node {
	struct inode *inode;		   /* borrowed: it owns this */
	struct inode *lower;		   /* reference or NULL; does not change */
	_Atomic(struct inode *) upper;	   /* reference or NULL; set once under copy_up_lock */
	struct mutex copy_up_lock;	   /* LOCK_RANK_OVERLAY */
	struct inode *parent;		   /* reference; NULL for the root; does not change */
	char *name;			   /* in parent, as looked up; does not change */
	bool unlinked;			   /* a lower object without a name; copy_up_lock */
	_Atomic int32_t link_delta;	   /* of a merged directory: its links against the lower's */
	struct hash_node table_node;	   /* table_lock */
};

static inline struct overlay_node *overlay_node(const struct inode *inode)
{
	return inode->private_data;
}

static inline struct overlay_super *overlay_super(const struct super_block *sb)
{
	return sb->private_data;
}

static inline struct inode *overlay_upper(const struct inode *inode)
{
	return atomic_load_explicit(&overlay_node(inode)->upper, memory_order_acquire);
}

/* What holds the object's state now; borrowed. */
static inline struct inode *overlay_real(const struct inode *inode)
{
	struct inode *upper = overlay_upper(inode);

	return upper ? upper : overlay_node(inode)->lower;
}

extern const struct inode_ops overlay_dir_ops, overlay_file_inode_ops;

/* --- overlay_inode.c ------------------------------------------------------------ */

/*
 * The overlay inode of @upper and @lower (references are taken over, on failure too; one of them
 * may be NULL), found as @name in @parent.  The one that exists already for @upper is preferred.
 */
int overlay_inode_get(struct super_block *sb, struct inode *upper, struct inode *lower,
		      struct inode *parent, const char *name, struct inode **out) MUST_CHECK;
/* Enters a node that got its upper into the table. */
void overlay_table_add(struct overlay_node *node);
/* Takes over mode, owners and the rest from the real inode. */
int overlay_refresh(struct inode *inode) MUST_CHECK;
bool overlay_is_whiteout(const struct inode *inode);
/* The number shown for an object of the upper. */
uint64_t overlay_upper_ino(struct inode *upper);
int overlay_real_getattr(struct inode *real, struct inode_attr *out) MUST_CHECK;
/* A merged directory won or lost a subdirectory. */
void overlay_change_links(struct inode *dir, int delta);

int overlay_getattr(struct inode *inode, struct inode_attr *out) MUST_CHECK;
int overlay_setattr(struct inode *inode, const struct setattr *set) MUST_CHECK;

/* --- overlay_lookup.c ------------------------------------------------------------ */

/* One layer's entry, whiteouts included; -ENOENT. @dir's lock is not held. */
int overlay_layer_lookup(struct inode *dir, const char *name, struct inode **out) MUST_CHECK;
int overlay_lookup(struct inode *dir, const char *name, struct inode **out) MUST_CHECK;
/* Does the lower part of @dir have @name? 1, 0, or an error. */
int overlay_lower_has(struct inode *dir, const char *name) MUST_CHECK;
int overlay_set_opaque(struct inode *upper) MUST_CHECK;

/* --- overlay_copy_up.c ------------------------------------------------------------ */

/* Makes @inode have an upper, its ancestors first. @data false: the bytes are not needed. */
int overlay_copy_up(struct inode *inode, bool data) MUST_CHECK;

/* --- overlay_dir.c, overlay_rename.c ---------------------------------------------- */

/* Puts the entry OVERLAY_TEMPORARY of the locked upper @dir in the place of @name, whatever is there. */
int overlay_install_locked(struct inode *dir, struct inode *fresh, const char *name) MUST_CHECK;
/* -ENOTEMPTY, or makes the upper part free of whiteouts; @dir's lock is held. */
int overlay_make_empty(struct inode *dir) MUST_CHECK;
void overlay_set_unlinked(struct inode *inode);
int overlay_rename(struct inode *old_dir, const char *old_name, struct inode *source,
		   struct inode *new_dir, const char *new_name, struct inode *target,
		   uint32_t flags) MUST_CHECK;

/* --- overlay_readdir.c ------------------------------------------------------------ */

struct overlay_entry {
	struct hash_node node;
	struct overlay_entry *next; /* in order of discovery */
	uint64_t ino;
	uint32_t type;
	bool whiteout;
	char name[];
};

struct overlay_listing {
	struct hash_table names;
	struct overlay_entry *first, **tail;
	uint64_t count;
	bool lower_part; /* being filled from the lower */
	struct inode *upper;
	int error;
};

/* Both layers' entries of @dir, whiteouts included and marked. */
int overlay_list(struct inode *dir, struct overlay_listing **out) MUST_CHECK;
void overlay_listing_free(struct overlay_listing *l);
int overlay_open_dir(struct inode *inode, struct file *file) MUST_CHECK;

/* --- overlay_file.c ----------------------------------------------------------------- */

/* A file of one layer's inode, for reading. */
int overlay_open_real(struct inode *real, uint32_t flags, struct file **out) MUST_CHECK;
int overlay_open(struct inode *inode, struct file *file) MUST_CHECK;
