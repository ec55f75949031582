/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes to mount trees: mount, bind, remount, change of propagation.
 * Permission (CAP_SYS_ADMIN, and that the place is of the caller's namespace) is the caller's to check.
 */
#include "config.h"

#include <errno.h>

#include "sentry/abi/capability.h"
#include "sentry/abi/fs.h"
#include "sentry/cred/credentials.h"
#include "sentry/cred/user_namespace.h"
#include "sentry/vfs/fs_config.h"
#include "sentry/vfs/mount_peers.h"
#include "sentry/vfs/mount_tree.h"

static bool is_directory(const struct dentry *d)
{
	return inode_type(d->inode) == LINUX_S_IFDIR;
}

int mount_check_place_locked(const struct dentry *root, const struct path *at)
{
	if (!at->mount || !at->mount->ns)
		return -EINVAL;
	if (is_directory(root) != is_directory(at->dentry))
		return -ENOTDIR;
	if (at->dentry->inode->dead || (!at->dentry->hashed && at->dentry->parent != at->dentry))
		return -ENOENT;
	return 0;
}

struct path mount_top_locked(const struct path *at)
{
	struct path top = *at;
	struct mount *m;

	while (top.mount && (m = mount_child_locked(top.mount, top.dentry)))
		top = (struct path){ m, m->root };
	return top;
}

/* Links the tree @m, whose reference is taken over, at @at. */
static int graft(struct mount *m, const struct path *at)
{
	struct list_node dead = LIST_HEAD_INIT(dead), copies = LIST_HEAD_INIT(copies);
	struct mount_namespace *ns;
	struct path top;
	int rc;

	mount_tree_write_lock();
	top = mount_top_locked(at);
	rc = mount_check_place_locked(m->root, &top);
	if (rc == 0)
		rc = mount_propagate_locked(m, &top, &copies, &dead);
	if (rc == 0) {
		ns = top.mount->ns;
		mount_attach_locked(m, &top, NULL);
		mount_adopt_tree_locked(m, ns);
		mount_commit_copies_locked(&copies, ns->user_ns);
		mount_namespace_changed(ns);
	} else {
		mount_detach_tree_locked(m, &dead);
	}
	mount_tree_write_unlock();
	mount_put_dead(&dead);
	return rc;
}

int vfs_mount_sb(struct super_block *sb, struct dentry *root, const struct path *at, uint32_t flags)
{
	struct mount *m;
	int rc = mount_new(sb, root, flags, &m);

	return rc < 0 ? rc : graft(m, at);
}

int vfs_mount_revealing(const struct mount_namespace *ns, struct super_block *sb, const struct path *at,
			uint32_t flags)
{
	uint32_t kept = 0;
	struct mount *m;
	int rc;

	if (!mount_is_shown(ns, sb, flags, &kept))
		return -EPERM;
	rc = mount_new(sb, NULL, flags, &m);
	if (rc < 0)
		return rc;
	m->locked_flags = kept;
	return graft(m, at);
}

int vfs_bind_mount(const struct path *from, const struct path *at, bool recursive, uint32_t flags)
{
	struct list_node dead = LIST_HEAD_INIT(dead);
	struct mount *m = NULL;
	int rc = -EINVAL;

	mount_tree_write_lock();
	if ((!from->mount || from->mount->ns) && at->mount && at->mount->ns &&
	    !mount_namespace_would_loop(at->mount->ns, from->dentry))
		rc = mount_copy_for_bind_locked(from, recursive, &m);
	if (rc < 0 && m)
		mount_detach_tree_locked(m, &dead);
	mount_tree_write_unlock();
	mount_put_dead(&dead);
	if (rc < 0)
		return rc;
	m->flags |= flags;
	return graft(m, at);
}

static bool may_change_flags(const struct mount *m, uint32_t flags)
{
	bool may;

	mount_tree_read_lock();
	may = !((m->flags ^ flags) & m->locked_flags);
	mount_tree_read_unlock();
	return may;
}

static int change_super(const struct credentials *cred, struct super_block *sb, uint64_t ms, const char *options)
{
	struct fs_config c;
	int rc = fs_config_begin_change(sb, cred, &c);

	if (rc < 0)
		return rc;
	c.monolithic = true;
	c.flags_mask = LINUX_MS_RDONLY | LINUX_MS_SYNCHRONOUS | LINUX_MS_LAZYTIME | LINUX_MS_MANDLOCK;
	c.flags = (uint32_t)ms & c.flags_mask;
	rc = fs_config_set_all(&c, cred, options);
	if (rc == 0)
		rc = credentials_ns_capable(cred, sb->user_ns, LINUX_CAP_SYS_ADMIN) ? fs_config_reconfigure(&c) :
											-EPERM;
	fs_config_end(&c);
	return rc;
}

int vfs_remount(const struct credentials *cred, const struct path *at, uint32_t flags, bool bind, uint64_t ms,
		const char *options)
{
	int rc;

	if (!mount_is_root(at))
		return -EINVAL;
	if (!may_change_flags(at->mount, flags))
		return -EPERM;
	if (!bind) {
		rc = change_super(cred, at->dentry->sb, ms, options);
		if (rc < 0)
			return rc;
	}
	at->mount->flags = flags;
	mount_tree_write_lock();
	if (at->mount->ns)
		mount_namespace_changed(at->mount->ns);
	mount_tree_write_unlock();
	return 0;
}

/* --- propagation ---------------------------------------------------------------------------- */

void mount_change_propagation_locked(struct mount *m, uint64_t type)
{
	if (type == LINUX_MS_SLAVE) {
		mount_make_slave_locked(m);
	} else {
		mount_make_private_locked(m);
		m->unbindable = type == LINUX_MS_UNBINDABLE;
	}
}

static bool may_change(const struct credentials *cred, const struct mount_namespace *ns)
{
	return !cred || credentials_ns_capable(cred, ns->user_ns, LINUX_CAP_SYS_ADMIN);
}

int vfs_change_propagation(const struct credentials *cred, const struct path *at, uint64_t type,
			   bool recursive)
{
	struct path place;
	struct mount *top;
	int rc = 0;

	mount_tree_write_lock();
	place = mount_top_locked(at);
	top = place.mount;
	if (!mount_is_root(&place) || !top->ns) {
		rc = -EINVAL;
	} else if (!may_change(cred, top->ns)) {
		rc = -EPERM;
	} else if (type == LINUX_MS_SHARED) {
		rc = mount_share_tree_locked(top, recursive);
		mount_share_settle_locked(top, rc == 0);
	} else {
		for (struct mount *m = top; m; m = recursive ? mount_next_locked(m, top) : NULL)
			mount_change_propagation_locked(m, type);
	}
	mount_tree_write_unlock();
	return rc;
}

/* --- sync ---------------------------------------------------------------------------------- */

/* By number, so that no lock is held while a file system works. */
static struct super_block *nth_super(struct mount_namespace *ns, uint32_t n)
{
	struct super_block *sb = NULL;
	struct mount *m;

	mount_tree_read_lock();
	list_for_each(m, &ns->mounts, in_namespace) {
		if (n-- == 0) {
			sb = super_block_get(m->sb);
			break;
		}
	}
	mount_tree_read_unlock();
	return sb;
}

void vfs_sync_namespace(struct mount_namespace *ns)
{
	struct super_block *sb;

	for (uint32_t n = 0; (sb = nth_super(ns, n)); n++) {
		/* sync(2) reports no errors */
		if (sb->ops && sb->ops->sync)
			(void)sb->ops->sync(sb);
		super_block_put(sb);
	}
}
