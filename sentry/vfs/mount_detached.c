/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trees of mounts that are mounted nowhere.  Each is in a mount namespace of its own that nobody is in, which
 * a file keeps: moved to its place, the tree leaves it; else it goes with the file.
 */
#include "config.h"

#include <errno.h>

#include "sentry/abi/fs.h"
#include "sentry/cred/credentials.h"
#include "sentry/vfs/mount_tree.h"

bool mount_is_usable_locked(const struct mount *m, const struct mount_namespace *own)
{
	const struct mount_namespace *ns = m ? m->ns : NULL;

	return ns == own || (ns && ns->anonymous && (!ns->origin || ns->origin == own->ino));
}

bool mount_is_detached_root_locked(const struct mount *m)
{
	return m->ns && m->ns->anonymous && m->ns->root == m;
}

bool path_is_usable(const struct path *p, const struct mount_namespace *own)
{
	bool usable;

	mount_tree_read_lock();
	usable = p->mount ? mount_is_usable_locked(p->mount, own) : dentry_is_bindable(p->dentry);
	mount_tree_read_unlock();
	return usable;
}

static void tree_release(struct file *file)
{
	mount_namespace_put(file->private_data);
}

static const struct file_ops tree_file_ops = { .release = tree_release };

/* Takes over @ns, whose root is to be opened. */
static int open_root(struct mount_namespace *ns, const struct credentials *cred, struct file **out)
{
	struct mount *m = ns->root;
	struct file *file;
	int rc = file_new(&tree_file_ops, m->root->inode, m, m->root, LINUX_O_PATH, cred, &file);

	if (rc < 0) {
		mount_namespace_put(ns);
		return rc;
	}
	file->private_data = ns;
	*out = file;
	return 0;
}

static int copy_locked(const struct mount_namespace *own, const struct path *from, bool recursive,
		       struct mount **out)
{
	if (from->mount && !mount_is_usable_locked(from->mount, own))
		return -EINVAL;
	return mount_copy_for_bind_locked(from, recursive, out);
}

static uint64_t origin_of(const struct path *from)
{
	const struct mount_namespace *ns;
	uint64_t origin = 0;

	mount_tree_read_lock();
	ns = from->mount ? from->mount->ns : NULL;
	if (ns)
		origin = ns->anonymous ? ns->origin : ns->ino;
	mount_tree_read_unlock();
	return origin;
}

int vfs_open_detached(const struct vfs_context *ctx, const struct mount_namespace *own, const struct path *from,
		      bool recursive, struct file **out)
{
	struct list_node dead = LIST_HEAD_INIT(dead);
	struct mount_namespace *ns;
	struct mount *m = NULL;
	int rc = mount_namespace_new_anonymous(own->user_ns, ctx->cred->euid, origin_of(from), &ns);

	if (rc < 0)
		return rc;
	mount_tree_write_lock();
	rc = copy_locked(own, from, recursive, &m);
	if (rc == 0) {
		mount_adopt_tree_locked(m, ns);
		ns->root = mount_get(m);
	} else if (m) {
		mount_detach_tree_locked(m, &dead);
	}
	mount_tree_write_unlock();
	mount_put_dead(&dead);
	if (rc < 0) {
		mount_namespace_put(ns);
		return rc;
	}
	return open_root(ns, ctx->cred, out);
}

int vfs_open_new_detached(const struct mount_namespace *own, const struct credentials *cred, struct super_block *sb,
			  uint32_t flags, uint32_t locked_flags, struct file **out)
{
	struct mount_namespace *ns;
	struct mount *m;
	int rc = mount_namespace_new_anonymous(own->user_ns, cred->euid, 0, &ns);

	if (rc < 0)
		return rc;
	rc = mount_new(sb, NULL, flags, &m);
	if (rc < 0) {
		mount_namespace_put(ns);
		return rc;
	}
	m->locked_flags = locked_flags;
	mount_tree_write_lock();
	mount_adopt_tree_locked(m, ns);
	ns->root = mount_get(m);
	mount_tree_write_unlock();
	return open_root(ns, cred, out);
}
