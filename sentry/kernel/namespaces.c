/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The set of namespaces of a task (immutable once installed, counted) and the uts
 * namespace.  Network and IPC namespaces are counted through the operations their
 * layers register; without them the pointers are only carried along.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/sched.h"
#include "sentry/kernel/namespaces.h"
#include "sentry/kernel/task_internal.h"

static _Atomic uint64_t next_uts_ino = 0xF4000000U;
static const struct namespace_ops *net_ops, *ipc_ops; /* do not change after boot */

void namespaces_register(const struct namespace_ops *net, const struct namespace_ops *ipc)
{
	if (net)
		net_ops = net;
	if (ipc)
		ipc_ops = ipc;
}

struct namespaces *namespaces_get(struct namespaces *ns)
{
	refcount_get(&ns->refs);
	return ns;
}

void namespaces_put(struct namespaces *ns)
{
	if (!ns || !refcount_put(&ns->refs))
		return;
	mount_namespace_put(ns->mount);
	uts_namespace_put(ns->uts);
	if (ipc_ops && ns->ipc)
		ipc_ops->put(ns->ipc);
	if (net_ops && ns->net)
		net_ops->put(ns->net);
	pid_namespace_put(ns->pid_for_children);
	free(ns);
}

int namespaces_copy(struct namespaces *from, struct namespaces **out)
{
	struct namespaces *ns = calloc(1, sizeof(*ns));

	if (!ns)
		return -ENOMEM;
	refcount_init(&ns->refs);
	ns->mount = from->mount ? mount_namespace_get(from->mount) : NULL;
	ns->uts = uts_namespace_get(from->uts);
	ns->ipc = from->ipc;
	if (ipc_ops && ns->ipc)
		ipc_ops->get(ns->ipc);
	ns->net = from->net;
	if (net_ops && ns->net)
		net_ops->get(ns->net);
	ns->pid_for_children = pid_namespace_get(from->pid_for_children);
	*out = ns;
	return 0;
}

static int unshare_pid(struct namespaces *ns, struct user_namespace *user_ns)
{
	struct pid_namespace *pid_ns;
	int rc = pid_namespace_new(ns->pid_for_children, user_ns, &pid_ns);

	if (rc)
		return rc;
	pid_namespace_put(ns->pid_for_children);
	ns->pid_for_children = pid_ns;
	return 0;
}

static int unshare_uts(struct namespaces *ns, struct user_namespace *user_ns)
{
	struct uts_namespace *uts;
	int rc = uts_namespace_new(ns->uts, user_ns, &uts);

	if (rc)
		return rc;
	uts_namespace_put(ns->uts);
	ns->uts = uts;
	return 0;
}

static int unshare_mount(struct namespaces *ns, struct user_namespace *user_ns,
			 struct fs_context *fs)
{
	struct mount_namespace *mount;
	int rc = mount_namespace_copy(ns->mount, user_ns, fs, &mount);

	if (rc)
		return rc;
	mount_namespace_put(ns->mount);
	ns->mount = mount;
	return 0;
}

static int unshare_opaque(const struct namespace_ops *ops, void **slot,
			  struct user_namespace *user_ns)
{
	void *made;
	int rc;

	if (!ops || !ops->create)
		return -EINVAL;
	rc = ops->create(user_ns, &made);
	if (rc)
		return rc;
	ops->put(*slot);
	*slot = made;
	return 0;
}

int namespaces_unshare(struct task *t, uint64_t flags, struct user_namespace *user_ns,
		       struct fs_context *fs, struct namespaces **out)
{
	struct namespaces *ns;
	int rc = namespaces_copy(t->namespaces, &ns);

	if (rc)
		return rc;
	if (flags & LINUX_CLONE_NEWNS)
		rc = unshare_mount(ns, user_ns, fs);
	if (!rc && (flags & LINUX_CLONE_NEWUTS))
		rc = unshare_uts(ns, user_ns);
	if (!rc && (flags & LINUX_CLONE_NEWIPC))
		rc = unshare_opaque(ipc_ops, (void **)&ns->ipc, user_ns);
	if (!rc && (flags & LINUX_CLONE_NEWNET))
		rc = unshare_opaque(net_ops, (void **)&ns->net, user_ns);
	if (!rc && (flags & LINUX_CLONE_NEWPID))
		rc = unshare_pid(ns, user_ns);
	if (rc) {
		namespaces_put(ns);
		return rc;
	}
	*out = ns;
	return 0;
}

struct uts_namespace *uts_namespace_get(struct uts_namespace *ns)
{
	refcount_get(&ns->refs);
	return ns;
}

void uts_namespace_put(struct uts_namespace *ns)
{
	if (!ns || !refcount_put(&ns->refs))
		return;
	user_namespace_put(ns->user_ns);
	mutex_destroy(&ns->lock);
	free(ns);
}

int uts_namespace_new(struct uts_namespace *from, struct user_namespace *user_ns,
		      struct uts_namespace **out)
{
	struct uts_namespace *ns = calloc(1, sizeof(*ns));

	if (!ns)
		return -ENOMEM;
	refcount_init(&ns->refs);
	mutex_init(&ns->lock, LOCK_RANK_LEAF);
	ns->user_ns = user_namespace_get(user_ns);
	ns->ino = from ? atomic_fetch_add(&next_uts_ino, 1) : 0xEFFFFFFEU;
	if (from) {
		mutex_lock(&from->lock);
		memcpy(ns->nodename, from->nodename, sizeof(ns->nodename));
		memcpy(ns->domainname, from->domainname, sizeof(ns->domainname));
		mutex_unlock(&from->lock);
	}
	*out = ns;
	return 0;
}
