/* SPDX-License-Identifier: Apache-2.0 */
/* kill, tkill, tgkill, rt_sigqueueinfo, rt_tgsigqueueinfo, pidfd_send_signal. */
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/signal.h"
#include "sentry/abi/wait.h"
#include "sentry/fs/proc/proc.h"
#include "sentry/kernel/pidfd.h"
#include "sentry/kernel/task_internal.h"
#include "sentry/syscalls/handlers.h"

static bool signal_is_valid(int signo)
{
	return signo >= 0 && signo <= LINUX_NSIG;
}

/* One process; @info NULL: as kill(2).  Signal 0 only checks. */
static int signal_process(struct task *t, struct task *target, int signo,
			  const struct linux_siginfo *info)
{
	struct linux_siginfo made;
	int rc = signal_permission(t, target, signo);

	if (rc || !signo)
		return rc;
	if (info)
		made = *info;
	else
		signal_fill_user(&made, signo, LINUX_SI_USER, t, target);
	rc = signal_send_group(target->group, &made);
	/* A zombie takes signals without effect. */
	return rc == -ESRCH ? 0 : rc;
}

/* Leaders of a process group, or of everyone (@pgid 0), as references. */
struct targets {
	struct task **tasks;
	size_t count, capacity;
};

static int targets_add(struct targets *list, struct task *t)
{
	if (list->count == list->capacity) {
		size_t capacity = list->capacity ? list->capacity * 2 : 32;
		struct task **grown = realloc(list->tasks, capacity * sizeof(struct task *));

		if (!grown)
			return -ENOMEM;
		list->tasks = grown;
		list->capacity = capacity;
	}
	list->tasks[list->count++] = task_get(t);
	return 0;
}

static int collect_group(struct task *t, int32_t pgid, struct targets *list)
{
	struct process_group *pg;
	struct thread_group *g;
	struct pid *p;
	int rc = 0;

	mutex_lock(&t->kernel->tasklist_lock);
	p = pgid ? pid_find_locked(t->pid.ns, pgid) : NULL;
	pg = pgid ? (p ? p->process_group : NULL) : t->group->process_group;
	if (pg) {
		list_for_each(g, &pg->members, process_group_node)
			if (g->leader && !rc)
				rc = targets_add(list, g->leader);
	}
	mutex_unlock(&t->kernel->tasklist_lock);
	return rc;
}

/* kill(-1): everyone in the namespace but its init and the caller. */
static int collect_everyone(struct task *t, struct targets *list)
{
	struct thread_group *g;
	int rc = 0;

	mutex_lock(&t->kernel->tasklist_lock);
	list_for_each(g, &t->kernel->groups, all_node) {
		if (pid_number_in(&g->pid, t->pid.ns) <= 1 || g == t->group || !g->leader || rc)
			continue;
		rc = targets_add(list, g->leader);
	}
	mutex_unlock(&t->kernel->tasklist_lock);
	return rc;
}

/* A process group: success if one could be signalled, else the last error. */
static int signal_many(struct task *t, struct targets *list, int signo,
		       const struct linux_siginfo *info, bool everyone)
{
	int result = everyone && list->count ? 0 : -ESRCH;
	bool success = false;

	for (size_t i = 0; i < list->count; i++) {
		int rc = signal_process(t, list->tasks[i], signo, info);

		success = success || !rc;
		/* kill(-1) passes over those it may not signal. */
		if (!everyone || rc != -EPERM)
			result = rc;
		task_put(list->tasks[i]);
	}
	free(list->tasks);
	return success ? 0 : result;
}

int64_t sys_kill(struct task *t, const struct syscall_args *a)
{
	int32_t pid = arg_int(a, 0), signo = arg_int(a, 1);
	struct targets list = { 0 };
	struct task *target;
	int rc;

	if (pid > 0) {
		target = task_lookup(t->pid.ns, pid);
		if (!target)
			return -ESRCH;
		rc = signal_is_valid(signo) ? signal_process(t, target, signo, NULL) : -EINVAL;
		task_put(target);
		return rc;
	}
	if (pid == INT32_MIN)
		return -ESRCH;
	rc = pid == -1 ? collect_everyone(t, &list) : collect_group(t, -pid, &list);
	if (!rc && list.count && !signal_is_valid(signo))
		rc = -EINVAL;
	if (rc) {
		for (size_t i = 0; i < list.count; i++)
			task_put(list.tasks[i]);
		free(list.tasks);
		return rc;
	}
	return signal_many(t, &list, signo, NULL, pid == -1);
}

static int64_t signal_thread(struct task *t, int32_t tgid, int32_t tid, int signo,
			     const struct linux_siginfo *info)
{
	struct task *target = task_lookup(t->pid.ns, tid);
	struct linux_siginfo made;
	int rc = -ESRCH;

	if (target && (tgid <= 0 || task_tgid_in(target, t->pid.ns) == tgid)) {
		rc = signal_is_valid(signo) ? signal_permission(t, target, signo) : -EINVAL;
		if (!rc && signo) {
			if (info)
				made = *info;
			else
				signal_fill_user(&made, signo, LINUX_SI_TKILL, t, target);
			rc = signal_send_task(target, &made);
			if (rc == -ESRCH)
				rc = 0; /* exiting: delivered in time, one may say */
		}
	}
	task_put(target);
	return rc;
}

int64_t sys_tkill(struct task *t, const struct syscall_args *a)
{
	if (arg_int(a, 0) <= 0)
		return -EINVAL;
	return signal_thread(t, 0, arg_int(a, 0), arg_int(a, 1), NULL);
}

int64_t sys_tgkill(struct task *t, const struct syscall_args *a)
{
	if (arg_int(a, 0) <= 0 || arg_int(a, 1) <= 0)
		return -EINVAL;
	return signal_thread(t, arg_int(a, 0), arg_int(a, 1), arg_int(a, 2), NULL);
}

static int copy_in_siginfo(struct task *t, guest_addr_t src, int signo, struct linux_siginfo *info)
{
	int rc = copy_in(t->mm, info, src, sizeof(*info));

	info->signo = signo;
	return rc;
}

/* Only to oneself may a signal look as if it came from the kernel or from kill. */
static bool may_forge(const struct linux_siginfo *info, bool to_self)
{
	return to_self || (info->code < 0 && info->code != LINUX_SI_TKILL);
}

int64_t sys_rt_sigqueueinfo(struct task *t, const struct syscall_args *a)
{
	int32_t pid = arg_int(a, 0), signo = arg_int(a, 1);
	struct linux_siginfo info;
	struct task *target;
	int rc = copy_in_siginfo(t, arg_addr(a, 2), signo, &info);

	if (rc)
		return rc;
	if (!may_forge(&info, pid == task_tid_in(t, t->pid.ns)))
		return -EPERM;
	target = task_lookup(t->pid.ns, pid);
	if (!target)
		return -ESRCH;
	rc = signal_is_valid(signo) ? signal_process(t, target, signo, &info) : -EINVAL;
	task_put(target);
	return rc;
}

int64_t sys_rt_tgsigqueueinfo(struct task *t, const struct syscall_args *a)
{
	int32_t tgid = arg_int(a, 0), tid = arg_int(a, 1), signo = arg_int(a, 2);
	struct linux_siginfo info;
	int rc = copy_in_siginfo(t, arg_addr(a, 3), signo, &info);

	if (rc)
		return rc;
	if (tgid <= 0 || tid <= 0)
		return -EINVAL;
	if (!may_forge(&info, tid == task_tid_in(t, t->pid.ns)))
		return -EPERM;
	return signal_thread(t, tgid, tid, signo, &info);
}

/* PIDFD_SELF_*: a reference. */
static struct task *self_target(struct task *t, bool thread)
{
	struct task *target;

	mutex_lock(&t->kernel->tasklist_lock);
	target = task_get(thread ? t : t->group->leader);
	mutex_unlock(&t->kernel->tasklist_lock);
	return target;
}

/*
 * The task of a pidfd, or of a directory of /proc; a reference.  *scope: what such a
 * descriptor stands for.
 */
static int pidfd_target(struct task *t, int fd, struct task **out, uint32_t *scope)
{
	struct file *file;
	bool thread;
	int rc = 0;

	if (fd == LINUX_PIDFD_SELF_THREAD || fd == LINUX_PIDFD_SELF_THREAD_GROUP) {
		thread = fd == LINUX_PIDFD_SELF_THREAD;
		*out = self_target(t, thread);
	} else {
		file = fd_table_lookup(t->fds, fd);
		if (!file)
			return -EBADF;
		thread = pidfd_group(file) && pidfd_is_thread(file);
		rc = pidfd_group(file) ? pidfd_task(file, out) : proc_task_of_directory(file, out);
		file_put(file);
	}
	*scope = thread ? LINUX_PIDFD_SIGNAL_THREAD : LINUX_PIDFD_SIGNAL_THREAD_GROUP;
	return rc;
}

/* Where a pidfd's signal goes: its thread, its process, or its process group. */
static int64_t signal_scope(struct task *t, struct task *target, uint32_t scope, int signo,
			    const struct linux_siginfo *info)
{
	struct targets list = { 0 };
	int rc;

	if (atomic_load(&target->state) == TASK_DEAD)
		return -ESRCH;
	if (!signal_is_valid(signo))
		return -EINVAL;
	switch (scope) {
	case LINUX_PIDFD_SIGNAL_THREAD:
		return signal_thread(t, 0, task_tid_in(target, t->pid.ns), signo, info);
	case LINUX_PIDFD_SIGNAL_PROCESS_GROUP:
		rc = collect_group(t, task_tid_in(target, t->pid.ns), &list);
		return rc ? rc : signal_many(t, &list, signo, info, false);
	default:
		return signal_process(t, target, signo, info);
	}
}

static int64_t pidfd_signal(struct task *t, struct task *target, uint32_t scope, int signo,
			    guest_addr_t from)
{
	bool given = !guest_is_null(from);
	struct linux_siginfo info;
	int rc = 0;

	if (!pid_number_in(&target->group->pid, t->pid.ns))
		return -EINVAL;
	if (given)
		rc = copy_in(t->mm, &info, from, sizeof(info));
	/* It names its signal itself. */
	if (!rc && given && info.signo != signo)
		rc = -EINVAL;
	/* Only to oneself, and not to one's group. */
	if (!rc && given &&
	    !may_forge(&info, target == t && scope != LINUX_PIDFD_SIGNAL_PROCESS_GROUP))
		rc = -EPERM;
	return rc ? rc : signal_scope(t, target, scope, signo, given ? &info : NULL);
}

int64_t sys_pidfd_send_signal(struct task *t, const struct syscall_args *a)
{
	uint32_t flags = arg_u32(a, 3), scope = 0;
	struct task *target;
	int64_t rc;

	if ((flags & ~LINUX_PIDFD_SIGNAL_FLAGS) || (flags & (flags - 1)))
		return -EINVAL;
	rc = pidfd_target(t, arg_int(a, 0), &target, &scope);
	if (rc)
		return rc;
	rc = pidfd_signal(t, target, flags ? flags : scope, arg_int(a, 1), arg_addr(a, 2));
	task_put(target);
	return rc;
}
