/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/PID/ns: one magic link for each namespace of the process. */
#include <errno.h>

#include "sentry/fs/proc/nsfs.h"
#include "sentry/fs/proc/proc_internal.h"

/* entry->number is the row of ns_nodes, which is in the order of enum nsfs_type. */
static int ns_get_link(const struct proc_call *c, struct path *out)
{
	if (!proc_may_access(c->task, PTRACE_MODE_READ | PTRACE_MODE_FSCREDS))
		return -EACCES;
	return nsfs_path(c->task, (enum nsfs_type)c->entry->number, out);
}

static int ns_readlink(const struct proc_call *c, char **out)
{
	struct path p;
	int rc = ns_get_link(c, &p);

	if (rc < 0)
		return rc;
	rc = proc_path_text(&p, out);
	path_put(&p);
	return rc;
}

#define NS_LINK(n) PROC_MAGIC_LINK(n, ns_readlink, ns_get_link)

static const struct proc_node ns_nodes[] = {
	[NSFS_CGROUP] = NS_LINK("cgroup"),
	[NSFS_IPC] = NS_LINK("ipc"),
	[NSFS_MNT] = NS_LINK("mnt"),
	[NSFS_NET] = NS_LINK("net"),
	[NSFS_PID] = NS_LINK("pid"),
	[NSFS_PID_FOR_CHILDREN] = NS_LINK("pid_for_children"),
	[NSFS_TIME] = NS_LINK("time"),
	[NSFS_TIME_FOR_CHILDREN] = NS_LINK("time_for_children"),
	[NSFS_USER] = NS_LINK("user"),
	[NSFS_UTS] = NS_LINK("uts"),
};
_Static_assert(ARRAY_SIZE(ns_nodes) == NSFS_TYPE_COUNT, "a link for each type");

const struct proc_dir proc_ns_dir = PROC_DIR(ns_nodes);
