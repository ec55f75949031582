/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside tmpfs.
 *
 * A directory owns its entries, each a reference on an inode, so dentries may
 * come and go.  A regular file's bytes are inline (malloc) up to TMPFS_INLINE_MAX
 * and then, or once mapped, in a host memfd of its own, for good.  The memfd's
 * size is always the file's.
 *
 * Locks: inode->lock guards entries (held by the VFS around directory operations)
 * and the storage of files; attr_lock the attributes and the list of xattrs.  Space
 * counters are atomic.
 */
#pragma once

#include <stdatomic.h>

#include "sentry/fs/tmpfs/tmpfs.h"
#include "sentry/vfs/vfs.h"
#include "util/hash_table.h"
#include "util/list.h"

#define TMPFS_INLINE_MAX 4096U
#define TMPFS_PAGE 4096U
#define TMPFS_FLAGS (LINUX_FS_NODUMP_FL | LINUX_FS_NOATIME_FL)
#define TMPFS_DIRENT_SIZE 20L /* what an entry adds to its directory's st_size, as on Linux */

struct tmpfs_super {
	_Atomic uint64_t max_pages, used_pages;	  /* max 0: no limit */
	_Atomic uint64_t max_inodes, used_inodes;
	_Atomic bool unlimited_size, unlimited_inodes; /* so asked for, and shown */
	struct tmpfs_options options;		  /* for mountinfo; does not change */
};

struct tmpfs_entry {
	struct hash_node hash_node;
	struct list_node node;	/* in cookie order */
	uint64_t cookie;
	struct inode *inode;	/* reference */
	char name[];
};

struct tmpfs_xattr {
	struct tmpfs_xattr *next;
	size_t size;
	void *value;
	char name[];
};

struct tmpfs_directory {
	struct hash_table names;
	struct list_node entries;
	uint64_t next_cookie;
};

struct tmpfs_storage {
	char *data;	    /* inline bytes, or NULL */
	uint32_t capacity;  /* of data; what lies between size and it is zero */
	_Atomic int memfd;  /* -1: inline; set once */
	int twin;	    /* read-only twin of memfd, or -1 */
	uint64_t pages;	    /* charged to the super block */
	uint32_t seals;	    /* LINUX_F_SEAL_* */
	_Atomic uint32_t writers; /* shared mappings that may write: F_SEAL_WRITE must wait */
};

struct tmpfs_node {
	struct tmpfs_xattr *xattrs;
	size_t xattr_bytes;
	uint32_t flags; /* of TMPFS_FLAGS; attr_lock */
	union {
		struct tmpfs_directory dir;
		struct tmpfs_storage file;
		char *target; /* symlink */
	};
};

static inline struct tmpfs_node *tmpfs_node(const struct inode *inode)
{
	return inode->private_data;
}

static inline struct tmpfs_super *tmpfs_super(const struct inode *inode)
{
	return inode->sb->private_data;
}

/* tmpfs_options.c */
extern const struct file_system_type tmpfs_type;
void tmpfs_set_memory(uint64_t memory); /* boot: UINT64_MAX when not known */
void tmpfs_show_options(struct super_block *sb, char *buf, size_t size);
uint64_t tmpfs_pages(uint64_t bytes) MUST_CHECK; /* rounded up */

extern const struct inode_ops tmpfs_directory_ops, tmpfs_file_inode_ops, tmpfs_symlink_ops,
	tmpfs_special_ops;
extern const struct file_ops tmpfs_file_ops;

/* Makes an unlinked inode (nlink as for its first name) and charges it. */
int tmpfs_inode_new(struct super_block *sb, const struct inode_create *how, struct inode **out) MUST_CHECK;
void tmpfs_evict(struct inode *inode);
/* super_block_ops.path_of_ino */
int tmpfs_path_of_ino(struct super_block *sb, uint64_t ino, struct strbuf *out);
/* What a new inode has of its directory. */
void tmpfs_inherit_flags(struct inode *dir, struct inode *inode);
int64_t tmpfs_ioctl(struct file *file, struct mm *mm, uint32_t cmd, uint64_t arg);

/* tmpfs_dir.c */
void tmpfs_directory_evict(struct tmpfs_directory *dir);
int tmpfs_directory_open(struct inode *inode, struct file *file);

/* tmpfs_inode.c */
int tmpfs_getattr(struct inode *inode, struct inode_attr *out);
int tmpfs_setattr(struct inode *inode, const struct setattr *set);
ssize_t tmpfs_getxattr(struct inode *inode, const char *name, void *value, size_t size);
int tmpfs_setxattr(struct inode *inode, const char *name, const void *value, size_t size, int flags);
ssize_t tmpfs_listxattr(struct inode *inode, char *list, size_t size);
int tmpfs_removexattr(struct inode *inode, const char *name);
void tmpfs_xattrs_free(struct tmpfs_node *node);

/* tmpfs_space.c: @pages of the super block; -ENOSPC. */
int tmpfs_charge(struct tmpfs_super *ts, uint64_t pages) MUST_CHECK;
void tmpfs_uncharge(struct tmpfs_super *ts, uint64_t pages);

/* tmpfs_storage.c; inode->lock is held by the caller of _locked. */
ssize_t tmpfs_storage_write_locked(struct inode *inode, const char *buf, size_t size, uint64_t pos) MUST_CHECK;
int tmpfs_storage_resize_locked(struct inode *inode, uint64_t size) MUST_CHECK;
int tmpfs_storage_allocate_locked(struct inode *inode, int mode, uint64_t offset, uint64_t size) MUST_CHECK;
/* Moves inline bytes to a memfd. */
int tmpfs_storage_spill_locked(struct inode *inode) MUST_CHECK;
/* Pages in use, from the host; adjusts the charge. */
void tmpfs_storage_recount_locked(struct inode *inode);
void tmpfs_storage_evict(struct inode *inode);
