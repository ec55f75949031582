/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inodes of the gofer file system, private to sentry/fs/gofer.
 *
 * An inode is found in the table of its file system by the host's (dev, ino), so
 * that hard links are one inode.  It reaches its host file in one of two ways: by a
 * node of the gofer, or, in exclusive trees, by the directory and name it was found
 * under, which costs the gofer nothing.  Directories that are walked, files that
 * lose their name while in use, and everything in shared trees have nodes.
 *
 *   super_block.rename_lock, inode.lock	held by the VFS as it says
 *     gofer_fs.names		which inode has which address; rename and unlink write
 *       gofer_client		one message
 *     gofer_fs.table_lock	leaf: table, FD cache and its order, child caches, device numbers
 *     inode.attr_lock		leaf
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sentry/fs/gofer/client.h"
#include "sentry/fs/gofer/gofer_fs.h"
#include "sentry/fs/gofer/gofer_volume.h"
#include "sentry/vfs/file.h"
#include "sentry/vfs/inode.h"
#include "util/hash_table.h"

#define GOFER_DEVICES_MAX 255

struct gofer_fs {
	struct gofer_client *client; /* owned; does not change */
	struct super_block *sb;	     /* borrowed; does not change */
	struct super_block *volume;  /* reference, or NULL; does not change */
	struct gofer_volume_member member; /* of it */
	bool shared;		     /* does not change */
	bool follows;		     /* the host's mounts; does not change */
	struct rwlock names;	     /* LOCK_RANK_FS_PRIVATE */
	struct mutex table_lock;     /* LOCK_RANK_LEAF */
	struct hash_table inodes;    /* struct gofer_inode by table_node; table_lock */
	struct list_node idle;	     /* gofer_inode.idle, oldest first; table_lock */
	uint32_t idle_count;	     /* table_lock */
	struct list_node cached;     /* gofer_children.node, oldest first; table_lock */
	uint32_t cached_entries;     /* of all directories; table_lock */
	uint32_t device_count;	     /* table_lock */
	uint64_t devices[GOFER_DEVICES_MAX]; /* host devices; table_lock */
};

/* A host FD per way of opening, kept while files are open and some time longer. */
enum gofer_fd_kind { GOFER_FD_READ, GOFER_FD_WRITE, GOFER_FD_KINDS };

struct gofer_children;

struct gofer_inode {
	struct inode *inode;	  /* borrowed: it owns this; does not change */
	uint64_t dev, ino;	  /* the host's; do not change */
	_Atomic uint64_t node;	  /* set once, or 0: then parent and name */
	struct inode *parent;	  /* reference, has a node; protected by names */
	char *name;		  /* owned; protected by names */
	char *target;		  /* of a symlink, or NULL; owned; protected by table_lock */
	bool in_table;		  /* protected by table_lock */
	struct hash_node table_node; /* protected by table_lock */
	_Atomic bool stale;	  /* attr is behind what an operation of ours did on the host */
	uint32_t opens;		  /* files that need fd[]; protected by table_lock */
	_Atomic int fd[GOFER_FD_KINDS]; /* owned, or -1; written under table_lock, and closed
					   only when opens is 0 */
	struct list_node idle;	  /* in fs->idle when opens is 0 and an FD is kept; table_lock */
	struct gofer_children *children; /* of a directory in an exclusive tree; table_lock */
};

static inline struct gofer_fs *gofer_fs_of(const struct super_block *sb)
{
	return sb->private_data;
}

static inline struct gofer_inode *gofer_inode_of(const struct inode *inode)
{
	return inode->private_data;
}

extern const struct inode_ops gofer_dir_inode_ops, gofer_inode_ops;
extern const struct file_ops gofer_file_ops, gofer_dir_file_ops;

/* --- gofer_inode.c ------------------------------------------------------------ */

/*
 * The inode of @entry (whose node is taken over, or released if not needed), as found under
 * @name in @dir; a reference.  @target: a symlink's, or NULL.
 */
int gofer_inode_find(struct inode *dir, const char *name, const struct gofer_entry *entry,
		     const char *target, struct inode **out) MUST_CHECK;
int gofer_inode_root(struct gofer_fs *fs, struct inode **out) MUST_CHECK;
void gofer_inode_evict(struct inode *inode);
/* Takes over what the host says now. */
void gofer_inode_set_attr(struct inode *inode, const struct gofer_attr *attr);
/* The same by fstat of a host FD. */
int gofer_inode_refresh_by_fd(struct inode *inode, int fd) MUST_CHECK;
/* Is there a live inode of the host file of @attr?  _locked: table_lock. */
bool gofer_inode_is_live_locked(struct gofer_fs *fs, const struct gofer_attr *attr);
/* Out of the tables: its host file is gone, and the number may come again. */
void gofer_inode_forget(struct inode *inode);
/* The guest's inode number of the host's (dev, ino). */
uint64_t gofer_ino(struct gofer_fs *fs, uint64_t dev, uint64_t ino);

/* --- gofer_address.c ------------------------------------------------------------ */

struct gofer_address {
	uint64_t node;
	const char *name; /* "" or the inode's own; borrowed under names */
};

/* How the gofer reaches @inode; @names is held until it was used. */
int gofer_address(struct inode *inode, struct gofer_address *out) MUST_CHECK;
/* A node for @inode, asked for if it has none.  _locked: names held, read or write. */
int gofer_node(struct inode *inode, uint64_t *node) MUST_CHECK;
int gofer_node_locked(struct inode *inode, uint64_t *node) MUST_CHECK;
/* @inode is now called @name in @dir; names is held for writing.  Takes over @name. */
void gofer_address_moved_locked(struct inode *inode, struct inode *dir, char *name);
/* Before (@dir, @name) stops naming @inode: gives it a node if it may be needed. */
int gofer_address_keep_locked(struct inode *inode, struct inode *dir, const char *name) MUST_CHECK;
/* (@dir, @name) named @inode no longer: without a node it cannot be reached. */
void gofer_address_lost_locked(struct inode *inode, struct inode *dir, const char *name);

/* --- gofer_fd.c ----------------------------------------------------------------- */

/* One more file that needs the FD of @kind; opens it if there is none. */
int gofer_fd_get(struct inode *inode, enum gofer_fd_kind kind) MUST_CHECK;
void gofer_fd_put(struct inode *inode);
/* Hands over an FD that came with CREATE. */
void gofer_fd_adopt(struct inode *inode, enum gofer_fd_kind kind, int fd);
void gofer_fd_discard(int fd);
/* An FD for fstat, ftruncate; -1: none.  Pins it until gofer_fd_put. */
int gofer_fd_peek(struct inode *inode, bool writable);
/* Closes all; the inode is going away. */
void gofer_fd_evict(struct inode *inode);

/* --- gofer_children.c: what READDIR said, for the lookups that follow -------------- */

enum gofer_child { GOFER_CHILD_UNKNOWN, GOFER_CHILD_FOUND, GOFER_CHILD_MISSING };

enum gofer_child gofer_children_find(struct inode *dir, const char *name, struct gofer_attr *attr);
/* Adds the entries of @batch (a copy is walked), which began at @cookie.  dir->lock is held. */
void gofer_children_add(struct inode *dir, const struct gofer_batch *batch, uint64_t cookie);
/* @name was made, removed or changed; dir->lock is held. */
void gofer_children_drop(struct inode *dir, const char *name, bool exists);
void gofer_children_evict(struct inode *dir);

/* --- gofer_change.c ---------------------------------------------------------------- */

int gofer_op_create(struct inode *dir, const char *name, const struct inode_create *how,
		    struct inode **out) MUST_CHECK;
int gofer_op_link(struct inode *dir, const char *name, struct inode *target) MUST_CHECK;
int gofer_op_unlink(struct inode *dir, const char *name, struct inode *target) MUST_CHECK;
int gofer_op_rmdir(struct inode *dir, const char *name, struct inode *target) MUST_CHECK;
int gofer_op_rename(struct inode *old_dir, const char *old_name, struct inode *source,
		    struct inode *new_dir, const char *new_name, struct inode *target,
		    uint32_t flags) MUST_CHECK;

/* --- gofer_attr.c ------------------------------------------------------------------ */

int gofer_op_getattr(struct inode *inode, struct inode_attr *out) MUST_CHECK;
int gofer_op_setattr(struct inode *inode, const struct setattr *change) MUST_CHECK;
int gofer_op_readlink(struct inode *inode, char **out) MUST_CHECK;
ssize_t gofer_op_getxattr(struct inode *inode, const char *name, void *value, size_t size) MUST_CHECK;
int gofer_op_setxattr(struct inode *inode, const char *name, const void *value, size_t size,
		      int flags) MUST_CHECK;
ssize_t gofer_op_listxattr(struct inode *inode, char *list, size_t size) MUST_CHECK;
int gofer_op_removexattr(struct inode *inode, const char *name) MUST_CHECK;

int gofer_op_open(struct inode *inode, struct file *file) MUST_CHECK; /* gofer_file.c */
int gofer_op_open_dir(struct inode *inode, struct file *file) MUST_CHECK; /* gofer_dir.c */
