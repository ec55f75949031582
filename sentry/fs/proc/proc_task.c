/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of /proc/PID and /proc/PID/task/TID, and the directory of threads. */
#include "sentry/fs/proc/proc_internal.h"

#include <errno.h>
#include <stdio.h>

#include "sentry/vfs/dir_emit.h"
#include "sentry/vfs/permission.h"
#include "util/parse.h"

#define MOUNTS_FILE(n, fn, m) \
	{ .name = (n), .mode = LINUX_S_IFREG | (m), .show = (fn), .file_ops = &proc_mounts_ops }

#define MAPS_FILE(n, fl)                                                                         \
	{ .name = (n), .mode = LINUX_S_IFREG | 0444, .file_ops = &proc_maps_ops,                 \
	  .flags = PROC_OPEN_READ | (fl) }

#define FD_NODE PROC_SUBDIR("fd", 0500, &proc_fd_dir)

/* What else a process and a thread have in common, in the order of Linux's listing. */
#define COMMON_NODES                                                                             \
	PROC_SUBDIR("fdinfo", 0555, &proc_fdinfo_dir),                                           \
	PROC_SUBDIR("ns", 0511, &proc_ns_dir),                                                   \
	PROC_SUBDIR("net", 0555, &proc_net_dir),                                                 \
	PROC_CHECKED("environ", 0400, proc_show_environ, PROC_OPEN_READ | PROC_OPEN_MM | PROC_PLAIN_FILE),\
	PROC_CHECKED("auxv", 0400, proc_show_auxv, PROC_OPEN_READ | PROC_OPEN_MM | PROC_PLAIN_FILE),\
	PROC_FILE("status", 0444, proc_show_status),                                             \
	PROC_CHECKED("personality", 0400, proc_show_personality, PROC_SHOW_ATTACH),              \
	PROC_FILE("limits", 0444, proc_show_limits),                                             \
	PROC_RW("sched", 0644, proc_show_sched, proc_store_sched),                               \
	PROC_RW("comm", 0644, proc_show_comm, proc_store_comm),                                  \
	PROC_CHECKED("syscall", 0400, proc_show_syscall, PROC_SHOW_ATTACH),                      \
	PROC_PLAIN("cmdline", 0444, proc_show_cmdline, NULL),                                   \
	PROC_FILE("stat", 0444, proc_show_stat),                                                 \
	PROC_FILE("statm", 0444, proc_show_statm),                                               \
	MAPS_FILE("maps", 0),                                                                    \
	{ .name = "mem", .mode = LINUX_S_IFREG | 0600, .file_ops = &proc_mem_ops,                \
	  .flags = PROC_OPEN_ATTACH | PROC_OPEN_MM },                                           \
	PROC_MAGIC_LINK("cwd", proc_readlink_cwd, proc_get_cwd),                                 \
	PROC_MAGIC_LINK("root", proc_readlink_root, proc_get_root),                              \
	PROC_MAGIC_LINK("exe", proc_readlink_exe, proc_get_exe),                                 \
	MOUNTS_FILE("mounts", proc_show_mounts, 0444),                                           \
	MOUNTS_FILE("mountinfo", proc_show_mountinfo, 0444),                                     \
	{ .name = "clear_refs", .mode = LINUX_S_IFREG | 0200, .store = proc_store_clear_refs,    \
	  .flags = PROC_PLAIN_FILE },                                                           \
	MAPS_FILE("smaps", PROC_SMAPS),                                                          \
	PROC_CHECKED("smaps_rollup", 0444, proc_show_smaps_rollup, PROC_OPEN_READ | PROC_OPEN_MM),              \
	{ .name = "pagemap", .mode = LINUX_S_IFREG | 0400, .file_ops = &proc_pagemap_ops,        \
	  .flags = PROC_OPEN_READ | PROC_OPEN_MM },                                             \
	PROC_SUBDIR("attr", 0555, &proc_attr_dir),                                               \
	PROC_FILE("wchan", 0444, proc_show_wchan),                                               \
	PROC_FILE("stack", 0400, proc_show_stack),                                               \
	PROC_FILE("schedstat", 0444, proc_show_schedstat),                                       \
	PROC_FILE("cpuset", 0444, proc_show_cpuset),                                             \
	PROC_FILE("cgroup", 0444, proc_show_cgroup),                                             \
	PROC_FILE("oom_score", 0444, proc_show_oom_score),                                       \
	PROC_PLAIN("oom_adj", 0644, proc_show_oom_adj, proc_store_oom_adj),                     \
	{ .name = "oom_score_adj", .mode = LINUX_S_IFREG | 0644, .show = proc_show_oom_score_adj,  \
	  .store = proc_store_oom_score_adj, .flags = PROC_PLAIN_FILE | PROC_FAR },                \
	{ .name = "loginuid", .mode = LINUX_S_IFREG | 0644, .show = proc_show_loginuid,         \
	  .store = proc_store_loginuid, .may_store = proc_may_store_loginuid,                   \
	  .flags = PROC_PLAIN_FILE },                                                           \
	PROC_PLAIN("sessionid", 0444, proc_show_sessionid, NULL),                               \
	PROC_CHECKED("io", 0400, proc_show_io, PROC_SHOW_READ),                                  \
	PROC_GUARDED("uid_map", 0644, proc_show_uid_map, proc_store_uid_map, proc_may_store_map), \
	PROC_GUARDED("gid_map", 0644, proc_show_gid_map, proc_store_gid_map, proc_may_store_map), \
	PROC_GUARDED("projid_map", 0644, proc_show_projid_map, proc_store_projid_map, proc_may_store_map), \
	PROC_RW("setgroups", 0644, proc_show_setgroups, proc_store_setgroups),                   \
	PROC_FILE("arch_status", 0444, proc_show_arch_status)

static const struct proc_node tgid_nodes[] = {
	PROC_SUBDIR("task", 0555, &proc_task_dir),
	FD_NODE,
	PROC_SUBDIR("map_files", 0500, &proc_map_files_dir),
	COMMON_NODES,
	PROC_FILE("autogroup", 0644, proc_show_autogroup),
	MOUNTS_FILE("mountstats", proc_show_mountstats, 0400),
	PROC_PLAIN("coredump_filter", 0644, proc_show_coredump_filter, proc_store_coredump_filter),
	PROC_RW("timens_offsets", 0644, proc_show_timens_offsets, proc_store_timens_offsets),
	PROC_CHECKED("timers", 0444, proc_show_timers, PROC_OPEN_READ),
	PROC_RW("timerslack_ns", 0666, proc_show_timerslack, proc_store_timerslack),
};

static const struct proc_node tid_nodes[] = {
	FD_NODE,
	COMMON_NODES,
	PROC_FILE("children", 0444, proc_show_children),
};

/* hidepid keeps others out of the directory of a process. */
static int process_permission(struct inode *dir, int mask, const struct credentials *cred)
{
	const struct proc_super *ps = proc_super(dir);
	struct task *t = proc_task(dir);
	bool may;

	if (!t)
		return -ESRCH;
	may = proc_pid_visible(ps, t, HIDEPID_NO_ACCESS);
	task_put(t);
	if (!may)
		return ps->hidepid == HIDEPID_INVISIBLE ? -ENOENT : -EPERM;
	return inode_permission_by_mode(dir, mask, cred);
}

static const struct proc_dir tgid_dir = {
	.nodes = tgid_nodes,
	.count = ARRAY_SIZE(tgid_nodes),
	.permission = process_permission,
};
static const struct proc_dir tid_dir = PROC_DIR(tid_nodes);

const struct proc_node proc_tgid_node = PROC_SUBDIR("PID", 0555, &tgid_dir);
const struct proc_node proc_tid_node = PROC_SUBDIR("TID", 0555, &tid_dir);

/* Tables are shared by all mounts: an inode with this row is of a procfs. */
int proc_task_of_directory(const struct file *file, struct task **out)
{
	if (file->ops != &proc_dir_file_ops || proc_entry(file->inode)->node != &proc_tgid_node)
		return -EBADF;
	*out = proc_task(file->inode);
	return *out ? 0 : -ESRCH;
}

/* --- /proc/PID/task --------------------------------------------------------------------- */

static int task_lookup_tid(struct inode *dir, const char *name, struct inode **out)
{
	struct proc_entry e = { .node = &proc_tid_node, .thread = true };
	struct task *leader = proc_task(dir);
	struct mutex *tasklist = &kernel_get()->tasklist_lock;
	uint32_t number;
	int rc = -ENOENT;

	if (leader && name[0] != '0' && parse_u32(name, &number) == 0 && number <= INT32_MAX) {
		mutex_lock(tasklist);
		e.pid = pid_find_locked(proc_super(dir)->ns, (int32_t)number);
		if (e.pid && e.pid->task && e.pid->task->group == leader->group)
			pid_get(e.pid);
		else
			e.pid = NULL;
		mutex_unlock(tasklist);
		if (e.pid)
			rc = proc_inode_new(dir->sb, &e, out);
		pid_put(e.pid);
	}
	task_put(leader);
	return rc;
}

static int task_iterate(struct file *file, struct dir_context *ctx)
{
	struct pid_namespace *ns = proc_super(file->inode)->ns;
	struct task *leader = proc_task(file->inode);
	bool room = true;

	while (leader && room) {
		int32_t tid, from = (int32_t)(ctx->pos - PROC_DYNAMIC);
		struct task *t = task_next_thread(leader->group, ns, from > 0 ? from : 1, &tid);
		char name[16];

		if (!t)
			break;
		room = dir_emit(ctx, name, (size_t)snprintf(name, sizeof(name), "%d", tid),
				PROC_DYNAMIC + (uint64_t)tid + 1,
				proc_ino(&proc_tid_node, t->pid.numbers[0], true, 0, 0),
				LINUX_DT(LINUX_S_IFDIR));
		task_put(t);
	}
	task_put(leader);
	return leader ? 0 : -ENOENT;
}

static unsigned task_links(struct inode *dir)
{
	struct task *t = proc_task(dir);
	unsigned count = t ? t->group->thread_count : 0; /* a hint */

	task_put(t);
	return count;
}

const struct proc_dir proc_task_dir = {
	.lookup = task_lookup_tid,
	.iterate = task_iterate,
	.links = task_links,
};
