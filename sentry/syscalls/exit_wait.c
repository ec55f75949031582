/* SPDX-License-Identifier: Apache-2.0 */
/* exit, exit_group, wait4, waitid. */
#include <string.h>

#include "sentry/abi/signal.h"
#include "sentry/kernel/pidfd.h"
#include "sentry/kernel/restart.h"
#include "sentry/kernel/task_internal.h"
#include "sentry/kernel/task_wait.h"
#include "sentry/syscalls/handlers.h"

/* The exit work that follows every call ends the task. */
int64_t sys_exit(struct task *t, const struct syscall_args *a)
{
	t->exit_code = (arg_int(a, 0) & 0xff) << 8;
	t->exit_requested = true;
	return 0;
}

int64_t sys_exit_group(struct task *t, const struct syscall_args *a)
{
	thread_group_exit(t->group, (arg_int(a, 0) & 0xff) << 8);
	t->exit_code = t->group->group_exit_code; /* it does not change any more */
	t->exit_requested = true;
	return 0;
}

int64_t sys_wait4(struct task *t, const struct syscall_args *a)
{
	int32_t pid = arg_int(a, 0);
	uint32_t options = arg_u32(a, 2);
	struct wait_request rq = { .options = options | LINUX_WEXITED };
	int rc;

	if (options & ~(uint32_t)(LINUX_WNOHANG | LINUX_WUNTRACED | LINUX_WCONTINUED |
				  LINUX_WNOTHREAD | LINUX_WCLONE | LINUX_WALL))
		return -EINVAL;
	if (pid == INT32_MIN)
		return -ESRCH;
	if (pid == -1) {
		rq.which = LINUX_P_ALL;
	} else if (pid < 0) {
		rq.which = LINUX_P_PGID;
		rq.id = -pid;
	} else if (pid == 0) {
		rq.which = LINUX_P_PGID;
	} else {
		rq.which = LINUX_P_PID;
		rq.id = pid;
	}
	rc = task_wait(t, &rq);
	if (rc)
		return rc;
	if (rq.pid && a->v[1]) {
		rc = copy_out_u32(t->mm, arg_addr(a, 1), (uint32_t)rq.status);
		if (rc)
			return rc;
	}
	if (rq.pid && a->v[3]) {
		rc = copy_out(t->mm, arg_addr(a, 3), &rq.usage, sizeof(rq.usage));
		if (rc)
			return rc;
	}
	return rq.pid;
}

static int select_children(struct task *t, const struct syscall_args *a, struct wait_request *rq,
			   struct file **file)
{
	int32_t id = arg_int(a, 1);

	rq->which = arg_int(a, 0);
	rq->id = id;
	switch (rq->which) {
	case LINUX_P_ALL:
		return 0;
	case LINUX_P_PID:
		return id <= 0 ? -EINVAL : 0;
	case LINUX_P_PGID:
		return id < 0 ? -EINVAL : 0;
	case LINUX_P_PIDFD:
		if (id < 0)
			return -EINVAL;
		*file = fd_table_lookup(t->fds, id);
		rq->group = *file ? pidfd_group(*file) : NULL;
		if (!rq->group)
			return -EBADF;
		if (atomic_load(&(*file)->flags) & LINUX_PIDFD_NONBLOCK)
			rq->options |= LINUX_WNOHANG;
		return 0;
	default:
		return -EINVAL;
	}
}

static int64_t report(struct task *t, const struct syscall_args *a, const struct wait_request *rq)
{
	struct linux_siginfo info = { 0 };
	int rc = 0;

	if (rq->pid) {
		info.signo = LINUX_SIGCHLD;
		info.code = rq->code;
		info.child.pid = rq->pid;
		info.child.uid = rq->uid;
		info.child.status = rq->cause;
	}
	if (rq->pid && a->v[4])
		rc = copy_out(t->mm, arg_addr(a, 4), &rq->usage, sizeof(rq->usage));
	/* Only the fields up to si_status are written, as Linux does. */
	if (!rc && a->v[2])
		rc = copy_out(t->mm, arg_addr(a, 2), &info, 12);
	if (!rc && a->v[2])
		rc = copy_out(t->mm, guest_addr(a->v[2] + 16), &info.child, 12);
	return rc;
}

static int64_t wait_by_id(struct task *t, const struct syscall_args *a, struct wait_request *rq)
{
	uint32_t options = rq->options;
	struct file *file = NULL;
	int64_t rc;

	if (options & ~(uint32_t)(LINUX_WNOHANG | LINUX_WNOWAIT | LINUX_WEXITED | LINUX_WSTOPPED |
				  LINUX_WCONTINUED | LINUX_WNOTHREAD | LINUX_WCLONE | LINUX_WALL))
		return -EINVAL;
	if (!(options & (LINUX_WEXITED | LINUX_WSTOPPED | LINUX_WCONTINUED)))
		return -EINVAL;
	rc = select_children(t, a, rq, &file);
	if (!rc)
		rc = task_wait(t, rq);
	if (!rc && !rq->pid && rq->which == LINUX_P_PIDFD && !(options & LINUX_WNOHANG) &&
	    (rq->options & LINUX_WNOHANG))
		rc = -EAGAIN;
	if (file)
		file_put(file);
	return rc;
}

int64_t sys_waitid(struct task *t, const struct syscall_args *a)
{
	struct wait_request rq = { .options = arg_u32(a, 3) };
	int64_t rc = wait_by_id(t, a, &rq), reported;

	if (rc == -SYSCALL_SHELVED)
		return rc;
	/* As on Linux a failure is reported too, as nobody's state. */
	if (rc)
		rq.pid = 0;
	reported = report(t, a, &rq);
	return reported ? reported : rc;
}
