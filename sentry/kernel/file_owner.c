/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owners of open files: see file_owner.h.  Everything but the signal's number is guarded by
 * tasklist, under which the signals are sent too.
 */
#include <errno.h>
#include <stdlib.h>

#include "sentry/abi/epoll.h"
#include "sentry/abi/fs.h"
#include "sentry/abi/signal.h"
#include "sentry/cred/credentials.h"
#include "sentry/kernel/file_owner.h"
#include "sentry/kernel/kernel.h"
#include "sentry/kernel/pid.h"
#include "sentry/kernel/process_group.h"
#include "sentry/kernel/signal.h"
#include "sentry/kernel/terminal.h"
#include "sentry/vfs/async.h"
#include "sentry/vfs/fifo.h"
#include "sentry/vfs/file.h"

struct file_owner {
	struct pid *pid;	/* reference or NULL; tasklist */
	int32_t type;		/* LINUX_F_OWNER_*; tasklist */
	uint32_t uid, euid;	/* of who set it; tasklist */
	_Atomic int32_t signal; /* F_SETSIG */
};

static struct mutex *tasklist(void)
{
	return &kernel_get()->tasklist_lock;
}

/* The file's owner, made if there is none; NULL without memory. */
static struct file_owner *owner_of(struct file *file)
{
	struct file_owner *owner = atomic_load(&file->owner), *fresh;

	if (owner)
		return owner;
	fresh = calloc(1, sizeof(*fresh));
	if (!fresh)
		return NULL;
	if (atomic_compare_exchange_strong(&file->owner, &owner, fresh))
		return fresh;
	free(fresh);
	return owner;
}

static void owner_free(struct file_owner *owner)
{
	if (owner)
		pid_put(owner->pid);
	free(owner);
}

/* --- setting ------------------------------------------------------------------------------- */

/* Returns what is to be put when tasklist is dropped. */
static struct pid *change_locked(struct task *t, struct file_owner *owner, struct pid *pid, int32_t type)
{
	struct pid *old = owner->pid;

	owner->pid = pid ? pid_get(pid) : NULL;
	owner->type = type;
	if (pid) {
		owner->uid = t->cred->uid;
		owner->euid = t->cred->euid;
	}
	return old;
}

static int set(struct task *t, struct file *file, int32_t number, int32_t type)
{
	struct file_owner *owner = owner_of(file);
	struct pid *pid = NULL, *old = NULL;
	int rc = 0;

	if (!owner)
		return -ENOMEM;
	mutex_lock(tasklist());
	if (number)
		pid = pid_find_locked(task_pid_namespace(t), number);
	if (number && !pid)
		rc = -ESRCH;
	else
		old = change_locked(t, owner, pid, type);
	mutex_unlock(tasklist());
	pid_put(old);
	return rc;
}

int file_owner_set(struct task *t, struct file *file, int32_t who)
{
	if (who == INT32_MIN)
		return -EINVAL;
	return who < 0 ? set(t, file, -who, LINUX_F_OWNER_PGRP) : set(t, file, who, LINUX_F_OWNER_PID);
}

int file_owner_set_ex(struct task *t, struct file *file, const struct linux_f_owner_ex *owner)
{
	if (owner->type < LINUX_F_OWNER_TID || owner->type > LINUX_F_OWNER_PGRP)
		return -EINVAL;
	return set(t, file, owner->pid, owner->type);
}

int file_owner_set_terminal(struct task *t, struct file *file, const struct terminal *terminal)
{
	struct file_owner *owner = owner_of(file);

	if (!owner)
		return -ENOMEM;
	mutex_lock(tasklist());
	if (!owner->pid && terminal && terminal->foreground)
		change_locked(t, owner, terminal->foreground, LINUX_F_OWNER_PGRP);
	else if (!owner->pid)
		change_locked(t, owner, pid_find_locked(t->pid.ns, task_tgid_in(t, t->pid.ns)),
			      LINUX_F_OWNER_PID);
	mutex_unlock(tasklist());
	return 0;
}

int file_owner_set_default(struct task *t, struct file *file)
{
	return file_owner_set_terminal(t, file, NULL);
}

int file_owner_set_signal(struct file *file, int32_t signo)
{
	struct file_owner *owner = owner_of(file);

	if (!owner)
		return -ENOMEM;
	owner->signal = signo;
	return 0;
}

/* --- asking --------------------------------------------------------------------------------- */

static bool has_users_locked(const struct pid *pid, int32_t type)
{
	switch (type) {
	case LINUX_F_OWNER_TID:
		return pid->task;
	case LINUX_F_OWNER_PID:
		return pid->group;
	default:
		return pid->process_group && !list_empty(&pid->process_group->members);
	}
}

void file_owner_get(struct task *t, struct file *file, struct linux_f_owner_ex *out)
{
	struct file_owner *owner = atomic_load(&file->owner);

	*out = (struct linux_f_owner_ex){ .type = LINUX_F_OWNER_TID };
	if (!owner)
		return;
	mutex_lock(tasklist());
	out->type = owner->type;
	if (owner->pid && has_users_locked(owner->pid, owner->type))
		out->pid = pid_number_in(&owner->pid->id, task_pid_namespace(t));
	mutex_unlock(tasklist());
}

void file_owner_uids(struct task *t, struct file *file, uint32_t uids[2])
{
	struct file_owner *owner = atomic_load(&file->owner);

	uids[0] = uids[1] = 0;
	if (owner) {
		mutex_lock(tasklist());
		uids[0] = owner->uid;
		uids[1] = owner->euid;
		mutex_unlock(tasklist());
	}
	for (int i = 0; i < 2; i++)
		uids[i] = uid_from_kernel(task_user_namespace(t), uids[i]);
}

int32_t file_owner_signal(struct file *file)
{
	struct file_owner *owner = atomic_load(&file->owner);

	return owner ? owner->signal : 0;
}

/* --- telling --------------------------------------------------------------------------------- */

static int64_t band_of(int reason)
{
	switch (reason) {
	case ASYNC_IN:
		return LINUX_EPOLLIN | LINUX_EPOLLRDNORM;
	case ASYNC_OUT:
		return LINUX_EPOLLOUT | LINUX_EPOLLWRNORM | LINUX_EPOLLWRBAND;
	case ASYNC_MSG:
		return LINUX_EPOLLIN | LINUX_EPOLLRDNORM | LINUX_EPOLLMSG;
	default:
		return LINUX_EPOLLHUP | LINUX_EPOLLERR;
	}
}

/* Signals whose si_code has a meaning of its own cannot tell the reason. */
static bool has_own_codes(int signo)
{
	return signo == LINUX_SIGILL || signo == LINUX_SIGFPE || signo == LINUX_SIGSEGV ||
	       signo == LINUX_SIGBUS || signo == LINUX_SIGTRAP || signo == LINUX_SIGCHLD ||
	       signo == LINUX_SIGSYS;
}

/* As for kill(2), judged by who set the owner. */
static bool may_signal(const struct file_owner *owner, struct task *target)
{
	const struct credentials *cred = task_cred(target);
	bool may = owner->euid == 0 || owner->euid == cred->suid || owner->euid == cred->uid ||
		   owner->uid == cred->suid || owner->uid == cred->uid;

	credentials_put(cred);
	return may;
}

static int send(struct task *t, int32_t type, const struct linux_siginfo *info)
{
	return type == LINUX_F_OWNER_TID ? signal_send_task(t, info) : signal_send_group(t->group, info);
}

static void tell_locked(const struct file_owner *owner, struct task *t, int fd, int reason)
{
	struct linux_siginfo info = { .signo = owner->signal, .code = reason };

	if (!may_signal(owner, t))
		return;
	if (info.signo) {
		if (has_own_codes(info.signo))
			info.code = LINUX_SI_SIGIO;
		info.poll.band = band_of(reason);
		info.poll.fd = fd;
		if (send(t, owner->type, &info) != -EAGAIN)
			return;
	}
	/* No signal chosen, or its queue is full. */
	info = (struct linux_siginfo){ .signo = LINUX_SIGIO, .code = LINUX_SI_KERNEL };
	if (send(t, owner->type, &info) < 0)
		return; /* it is just dying */
}

static void tell_all_locked(const struct file_owner *owner, int fd, int reason)
{
	struct thread_group *g;

	if (!owner->pid)
		return;
	if (owner->type != LINUX_F_OWNER_PGRP) {
		if (owner->pid->task)
			tell_locked(owner, owner->pid->task, fd, reason);
		return;
	}
	if (!owner->pid->process_group)
		return;
	list_for_each(g, &owner->pid->process_group->members, process_group_node)
		if (g->leader)
			tell_locked(owner, g->leader, fd, reason);
}

static void signal_owner(struct file *file, int fd, int reason)
{
	struct file_owner *owner = atomic_load(&file->owner);

	if (!owner)
		return;
	mutex_lock(tasklist());
	tell_all_locked(owner, fd, reason);
	mutex_unlock(tasklist());
}

static int32_t current_tgid(void)
{
	struct task *t = task_current();

	return t ? task_tgid_in(t, t->kernel->root_pid_ns) : 0;
}

void file_owner_init(void)
{
	vfs_upcalls.current_tgid = current_tgid;
	vfs_upcalls.signal_owner = signal_owner;
	vfs_upcalls.owner_free = owner_free;
}
