/* SPDX-License-Identifier: Apache-2.0 */
/* What all kinds of namespaces have in common, asked by kind: for nsfs and setns. */
#include "sentry/abi/sched.h"
#include "sentry/kernel/namespaces.h"
#include "sentry/kernel/pid.h"
#include "sentry/kernel/task_internal.h"
#include "sentry/kernel/time_namespace.h"

static const struct namespace_ops *opaque_ops(enum namespace_kind kind)
{
	return kind == NAMESPACE_NET ? namespace_net_ops : namespace_ipc_ops;
}

struct namespace_ref namespace_ref_get(struct namespace_ref ref)
{
	if (!ref.ns)
		return ref;
	switch (ref.kind) {
	case NAMESPACE_CGROUP:
		cgroup_namespace_get(ref.ns);
		break;
	case NAMESPACE_MOUNT:
		mount_namespace_get(ref.ns);
		break;
	case NAMESPACE_PID:
		pid_namespace_get(ref.ns);
		break;
	case NAMESPACE_TIME:
		time_namespace_get(ref.ns);
		break;
	case NAMESPACE_USER:
		user_namespace_get(ref.ns);
		break;
	case NAMESPACE_UTS:
		uts_namespace_get(ref.ns);
		break;
	default:
		opaque_ops(ref.kind)->get(ref.ns);
		break;
	}
	return ref;
}

void namespace_ref_put(struct namespace_ref ref)
{
	if (!ref.ns)
		return;
	switch (ref.kind) {
	case NAMESPACE_CGROUP:
		cgroup_namespace_put(ref.ns);
		break;
	case NAMESPACE_MOUNT:
		mount_namespace_put(ref.ns);
		break;
	case NAMESPACE_PID:
		pid_namespace_put(ref.ns);
		break;
	case NAMESPACE_TIME:
		time_namespace_put(ref.ns);
		break;
	case NAMESPACE_USER:
		user_namespace_put(ref.ns);
		break;
	case NAMESPACE_UTS:
		uts_namespace_put(ref.ns);
		break;
	default:
		opaque_ops(ref.kind)->put(ref.ns);
		break;
	}
}

struct user_namespace *namespace_ref_owner(struct namespace_ref ref)
{
	switch (ref.kind) {
	case NAMESPACE_CGROUP:
		return ((struct cgroup_namespace *)ref.ns)->user_ns;
	case NAMESPACE_MOUNT:
		return ((struct mount_namespace *)ref.ns)->user_ns;
	case NAMESPACE_PID:
		return ((struct pid_namespace *)ref.ns)->user_ns;
	case NAMESPACE_TIME:
		return ((struct time_namespace *)ref.ns)->user_ns;
	case NAMESPACE_USER:
		return ((struct user_namespace *)ref.ns)->parent;
	case NAMESPACE_UTS:
		return ((struct uts_namespace *)ref.ns)->user_ns;
	default:
		return opaque_ops(ref.kind)->owner(ref.ns);
	}
}

uint64_t namespace_ref_number(struct namespace_ref ref)
{
	switch (ref.kind) {
	case NAMESPACE_CGROUP:
		return ((struct cgroup_namespace *)ref.ns)->number;
	case NAMESPACE_MOUNT:
		return ((struct mount_namespace *)ref.ns)->ino;
	case NAMESPACE_PID:
		return ((struct pid_namespace *)ref.ns)->ino;
	case NAMESPACE_TIME:
		return ((struct time_namespace *)ref.ns)->number;
	case NAMESPACE_USER:
		return ((struct user_namespace *)ref.ns)->ino;
	case NAMESPACE_UTS:
		return ((struct uts_namespace *)ref.ns)->ino;
	default:
		return opaque_ops(ref.kind)->number(ref.ns);
	}
}

uint64_t namespace_kind_flag(enum namespace_kind kind)
{
	static const uint64_t flags[NAMESPACE_KIND_COUNT] = {
		[NAMESPACE_CGROUP] = LINUX_CLONE_NEWCGROUP, [NAMESPACE_IPC] = LINUX_CLONE_NEWIPC,
		[NAMESPACE_MOUNT] = LINUX_CLONE_NEWNS,	    [NAMESPACE_NET] = LINUX_CLONE_NEWNET,
		[NAMESPACE_PID] = LINUX_CLONE_NEWPID,	    [NAMESPACE_TIME] = LINUX_CLONE_NEWTIME,
		[NAMESPACE_USER] = LINUX_CLONE_NEWUSER,	    [NAMESPACE_UTS] = LINUX_CLONE_NEWUTS,
	};

	return flags[kind];
}

/* Borrowed from @ns. */
static void *member(const struct namespaces *ns, enum namespace_kind kind, bool for_children)
{
	switch (kind) {
	case NAMESPACE_CGROUP:
		return ns->cgroup;
	case NAMESPACE_IPC:
		return namespace_ipc_ops ? ns->ipc : NULL;
	case NAMESPACE_MOUNT:
		return ns->mount;
	case NAMESPACE_NET:
		return namespace_net_ops ? ns->net : NULL;
	case NAMESPACE_PID:
		return ns->pid_for_children;
	case NAMESPACE_TIME:
		return for_children ? ns->time_for_children : ns->time;
	case NAMESPACE_UTS:
		return ns->uts;
	default:
		return NULL;
	}
}

struct namespace_ref task_namespace_get(struct task *t, enum namespace_kind kind, bool for_children)
{
	struct namespace_ref ref = { .kind = kind };
	const struct credentials *cred;
	struct namespaces *ns;

	if (kind == NAMESPACE_USER) {
		cred = task_cred(t);
		ref.ns = user_namespace_get(cred->user_ns);
		credentials_put(cred);
		return ref;
	}
	if (kind == NAMESPACE_PID && !for_children) {
		ref.ns = pid_namespace_get(t->pid.ns);
		return ref;
	}
	ns = task_namespaces_get(t);
	if (ns)
		ref.ns = member(ns, kind, for_children);
	/* A pid namespace that nobody was born into cannot be named. */
	if (kind == NAMESPACE_PID && ref.ns && !pid_namespace_was_born(ref.ns))
		ref.ns = NULL;
	ref = namespace_ref_get(ref);
	namespaces_put(ns);
	return ref;
}
