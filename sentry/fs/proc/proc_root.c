/* SPDX-License-Identifier: Apache-2.0 */
/* /proc itself: the files of the system, then self and thread-self, then the processes. */
#include "sentry/fs/proc/proc_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/vfs/dir_emit.h"
#include "util/parse.h"

/* --- links to the caller ---------------------------------------------------------------- */

static int copy_text(const char *text, char **out)
{
	*out = strdup(text);
	return *out ? 0 : -ENOMEM;
}

static int readlink_self(const struct proc_call *c, char **out)
{
	struct task *t = task_current();
	int32_t tgid = t ? task_tgid_in(t, c->super->ns) : 0;
	char text[24];

	if (!tgid)
		return -ENOENT;
	snprintf(text, sizeof(text), "%d", tgid);
	return copy_text(text, out);
}

static int readlink_thread_self(const struct proc_call *c, char **out)
{
	struct task *t = task_current();
	int32_t tgid = t ? task_tgid_in(t, c->super->ns) : 0;
	char text[48];

	if (!tgid)
		return -ENOENT;
	snprintf(text, sizeof(text), "%d/task/%d", tgid, task_tid_in(t, c->super->ns));
	return copy_text(text, out);
}

static int readlink_mounts(const struct proc_call *c, char **out)
{
	return copy_text("self/mounts", out);
}

static int readlink_net(const struct proc_call *c, char **out)
{
	return copy_text("self/net", out);
}

/* --- the table ----------------------------------------------------------------------------- */

#define PROC_SELF(n, fn)                                             \
	{ .name = (n), .mode = LINUX_S_IFLNK | 0777, .readlink = (fn), \
	  .flags = PROC_CALLER_LINK }

static const struct proc_dir empty_dir = { .nodes = NULL, .count = 0 };

static const struct proc_node root_nodes[] = {
	PROC_FILE("buddyinfo", 0400, proc_show_buddyinfo),
	PROC_SUBDIR("bus", 0555, &empty_dir),
	PROC_FILE("cgroups", 0444, proc_show_cgroups),
	PROC_FILE("cmdline", 0444, proc_show_kernel_cmdline),
	PROC_FILE("consoles", 0444, proc_show_consoles),
	PROC_FILE("cpuinfo", 0444, proc_show_cpuinfo),
	PROC_FILE("crypto", 0444, proc_show_crypto),
	PROC_FILE("devices", 0444, proc_show_devices),
	PROC_FILE("diskstats", 0444, proc_show_diskstats),
	PROC_FILE("dma", 0444, proc_show_dma),
	PROC_SUBDIR("driver", 0555, &empty_dir),
	PROC_FILE("execdomains", 0444, proc_show_execdomains),
	PROC_FILE("fb", 0444, proc_show_fb),
	PROC_FILE("filesystems", 0444, proc_show_filesystems),
	PROC_SUBDIR("fs", 0555, &empty_dir),
	PROC_FILE("interrupts", 0444, proc_show_interrupts),
	PROC_FILE("iomem", 0400, proc_show_iomem),
	PROC_FILE("ioports", 0400, proc_show_ioports),
	PROC_SUBDIR("irq", 0555, &empty_dir),
	PROC_FILE("key-users", 0444, proc_show_key_users),
	PROC_FILE("keys", 0444, proc_show_keys),
	PROC_FILE("loadavg", 0444, proc_show_loadavg),
	PROC_FILE("locks", 0444, proc_show_locks),
	PROC_FILE("meminfo", 0444, proc_show_meminfo),
	PROC_FILE("misc", 0444, proc_show_misc),
	PROC_FILE("modules", 0444, proc_show_modules),
	PROC_SYMLINK("mounts", readlink_mounts),
	PROC_SYMLINK("net", readlink_net),
	PROC_FILE("partitions", 0444, proc_show_partitions),
	PROC_SELF("self", readlink_self),
	PROC_FILE("slabinfo", 0400, proc_show_slabinfo),
	PROC_FILE("softirqs", 0444, proc_show_softirqs),
	PROC_FILE("stat", 0444, proc_show_cpu_stat),
	PROC_FILE("swaps", 0444, proc_show_swaps),
	PROC_SUBDIR("sys", 0555, &proc_sys_dir),
	PROC_SUBDIR("sysvipc", 0555, &proc_sysvipc_dir),
	PROC_SELF("thread-self", readlink_thread_self),
	PROC_SUBDIR("tty", 0555, &proc_tty_dir),
	PROC_FILE("uptime", 0444, proc_show_uptime),
	PROC_FILE("version", 0444, proc_show_version),
	PROC_FILE("vmstat", 0444, proc_show_vmstat),
	PROC_FILE("zoneinfo", 0400, proc_show_zoneinfo),
};

/* --- processes --------------------------------------------------------------------------- */

static bool in_group(const struct credentials *cred, uint32_t gid)
{
	return cred->egid == gid || credentials_in_group(cred, gid);
}

bool proc_pid_visible(const struct proc_super *ps, struct task *t, enum proc_hidepid min)
{
	struct task *caller = task_current();

	if (!caller)
		return true;
	if (ps->hidepid != HIDEPID_PTRACEABLE) {
		if (ps->hidepid < min)
			return true;
		if (in_group(caller->cred, ps->gid))
			return true;
	}
	return proc_may_access(t, PTRACE_MODE_READ | PTRACE_MODE_FSCREDS);
}

/* The reference on the pid keeps no task: the entry is empty once it is reaped. */
static int pid_inode_new(struct inode *dir, int32_t number, struct inode **out)
{
	struct proc_entry e = { .node = &proc_tgid_node };
	struct mutex *tasklist = &kernel_get()->tasklist_lock;
	struct task *t = NULL;
	int rc = -ENOENT;

	mutex_lock(tasklist);
	e.pid = pid_find_locked(proc_super(dir)->ns, number);
	if (e.pid && e.pid->task) {
		pid_get(e.pid);
		t = task_get(e.pid->task);
	}
	mutex_unlock(tasklist);
	if (!t)
		return rc;
	if (proc_super(dir)->hidepid != HIDEPID_PTRACEABLE ||
	    proc_pid_visible(proc_super(dir), t, HIDEPID_NO_ACCESS))
		rc = proc_inode_new(dir->sb, &e, out);
	task_put(t);
	pid_put(e.pid);
	return rc;
}

static int root_lookup_pid(struct inode *dir, const char *name, struct inode **out)
{
	uint32_t number;

	if (name[0] == '0' || parse_u32(name, &number) < 0 || number > INT32_MAX)
		return -ENOENT;
	return pid_inode_new(dir, (int32_t)number, out);
}

/* Of one process; false: the buffer is full. */
static bool emit_process(struct file *file, struct dir_context *ctx, struct task *t, int32_t tgid)
{
	char name[16];
	int size = snprintf(name, sizeof(name), "%d", tgid);

	if (!proc_pid_visible(proc_super(file->inode), t, HIDEPID_INVISIBLE))
		return true;
	return dir_emit(ctx, name, (size_t)size, PROC_DYNAMIC + (uint64_t)tgid + 1,
			proc_ino(&proc_tgid_node, t->group->pid.numbers[0], false, 0, 0),
			LINUX_DT(LINUX_S_IFDIR));
}

static int root_iterate(struct file *file, struct dir_context *ctx)
{
	struct pid_namespace *ns = proc_super(file->inode)->ns;
	bool room = true;

	while (room) {
		int32_t tgid, from = (int32_t)(ctx->pos - PROC_DYNAMIC);
		struct task *t = task_next_group(ns, from > 0 ? from : 1, &tgid);

		if (!t)
			break;
		room = emit_process(file, ctx, t, tgid);
		if (room) /* also behind one that is not visible */
			ctx->pos = PROC_DYNAMIC + (uint64_t)tgid + 1;
		task_put(t);
	}
	return 0;
}

static unsigned root_links(struct inode *dir)
{
	struct mutex *tasklist = &kernel_get()->tasklist_lock;
	struct thread_group *g;
	unsigned count = 0;

	mutex_lock(tasklist);
	list_for_each(g, &kernel_get()->groups, all_node)
		count++;
	mutex_unlock(tasklist);
	return count;
}

static const struct proc_dir root_dir = {
	.nodes = root_nodes,
	.count = ARRAY_SIZE(root_nodes),
	.lookup = root_lookup_pid,
	.iterate = root_iterate,
	.links = root_links,
};

const struct proc_node proc_root_node = PROC_SUBDIR("/", 0555, &root_dir);
