/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The set of namespaces of a task (immutable once installed, counted), and the uts and
 * cgroup namespaces.  Network and IPC namespaces are counted through the operations
 * their layers register; without them the pointers are only carried along.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/sched.h"
#include "sentry/cred/user_namespace.h"
#include "sentry/kernel/namespaces.h"
#include "sentry/kernel/task_internal.h"
#include "sentry/kernel/time_namespace.h"

#define ROOT_UTS_NUMBER 0xEFFFFFFEU    /* PROC_UTS_INIT_INO */
#define ROOT_CGROUP_NUMBER 0xEFFFFFFBU /* PROC_CGROUP_INIT_INO */

const struct namespace_ops *namespace_net_ops, *namespace_ipc_ops; /* do not change after boot */

void namespaces_register(const struct namespace_ops *net, const struct namespace_ops *ipc)
{
	if (net)
		namespace_net_ops = net;
	if (ipc)
		namespace_ipc_ops = ipc;
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
	if (namespace_ipc_ops && ns->ipc)
		namespace_ipc_ops->put(ns->ipc);
	if (namespace_net_ops && ns->net)
		namespace_net_ops->put(ns->net);
	pid_namespace_put(ns->pid_for_children);
	cgroup_namespace_put(ns->cgroup);
	time_namespace_put(ns->time);
	time_namespace_put(ns->time_for_children);
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
	if (namespace_ipc_ops && ns->ipc)
		namespace_ipc_ops->get(ns->ipc);
	ns->net = from->net;
	if (namespace_net_ops && ns->net)
		namespace_net_ops->get(ns->net);
	ns->pid_for_children = pid_namespace_get(from->pid_for_children);
	ns->cgroup = cgroup_namespace_get(from->cgroup);
	ns->time = time_namespace_get(from->time);
	ns->time_for_children = time_namespace_get(from->time_for_children);
	*out = ns;
	return 0;
}

/* Where the new ones belong and for whom they count. */
struct maker {
	struct user_namespace *user_ns;
	uint32_t kuid;
};

static int unshare_mount(struct namespaces *ns, const struct maker *m, struct fs_context *fs)
{
	struct mount_namespace *mount;
	int rc = mount_namespace_copy(ns->mount, m->user_ns, m->kuid, fs, &mount);

	if (rc)
		return rc;
	mount_namespace_put(ns->mount);
	ns->mount = mount;
	return 0;
}

static int unshare_uts(struct namespaces *ns, const struct maker *m)
{
	struct uts_namespace *uts;
	int rc = uts_namespace_new(ns->uts, m->user_ns, m->kuid, &uts);

	if (rc)
		return rc;
	uts_namespace_put(ns->uts);
	ns->uts = uts;
	return 0;
}

static int unshare_opaque(const struct namespace_ops *ops, void **slot, const struct maker *m)
{
	void *made;
	int rc;

	if (!ops || !ops->create)
		return -EINVAL;
	rc = ops->create(m->user_ns, m->kuid, &made);
	if (rc)
		return rc;
	ops->put(*slot);
	*slot = made;
	return 0;
}

/* One at a time: a task whose children go elsewhere already makes no further one. */
static int unshare_pid(struct task *t, struct namespaces *ns, const struct maker *m)
{
	struct pid_namespace *pid_ns, *parent = ns->pid_for_children;
	int rc;

	if (t->pid.ns != parent || !user_namespace_is_descendant(m->user_ns, parent->user_ns))
		return -EINVAL;
	rc = pid_namespace_new(parent, m->user_ns, m->kuid, &pid_ns);
	if (rc)
		return rc;
	pid_namespace_put(parent);
	ns->pid_for_children = pid_ns;
	return 0;
}

static int unshare_cgroup(struct namespaces *ns, const struct maker *m)
{
	struct cgroup_namespace *cgroup;
	int rc = cgroup_namespace_new(m->user_ns, m->kuid, &cgroup);

	if (rc)
		return rc;
	cgroup_namespace_put(ns->cgroup);
	ns->cgroup = cgroup;
	return 0;
}

static int unshare_time(struct namespaces *ns, const struct maker *m)
{
	struct time_namespace *time;
	int rc = time_namespace_new(m->user_ns, m->kuid, &time);

	if (rc)
		return rc;
	time_namespace_put(ns->time_for_children);
	ns->time_for_children = time;
	return 0;
}

/* In Linux's order, which decides the error of several. */
static int unshare_each(struct task *t, uint64_t flags, const struct maker *m, struct fs_context *fs,
			struct namespaces *ns)
{
	int rc = 0;

	if (flags & LINUX_CLONE_NEWNS)
		rc = unshare_mount(ns, m, fs);
	if (!rc && (flags & LINUX_CLONE_NEWUTS))
		rc = unshare_uts(ns, m);
	if (!rc && (flags & LINUX_CLONE_NEWIPC))
		rc = unshare_opaque(namespace_ipc_ops, (void **)&ns->ipc, m);
	if (!rc && (flags & LINUX_CLONE_NEWPID))
		rc = unshare_pid(t, ns, m);
	if (!rc && (flags & LINUX_CLONE_NEWCGROUP))
		rc = unshare_cgroup(ns, m);
	if (!rc && (flags & LINUX_CLONE_NEWNET))
		rc = unshare_opaque(namespace_net_ops, (void **)&ns->net, m);
	if (!rc && (flags & LINUX_CLONE_NEWTIME))
		rc = unshare_time(ns, m);
	return rc;
}

int namespaces_unshare(struct task *t, uint64_t flags, const struct credentials *cred,
		       struct fs_context *fs, struct namespaces **out)
{
	struct maker m = { cred->user_ns, t->cred->euid };
	struct namespaces *ns;
	int rc = namespaces_copy(t->namespaces, &ns);

	if (rc)
		return rc;
	rc = unshare_each(t, flags, &m, fs, ns);
	if (rc) {
		namespaces_put(ns);
		return rc;
	}
	*out = ns;
	return 0;
}

void namespaces_enter_time(struct namespaces *ns)
{
	if (ns->time == ns->time_for_children)
		return;
	time_namespace_put(ns->time);
	ns->time = time_namespace_get(ns->time_for_children);
	time_namespace_freeze(ns->time);
}

void namespaces_leave_ipc(struct task *t)
{
	if (namespace_ipc_ops && namespace_ipc_ops->leave)
		namespace_ipc_ops->leave(t);
}

bool task_chrooted(struct task *t)
{
	struct path root, own;
	bool differs;

	if (!t->namespaces->mount)
		return false;
	mount_namespace_root(t->namespaces->mount, &root);
	mutex_lock(&t->fs->lock);
	own = t->fs->root;
	differs = own.mount != root.mount || own.dentry != root.dentry;
	mutex_unlock(&t->fs->lock);
	path_put(&root);
	return differs;
}

/* --- uts ---------------------------------------------------------------------------- */

struct uts_namespace *uts_namespace_get(struct uts_namespace *ns)
{
	refcount_get(&ns->refs);
	return ns;
}

void uts_namespace_put(struct uts_namespace *ns)
{
	if (!ns || !refcount_put(&ns->refs))
		return;
	if (ns->count.user_ns)
		namespace_count_drop(&ns->count);
	user_namespace_put(ns->user_ns);
	mutex_destroy(&ns->lock);
	free(ns);
}

int uts_namespace_new(struct uts_namespace *from, struct user_namespace *user_ns, uint32_t kuid,
		      struct uts_namespace **out)
{
	struct uts_namespace *ns = calloc(1, sizeof(*ns));
	int rc = 0;

	if (!ns)
		return -ENOMEM;
	if (from)
		rc = namespace_count_add(&ns->count, user_ns, kuid, NAMESPACE_UTS);
	if (rc) {
		free(ns);
		return rc;
	}
	refcount_init(&ns->refs);
	mutex_init(&ns->lock, LOCK_RANK_LEAF);
	ns->user_ns = user_namespace_get(user_ns);
	ns->ino = from ? namespace_number() : ROOT_UTS_NUMBER;
	if (from) {
		mutex_lock(&from->lock);
		memcpy(ns->nodename, from->nodename, sizeof(ns->nodename));
		memcpy(ns->domainname, from->domainname, sizeof(ns->domainname));
		mutex_unlock(&from->lock);
	}
	*out = ns;
	return 0;
}

static void set_name(char *to, const char *from)
{
	memset(to, 0, UTS_NAME_SIZE);
	memcpy(to, from, strnlen(from, UTS_NAME_SIZE - 1));
}

void uts_namespace_set_names(struct uts_namespace *ns, const char *nodename, const char *domainname)
{
	mutex_lock(&ns->lock);
	set_name(ns->nodename, nodename);
	set_name(ns->domainname, domainname);
	mutex_unlock(&ns->lock);
}

/* --- cgroup ----------------------------------------------------------------------- */

int cgroup_namespace_new(struct user_namespace *user_ns, uint32_t kuid,
			 struct cgroup_namespace **out)
{
	struct cgroup_namespace *ns = calloc(1, sizeof(*ns));
	int rc = 0;

	if (!ns)
		return -ENOMEM;
	if (kuid != ID_INVALID)
		rc = namespace_count_add(&ns->count, user_ns, kuid, NAMESPACE_CGROUP);
	if (rc) {
		free(ns);
		return rc;
	}
	refcount_init(&ns->refs);
	ns->user_ns = user_namespace_get(user_ns);
	ns->number = kuid != ID_INVALID ? namespace_number() : ROOT_CGROUP_NUMBER;
	*out = ns;
	return 0;
}

struct cgroup_namespace *cgroup_namespace_get(struct cgroup_namespace *ns)
{
	refcount_get(&ns->refs);
	return ns;
}

void cgroup_namespace_put(struct cgroup_namespace *ns)
{
	if (!ns || !refcount_put(&ns->refs))
		return;
	if (ns->count.user_ns)
		namespace_count_drop(&ns->count);
	user_namespace_put(ns->user_ns);
	free(ns);
}
