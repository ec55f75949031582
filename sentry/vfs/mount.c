/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts and the tree they form: see mount_tree.h for the lock. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "sentry/abi/epoll.h"
#include "sentry/vfs/dentry_cache.h"
#include "sentry/vfs/mount_tree.h"
#include "util/log.h"

static struct rwlock tree_lock = { PTHREAD_RWLOCK_INITIALIZER, LOCK_RANK_MOUNT };
static _Atomic int next_id = 20;

void mount_tree_read_lock(void) NO_LOCK_ANALYSIS
{
	rwlock_read_lock(&tree_lock);
}

void mount_tree_read_unlock(void) NO_LOCK_ANALYSIS
{
	rwlock_read_unlock(&tree_lock);
}

void mount_tree_write_lock(void) NO_LOCK_ANALYSIS
{
	rwlock_write_lock(&tree_lock);
}

void mount_tree_write_unlock(void) NO_LOCK_ANALYSIS
{
	rwlock_write_unlock(&tree_lock);
}

int mount_new(struct super_block *sb, struct dentry *root, uint32_t flags, struct mount **out)
{
	struct mount *m = calloc(1, sizeof(*m));

	if (!m)
		return -ENOMEM;
	refcount_init(&m->refs);
	m->id = atomic_fetch_add(&next_id, 1);
	m->sb = super_block_get(sb);
	m->root = dentry_get(root ? root : sb->root);
	list_init(&m->children);
	m->flags = flags;
	*out = m;
	return 0;
}

struct mount *mount_get(struct mount *m)
{
	refcount_get(&m->refs);
	return m;
}

void mount_put(struct mount *m)
{
	if (!m || !refcount_put(&m->refs))
		return;
	ASSERT(!m->parent && !m->ns && list_empty(&m->children));
	dentry_put(m->root);
	super_block_put(m->sb);
	free(m);
}

struct mount *mount_lookup_child(struct mount *m, struct dentry *d)
{
	struct mount *child, *found = NULL;

	if (!m || !d->mounted)
		return NULL;
	mount_tree_read_lock();
	list_for_each(child, &m->children, siblings) {
		if (child->mountpoint == d) {
			found = mount_get(child);
			break;
		}
	}
	mount_tree_read_unlock();
	return found;
}

bool mount_parent(struct mount *m, struct path *out)
{
	bool found = false;

	mount_tree_read_lock();
	if (m->parent) {
		struct path at = { m->parent, m->mountpoint };

		*out = path_get(&at);
		found = true;
	}
	mount_tree_read_unlock();
	return found;
}

bool path_follow_mounts(struct path *p)
{
	struct mount *m;
	bool moved = false;

	while ((m = mount_lookup_child(p->mount, p->dentry))) {
		struct path top = { m, dentry_get(m->root) };

		path_put(p);
		*p = top;
		moved = true;
	}
	return moved;
}

bool path_is_read_only(const struct path *p)
{
	return (p->mount && p->mount->flags & MOUNT_READONLY) || p->dentry->sb->read_only;
}

/* --- the tree --------------------------------------------------------------------- */

void mount_namespace_changed(struct mount_namespace *ns)
{
	atomic_fetch_add(&ns->generation, 1);
	wait_queue_wake_all(&ns->changes, LINUX_EPOLLERR | LINUX_EPOLLPRI);
}

void mount_attach_locked(struct mount *m, const struct path *at, struct mount_namespace *ns)
{
	if (at) {
		m->parent = mount_get(at->mount);
		m->mountpoint = dentry_get(at->dentry);
		at->dentry->mounted++;
		list_add_tail(&at->mount->children, &m->siblings);
	}
	if (ns) {
		m->ns = ns;
		list_add_tail(&ns->mounts, &m->in_namespace);
		ns->mount_count++;
	}
}

/*
 * A detached mount stays linked to its parent's reference until put: the pair is
 * kept in the mount itself, and the in_namespace node (free now) queues it.
 */
void mount_detach_locked(struct mount *m, struct list_node *dead)
{
	if (list_linked(&m->siblings)) {
		list_remove(&m->siblings);
		m->mountpoint->mounted--;
	}
	if (m->ns) {
		list_remove(&m->in_namespace);
		m->ns->mount_count--;
		m->ns = NULL;
	}
	list_add_tail(dead, &m->in_namespace);
}

void mount_detach_tree_locked(struct mount *m, struct list_node *dead)
{
	struct list_node pending = LIST_HEAD_INIT(pending);
	struct mount *child;

	mount_detach_locked(m, &pending);
	while ((m = list_first(&pending, struct mount, in_namespace))) {
		while ((child = list_first(&m->children, struct mount, siblings)))
			mount_detach_locked(child, &pending);
		list_remove(&m->in_namespace);
		list_add_tail(dead, &m->in_namespace);
	}
}

void mount_put_dead(struct list_node *dead)
{
	struct mount *m;

	while ((m = list_first(dead, struct mount, in_namespace))) {
		struct path at;

		mount_tree_write_lock();
		list_remove(&m->in_namespace);
		at = (struct path){ m->parent, m->mountpoint };
		m->parent = NULL;
		m->mountpoint = NULL;
		mount_tree_write_unlock();
		path_put(&at);
		mount_put(m);
	}
}

/* --- copies -------------------------------------------------------------------------- */

/* Breadth first; a copy waits in `siblings` order under its new parent. */
static int copy_children_locked(struct mount *from, struct mount *to)
{
	struct mount *child, *copy;

	list_for_each(child, &from->children, siblings) {
		struct path at = { to, child->mountpoint };
		int rc;

		if (!dentry_is_below(child->mountpoint, to->root))
			continue;
		rc = mount_new(child->sb, child->root, child->flags, &copy);
		if (rc == 0) {
			mount_attach_locked(copy, &at, NULL);
			rc = copy_children_locked(child, copy);
		}
		if (rc < 0)
			return rc;
	}
	return 0;
}

int mount_copy_tree_locked(struct mount *from, struct dentry *root, bool recursive,
			   struct mount **out)
{
	struct mount *top = NULL;
	int rc = mount_new(from->sb, root, from->flags, &top);

	if (rc == 0 && recursive)
		rc = copy_children_locked(from, top);
	*out = top;
	return rc;
}
