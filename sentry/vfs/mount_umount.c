/* SPDX-License-Identifier: Apache-2.0 */
/*
 * umount: of a tree, and of what its mounts are propagated to.  What came by propagation goes unless
 * something stays mounted in it, or it is locked on something that stays; what lies on its root only takes
 * its place.
 */
#include "config.h"

#include <errno.h>

#include "sentry/abi/fs.h"
#include "sentry/vfs/mount_peers.h"
#include "sentry/vfs/mount_tree.h"

/* --- to whom a mount on @m is propagated ------------------------------------------------ */

/* Every mount that gets what is mounted on @from, once; found by a walk over the groups. */
struct receivers {
	struct list_node visited; /* struct peer_group */
	struct peer_group *group; /* being walked */
	struct mount *from, *at;
	bool among_slaves;
};

static void receivers_begin(struct receivers *r, struct mount *from)
{
	*r = (struct receivers){ .from = from, .group = from->group };
	list_init(&r->visited);
	if (r->group)
		list_add_tail(&r->visited, &r->group->visited);
}

static void receivers_end(struct receivers *r)
{
	struct peer_group *g, *next;

	list_for_each_safe(g, next, &r->visited, visited)
		list_remove(&g->visited);
}

static struct mount *next_member(struct receivers *r)
{
	struct list_node *next = r->at ? r->at->in_group.next : r->group->members.next;

	return next == &r->group->members ? NULL : list_entry(next, struct mount, in_group);
}

static struct mount *next_slave(struct receivers *r)
{
	struct list_node *next = r->at ? r->at->in_slaves.next : r->group->slaves.next;

	return next == &r->group->slaves ? NULL : list_entry(next, struct mount, in_slaves);
}

static void next_group(struct receivers *r)
{
	struct list_node *next = r->group->visited.next;

	r->group = next == &r->visited ? NULL : list_entry(next, struct peer_group, visited);
}

/* NULL: there is none any more. */
static struct mount *receivers_next(struct receivers *r)
{
	while (r->group) {
		r->at = r->among_slaves ? next_slave(r) : next_member(r);
		if (!r->at) {
			if (r->among_slaves)
				next_group(r);
			r->among_slaves = !r->among_slaves;
		} else if (r->among_slaves && r->at->group) {
			/* A member of that group, when its turn comes. */
			if (!list_linked(&r->at->group->visited))
				list_add_tail(&r->visited, &r->at->group->visited);
		} else if (r->at != r->from) {
			return r->at;
		}
	}
	return NULL;
}

/* --- is it in use ------------------------------------------------------------------------ */

/* Held by the namespace's list, @others, and what covers it. */
static bool is_used(struct mount *m, uint32_t others)
{
	struct mount *covering = mount_child_locked(m, m->root);
	bool alone = list_empty(&m->children);

	if (covering && m->children.next == m->children.prev) {
		alone = true;
		others++;
	}
	return alone && refcount_read(&m->refs) > 1 + others;
}

static bool propagated_is_used(const struct mount *m)
{
	struct receivers r;
	struct mount *to;
	bool used = false;

	if (!m->parent)
		return false;
	receivers_begin(&r, m->parent);
	while (!used && (to = receivers_next(&r))) {
		struct mount *child = mount_child_locked(to, m->mountpoint);

		used = child && is_used(child, 0);
	}
	receivers_end(&r);
	return used;
}

/* --- what goes ----------------------------------------------------------------------------- */

static void add(struct list_node *list, struct mount *m, enum mount_umounting as)
{
	m->umounting = as;
	m->leaves_cover = false;
	list_add_tail(list, &m->in_umount);
}

static void add_propagated(const struct mount *m, struct list_node *candidates)
{
	struct receivers r;
	struct mount *to;

	if (!m->parent)
		return;
	receivers_begin(&r, m->parent);
	while ((to = receivers_next(&r))) {
		struct mount *child = mount_child_locked(to, m->mountpoint);

		if (child && !child->umounting)
			add(candidates, child, MOUNT_UMOUNT_CANDIDATE);
	}
	receivers_end(&r);
}

/*
 * Something is left where @m is.  On its parent's root it will lie on what that one covers; elsewhere in
 * the parent, that one stays.
 */
static void tell_parents(struct mount *m)
{
	struct mount *parent;

	while ((parent = m->parent) && parent->umounting == MOUNT_UMOUNT_CANDIDATE) {
		if (m->mountpoint != parent->root)
			parent->umounting = MOUNT_STAYS;
		else if (parent->leaves_cover)
			return;
		else
			parent->leaves_cover = true;
		m = parent;
	}
}

static void keep_needed(struct list_node *candidates)
{
	struct mount *m, *child;

	list_for_each(m, candidates, in_umount) {
		list_for_each(child, &m->children, siblings) {
			if (!child->umounting)
				tell_parents(child);
		}
	}
}

/* Decides on @m and the candidates it is in: what is locked goes only with what it is on. */
static void decide(struct mount *m)
{
	struct mount *p, *stays = m;

	for (p = m; p->umounting == MOUNT_UMOUNT_CANDIDATE; p = p->parent) {
		if (!p->locked)
			stays = p->parent;
	}
	if (p->umounting == MOUNT_GOES)
		stays = p;
	for (; m != stays; m = m->parent)
		m->umounting = MOUNT_GOES;
	for (; m != p; m = m->parent)
		m->umounting = MOUNT_STAYS;
}

/* What is not to go lies on @m's root, and comes down to the next place that stays. */
static void let_down(struct mount *m)
{
	struct mount *child, *next, *to = m->parent;
	struct dentry *place = m->mountpoint;

	for (; to->umounting; to = to->parent)
		place = to->mountpoint;
	list_for_each_safe(child, next, &m->children, siblings) {
		if (!child->umounting)
			mount_reparent_locked(child, to, place);
	}
}

/* Who may umount @top's place may do so where that is propagated to. */
static void unlock_propagated(const struct mount *top)
{
	struct receivers r;
	struct mount *to;

	if (!top->parent)
		return;
	receivers_begin(&r, top->parent);
	while ((to = receivers_next(&r))) {
		struct mount *child = mount_child_locked(to, top->mountpoint);

		if (child)
			child->locked = false;
	}
	receivers_end(&r);
}

static void leave_listed(struct list_node *list, struct list_node *gone)
{
	struct mount *m;

	while ((m = list_first(list, struct mount, in_umount))) {
		struct mount_namespace *ns = m->ns;

		list_remove(&m->in_umount);
		m->umounting = MOUNT_STAYS;
		mount_leave_locked(m, gone);
		mount_namespace_changed(ns);
	}
}

static void umount_tree(struct mount *top, bool lazy, struct list_node *dead)
{
	struct list_node tree = LIST_HEAD_INIT(tree), candidates = LIST_HEAD_INIT(candidates);
	struct list_node gone = LIST_HEAD_INIT(gone);
	struct mount *m, *next;

	unlock_propagated(top);
	for (m = top; m; m = mount_next_locked(m, top))
		add(&tree, m, MOUNT_GOES);
	list_for_each(m, &tree, in_umount)
		add_propagated(m, &candidates);
	keep_needed(&candidates);
	list_for_each(m, &candidates, in_umount)
		decide(m);
	list_for_each_safe(m, next, &candidates, in_umount) {
		if (!m->umounting)
			list_remove(&m->in_umount);
	}
	list_for_each(m, &candidates, in_umount)
		let_down(m);
	leave_listed(&candidates, &gone);
	leave_listed(&tree, &gone);
	mount_disconnect_locked(&gone, lazy, dead);
}

int vfs_umount(const struct path *at, int umount_flags)
{
	struct list_node dead = LIST_HEAD_INIT(dead);
	struct mount *m = at->mount;
	bool lazy = umount_flags & LINUX_MNT_DETACH;
	int rc = 0;

	if (!mount_is_root(at))
		return -EINVAL;
	mount_tree_write_lock();
	if (!m->ns || m->locked)
		rc = -EINVAL;
	else if (!m->parent && m == m->ns->root)
		rc = lazy ? -EINVAL : -EBUSY;
	/* The caller's path holds it, too. */
	else if (!lazy && (!list_empty(&m->children) || is_used(m, 1) || propagated_is_used(m)))
		rc = -EBUSY;
	else if (umount_flags & LINUX_MNT_EXPIRE)
		rc = -EAGAIN; /* the first call marks; nothing here ever expires */
	if (rc == 0)
		umount_tree(m, lazy, &dead);
	mount_tree_write_unlock();
	mount_put_dead(&dead);
	return rc;
}
