/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inodes, dentries and super blocks: Linux's model.
 *
 * An inode is a file system object; its attributes live in `attr`.  A dentry is
 * a name in a directory, cached, positive or negative.  The VFS does look-up,
 * permission checks, caching and locking; a file system supplies inode_ops.
 *
 * Locking: the VFS holds dir->lock (LOCK_RANK_INODE) around every inode_op that
 * changes a directory, and both directories' locks (plus sb->rename_lock) around
 * rename.  lookup is called with dir->lock held.  Those ops may therefore do
 * file-system I/O under it, but never touch guest memory.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "sentry/mm/mm.h"
#include "sentry/wait/wait.h"
#include "util/compiler.h"
#include "util/list.h"
#include "util/lock.h"
#include "util/refcount.h"

struct credentials;
struct dentry;
struct file;
struct file_system_type;
struct inode;
struct linux_file_handle;
struct mount;
struct strbuf;
struct super_block;
struct user_namespace;

#define VFS_NAME_MAX 255
#define VFS_PATH_MAX 4096

struct vfs_time {
	int64_t sec;
	uint32_t nsec;
};

struct inode_attr {
	uint32_t mode;	/* type and permissions: LINUX_S_IF* */
	uint32_t nlink;
	uint32_t uid, gid; /* kernel ids */
	uint64_t rdev;	/* Linux new_encode_dev form as in struct stat */
	uint64_t size;
	uint64_t blocks; /* of 512 bytes */
	uint32_t blksize;
	struct vfs_time atime, mtime, ctime, btime;
};

/* Which attributes setattr changes. */
enum setattr_mask {
	SETATTR_MODE = 1 << 0,
	SETATTR_UID = 1 << 1,
	SETATTR_GID = 1 << 2,
	SETATTR_SIZE = 1 << 3,
	SETATTR_ATIME = 1 << 4,
	SETATTR_MTIME = 1 << 5,
	SETATTR_CTIME = 1 << 6,
	SETATTR_CHOWN = 1 << 7, /* within the VFS: chown(2), even of nothing */
};

struct setattr {
	uint32_t mask;
	uint32_t mode, uid, gid; /* kernel ids */
	uint64_t size;
	struct vfs_time atime, mtime, ctime;
};

struct statfs_result {
	uint64_t type, bsize, blocks, bfree, bavail, files, ffree, fsid, namelen, frsize, flags;
};

struct inode_create {
	uint32_t mode; /* with type; umask and setgid already applied by the VFS */
	uint32_t uid, gid; /* kernel ids of the new object */
	uint64_t rdev;
	const char *symlink_target; /* S_IFLNK */
};

struct inode_ops {
	/* Directory ops.  @name is one valid component (not "." or ".."), NUL-terminated.
	 * Each that returns an inode returns a reference. */
	int (*lookup)(struct inode *dir, const char *name, struct inode **out); /* -ENOENT: negative */
	/* Creates a regular file, directory, symlink, fifo, socket or device by mode.
	 * The name is known not to exist, but a shared file system may still say -EEXIST. */
	int (*create)(struct inode *dir, const char *name, const struct inode_create *how,
		      struct inode **out);
	int (*link)(struct inode *dir, const char *name, struct inode *target);
	int (*unlink)(struct inode *dir, const char *name, struct inode *target);
	int (*rmdir)(struct inode *dir, const char *name, struct inode *target); /* checks emptiness */
	/* @flags: LINUX_RENAME_*; @target NULL if the new name does not exist. */
	int (*rename)(struct inode *old_dir, const char *old_name, struct inode *source,
		      struct inode *new_dir, const char *new_name, struct inode *target,
		      uint32_t flags);
	/* O_TMPFILE: an unnamed regular file. */
	int (*tmpfile)(struct inode *dir, const struct inode_create *how, struct inode **out);
	/* Shared file systems: is the cached (possibly negative: @inode NULL) name still true?
	 * NULL op: always. Returns 1 valid, 0 not, or negative errno. */
	int (*revalidate)(struct inode *dir, const char *name, struct inode *inode);

	/* Any inode.  NULL getattr: inode->attr is the truth. */
	int (*getattr)(struct inode *inode, struct inode_attr *out);
	int (*setattr)(struct inode *inode, const struct setattr *attr); /* permission already checked */
	bool fixed_attr; /* changing attributes is EOPNOTSUPP, whoever asks */
	/* malloc'ed NUL-terminated target in *out, caller frees. */
	int (*readlink)(struct inode *inode, char **out);
	/* Magic links (/proc/PID/{exe,cwd,root,fd/N}): the object itself, instead of
	 * readlink when following.  References in *mnt and *dentry. */
	int (*get_link)(struct inode *inode, struct mount **mnt, struct dentry **dentry);
	/* NULL: the ordinary mode check.  @mask: LINUX_MAY_* bits. */
	int (*permission)(struct inode *inode, int mask, const struct credentials *cred);
	/* Sets file->ops and private_data; access mode already checked. */
	int (*open)(struct inode *inode, struct file *file);
	/* Its FIFOs are opened by that, too: they are not pipes of ours (host streams). */
	bool opens_fifos;
	ssize_t (*getxattr)(struct inode *inode, const char *name, void *value, size_t size);
	int (*setxattr)(struct inode *inode, const char *name, const void *value, size_t size, int flags);
	ssize_t (*listxattr)(struct inode *inode, char *list, size_t size);
	int (*removexattr)(struct inode *inode, const char *name);
	/* The last reference went: free what hangs on private_data (not the inode). */
	void (*evict)(struct inode *inode);
};

struct pipe;
struct unix_socket;

struct inode {
	struct refcount refs;
	struct super_block *sb;	      /* outlives its inodes; does not change */
	const struct inode_ops *ops;  /* does not change */
	uint64_t ino;		      /* does not change */
	struct inode *anchor;	      /* reference, or NULL; does not change once others see this */
	struct mutex lock;	      /* LOCK_RANK_INODE: directory changes, size changes */
	struct mutex attr_lock;	      /* LOCK_RANK_LEAF: attr */
	struct inode_attr attr;	      /* protected by attr_lock; mode's type never changes */
	_Atomic uint8_t write_hint;   /* F_SET_RW_HINT */
	bool no_cache;		      /* as the super block's; does not change once others see this */
	void *private_data;	      /* the file system's */
	/* Used of inode_anchor() only. */
	_Atomic uint32_t writers;     /* files open for writing */
	_Atomic uint32_t readers;     /* files open for reading only */
	_Atomic uint32_t deny_write;  /* being executed: ETXTBSY */
	struct pipe *pipe;	      /* FIFOs: shared state, protected by lock */
	struct unix_socket *socket;   /* bound AF_UNIX socket, protected by lock */
	void *locks;		      /* file locks (vfs/file_lock.c), set once */
	void *leases;		      /* vfs/lease.c; set once */
	_Atomic(void *) watches;      /* inotify (vfs/inotify.c) */
	/* Of each inode. */
	bool no_atime;		      /* FS_NOATIME_FL; protected by attr_lock */
	_Atomic bool linkable;	      /* O_TMPFILE: may get a name although it has none */
	bool mount_point;	      /* a directory that is never anything but empty; does not change */
	bool dead;		      /* a removed directory: nothing can be created in it; lock */
};

struct super_block_ops {
	/* NULL: the type and the limits of names only (pipes, sockets). */
	int (*statfs)(struct super_block *sb, struct statfs_result *out);
	int (*sync)(struct super_block *sb);
	/* For mountinfo: file-system specific options into @buf. */
	void (*show_options)(struct super_block *sb, char *buf, size_t size);
	/* By which its options are changed; NULL: the one that has its name. */
	const struct file_system_type *type;
	void (*destroy)(struct super_block *sb);
	/*
	 * For handles of files: a path from the root, as it is now, of the object with this number; without a
	 * slash in front, empty for the root.  -ESTALE.  NULL: objects have no handles.
	 */
	int (*path_of_ino)(struct super_block *sb, uint64_t ino, struct strbuf *out);
	/*
	 * For handles of objects that have no path: both, or none.  Opening checks who the caller is; -ESTALE.
	 * handle_flags are those of open() that it takes.
	 */
	void (*encode_handle)(const struct inode *inode, struct linux_file_handle *out);
	int (*open_handle)(const struct linux_file_handle *h, uint32_t flags, struct file **out);
	uint32_t handle_flags;
	/* NULL: what is mounted nowhere cannot be bound.  Else its files can, and this is the mount namespace
	 * that one stands for, borrowed; NULL: it stands for none. */
	const struct mount_namespace *(*mount_namespace_of)(const struct inode *inode);
};

struct super_block {
	struct refcount refs;
	const struct super_block_ops *ops;
	const char *fs_type;	/* static: "tmpfs" */
	char *source;		/* for mountinfo; owned */
	uint64_t dev;		/* st_dev; does not change */
	uint64_t magic;
	uint64_t max_file_size;
	struct user_namespace *user_ns; /* reference */
	struct mutex rename_lock; /* LOCK_RANK_RENAME */
	bool revalidate;	/* names may change behind us: call inode_ops.revalidate */
	bool no_cache;		/* dentries are not kept (proc) */
	bool read_only;
	_Atomic uint32_t flags; /* LINUX_MS_SYNCHRONOUS, _DIRSYNC, _LAZYTIME, _MANDLOCK: shown, and without effect */
	bool below_overlay;	/* the upper of an overlay: its inode locks rank below the overlay's */
	void *private_data;
	struct dentry *root;	/* reference */
	_Atomic uint64_t next_ino;
	_Atomic uint64_t inode_count; /* private to vfs/super.c */
};

struct dentry {
	struct refcount refs;
	struct super_block *sb;	  /* borrowed: the inode or parent keeps it */
	struct dentry *parent;	  /* reference; itself for a root; protected by the cache lock */
	struct inode *inode;	  /* reference; NULL when negative; does not change */
	char *name;		  /* protected by the cache lock */
	uint32_t name_hash;
	bool hashed;		   /* reachable by name; false once unlinked; the cache holds a
				      reference while it is; cache lock */
	bool referenced;	   /* used since the clock hand last passed; cache lock */
	bool name_owned;	   /* name is a block of its own; cache lock */
	bool deleted;		   /* unhashed because its name was removed; cache lock */
	bool parent_hears;	   /* deleted, when its directory was watched; cache lock */
	struct list_node siblings; /* in parent's children; protected by the cache lock */
	struct list_node children; /* protected by the cache lock */
	struct dentry *hash_next;  /* protected by the cache lock */
	struct list_node lru;	   /* the clock's ring of hashed dentries; protected by the cache lock */
	_Atomic uint32_t mounted;  /* number of mounts on it */
};

/* --- for file systems ------------------------------------------------------ */

/* Takes a reference on @user_ns.  @dev is allocated. */
int super_block_new(const struct super_block_ops *ops, const char *fs_type, uint64_t magic,
		    struct user_namespace *user_ns, struct super_block **out) MUST_CHECK;
struct super_block *super_block_get(struct super_block *sb);
void super_block_put(struct super_block *sb);
/* Makes @inode (whose reference it takes) the root. */
int super_block_set_root(struct super_block *sb, struct inode *inode) MUST_CHECK;

/* A new inode with ino from sb->next_ino when @ino is 0, times now, blksize 4096, nlink 1. */
int inode_new(struct super_block *sb, const struct inode_ops *ops, uint64_t ino, uint32_t mode,
	      struct inode **out) MUST_CHECK;
struct inode *inode_get(struct inode *inode);
void inode_put(struct inode *inode);

/*
 * Where those meet who have the same file open: its pipe, its socket, locks, leases, watches, futexes.
 * Usually the inode itself.  A host's file that is served by several file systems (a volume that
 * containers share) has an inode in each, and one anchor for all of them.  Borrowed from @inode.
 */
static inline struct inode *inode_anchor(struct inode *inode)
{
	return inode->anchor ? inode->anchor : inode;
}

struct vfs_time vfs_now(void); /* CLOCK_REALTIME */
/* Copies a consistent attr. */
void inode_attr_read(struct inode *inode, struct inode_attr *out);
/* Takes over what @set names but the size, whose place is the file system's affair. */
void inode_attr_apply(struct inode *inode, const struct setattr *set);
/* A setattr operation for inodes whose attributes are only here. */
int inode_setattr_simple(struct inode *inode, const struct setattr *set);
void inode_touch(struct inode *inode, uint32_t setattr_times); /* SETATTR_{A,M,C}TIME to now */

/*
 * Write access against execution (ETXTBSY).  Opening for writing takes the first,
 * execve the second: each fails with -ETXTBSY while the other is held.
 */
int inode_get_write_access(struct inode *inode) MUST_CHECK;
void inode_put_write_access(struct inode *inode);
int inode_deny_write_access(struct inode *inode) MUST_CHECK;
void inode_allow_write_access(struct inode *inode);

struct dentry *dentry_get(struct dentry *d);
void dentry_put(struct dentry *d);
/* A dentry in no directory; takes its own reference on @inode. */
int dentry_new_anonymous(struct inode *inode, const char *name, struct dentry **out) MUST_CHECK;
/* Drops cached names below @d (shared file systems, proc). */
void dentry_invalidate_children(struct dentry *d);
/* readdirplus: adds a positive child to the cache if absent; takes no reference of the caller's. */
void dentry_cache_add(struct dentry *parent, const char *name, struct inode *inode);

static inline uint32_t inode_type(const struct inode *inode)
{
	return inode->attr.mode & 0170000;
}
