/* SPDX-License-Identifier: Apache-2.0 */
/* Peer groups: who is in which, and who follows whom. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "sentry/vfs/mount_peers.h"
#include "sentry/vfs/mount_tree.h"

static int next_id = 1; /* namespace lock; unlike Linux's, one is not used again */

int mount_share_locked(struct mount *m)
{
	struct peer_group *g = calloc(1, sizeof(*g));

	if (!g)
		return -ENOMEM;
	g->id = next_id++;
	list_init(&g->members);
	list_init(&g->slaves);
	m->group = g;
	list_add_tail(&g->members, &m->in_group);
	return 0;
}

void mount_enslave_locked(struct mount *m, struct peer_group *group)
{
	m->master = group;
	list_add_tail(&group->slaves, &m->in_slaves);
}

void mount_follow_locked(struct mount *m, const struct mount *of)
{
	if (of->group) {
		m->group = of->group;
		list_add_tail(&of->group->members, &m->in_group);
	}
	if (of->master)
		mount_enslave_locked(m, of->master);
}

static void leave_master(struct mount *m)
{
	if (!m->master)
		return;
	list_remove(&m->in_slaves);
	m->master = NULL;
}

/* With its last member a group goes, and its slaves follow that one's master. */
static void leave_group(struct mount *m)
{
	struct peer_group *g = m->group;
	struct mount *slave;

	if (!g)
		return;
	list_remove(&m->in_group);
	m->group = NULL;
	if (!list_empty(&g->members))
		return;
	while ((slave = list_first(&g->slaves, struct mount, in_slaves))) {
		leave_master(slave);
		if (m->master)
			mount_enslave_locked(slave, m->master);
	}
	free(g);
}

int mount_share_tree_locked(struct mount *top, bool recursive)
{
	for (struct mount *m = top; m; m = recursive ? mount_next_locked(m, top) : NULL) {
		int rc;

		if (m->group)
			continue;
		rc = mount_share_locked(m);
		if (rc < 0)
			return rc;
		m->group->fresh = true;
	}
	return 0;
}

void mount_share_settle_locked(struct mount *top, bool keep)
{
	for (struct mount *m = top; m; m = mount_next_locked(m, top)) {
		if (!m->group || !m->group->fresh)
			continue;
		if (keep) {
			m->group->fresh = false;
			m->unbindable = false;
		} else {
			leave_group(m);
		}
	}
}

void mount_make_slave_locked(struct mount *m)
{
	struct peer_group *g = m->group;
	bool alone = g && g->members.next == g->members.prev;

	leave_group(m);
	if (!g || alone)
		return;
	leave_master(m);
	mount_enslave_locked(m, g);
}

void mount_make_private_locked(struct mount *m)
{
	leave_group(m);
	leave_master(m);
}

static bool has_member_below(const struct peer_group *g, const struct mount_namespace *ns,
			     const struct path *root)
{
	struct mount *m;

	list_for_each(m, &g->members, in_group) {
		struct path top = { m, m->root };

		if (m->ns == ns && mount_reachable_locked(&top, root))
			return true;
	}
	return false;
}

int mount_dominating_locked(const struct mount *m, const struct mount_namespace *ns,
			    const struct path *root)
{
	const struct peer_group *g = m->master;

	while (g && !has_member_below(g, ns, root))
		g = list_entry(g->members.next, struct mount, in_group)->master;
	return g ? g->id : 0;
}
