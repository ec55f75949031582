/* SPDX-License-Identifier: Apache-2.0 */
/*
 * procfs inside: a directory is a table of nodes, perhaps followed by names that
 * are found at run time (pids, FDs).  A node says how its text is made.
 *
 * Locks: none is held while text is made.  An inode of a process keeps its struct
 * pid, not the task; each use asks anew for the task behind it.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sentry/abi/fs.h"
#include "sentry/fs/proc/proc.h"
#include "sentry/kernel/kernel.h"
#include "sentry/kernel/pid.h"
#include "sentry/kernel/task.h"
#include "sentry/vfs/vfs.h"
#include "util/strbuf.h"

#define PROC_MAGIC 0x9fa0
#define PROC_TEXT_MAX (64U << 20) /* of one file */
#define PROC_WRITE_MAX 4096
#define USER_TICK_NS (1000000000ULL / 100)

enum proc_hidepid { HIDEPID_OFF, HIDEPID_NO_ACCESS, HIDEPID_INVISIBLE, HIDEPID_PTRACEABLE = 4 };

struct proc_super {
	struct pid_namespace *ns; /* reference */
	enum proc_hidepid hidepid;
	uint32_t gid;		  /* kernel id that hidepid does not concern */
	bool only_pids;		  /* subset=pid */
};

struct proc_node;

/* Behind an inode (private_data). */
struct proc_entry {
	const struct proc_node *node;
	struct pid *pid;   /* reference; NULL for what is not of a process */
	bool thread;	   /* below task/TID: of the thread, not of the process */
	int32_t number;	   /* the FD, or an index of the node's own */
	size_t prefix;	   /* sysctl directories: length of their name in the table; map_files: start */
	uint64_t end;	   /* of the mapping, map_files only */
};

/* Who asks about what; on the stack.  All borrowed. */
struct proc_call {
	const struct proc_super *super;
	const struct proc_entry *entry;
	struct task *task;		/* of the entry's pid, or NULL */
	const struct credentials *cred; /* the opener's */
	const struct mm *opened_mm;	/* PROC_OPEN_*: compared only */
	uint64_t pos;			/* of a write */
};

struct proc_dir {
	const struct proc_node *nodes;
	unsigned count;
	/* Names not in the table. -ENOENT. */
	int (*lookup)(struct inode *dir, const char *name, struct inode **out);
	/* Delivers names not in the table; cookies from PROC_DYNAMIC. */
	int (*iterate)(struct file *file, struct dir_context *ctx);
	int (*permission)(struct inode *dir, int mask, const struct credentials *cred);
	/* More links than the table's directories. */
	unsigned (*links)(struct inode *dir);
};

enum proc_node_flags {
	PROC_OPEN_READ = 1 << 0,   /* opening needs ptrace read access: -EACCES; shows the mm as of then */
	PROC_OPEN_MM = 1 << 8,	   /* ... and a process without one has no such file: -ESRCH */
	PROC_SHOW_READ = 1 << 1,   /* reading does: -EACCES */
	PROC_SHOW_ATTACH = 1 << 2, /* reading needs ptrace attach access: -EPERM */
	PROC_OPEN_ATTACH = 1 << 4, /* opening needs attach access: -EACCES */
	PROC_PLAIN_MODE = 1 << 5,  /* capabilities do not override the mode (sysctl) */
	PROC_USER_LIMIT = 1 << 6,  /* limits of users: writable with CAP_SYS_RESOURCE in one's own namespace */
	PROC_SMAPS = 1 << 7,	   /* of proc_maps_ops: smaps */
	PROC_NET_ADMIN = 1 << 11,  /* CAP_NET_ADMIN over the caller's network is as good as its root */
	PROC_PLAIN_FILE = 1 << 9,  /* no seq_file on Linux: has an end, takes pwrite */
	PROC_FAR = 1 << 10,	   /* of those: positions beyond the file system's limit too */
	PROC_NO_WRITER = 1 << 12,  /* opening for writing: -EACCES, whatever the rights */
	PROC_NO_WRITE = 1 << 13,   /* writing: -EACCES */
	PROC_CALLER_LINK = 1 << 3, /* self and thread-self: there with subset=pid */
};

struct proc_node {
	const char *name;
	uint32_t mode; /* with type */
	uint32_t flags;
	int (*show)(const struct proc_call *c, struct strbuf *out);
	/* Of @whole bytes, before they are copied; 0 or negative errno.  NULL: always. */
	int (*may_store)(const struct proc_call *c, uint64_t whole);
	/* @text is NUL-terminated; 0 or negative errno. */
	int (*store)(const struct proc_call *c, char *text, size_t size);
	int (*readlink)(const struct proc_call *c, char **out);
	int (*get_link)(const struct proc_call *c, struct path *out); /* magic */
	const struct proc_dir *dir;
	const struct file_ops *file_ops; /* instead of show and store */
};

#define PROC_DYNAMIC 256 /* first cookie of names not in a table */

#define PROC_FILE(n, m, fn) { .name = (n), .mode = LINUX_S_IFREG | (m), .show = (fn) }
#define PROC_RW(n, m, fn, st) { .name = (n), .mode = LINUX_S_IFREG | (m), .show = (fn), .store = (st) }
#define PROC_PLAIN(n, m, fn, st)                                                                   \
	{ .name = (n), .mode = LINUX_S_IFREG | (m), .show = (fn), .store = (st), .flags = PROC_PLAIN_FILE }
#define PROC_GUARDED(n, m, fn, st, may)                                                            \
	{ .name = (n), .mode = LINUX_S_IFREG | (m), .show = (fn), .store = (st), .may_store = (may) }
#define PROC_CHECKED(n, m, fn, fl) \
	{ .name = (n), .mode = LINUX_S_IFREG | (m), .show = (fn), .flags = (fl) }
#define PROC_SUBDIR(n, m, d) { .name = (n), .mode = LINUX_S_IFDIR | (m), .dir = (d) }
#define PROC_SYMLINK(n, fn) { .name = (n), .mode = LINUX_S_IFLNK | 0777, .readlink = (fn) }
#define PROC_MAGIC_LINK(n, rl, gl) \
	{ .name = (n), .mode = LINUX_S_IFLNK | 0777, .readlink = (rl), .get_link = (gl) }
#define PROC_DIR(table) { .nodes = (table), .count = ARRAY_SIZE(table) }

/* --- inodes (proc_inode.c) ---------------------------------------------------------- */

static inline struct proc_super *proc_super(const struct inode *inode)
{
	return inode->sb->private_data;
}

static inline struct proc_entry *proc_entry(const struct inode *inode)
{
	return inode->private_data;
}

/* Copies @like, taking a reference on its pid.  Owners are filled in. */
int proc_inode_new(struct super_block *sb, const struct proc_entry *like, struct inode **out) MUST_CHECK;
/* A child of @dir with the same pid. */
int proc_child_new(struct inode *dir, const struct proc_node *node, int32_t number,
		   struct inode **out) MUST_CHECK;
/* The number stat shows for the inode that proc_child_new would make. */
uint64_t proc_child_ino(const struct inode *dir, const struct proc_node *node, int32_t number);
uint64_t proc_entry_ino(const struct proc_entry *e);
/* @root_pid: the process's number in the root namespace, or 0. */
uint64_t proc_ino(const struct proc_node *node, int32_t root_pid, bool thread, int32_t number,
		  size_t prefix);
/* Delivers "." and ".." and the table's nodes: false when the buffer is full. */
bool proc_emit_nodes(struct file *file, struct dir_context *ctx) MUST_CHECK;
extern const struct file_ops proc_dir_file_ops;

/* A reference on the task of @inode's pid; NULL: gone. */
struct task *proc_task(const struct inode *inode) MUST_CHECK;
/* ptrace access of the calling task; the sentry itself may always. */
bool proc_may_access(struct task *target, int mode);

/* --- text files (proc_file.c) --------------------------------------------------------- */

int proc_file_open(struct inode *inode, struct file *file) MUST_CHECK;
extern const struct file_ops proc_text_ops;
/* For nodes with file_ops of their own that show text all the same. */
ssize_t proc_text_read(struct file *file, struct io_iter *to, uint64_t *pos);
int64_t proc_text_llseek(struct file *file, int64_t offset, int whence);
void proc_text_release(struct file *file);
int64_t proc_mem_llseek(struct file *file, int64_t offset, int whence); /* proc_mem.c: addresses */
/* What the node's file_ops keep for the open file, in their hands: they free it. */
void *proc_file_extra(struct file *file);
void *proc_file_swap_extra(struct file *file, void *extra) MUST_CHECK; /* what it was */
void *proc_mounts_open(struct file *file); /* proc_mounts.c; NULL: nothing */
/* Fills in @c for an inode; @file may be NULL.  -ESRCH when the process is gone. */
int proc_call_begin(struct inode *inode, struct file *file, struct proc_call *c) MUST_CHECK;
void proc_call_end(struct proc_call *c);
/* PROC_OPEN_*: a reference on the task's mm if it is the one there was at open, and the
 * caller still may look at it; else NULL. */
struct mm *proc_call_mm(const struct proc_call *c) MUST_CHECK;
/* The same for an open file. */
struct mm *proc_file_mm(struct file *file) MUST_CHECK;

/* The user namespace in which ids are shown. */
static inline struct user_namespace *proc_user_ns(const struct proc_call *c)
{
	return c->cred ? c->cred->user_ns : kernel_get()->root_user_ns;
}

/* --- tables ------------------------------------------------------------------------------ */

extern const struct proc_node proc_root_node;  /* proc_root.c */
extern const struct proc_node proc_tgid_node;  /* proc_task.c: /proc/PID */
extern const struct proc_node proc_tid_node;   /* /proc/PID/task/TID */
extern const struct proc_dir proc_task_dir;    /* /proc/PID/task */
extern const struct proc_dir proc_fd_dir, proc_fdinfo_dir; /* proc_fd.c */
/* By mode, or as the process itself. */
int proc_own_permission(struct inode *dir, int mask, const struct credentials *cred) MUST_CHECK;
extern const struct proc_dir proc_map_files_dir; /* proc_map_files.c */
extern const struct proc_dir proc_ns_dir;      /* proc_ns.c */
extern const struct proc_dir proc_net_dir;     /* system/proc_net.c */
extern const struct proc_dir proc_attr_dir;    /* proc_security.c */
extern const struct proc_dir proc_sys_dir;     /* sys/proc_sysctl.c */
extern const struct proc_dir proc_sysvipc_dir; /* system/proc_ipc.c */
extern const struct file_ops proc_mounts_ops, proc_mem_ops, proc_maps_ops, proc_pagemap_ops;
int proc_ns_init(struct kernel *k) MUST_CHECK;

/* Whether hidepid lets the caller see @t, whose check needs at least level @min. */
bool proc_pid_visible(const struct proc_super *ps, struct task *t, enum proc_hidepid min);

/* Text makers, each named after its file. */
typedef int proc_show_fn(const struct proc_call *c, struct strbuf *out);
typedef int proc_may_store_fn(const struct proc_call *c, uint64_t whole);
typedef int proc_store_fn(const struct proc_call *c, char *text, size_t size);
typedef int proc_readlink_fn(const struct proc_call *c, char **out);
typedef int proc_get_link_fn(const struct proc_call *c, struct path *out);

/* of a process */
proc_show_fn proc_show_stat, proc_show_statm, proc_show_status; /* proc_stat.c, proc_status.c */
proc_show_fn proc_show_cmdline, proc_show_environ, proc_show_auxv; /* proc_mem.c */
proc_show_fn proc_show_smaps_rollup;
proc_store_fn proc_store_clear_refs; /* proc_pagemap.c */
proc_show_fn proc_show_mounts, proc_show_mountinfo, proc_show_mountstats;
proc_show_fn proc_show_comm, proc_show_limits, proc_show_io, proc_show_wchan, proc_show_stack,
	proc_show_syscall, proc_show_personality, proc_show_sched, proc_show_schedstat,
	proc_show_children, proc_show_timerslack, proc_show_timers, proc_show_oom_score,
	proc_show_oom_score_adj, proc_show_oom_adj, proc_show_cgroup, proc_show_cpuset,
	proc_show_coredump_filter, proc_show_arch_status, proc_show_autogroup;
proc_store_fn proc_store_comm, proc_store_sched, proc_store_timerslack, proc_store_oom_score_adj,
	proc_store_oom_adj, proc_store_coredump_filter;
proc_show_fn proc_show_uid_map, proc_show_gid_map, proc_show_projid_map, proc_show_setgroups,
	proc_show_loginuid, proc_show_sessionid;
proc_show_fn proc_show_timens_offsets;
proc_store_fn proc_store_timens_offsets;
/* Whether the caller may open setgroups of @inode's task for writing: 0, -EACCES, -ESRCH. */
int proc_may_set_groups(struct inode *inode) MUST_CHECK;
proc_may_store_fn proc_may_store_map;
proc_store_fn proc_store_uid_map, proc_store_gid_map, proc_store_projid_map, proc_store_setgroups,
	 proc_store_loginuid;
proc_may_store_fn proc_may_store_loginuid;
proc_readlink_fn proc_readlink_exe, proc_readlink_cwd, proc_readlink_root;
proc_get_link_fn proc_get_exe, proc_get_cwd, proc_get_root;

/* The priority that stat shows (proc_stat.c): 0 to 39, negative for real-time tasks. */
int proc_priority(struct task *t);

/* A decimal number with space around it, which is cut off of @text; -EINVAL. */
int proc_parse_int(char *text, int *out) MUST_CHECK;

/* of the system */
proc_show_fn proc_show_cpuinfo, proc_show_cpu_stat, proc_show_interrupts, proc_show_softirqs,
	proc_show_meminfo, proc_show_vmstat, proc_show_zoneinfo, proc_show_buddyinfo,
	proc_show_uptime, proc_show_loadavg, proc_show_version, proc_show_kernel_cmdline,
	proc_show_filesystems, proc_show_devices, proc_show_modules, proc_show_swaps,
	proc_show_partitions, proc_show_diskstats, proc_show_cgroups, proc_show_consoles,
	proc_show_crypto, proc_show_dma, proc_show_iomem, proc_show_ioports, proc_show_locks,
	proc_show_misc, proc_show_key_users, proc_show_keys, proc_show_slabinfo,
	proc_show_execdomains, proc_show_fb;
extern const struct proc_dir proc_tty_dir;

/* The "lock:" lines of fdinfo: what @file locked and @fds, or it itself, holds (proc_locks.c). */
void proc_show_file_locks(const struct proc_call *c, const struct file *file, const struct fd_table *fds,
			  struct strbuf *out);

/* --- maps and smaps (proc_maps.c, proc_smaps.c) ------------------------------------------- */

#define PROC_MAPS_NAME_COLUMN 73

void proc_maps_line(const struct vma *vma, struct strbuf *out);
/* What is mapped, as a link shows it; for those that are a file or stand for one. */
int proc_vma_object_text(const struct vma *vma, char **out) MUST_CHECK;

/* A part of the host's smaps of a stub; zeroes at first. */
struct smaps_window {
	struct host_smaps_entry *entries; /* owned; in order of address */
	size_t count, next, limit;
	uint64_t end; /* below it all is known, from where the window begins */
};
void smaps_window_free(struct smaps_window *w);
/* Mappings come in order of address. */
int proc_smaps_record(struct mm *mm, struct smaps_window *w, const struct vma *vma,
		      struct strbuf *out) MUST_CHECK;

/* A path text made absolute for the caller, for readlink. */
int proc_path_text(const struct path *p, char **out) MUST_CHECK;
/* Adds @text, with characters of @special written in octal (seq_escape). */
void proc_add_escaped(struct strbuf *out, const char *text, const char *special);
