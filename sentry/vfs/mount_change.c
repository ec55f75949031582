/* SPDX-License-Identifier: Apache-2.0 */
/* mount_setattr: flags and propagation of a mount, or of all in a tree, at once. */
#include "config.h"

#include <errno.h>

#include "sentry/abi/fs.h"
#include "sentry/vfs/mount_peers.h"
#include "sentry/vfs/mount_tree.h"

static struct mount *next_locked(const struct mount *m, const struct mount *top, const struct mount_change *c)
{
	return c->recursive ? mount_next_locked(m, top) : NULL;
}

static uint32_t changed(const struct mount *m, const struct mount_change *c)
{
	return (m->flags & ~c->clear) | c->set;
}

static int check_locked(const struct mount_namespace *own, struct mount *top, const struct mount_change *c)
{
	if (top->ns != own && !mount_is_detached_root_locked(top))
		return -EINVAL;
	for (const struct mount *m = top; m; m = next_locked(m, top, c)) {
		if ((m->flags ^ changed(m, c)) & m->locked_flags)
			return -EPERM;
	}
	return 0;
}

static void commit_locked(struct mount *top, const struct mount_change *c)
{
	for (struct mount *m = top; m; m = next_locked(m, top, c)) {
		m->flags = changed(m, c);
		if (c->propagation && c->propagation != LINUX_MS_SHARED)
			mount_change_propagation_locked(m, c->propagation);
	}
	mount_namespace_changed(top->ns);
}

int vfs_change_mount(const struct mount_namespace *own, const struct path *at, const struct mount_change *c)
{
	struct mount *top = at->mount;
	bool share = c->propagation == LINUX_MS_SHARED;
	int rc;

	if (!mount_is_root(at))
		return -EINVAL;
	mount_tree_write_lock();
	rc = check_locked(own, top, c);
	if (rc == 0 && share) {
		rc = mount_share_tree_locked(top, c->recursive);
		mount_share_settle_locked(top, rc == 0);
	}
	if (rc == 0)
		commit_locked(top, c);
	mount_tree_write_unlock();
	return rc;
}
