/* SPDX-License-Identifier: Apache-2.0 */
/* A tree of mounts goes to another place: from one in its namespace, or from nowhere. */
#include "config.h"

#include <errno.h>

#include "sentry/abi/capability.h"
#include "sentry/cred/credentials.h"
#include "sentry/vfs/dentry_cache.h"
#include "sentry/vfs/mount_peers.h"
#include "sentry/vfs/mount_tree.h"
#include "util/cleanup.h"

struct move {
	const struct mount_namespace *own; /* the caller's */
	const struct mount *root;	   /* on which the caller's root is; compared only */
	struct mount *mount;		   /* what is moved; borrowed, as all that follows */
	struct path to;			   /* on what */
	struct mount *above;		   /* what will lie on it; NULL: nothing */
};

static bool tree_contains_locked(const struct mount *top, const struct mount *m)
{
	for (; m; m = m->parent) {
		if (m == top)
			return true;
	}
	return false;
}

static bool has_unbindable_locked(struct mount *top)
{
	struct mount *m = top;

	while (m && !m->unbindable)
		m = mount_next_locked(m, top);
	return m;
}

struct path mount_move_locked(struct mount *m, const struct path *to)
{
	struct path old = { m->parent, m->mountpoint };

	mount_unlink_locked(m);
	m->parent = NULL;
	m->mountpoint = NULL;
	if (to)
		mount_attach_locked(m, to, NULL);
	return old;
}

/* --- what may go where ---------------------------------------------------------------------- */

static int find_place_locked(struct move *v, const struct path *to, bool beneath)
{
	if (!beneath) {
		v->to = mount_top_locked(to);
		return 0;
	}
	if (!mount_is_root(to) || !to->mount->parent)
		return -EINVAL;
	v->above = to->mount;
	v->to = (struct path){ to->mount->parent, to->mount->mountpoint };
	return 0;
}

static bool may_go_locked(const struct move *v)
{
	const struct mount *m = v->mount;

	if (m->ns == v->own)
		return m->parent && !m->locked && !m->parent->group && v->to.mount->ns == v->own;
	return mount_is_detached_root_locked(m) && m->ns != v->to.mount->ns &&
	       mount_is_usable_locked(v->to.mount, v->own);
}

/* A mount on @place in @from would come to lie on @to. */
static bool would_overmount_locked(const struct mount *from, const struct mount *to, const struct dentry *place)
{
	const struct peer_group *g;

	if (!from->group || to->root != place)
		return false;
	if (to->group == from->group)
		return true;
	for (g = to->master; g && g != from->group;)
		g = list_entry(g->members.next, struct mount, in_group)->master;
	return g;
}

static bool may_go_beneath_locked(const struct move *v)
{
	struct mount *above = v->above, *m = v->mount;

	if (above->locked || mount_child_locked(m, m->root) || above == v->root || tree_contains_locked(above, m))
		return false;
	if (would_overmount_locked(v->to.mount, above, v->to.dentry))
		return false;
	return m->ns != v->own || !would_overmount_locked(v->to.mount, m, v->to.dentry);
}

static int check_locked(const struct path *from, const struct move *v)
{
	int rc;

	if (!mount_is_root(from))
		return -EINVAL;
	rc = mount_check_place_locked(v->mount->root, &v->to);
	if (rc < 0)
		return rc == -ENOTDIR ? -EINVAL : rc;
	if (!may_go_locked(v) || (v->above && !may_go_beneath_locked(v)))
		return -EINVAL;
	if (v->to.mount->group && has_unbindable_locked(v->mount))
		return -EINVAL;
	if (mount_tree_would_loop_locked(v->to.mount->ns, v->mount))
		return -ELOOP;
	return tree_contains_locked(v->mount, v->to.mount) ? -ELOOP : 0;
}

/* --- the move -------------------------------------------------------------------------------- */

/* @left: of a detached tree, what is to be put. */
static struct path commit_locked(struct move *v, struct mount **left)
{
	struct mount *m = v->mount;
	struct mount_namespace *from = m->ns, *to = v->to.mount->ns;
	struct path old;

	if (v->above)
		mount_reparent_locked(v->above, m, m->root);
	old = mount_move_locked(m, &v->to);
	if (from != to) {
		*left = move_ptr(from->root);
		mount_disown_tree_locked(m);
		mount_adopt_tree_locked(m, to);
	}
	mount_namespace_changed(to);
	return old;
}

static const struct mount *root_mount(const struct vfs_context *ctx)
{
	const struct mount *m;

	mutex_lock(&ctx->fs->lock);
	m = ctx->fs->root.mount;
	mutex_unlock(&ctx->fs->lock);
	return m;
}

int vfs_move_mount(const struct vfs_context *ctx, const struct mount_namespace *own, const struct path *from,
		   const struct path *to, bool beneath)
{
	struct list_node dead = LIST_HEAD_INIT(dead), copies = LIST_HEAD_INIT(copies);
	struct move v = { .own = own, .root = root_mount(ctx), .mount = from->mount };
	struct path old = { NULL, NULL }, place = { NULL, NULL };
	struct mount *left = NULL;
	int rc;

	if (!from->mount || !to->mount)
		return -EINVAL;
	mount_tree_write_lock();
	rc = find_place_locked(&v, to, beneath);
	if (rc == 0)
		rc = check_locked(from, &v);
	if (rc == 0)
		rc = mount_propagate_locked(v.mount, &v.to, &copies, &dead);
	if (rc == 0) {
		/* What lies there may be all that keeps it. */
		place = path_get(&v.to);
		old = commit_locked(&v, &left);
		mount_commit_copies_locked(&copies, v.mount->ns->user_ns);
	}
	mount_tree_write_unlock();
	mount_put_dead(&dead);
	path_put(&old);
	path_put(&place);
	mount_put(left);
	return rc;
}

/* --- groups -------------------------------------------------------------------------------- */

static int may_set_group_locked(const struct credentials *cred, const struct path *from, const struct path *to)
{
	const struct mount *source = from->mount, *m = to->mount;

	if (!source || !source->ns || !m || !m->ns)
		return -EINVAL;
	if (!credentials_ns_capable(cred, source->ns->user_ns, LINUX_CAP_SYS_ADMIN) ||
	    !credentials_ns_capable(cred, m->ns->user_ns, LINUX_CAP_SYS_ADMIN))
		return -EPERM;
	if (!mount_is_root(from) || !mount_is_root(to) || source->sb != m->sb)
		return -EINVAL;
	/* What the one shows is a part of what the other does. */
	if (!dentry_is_below(m->root, source->root) || mount_has_locked_child_locked(source, m->root))
		return -EINVAL;
	return m->group || m->master || (!source->group && !source->master) ? -EINVAL : 0;
}

int vfs_set_mount_group(const struct credentials *cred, const struct path *from, const struct path *to)
{
	int rc;

	mount_tree_write_lock();
	rc = may_set_group_locked(cred, from, to);
	if (rc == 0)
		mount_follow_locked(to->mount, from->mount);
	mount_tree_write_unlock();
	return rc;
}
