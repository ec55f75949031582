/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What `moat debug` asks: the threads of a container and where they are, and the log of system
 * calls.  A thread is looked at as it goes by: nothing is stopped, so what is said of one that moves
 * is a moment's truth, as in /proc/PID/syscall.
 */
#include "sentry/boot/sandbox.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "sentry/kernel/pid.h"
#include "sentry/syscalls/syscall.h"
#include "sentry/trace/strace.h"
#include "sentry/vfs/vfs.h"

/* The name of what is mapped at t->ip, as the container's root sees it. */
static void find_place(struct sandbox_container *c, struct mm *mm, struct control_task *t)
{
	struct path root = { NULL, NULL };
	char buf[VFS_PATH_MAX], *at;
	struct file *file;
	struct vma vma;

	if (!mm_find_vma(mm, t->ip, &vma))
		return;
	if (t->ip >= vma.start) {
		file = file_from_mappable(vma.object);
		t->file_offset = vma.offset + (t->ip - vma.start);
		mount_namespace_root(c->mounts, &root);
		if (vma.name)
			snprintf(t->file, sizeof(t->file), "%s", vma.name);
		else if (file && file_path_string(file, &root, buf, sizeof(buf), &at) == 0)
			snprintf(t->file, sizeof(t->file), "%s", at);
		path_put(&root);
	}
	mm_vma_release(&vma);
}

static void describe_call(struct task *t, struct control_task *out)
{
	out->in_call = 1;
	out->call = task_call_look(t, out->args);
	out->ip = atomic_load(&t->user_ip);
	if (out->call < SYSCALL_TABLE_SIZE && syscall_table[out->call].name)
		snprintf(out->call_name, sizeof(out->call_name), "%s",
			 syscall_table[out->call].name);
}

static void describe_task(struct sandbox_container *c, struct task *t, int32_t pid, int32_t tid,
			  struct control_task *out)
{
	int state = task_state_char(t);
	struct mm *mm;

	out->pid = pid;
	out->tid = tid;
	out->state = (char)state;
	mutex_lock(&t->lock);
	memcpy(out->comm, t->comm, sizeof(out->comm));
	mutex_unlock(&t->lock);
	/* Of one that runs in the guest, the last call is over. */
	if (state == TASK_ZOMBIE || state == TASK_DEAD || atomic_load(&t->in_guest))
		return;
	describe_call(t, out);
	mm = task_mm_get(t);
	if (mm)
		find_place(c, mm, out);
	mm_put(mm);
}

/* The threads of one group behind @tid.  False: the page is full. */
static bool add_group(struct sandbox_container *c, struct thread_group *g, int32_t pid, int32_t tid,
		      struct control_tasks_reply *out)
{
	struct task *t;

	while ((t = task_next_thread(g, c->pid_ns, tid + 1, &tid))) {
		if (out->count == CONTROL_TASKS_PAGE) {
			task_put(t);
			return false;
		}
		describe_task(c, t, pid, tid, &out->tasks[out->count++]);
		task_put(t);
	}
	return true;
}

int sandbox_op_tasks(void *arg, const struct control_tasks_request *request,
		     struct control_tasks_reply *out, struct control_failure *why)
{
	struct sandbox_container *c = arg;
	int32_t pid = request->after_pid > 0 ? request->after_pid - 1 : 0;
	struct task *leader;

	(void)why;
	while (!out->more && (leader = sandbox_container_next(c, pid + 1, &pid))) {
		int32_t after = pid == request->after_pid ? request->after_tid : 0;

		if (!add_group(c, leader->group, pid, after, out))
			out->more = 1;
		task_put(leader);
	}
	return 0;
}

int sandbox_op_strace(void *arg, bool on, struct control_failure *why)
{
	struct sandbox_container *c = arg;

	if (on && c->sandbox->debug_log < 0) {
		control_failure_set(why, "the container has no --debug-log to write system calls to");
		return -ENOENT;
	}
	strace_enable(on ? c->sandbox->debug_log : -1);
	return 0;
}
