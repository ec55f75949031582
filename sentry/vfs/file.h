/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct file: an open file description; and the table of a task's FDs.
 *
 * File operations never sleep for readiness: they return -EAGAIN and the caller
 * waits on poll_queue() (file_wait.h does it).  No operation may hold a lock
 * while it copies from or to an io_iter (it may touch guest memory): copy into a
 * private buffer first.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "sentry/mm/mm.h"
#include "sentry/vfs/inode.h"
#include "util/lock.h"
#include "util/refcount.h"

struct async_list;
struct credentials;
struct dnotify;
struct fd_table;
struct file;
struct file_owner;
struct io_iter;
struct strbuf;

/* The text is made as a whole and kept while its file is open: what lists things ends somewhere. */
#define FDINFO_SIZE_MAX (1U << 20)

/* readdir: file systems call emit for each entry; false means the buffer is full. */
struct dir_context {
	uint64_t pos; /* cookie of the next entry; the file's position */
	bool (*emit)(struct dir_context *ctx, const char *name, size_t name_size, uint64_t next_pos,
		     uint64_t ino, uint32_t d_type);
};

/* ioctl gets the caller's mm for argument copies. */
struct file_ops {
	void (*release)(struct file *file); /* last reference gone */
	void (*flush)(struct file *file);   /* each close() of an fd */
	/* @pos is in and out; ops of streams ignore it.  Short counts as read(2). */
	ssize_t (*read)(struct file *file, struct io_iter *to, uint64_t *pos);
	ssize_t (*write)(struct file *file, struct io_iter *from, uint64_t *pos);
	/* A read that may sleep, for files whose read has rules of its own for when it has waited
	 * long enough (terminals).  NULL: until read gives something else than -EAGAIN. */
	ssize_t (*read_wait)(struct file *file, struct io_iter *to);
	/* Called with position_lock; sets file->position itself (vfs_llseek_* below).
	 * NULL: -ESPIPE.  Then, and with vfs_llseek_none, the file has no position. */
	int64_t (*llseek)(struct file *file, int64_t offset, int whence);
	/* Called with position_lock held and inode->lock not; sets ctx->pos to the cookie of
	 * the first entry it did not deliver.  "." and "..": vfs/dir_emit.h. */
	int (*iterate)(struct file *file, struct dir_context *ctx);
	uint32_t (*poll)(struct file *file); /* LINUX_EPOLL* ready now; NULL: IN|OUT|RDNORM|WRNORM */
	struct wait_queue *(*poll_queue)(struct file *file); /* NULL: always ready */
	struct async_list *(*async_list)(struct file *file); /* NULL: O_ASYNC has no effect */
	int (*async_begin)(struct file *file); /* O_ASYNC was switched on; may be NULL */
	int64_t (*ioctl)(struct file *file, struct mm *mm, uint32_t cmd, uint64_t arg); /* NULL: -ENOTTY */
	int (*fsync)(struct file *file, bool data_only);
	int (*fallocate)(struct file *file, int mode, uint64_t offset, uint64_t size);
	/* A host FD to map: as mappable_ops.host_fd.  NULL: -ENODEV. */
	int (*map)(struct file *file, uint64_t offset, uint64_t size, int prot, bool shared, int *fd,
		   uint64_t *host_offset);
	/* Counts shared mappings that may write, as mappable_ops.count_writer. */
	void (*count_writer)(struct file *file, int change);
	/* Appends lines of /proc/PID/fdinfo/N; no more when there are FDINFO_SIZE_MAX bytes. */
	void (*show_fdinfo)(struct file *file, struct strbuf *out);
	/* The descriptive name for /proc/PID/fd of files without a path: "pipe:[12]". NULL: path. */
	void (*describe)(struct file *file, char *buf, size_t size);
	/* memfd seals: LINUX_F_ADD_SEALS, LINUX_F_GET_SEALS; NULL: -EINVAL. */
	int (*seals)(struct file *file, int command, uint32_t seals);
	/* read and write run without position_lock, on a copy of the position: for contents
	 * that come from guest memory (proc). */
	bool unlocked_position;
	/* Of preadv2's and pwritev2's flags, read and write ... */
	bool nowait;	   /* can be asked not to sleep: RWF_NOWAIT (Linux's FMODE_NOWAIT) */
	bool plain_read;   /* ... take none but RWF_HIPRI (Linux has no read_iter, write_iter) */
	bool plain_write;
	/* Writes at a position of the call's own are -ESPIPE (Linux's seq_file). */
	bool no_pwrite;
	/* Where readers and writers sleep on Linux, for /proc/PID/wchan.  NULL: "wait_woken". */
	const char *read_sleep, *write_sleep;
};

struct file {
	struct mappable mappable; /* first: file_from_mappable() */
	struct refcount refs;
	const struct file_ops *ops; /* does not change after open */
	struct inode *inode;	  /* reference; does not change */
	struct mount *mount;	  /* reference or NULL (pipes, sockets); does not change */
	struct dentry *dentry;	  /* reference or NULL; does not change */
	_Atomic uint32_t flags;	  /* LINUX_O_*: access mode does not change; F_SETFL changes the rest */
	bool can_read, can_write; /* FMODE_READ / FMODE_WRITE; do not change */
	bool is_path;		  /* O_PATH; does not change */
	bool created;		  /* by this open: F_CREATED_QUERY; does not change */
	bool will_truncate;	  /* opened with O_TRUNC: what is there need not be kept */
	bool write_access;	  /* holds inode_get_write_access; does not change after open */
	bool read_access;	  /* counted in inode->readers; does not change after open */
	bool seekable;		  /* has a position; does not change after open */
	struct mutex position_lock; /* LOCK_RANK_FILE_POSITION: held around ops that use position */
	uint64_t position;	  /* protected by position_lock */
	const struct credentials *cred; /* reference: of the opener */
	void *private_data;	  /* the file system's */
	struct list_node epoll_items; /* epoll registrations; protected by the epoll graph lock */
	_Atomic bool in_epoll;	  /* ever registered: file_put calls vfs_upcalls.file_closing (vfs/fifo.h) */
	_Atomic uint64_t read_timeout_ns, write_timeout_ns; /* SO_RCVTIMEO, SO_SNDTIMEO; 0: none */
	_Atomic(struct file_owner *) owner; /* set once: sentry/kernel/file_owner.h; NULL: nobody is told */
	_Atomic(struct dnotify *) dnotify; /* its F_NOTIFY requests: vfs/dnotify.c */
};

/*
 * Allocates an open description; takes its own references of everything given.
 * @dentry NULL: it gets a dentry of its own, in no directory, so that every open
 * file has a path (with @mount NULL) that /proc/PID/fd can follow.
 * @ops may be NULL when the caller sets file->ops right after (inode_ops.open).
 */
int file_new(const struct file_ops *ops, struct inode *inode, struct mount *mount,
	     struct dentry *dentry, uint32_t flags, const struct credentials *cred,
	     struct file **out) MUST_CHECK;
/* For anonymous inodes ("anon_inode:[eventfd]"), pipes and sockets; @name is static and
 * shown in /proc/PID/fd. */
int file_new_anonymous(const struct file_ops *ops, const char *name, uint32_t mode, uint32_t flags,
		       void *private_data, struct file **out) MUST_CHECK;
struct file *file_get(struct file *file);
void file_put(struct file *file);
struct file *file_from_mappable(struct mappable *m); /* NULL when it is not a file */
/* close(2)'s part: ops->flush, POSIX locks of @owner on the inode, file_put. */
void file_close(struct file *file, struct fd_table *owner);
/* The internal super block of anonymous inodes; for inodes of one's own behind file_new(). */
struct super_block *anonymous_super_block(void);

/* llseek for regular files and directories with a known end (-EINVAL beyond @max). */
int64_t vfs_llseek_size(struct file *file, int64_t offset, int whence, uint64_t size, uint64_t max);
/* SEEK_SET and SEEK_CUR only (directories whose positions are cookies). */
int64_t vfs_llseek_cookie(struct file *file, int64_t offset, int whence);
/* Anonymous inodes: a seek succeeds and does nothing. */
int64_t vfs_llseek_none(struct file *file, int64_t offset, int whence);

/* --- FD table -------------------------------------------------------------- */

struct fd_entry {
	struct file *file; /* reference or NULL */
	bool close_on_exec;
	bool reserved; /* without a file yet, and not free */
};

struct fd_table {
	struct refcount refs;	  /* tasks sharing it */
	struct mutex lock;	  /* LOCK_RANK_FD_TABLE */
	struct fd_entry *entries; /* protected by lock */
	uint32_t capacity;	  /* protected by lock */
	uint32_t next_free;	  /* no free number below; protected by lock */
};

int fd_table_new(struct fd_table **out) MUST_CHECK;
int fd_table_copy(struct fd_table *from, struct fd_table **out) MUST_CHECK;
struct fd_table *fd_table_share(struct fd_table *t);
/* Closes everything when the last user goes. */
void fd_table_put(struct fd_table *t);
/* A reference on the file, or NULL.  _path: also O_PATH descriptors. */
struct file *fd_table_lookup(struct fd_table *t, int fd) MUST_CHECK;
struct file *fd_table_lookup_path(struct fd_table *t, int fd) MUST_CHECK;
/* Installs at the lowest free number >= @min and < @limit (RLIMIT_NOFILE): the FD, or
 * -EMFILE, -ENOMEM.  Takes its own reference. */
int fd_table_install(struct fd_table *t, struct file *file, int min, uint64_t limit,
		     bool close_on_exec) MUST_CHECK;
/*
 * For calls that make something: the number comes first, so that nothing is made when there is
 * none.  fd_table_reserve() gives the lowest free one, -EMFILE or -ENOMEM; then one of the others.
 * fd_table_fill() takes its own reference.
 */
int fd_table_reserve(struct fd_table *t, uint64_t limit) MUST_CHECK;
void fd_table_fill(struct fd_table *t, int fd, struct file *file, bool close_on_exec);
void fd_table_unreserve(struct fd_table *t, int fd);
/* dup2: replaces; returns @fd or -EBADF (fd >= limit), -EBUSY (reserved), -ENOMEM. */
int fd_table_install_at(struct fd_table *t, struct file *file, int fd, uint64_t limit,
			bool close_on_exec) MUST_CHECK;
/* Removes and hands over the reference; NULL if not open. */
struct file *fd_table_remove(struct fd_table *t, int fd) MUST_CHECK;
int fd_table_get_cloexec(struct fd_table *t, int fd);
int fd_table_set_cloexec(struct fd_table *t, int fd, bool on);
void fd_table_close_on_exec(struct fd_table *t);
void fd_table_close_range(struct fd_table *t, uint32_t first, uint32_t last, bool cloexec_only);
/* The lowest open FD >= @from, or -1. For /proc. */
int fd_table_next(struct fd_table *t, int from);
