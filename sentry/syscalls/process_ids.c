/* SPDX-License-Identifier: Apache-2.0 */
/* Process, thread, process group and session numbers, in the caller's pid namespace. */
#include "sentry/kernel/task_internal.h"
#include "sentry/kernel/terminal.h"
#include "sentry/syscalls/handlers.h"

int64_t sys_getpid(struct task *t, const struct syscall_args *a)
{
	return task_tgid_in(t, t->pid.ns);
}

int64_t sys_gettid(struct task *t, const struct syscall_args *a)
{
	return task_tid_in(t, t->pid.ns);
}

int64_t sys_getppid(struct task *t, const struct syscall_args *a)
{
	return task_ppid_in(t, t->pid.ns);
}

int64_t sys_set_tid_address(struct task *t, const struct syscall_args *a)
{
	t->clear_child_tid = arg_addr(a, 0);
	return task_tid_in(t, t->pid.ns);
}

/* The task meant by a pid argument, 0 being the caller. */
static struct task *task_by_pid(struct task *t, int32_t pid)
{
	return pid ? task_lookup(t->pid.ns, pid) : task_get(t);
}

int64_t sys_getpgid(struct task *t, const struct syscall_args *a)
{
	struct task *target = task_by_pid(t, arg_int(a, 0));
	int64_t id;

	if (!target)
		return -ESRCH;
	id = task_pgid_in(target, t->pid.ns);
	task_put(target);
	return id;
}

int64_t sys_getpgrp(struct task *t, const struct syscall_args *a)
{
	return task_pgid_in(t, t->pid.ns);
}

int64_t sys_getsid(struct task *t, const struct syscall_args *a)
{
	struct task *target = task_by_pid(t, arg_int(a, 0));
	int64_t id;

	if (!target)
		return -ESRCH;
	id = task_sid_in(target, t->pid.ns);
	task_put(target);
	return id;
}

static int check_setpgid_target(struct thread_group *self, struct thread_group *g)
{
	struct process_group *own = self->process_group;

	if (g != self) {
		if (g->parent != self)
			return -ESRCH;
		if (!g->process_group || g->process_group->session != own->session)
			return -EPERM;
		if (g->has_execed)
			return -EACCES;
	}
	return g->process_group && g->process_group->session->leader == g ? -EPERM : 0;
}

static int setpgid_locked(struct task *t, int32_t pid, int32_t pgid)
{
	struct thread_group *g = thread_group_find_locked(t->pid.ns, pid);
	struct process_group *pg;
	struct pid *p;
	int rc;

	if (!g) /* a thread that is no leader is no process */
		return task_find_locked(t->pid.ns, pid) ? -EINVAL : -ESRCH;
	rc = check_setpgid_target(t->group, g);
	if (rc)
		return rc;
	if (pgid != pid) {
		p = pid_find_locked(t->pid.ns, pgid);
		if (!p || !p->process_group ||
		    p->process_group->session != g->process_group->session)
			return -EPERM;
		process_group_join_locked(g, p->process_group);
		return 0;
	}
	if (g->pid_object->process_group) {
		process_group_join_locked(g, g->pid_object->process_group);
		return 0;
	}
	rc = process_group_new_locked(g->pid_object, g->process_group->session, &pg);
	if (rc)
		return rc;
	process_group_join_locked(g, pg);
	process_group_put_locked(pg);
	return 0;
}

int64_t sys_setpgid(struct task *t, const struct syscall_args *a)
{
	int32_t pid = arg_int(a, 0), pgid = arg_int(a, 1);
	int rc;

	if (!pid)
		pid = task_tgid_in(t, t->pid.ns);
	if (!pgid)
		pgid = pid;
	if (pgid < 0)
		return -EINVAL;
	mutex_lock(&t->kernel->tasklist_lock);
	rc = setpgid_locked(t, pid, pgid);
	mutex_unlock(&t->kernel->tasklist_lock);
	return rc;
}

int64_t sys_setsid(struct task *t, const struct syscall_args *a)
{
	struct thread_group *g = t->group;
	struct process_group *pg;
	int64_t rc = -EPERM;

	mutex_lock(&t->kernel->tasklist_lock);
	if (g->process_group->session->leader != g && !g->pid_object->process_group) {
		rc = session_new_locked(g->pid_object, g, &pg);
		if (!rc) {
			process_group_join_locked(g, pg);
			process_group_put_locked(pg);
			terminal_forget_locked(g);
			rc = pid_number_in(&g->pid, t->pid.ns);
		}
	}
	mutex_unlock(&t->kernel->tasklist_lock);
	return rc;
}
