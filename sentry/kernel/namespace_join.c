/* SPDX-License-Identifier: Apache-2.0 */
/*
 * setns: a copy of the caller's set is changed step by step, each step with the checks
 * of its kind, and installed when all have passed.  Capabilities are asked of the
 * caller's own credentials in the namespace's owner, and of those it will have
 * afterwards in their user namespace, as Linux does.
 */
#include <errno.h>

#include "sentry/abi/capability.h"
#include "sentry/abi/sched.h"
#include "sentry/cred/user_namespace.h"
#include "sentry/kernel/namespaces.h"
#include "sentry/kernel/task_internal.h"
#include "sentry/kernel/time_namespace.h"
#include "util/cleanup.h"

struct join {
	struct task *task;
	struct namespaces *set;	       /* the copy */
	struct credentials *cred;      /* new ones, or NULL */
	struct mount_namespace *mount; /* borrowed from set: root and directory move there */
	bool ipc, time;
};

static bool single_threaded(struct task *t)
{
	bool single;

	mutex_lock(&t->kernel->tasklist_lock);
	single = t->group->thread_count == 1;
	mutex_unlock(&t->kernel->tasklist_lock);
	return single;
}

static bool capable_after(const struct join *j, int capability)
{
	const struct credentials *cred = j->cred ? j->cred : j->task->cred;

	return credentials_ns_capable(j->task->cred, cred->user_ns, capability);
}

static int join_user(struct join *j, struct user_namespace *ns)
{
	struct task *t = j->task;

	if (ns == t->cred->user_ns || !single_threaded(t) || refcount_read(&t->fs->refs) > 1)
		return -EINVAL;
	if (!credentials_ns_capable(t->cred, ns, LINUX_CAP_SYS_ADMIN))
		return -EPERM;
	return credentials_enter_user_namespace(t->cred, ns, &j->cred);
}

static int join_mount(struct join *j, struct mount_namespace *ns)
{
	struct task *t = j->task;

	if (!credentials_ns_capable(t->cred, ns->user_ns, LINUX_CAP_SYS_ADMIN) ||
	    !capable_after(j, LINUX_CAP_SYS_CHROOT) || !capable_after(j, LINUX_CAP_SYS_ADMIN))
		return -EPERM;
	if (refcount_read(&t->fs->refs) > 1)
		return -EINVAL;
	mount_namespace_put(j->set->mount);
	j->set->mount = mount_namespace_get(ns);
	j->mount = j->set->mount;
	return 0;
}

static int join_pid(struct join *j, struct pid_namespace *ns)
{
	if (!pid_namespace_is_descendant(ns, j->task->pid.ns))
		return -EINVAL;
	pid_namespace_put(j->set->pid_for_children);
	j->set->pid_for_children = pid_namespace_get(ns);
	return 0;
}

static int join_time(struct join *j, struct time_namespace *ns)
{
	time_namespace_put(j->set->time);
	time_namespace_put(j->set->time_for_children);
	j->set->time = time_namespace_get(ns);
	j->set->time_for_children = time_namespace_get(ns);
	j->time = true;
	return 0;
}

static void swap_opaque(const struct namespace_ops *ops, void **slot, void *ns)
{
	ops->get(ns);
	ops->put(*slot);
	*slot = ns;
}

static int join_one(struct join *j, struct namespace_ref ref)
{
	struct task *t = j->task;

	if (ref.kind == NAMESPACE_USER)
		return join_user(j, ref.ns);
	if (ref.kind == NAMESPACE_MOUNT)
		return join_mount(j, ref.ns);
	if (ref.kind == NAMESPACE_TIME &&
	    (!single_threaded(t) || atomic_load(&t->mm->users) > 1))
		return -EUSERS;
	if (!credentials_ns_capable(t->cred, namespace_ref_owner(ref), LINUX_CAP_SYS_ADMIN) ||
	    !capable_after(j, LINUX_CAP_SYS_ADMIN))
		return -EPERM;
	switch (ref.kind) {
	case NAMESPACE_PID:
		return join_pid(j, ref.ns);
	case NAMESPACE_TIME:
		return join_time(j, ref.ns);
	case NAMESPACE_UTS:
		uts_namespace_put(j->set->uts);
		j->set->uts = uts_namespace_get(ref.ns);
		return 0;
	case NAMESPACE_CGROUP:
		cgroup_namespace_put(j->set->cgroup);
		j->set->cgroup = cgroup_namespace_get(ref.ns);
		return 0;
	case NAMESPACE_IPC:
		swap_opaque(namespace_ipc_ops, (void **)&j->set->ipc, ref.ns);
		j->ipc = true;
		return 0;
	default:
		swap_opaque(namespace_net_ops, (void **)&j->set->net, ref.ns);
		return 0;
	}
}

static void commit(struct join *j)
{
	struct task *t = j->task;
	struct namespaces *old = t->namespaces;

	if (j->mount)
		fs_context_enter(t->fs, j->mount);
	if (j->ipc)
		namespaces_leave_ipc(t);
	if (j->time)
		time_namespace_freeze(j->set->time);
	mutex_lock(&t->lock);
	t->namespaces = move_ptr(j->set);
	mutex_unlock(&t->lock);
	namespaces_put(old);
	if (j->cred)
		task_set_cred(t, move_ptr(j->cred));
}

int namespaces_join(struct task *t, const struct namespace_ref *refs, unsigned count)
{
	struct join j = { .task = t };
	int rc = namespaces_copy(t->namespaces, &j.set);

	if (rc)
		return rc;
	for (unsigned i = 0; i < count && !rc; i++)
		rc = join_one(&j, refs[i]);
	if (!rc && j.time)
		rc = task_adopt_time(t, j.set->time);
	if (!rc)
		commit(&j);
	namespaces_put(j.set);
	credentials_put(j.cred);
	return rc;
}
