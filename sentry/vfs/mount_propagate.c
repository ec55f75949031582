/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a mount goes besides the place it was asked for.  The groups that get it are visited master
 * before slave: copies in the group of the place are peers of what is mounted there, the first one in a
 * group of slaves is a slave of the copy in its master's group, the others in it are that one's peers.
 *
 * Until it is committed a copy waits by `siblings`, with its parent and mountpoint set and counted in the
 * parent's namespace, but is no one's child and in no namespace.
 */
#include "config.h"

#include <errno.h>

#include "sentry/vfs/dentry_cache.h"
#include "sentry/vfs/mount_peers.h"
#include "sentry/vfs/mount_tree.h"

struct propagation {
	const struct path *at;
	uint32_t size;		  /* mounts in the tree */
	struct list_node *copies; /* by siblings */
	struct list_node visited; /* struct peer_group, in the order they are to be walked */
};

static uint32_t tree_size_locked(struct mount *top)
{
	uint32_t size = 0;

	for (struct mount *m = top; m; m = mount_next_locked(m, top))
		size++;
	return size;
}

/* --- copies ------------------------------------------------------------------------------ */

static void visit(struct propagation *p, struct peer_group *g, struct mount *copy, bool has_copy)
{
	g->copy = copy;
	g->has_copy = has_copy;
	list_add_tail(&p->visited, &g->visited);
}

/* A copy of @from for @m, if @m has the place.  *out: it, or NULL. */
static int copy_to(struct propagation *p, struct mount *m, struct mount *from, uint32_t how,
		   struct mount **out)
{
	int rc;

	*out = NULL;
	/* What is in no namespace is a copy of this very propagation, in the tree to be mounted, or detached. */
	if (!m->ns || m->ns->anonymous || m == p->at->mount || !dentry_is_below(p->at->dentry, m->root))
		return 0;
	rc = mount_namespace_reserve_locked(m->ns, p->size);
	if (rc < 0)
		return rc;
	rc = mount_copy_tree_locked(from, from->root, how | MOUNT_COPY_RECURSIVE, out);
	if (!*out) {
		m->ns->reserved = 0;
		return rc;
	}
	(*out)->parent = mount_get(m);
	(*out)->mountpoint = dentry_get(p->at->dentry);
	list_add_tail(p->copies, &(*out)->siblings);
	return rc;
}

static int copy_to_members(struct propagation *p, struct peer_group *g)
{
	struct mount *m, *copy;

	list_for_each(m, &g->members, in_group) {
		uint32_t how = g->has_copy ? 0 : MOUNT_COPY_SLAVE | MOUNT_COPY_SHARED;
		int rc = copy_to(p, m, g->copy, how, &copy);

		if (rc < 0)
			return rc;
		if (copy && !g->has_copy) {
			g->copy = copy;
			g->has_copy = true;
		}
	}
	return 0;
}

static int copy_to_slaves(struct propagation *p, struct peer_group *g)
{
	struct mount *m, *copy;

	list_for_each(m, &g->slaves, in_slaves) {
		int rc = 0;

		/* What is moved may itself get a copy: as it was, not yet shared. */
		if (!m->group || m->group->fresh)
			rc = copy_to(p, m, g->copy, MOUNT_COPY_SLAVE, &copy);
		else if (!list_linked(&m->group->visited))
			visit(p, m->group, g->copy, false);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int copy_to_all(struct propagation *p)
{
	struct peer_group *g;
	int rc = 0;

	/* It grows while it is walked. */
	list_for_each(g, &p->visited, visited) {
		rc = copy_to_members(p, g);
		if (rc == 0)
			rc = copy_to_slaves(p, g);
		if (rc < 0)
			break;
	}
	while ((g = list_first(&p->visited, struct peer_group, visited)))
		list_remove(&g->visited);
	return rc;
}

static void drop_copies(struct list_node *copies, struct list_node *dead)
{
	struct mount *copy;

	while ((copy = list_first(copies, struct mount, siblings))) {
		list_remove(&copy->siblings);
		copy->parent->ns->reserved = 0;
		mount_detach_tree_locked(copy, dead);
	}
}

int mount_propagate_locked(struct mount *m, const struct path *at, struct list_node *copies,
			   struct list_node *dead)
{
	struct propagation p = { .at = at, .size = tree_size_locked(m), .copies = copies,
				 .visited = LIST_HEAD_INIT(p.visited) };
	int rc = mount_namespace_reserve_locked(at->mount->ns, m->ns == at->mount->ns ? 0 : p.size);

	if (rc == 0 && at->mount->group) {
		rc = mount_share_tree_locked(m, true);
		if (rc == 0) {
			visit(&p, at->mount->group, m, true);
			rc = copy_to_all(&p);
		}
		if (rc < 0)
			drop_copies(copies, dead);
		mount_share_settle_locked(m, rc == 0);
	}
	at->mount->ns->reserved = 0;
	return rc;
}

/* --- commit ------------------------------------------------------------------------------- */

/* The last of those mounted on each other's roots. */
static struct mount *topmost(struct mount *m)
{
	struct mount *above;

	while ((above = mount_child_locked(m, m->root)))
		m = above;
	return m;
}

static void commit(struct mount *copy, const struct user_namespace *user_ns)
{
	struct path at = { copy->parent, copy->mountpoint };
	struct mount_namespace *ns = at.mount->ns;
	struct mount *covering = mount_child_locked(at.mount, at.dentry);

	list_remove(&copy->siblings);
	if (ns->user_ns != user_ns)
		mount_lock_tree_locked(copy);
	mount_link_locked(copy);
	mount_adopt_tree_locked(copy, ns);
	if (covering) {
		struct mount *top = topmost(copy);

		mount_reparent_locked(covering, top, top->root);
	}
	ns->reserved = 0;
	mount_namespace_changed(ns);
}

void mount_commit_copies_locked(struct list_node *copies, const struct user_namespace *user_ns)
{
	struct mount *copy;

	while ((copy = list_first(copies, struct mount, siblings)))
		commit(copy, user_ns);
}
