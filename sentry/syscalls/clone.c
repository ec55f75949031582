/* SPDX-License-Identifier: Apache-2.0 */
/* fork, vfork, clone, clone3: decoding; sentry/kernel/task_clone.c does the work. */
#include <string.h>

#include "sentry/abi/capability.h"
#include "sentry/abi/sched.h"
#include "sentry/abi/signal.h"
#include "sentry/fs/cgroup/cgroup.h"
#include "sentry/kernel/pid.h"
#include "sentry/kernel/task_clone.h"
#include "sentry/mm/copy_struct.h"
#include "sentry/syscalls/handlers.h"

int64_t sys_fork(struct task *t, const struct syscall_args *a)
{
	struct clone_request rq = { .exit_signal = LINUX_SIGCHLD };

	return task_clone(t, &rq);
}

int64_t sys_vfork(struct task *t, const struct syscall_args *a)
{
	struct clone_request rq = { .flags = LINUX_CLONE_VFORK | LINUX_CLONE_VM,
				    .exit_signal = LINUX_SIGCHLD };

	return task_clone(t, &rq);
}

int64_t sys_clone(struct task *t, const struct syscall_args *a)
{
	struct clone_request rq = {
		.flags = (uint32_t)a->v[0] & ~LINUX_CSIGNAL,
		.exit_signal = (int)(a->v[0] & LINUX_CSIGNAL),
		.stack = a->v[1],
		.parent_tid = a->v[2],
		.pidfd = a->v[2],
		.child_tid = a->v[3],
		.tls = a->v[4],
	};

	/* They would share one result word. */
	if ((rq.flags & LINUX_CLONE_PIDFD) && (rq.flags & LINUX_CLONE_PARENT_SETTID))
		return -EINVAL;
	return task_clone(t, &rq);
}

static int check_args(const struct linux_clone_args *c, uint64_t size)
{
	uint64_t known = (LINUX_CLONE_LEGACY_FLAGS & ~LINUX_CSIGNAL) | LINUX_CLONE_NEWTIME |
			 LINUX_CLONE_CLEAR_SIGHAND | LINUX_CLONE_INTO_CGROUP;

	if (c->set_tid_size > CLONE_SET_TID_MAX || (!c->set_tid && c->set_tid_size) ||
	    (c->set_tid && !c->set_tid_size))
		return -EINVAL;
	if ((c->exit_signal & ~LINUX_CSIGNAL) || c->exit_signal > LINUX_NSIG)
		return -EINVAL;
	if ((c->flags & LINUX_CLONE_INTO_CGROUP) &&
	    (c->cgroup > INT32_MAX || size < LINUX_CLONE_ARGS_SIZE_VER2))
		return -EINVAL;
	if (c->flags & ~known)
		return -EINVAL;
	if (c->flags & (LINUX_CLONE_DETACHED | (LINUX_CSIGNAL & ~LINUX_CLONE_NEWTIME)))
		return -EINVAL;
	if ((c->flags & (LINUX_CLONE_SIGHAND | LINUX_CLONE_CLEAR_SIGHAND)) ==
	    (LINUX_CLONE_SIGHAND | LINUX_CLONE_CLEAR_SIGHAND))
		return -EINVAL;
	if ((c->flags & (LINUX_CLONE_THREAD | LINUX_CLONE_PARENT)) && c->exit_signal)
		return -EINVAL;
	if (!c->stack != !c->stack_size)
		return -EINVAL;
	if (c->stack && (c->stack_size > platform_address_max().v ||
			 c->stack > platform_address_max().v - c->stack_size))
		return -EINVAL;
	return 0;
}

/* Numbers are chosen in @levels namespaces, from the one for children up. */
static int check_set_tid(struct task *t, uint32_t levels)
{
	struct pid_namespace *ns = t->namespaces->pid_for_children;

	for (; ns && levels; ns = ns->parent, levels--)
		if (!credentials_ns_capable(t->cred, ns->user_ns, LINUX_CAP_SYS_ADMIN) &&
		    !credentials_ns_capable(t->cred, ns->user_ns, LINUX_CAP_CHECKPOINT_RESTORE))
			return -EPERM;
	return 0;
}

static int copy_set_tid(struct task *t, const struct linux_clone_args *c, struct clone_request *rq)
{
	struct pid_namespace *ns = t->namespaces->pid_for_children;
	int rc;

	if (!c->set_tid_size)
		return 0;
	rc = copy_in(t->mm, rq->set_tid, guest_addr(c->set_tid), c->set_tid_size * sizeof(int32_t));
	if (rc)
		return rc;
	rq->set_tid_count = (uint32_t)c->set_tid_size;
	if (rq->set_tid_count > ns->level + 1 + !!(c->flags & LINUX_CLONE_NEWPID))
		return -EINVAL;
	for (uint32_t i = 0; i < rq->set_tid_count; i++)
		if (rq->set_tid[i] < 1 || rq->set_tid[i] >= PID_MAX_LIMIT)
			return -EINVAL;
	return check_set_tid(t, rq->set_tid_count - !!(c->flags & LINUX_CLONE_NEWPID));
}

/* Into a group other than the one there is nobody can be born; and who asks must name a group. */
static int check_cgroup(struct task *t, const struct linux_clone_args *c)
{
	struct file *file;
	int rc;

	if (!(c->flags & LINUX_CLONE_INTO_CGROUP))
		return 0;
	file = fd_table_lookup(t->fds, (int)c->cgroup);
	if (!file)
		return -EBADF;
	rc = cgroup_may_join(file, t->cred);
	file_put(file);
	return rc;
}

int64_t sys_clone3(struct task *t, const struct syscall_args *a)
{
	struct linux_clone_args c;
	struct clone_request rq = { 0 };
	int rc = copy_in_struct(t->mm, &c, sizeof(c), LINUX_CLONE_ARGS_SIZE_VER0, arg_addr(a, 0),
				a->v[1]);

	if (rc)
		return rc;
	rc = check_args(&c, a->v[1]);
	if (!rc)
		rc = copy_set_tid(t, &c, &rq);
	if (!rc)
		rc = check_cgroup(t, &c);
	if (rc)
		return rc;
	/* They would share one word, as in clone. */
	if ((c.flags & LINUX_CLONE_PIDFD) && (c.flags & LINUX_CLONE_PARENT_SETTID) && c.pidfd == c.parent_tid)
		return -EINVAL;
	rq.flags = c.flags;
	rq.exit_signal = (int)c.exit_signal;
	rq.pidfd = c.pidfd;
	rq.child_tid = c.child_tid;
	rq.parent_tid = c.parent_tid;
	rq.stack = c.stack ? c.stack + c.stack_size : 0;
	rq.tls = c.tls;
	return task_clone(t, &rq);
}
