/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The VFS's entry points: mounts, path look-up, and the operations behind the
 * file system calls.  Callers give a vfs_context: who asks, and from where.
 */
#pragma once

#include "sentry/cred/namespace_count.h"
#include "sentry/vfs/file.h"
#include "sentry/vfs/inode.h"
#include "util/hash_table.h"

struct fs_config;
struct fs_option;
struct fs_option_value;
struct mount_namespace;
struct peer_group;

/* A place in the tree; both references when owned. */
struct path {
	struct mount *mount;
	struct dentry *dentry;
};

struct path path_get(const struct path *p);
void path_put(struct path *p); /* clears it; empty is a no-op */

/* Root, working directory and umask of a task (CLONE_FS). */
struct fs_context {
	struct refcount refs;
	struct mutex lock;   /* LOCK_RANK_FS_CONTEXT */
	struct path root;    /* protected by lock */
	struct path cwd;     /* protected by lock */
	uint32_t umask;	     /* protected by lock */
	uint32_t users;	     /* protected by lock: tasks */
};

int fs_context_new(const struct path *root, const struct path *cwd, uint32_t umask,
		   struct fs_context **out) MUST_CHECK;
int fs_context_copy(struct fs_context *from, struct fs_context **out) MUST_CHECK;
struct fs_context *fs_context_share(struct fs_context *fs);
void fs_context_put(struct fs_context *fs);

/* Who asks: on the stack of a system call; everything borrowed. */
struct vfs_context {
	const struct credentials *cred;
	struct fs_context *fs;
	struct fd_table *fds;
	uint64_t fsize_limit; /* RLIMIT_FSIZE */
	int32_t tgid;	      /* for locks */
};

/* --- mounts ---------------------------------------------------------------- */

enum mount_flags { /* MNT_* as in mountinfo */
	MOUNT_READONLY = 1 << 0,
	MOUNT_NOSUID = 1 << 1,
	MOUNT_NODEV = 1 << 2,
	MOUNT_NOEXEC = 1 << 3,
	MOUNT_NOATIME = 1 << 4,
	MOUNT_NODIRATIME = 1 << 5,
	MOUNT_RELATIME = 1 << 6,
	MOUNT_NOSYMFOLLOW = 1 << 7,
	MOUNT_ATIME_MASK = MOUNT_NOATIME | MOUNT_NODIRATIME | MOUNT_RELATIME,
};

/* mount(2)'s MS_*: access times are relative unless something else is asked for. */
uint32_t mount_flags_from_ms(uint64_t ms) MUST_CHECK;
/* MOUNT_ATTR_*, but the access time, which is one of several values: that is not looked at. */
uint32_t mount_flags_from_attributes(uint64_t attributes) MUST_CHECK;
/* The access time's part of them.  -EINVAL for no value of it. */
int mount_flags_from_access_time(uint64_t attributes, uint32_t *out) MUST_CHECK;
/* All of them. */
uint64_t mount_flags_to_attributes(uint32_t flags) MUST_CHECK;

enum mount_umounting {
	MOUNT_STAYS,
	MOUNT_GOES,
	MOUNT_UMOUNT_CANDIDATE, /* by propagation, if nothing is mounted in it */
};

struct mount {
	struct refcount refs;
	int id;			   /* mountinfo */
	struct super_block *sb;	   /* reference */
	struct dentry *root;	   /* reference: what of sb is mounted */
	struct mount *parent;	   /* reference; NULL for the namespace's root; namespace lock */
	struct dentry *mountpoint; /* reference, in parent; namespace lock */
	struct list_node children, siblings, in_namespace; /* namespace lock */
	struct hash_node in_places; /* while it is among siblings; namespace lock */
	struct mount_namespace *ns; /* borrowed; NULL once detached; namespace lock */
	_Atomic uint32_t flags;	   /* enum mount_flags */

	/* What who made it does not leave to who has a copy; namespace lock. */
	bool locked;		   /* hides what is below: it does not leave its place */
	uint32_t locked_flags;	   /* enum mount_flags that stay as they are */

	/* Propagation; all of it under the namespace lock. */
	struct peer_group *group;  /* shared with its members; NULL: not shared */
	struct peer_group *master; /* whose mounts come here, too; NULL: nobody's */
	struct list_node in_group, in_slaves; /* of these two */
	bool unbindable;

	/* While something is umounted; namespace lock. */
	enum mount_umounting umounting;
	bool leaves_cover; /* what lies on its root stays */
	struct list_node in_umount;
};

/*
 * One lock, private to vfs/mount*.c, guards the trees of all namespaces ("namespace
 * lock" here).  Others read them through mount_namespace_list().
 */
struct mount_namespace {
	struct refcount refs;
	struct mount *root;	    /* reference; namespace lock */
	struct list_node mounts;    /* references; namespace lock; in mount order */
	uint32_t mount_count;	    /* namespace lock */
	uint32_t reserved;	    /* more of them, while something is mounted; namespace lock */
	struct user_namespace *user_ns; /* reference */
	uint64_t ino;
	bool anonymous;		    /* of a detached tree: nobody's, kept by its file; does not change */
	uint64_t origin;	    /* of those: the number of the namespace it is a copy of; does not change */
	struct namespace_count count;
	_Atomic uint64_t generation; /* bumped at each change: poll of /proc/mounts */
	struct wait_queue changes;   /* woken (EPOLLERR|EPOLLPRI) at each change */
	struct mount_namespace *next_dead; /* of those that one thread is freeing */
};

/* One line of /proc/PID/mountinfo, strings not yet escaped. */
struct mount_info {
	int id, parent_id;
	uint64_t dev;		/* linux_dev_major/minor */
	uint64_t magic;
	char *root;		/* within the file system */
	char *mountpoint;	/* as seen from the root asked for; NULL: it is not seen */
	const char *fs_type;
	char *source;
	uint32_t flags;		/* enum mount_flags */
	bool sb_read_only;
	uint32_t sb_flags;	/* as the super block's */
	bool unbindable;
	int group, master;	/* peer groups; 0: none */
	int dominating;		/* the nearest master's group that can be seen; 0: none */
	char super_options[256]; /* ",size=64k" or empty, without rw/ro */
};
/* The mounts that can be reached from @root, in mount order; free with mount_info_free. */
int mount_namespace_list(struct mount_namespace *ns, const struct path *root,
			 struct mount_info **out, size_t *count) MUST_CHECK;
void mount_info_free(struct mount_info *list, size_t count);
/* The number that no other mount ever has. */
#define MOUNT_UNIQUE_OFFSET (1ULL << 31)
static inline uint64_t mount_unique_id(const struct mount *m)
{
	return MOUNT_UNIQUE_OFFSET + (uint64_t)m->id;
}
/* Frees what is in it, not @info. */
void mount_info_release(struct mount_info *info);
/* The mount in @ns with this number, to be released by mount_info_release; -ENOENT. */
int mount_namespace_describe(struct mount_namespace *ns, const struct path *root, uint64_t unique_id,
			     struct mount_info *out) MUST_CHECK;
/*
 * The numbers, ascending, of the mounts in @ns that are reached from the one with number @below, which is left
 * out, or from @root for MOUNT_ALL; malloc'ed.  -ENOENT; -EPERM: it is not reached from @root, and @cred may
 * not administer @ns.
 */
#define MOUNT_ALL UINT64_MAX /* LSMT_ROOT of listmount */
int mount_namespace_numbers(struct mount_namespace *ns, const struct path *root, const struct credentials *cred,
			    uint64_t below, uint64_t **out, size_t *count) MUST_CHECK;

/* A namespace whose root is @root_sb (reference taken). */
int mount_namespace_new(struct super_block *root_sb, uint32_t flags, struct user_namespace *user_ns,
			struct mount_namespace **out) MUST_CHECK;
/* Counts for @kuid. */
int mount_namespace_copy(struct mount_namespace *from, struct user_namespace *user_ns, uint32_t kuid,
			 struct fs_context *fs, struct mount_namespace **out) MUST_CHECK;
struct mount_namespace *mount_namespace_get(struct mount_namespace *ns);
void mount_namespace_put(struct mount_namespace *ns);
uint32_t mount_namespace_count_mounts(struct mount_namespace *ns);
void mount_namespace_root(struct mount_namespace *ns, struct path *out);
/* setns: root and working directory become @ns's root. */
void fs_context_enter(struct fs_context *fs, struct mount_namespace *ns);
struct mount *mount_get(struct mount *m);
void mount_put(struct mount *m);

/* Mounts @sb (or the subtree @root of it; NULL: its root) on @at. */
int vfs_mount_sb(struct super_block *sb, struct dentry *root, const struct path *at, uint32_t flags) MUST_CHECK;
/* The same of a file system that shows what a mount of its type may be there to hide, by who is in @ns: in a
 * user namespace only where one shows all of it, and as that one may be changed.  -EPERM. */
int vfs_mount_revealing(const struct mount_namespace *ns, struct super_block *sb, const struct path *at,
			uint32_t flags) MUST_CHECK;
/* Whether it may be there.  *locked_flags: enum mount_flags that its mount does not change then. */
bool mount_is_shown(const struct mount_namespace *ns, const struct super_block *sb, uint32_t flags,
		    uint32_t *locked_flags) MUST_CHECK;
int vfs_bind_mount(const struct path *from, const struct path *at, bool recursive, uint32_t flags) MUST_CHECK;
int vfs_umount(const struct path *at, int umount_flags) MUST_CHECK;
/* @at: the root of a mount.  @bind: the mount's flags only; else the file system gets those of @ms that
 * concern it and @options too, which @cred must be allowed to.  -EPERM. */
int vfs_remount(const struct credentials *cred, const struct path *at, uint32_t flags, bool bind, uint64_t ms,
		const char *options) MUST_CHECK;
/* @type: one of MS_SHARED, MS_SLAVE, MS_PRIVATE, MS_UNBINDABLE, for the topmost mount on @at.  It may be of
 * any namespace in which @cred (NULL: the sentry itself) may administer. */
int vfs_change_propagation(const struct credentials *cred, const struct path *at, uint64_t type,
			   bool recursive) MUST_CHECK;
/* Where something may be mounted by who is in @ns. */
bool path_is_in_namespace(const struct path *p, const struct mount_namespace *ns) MUST_CHECK;
/* Asks every file system mounted in @ns to write back. */
void vfs_sync_namespace(struct mount_namespace *ns);
/*
 * @from: the root of a mount in @own, the caller's namespace, or of a detached tree; it goes on @to, or
 * @beneath the mount whose root @to is.
 */
int vfs_move_mount(const struct vfs_context *ctx, const struct mount_namespace *own, const struct path *from,
		   const struct path *to, bool beneath) MUST_CHECK;
/* @to's mount, which is private, becomes a peer of @from's, and a slave of whose slave that is. */
int vfs_set_mount_group(const struct credentials *cred, const struct path *from, const struct path *to) MUST_CHECK;
/* A copy of @from, in @own or detached, and with @recursive of what is mounted below: mounted nowhere, an
 * O_PATH file that keeps it until it is moved somewhere. */
int vfs_open_detached(const struct vfs_context *ctx, const struct mount_namespace *own, const struct path *from,
		      bool recursive, struct file **out) MUST_CHECK;
/* The same of @sb, all of it, which may be put in any namespace.  @locked_flags: see mount_is_shown(). */
int vfs_open_new_detached(const struct mount_namespace *own, const struct credentials *cred, struct super_block *sb,
			  uint32_t flags, uint32_t locked_flags, struct file **out) MUST_CHECK;

struct mount_change {
	uint32_t set, clear; /* enum mount_flags: cleared first */
	uint64_t propagation; /* 0 or one of MS_SHARED, MS_SLAVE, MS_PRIVATE, MS_UNBINDABLE */
	bool recursive;
};
/* Of all mounts, or none.  @at: the root of a mount in @own, or of a detached tree. */
int vfs_change_mount(const struct mount_namespace *own, const struct path *at,
		     const struct mount_change *change) MUST_CHECK;
/* Whether who is in @own may use the mount for a copy, or move a tree there. */
bool path_is_usable(const struct path *p, const struct mount_namespace *own) MUST_CHECK;
int vfs_pivot_root(const struct vfs_context *ctx, const struct path *new_root, const struct path *put_old) MUST_CHECK;

/* File system types that guests can mount.  The operations get what was set by then: fs_config.h. */
struct file_system_type {
	const char *name;
	bool user_mountable; /* allowed in a user namespace other than the root */
	bool revealing;	     /* there only by vfs_mount_revealing() */
	bool shared;	     /* mounts have a super block in common that is there before the first */
	bool any_option;     /* those that are in no table are not looked at */
	const struct fs_option *options;
	size_t option_count;
	/* Defaults into config->options, and who may mount it; NULL: there are none, and the caller's namespace. */
	int (*begin)(struct fs_config *config);
	/* One of @options. */
	int (*set)(struct fs_config *config, const struct fs_option_value *value);
	int (*create)(struct fs_config *config, struct super_block **out);
	/* config->sb gets what was set, all of it or nothing; NULL: nothing. */
	int (*reconfigure)(struct fs_config *config);
	void (*end)(struct fs_config *config); /* frees config->options */
};
int file_system_register(const struct file_system_type *type); /* static storage */
const struct file_system_type *file_system_find(const char *name);
void file_system_for_each(void (*fn)(const struct file_system_type *, void *), void *arg);

/* --- look-up --------------------------------------------------------------- */

#define LINUX_AT_FDCWD (-100)

enum lookup_flags {
	LOOKUP_FOLLOW = 1 << 0,	    /* follow a final symlink */
	LOOKUP_DIRECTORY = 1 << 1,  /* must be a directory */
	LOOKUP_EMPTY = 1 << 2,	    /* AT_EMPTY_PATH */
	LOOKUP_NO_SYMLINKS = 1 << 3,
	LOOKUP_NO_MAGICLINKS = 1 << 4,
	LOOKUP_NO_XDEV = 1 << 5,
	LOOKUP_BENEATH = 1 << 6,
	LOOKUP_IN_ROOT = 1 << 7,
	LOOKUP_CACHED = 1 << 8,
};

/* @dirfd: an FD or LINUX_AT_FDCWD.  A positive dentry; references in *out. */
int vfs_lookup(const struct vfs_context *ctx, int dirfd, const char *name, uint32_t flags,
	       struct path *out) MUST_CHECK;
/* From an explicit start; for set-up code. */
int vfs_lookup_from(const struct vfs_context *ctx, const struct path *start, const char *name,
		    uint32_t flags, struct path *out) MUST_CHECK;

/* The path of @p as seen from @root, with " (deleted)" as Linux's d_path has it.
 * Into @buf; returns the start within buf's bytes as a NUL-terminated string at *out, or
 * -ENAMETOOLONG.  _reached: whether @root was met (getcwd's "(unreachable)" if not). */
int vfs_path_string(const struct path *p, const struct path *root, char *buf, size_t size,
		    char **out) MUST_CHECK;

int vfs_path_string_reached(const struct path *p, const struct path *root, char *buf, size_t size,
			    char **out, bool *reached) MUST_CHECK;

/* --- operations ------------------------------------------------------------- */

#define LINUX_MAY_EXEC 1
#define LINUX_MAY_WRITE 2
#define LINUX_MAY_READ 4

int inode_permission(struct inode *inode, int mask, const struct credentials *cred) MUST_CHECK;
/* inode_permission plus read-only mounts and file systems (-EROFS). */
int path_permission(const struct path *p, int mask, const struct credentials *cred) MUST_CHECK;
bool inode_owner_or_capable(struct inode *inode, const struct credentials *cred);

struct open_how {
	uint64_t flags;	  /* LINUX_O_* */
	uint32_t mode;	  /* permission bits; umask not yet applied */
	uint32_t resolve; /* LOOKUP_* of openat2's RESOLVE_* */
};
/* -EINVAL for what open(2) refuses before it looks at the path. */
int vfs_open_check_flags(uint64_t flags) MUST_CHECK;
/* May sleep for FIFOs (wait_sleep): -EINTR. */
int vfs_open(const struct vfs_context *ctx, int dirfd, const char *name, const struct open_how *how,
	     struct file **out) MUST_CHECK;
/* As open(2) of an empty path below @p (Linux's file_open_root): with all of its flags. */
int vfs_open_root(const struct vfs_context *ctx, const struct path *p, uint32_t flags,
		  struct file **out) MUST_CHECK;
/* Opens what is already looked up (exec, /proc/self/fd re-open). */
int vfs_open_path(const struct vfs_context *ctx, const struct path *p, uint32_t flags,
		  struct file **out) MUST_CHECK;
/* What mode says that can be told without a path: 0, -EPERM (a directory), -EINVAL. */
int vfs_may_mknod(uint32_t mode) MUST_CHECK;
int vfs_mknod(const struct vfs_context *ctx, int dirfd, const char *name, uint32_t mode, uint64_t rdev) MUST_CHECK;
int vfs_mkdir(const struct vfs_context *ctx, int dirfd, const char *name, uint32_t mode) MUST_CHECK;
int vfs_symlink(const struct vfs_context *ctx, const char *target, int dirfd, const char *name) MUST_CHECK;
/* What vfs_link would link to, a reference; @out NULL: only whether it is there. */
int vfs_find_link_source(const struct vfs_context *ctx, int dirfd, const char *name, uint32_t flags,
			 struct path *out) MUST_CHECK;
int vfs_link(const struct vfs_context *ctx, int old_dirfd, const char *old_name, int new_dirfd,
	     const char *new_name, uint32_t flags) MUST_CHECK;
int vfs_unlink(const struct vfs_context *ctx, int dirfd, const char *name) MUST_CHECK;
int vfs_rmdir(const struct vfs_context *ctx, int dirfd, const char *name) MUST_CHECK;
/* 0 or -EINVAL; vfs_rename checks again. */
int vfs_rename_flags(uint32_t flags) MUST_CHECK;
/* The object with this number in the file system of @in, for handles; a reference.  -ESTALE, -ENOMEM. */
int vfs_find_by_ino(const struct path *in, uint64_t ino, struct path *out) MUST_CHECK;
/* Whether there is a directory that @name is or could be in: 0 or the walk's error. */
int vfs_find_parent(const struct vfs_context *ctx, int dirfd, const char *name) MUST_CHECK;
int vfs_rename(const struct vfs_context *ctx, int old_dirfd, const char *old_name, int new_dirfd,
	       const char *new_name, uint32_t flags) MUST_CHECK;
int vfs_getattr(const struct path *p, struct inode_attr *out) MUST_CHECK;
int vfs_setattr(const struct vfs_context *ctx, const struct path *p, struct setattr *attr) MUST_CHECK;
int vfs_readlink(const struct path *p, char **out) MUST_CHECK;
int vfs_truncate(const struct vfs_context *ctx, const struct path *p, uint64_t size) MUST_CHECK;
/* The size of an inode whose write access was checked: limits, set-uid bits, times. */
int vfs_set_size(const struct vfs_context *ctx, struct inode *inode, uint64_t size) MUST_CHECK;

/* I/O on an open file; checks mode, position, RLIMIT_FSIZE (-EFBIG; the caller sends
 * SIGXFSZ), O_APPEND.  pos NULL: the file's own position.  Never sleep for readiness. */
ssize_t vfs_read(struct file *file, struct io_iter *to, uint64_t *pos) MUST_CHECK;
ssize_t vfs_write(struct file *file, struct io_iter *from, uint64_t *pos, uint64_t fsize_limit) MUST_CHECK;
/* As vfs_write, with @append in place of the file's O_APPEND. */
ssize_t vfs_write_append(struct file *file, struct io_iter *from, uint64_t *pos, uint64_t fsize_limit,
			 bool append) MUST_CHECK;
/* With blocking: loops over -EAGAIN unless O_NONBLOCK, waits on poll_queue; -EINTR
 * from an interrupted wait is returned as -ERESTARTSYS (512). */
ssize_t vfs_read_wait(struct file *file, struct io_iter *to, uint64_t *pos, uint64_t deadline) MUST_CHECK;
ssize_t vfs_write_wait(struct file *file, struct io_iter *from, uint64_t *pos, uint64_t fsize_limit,
		       uint64_t deadline) MUST_CHECK;
/* The whole or part of a regular file into sentry memory (loader). */
ssize_t vfs_read_kernel(struct file *file, void *buf, size_t size, uint64_t pos) MUST_CHECK;
/*
 * Readiness: ops->poll, or always ready without it.  Files whose wake-ups epoll and
 * poll want name their queue in ops->poll_queue.
 */
uint32_t vfs_poll(struct file *file);
/* Like vfs_path_string for an open file: ops->describe first. */
int file_path_string(struct file *file, const struct path *root, char *buf, size_t size,
		     char **out) MUST_CHECK;
/* What statfs says of where @p is; mount flags included. */
int vfs_statfs(const struct path *p, struct statfs_result *out) MUST_CHECK;
/* getdents: calls the file system's iterate under the position lock. */
int vfs_iterate(struct file *file, struct dir_context *ctx) MUST_CHECK;
int64_t vfs_llseek(struct file *file, int64_t offset, int whence) MUST_CHECK;

int vfs_init(void) MUST_CHECK;
