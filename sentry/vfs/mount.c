/* SPDX-License-Identifier: Apache-2.0 */
/* Mounts and the tree they form: see mount_tree.h for the lock. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "sentry/abi/epoll.h"
#include "sentry/vfs/dentry_cache.h"
#include "sentry/vfs/mount_peers.h"
#include "sentry/vfs/mount_tree.h"
#include "util/hash.h"
#include "util/log.h"

static struct rwlock tree_lock = { PTHREAD_RWLOCK_INITIALIZER, LOCK_RANK_MOUNT };
static struct hash_table places; /* every mount that is on another one, by place; the lock's */
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

/* What stayed on @m when it was umounted is on nothing any more; queued on @orphans. */
static void leave_children(struct mount *m, struct list_node *orphans)
{
	struct list_node left = LIST_HEAD_INIT(left);
	struct mount *child;

	mount_tree_write_lock();
	while ((child = list_first(&m->children, struct mount, siblings))) {
		mount_unlink_locked(child);
		child->parent = NULL;
		list_add_tail(&left, &child->in_namespace);
	}
	mount_tree_write_unlock();
	while ((child = list_first(&left, struct mount, in_namespace))) {
		dentry_put(child->mountpoint);
		child->mountpoint = NULL;
		list_remove(&child->in_namespace);
		list_add_tail(orphans, &child->in_namespace);
	}
}

static void mount_free(struct mount *m, struct list_node *orphans)
{
	/* No one else knows @m, and only who does changes its children. */
	if (!list_empty(&m->children))
		leave_children(m, orphans);
	ASSERT(!m->parent && !m->ns && !m->group && !m->master && list_empty(&m->children));
	dentry_put(m->root);
	super_block_put(m->sb);
	free(m);
}

void mount_put(struct mount *m)
{
	struct list_node orphans = LIST_HEAD_INIT(orphans);

	if (!m || !refcount_put(&m->refs))
		return;
	mount_free(m, &orphans);
	while ((m = list_first(&orphans, struct mount, in_namespace))) {
		list_remove(&m->in_namespace);
		if (refcount_put(&m->refs))
			mount_free(m, &orphans);
	}
}

static uint64_t place_hash(const struct mount *m, const struct dentry *d)
{
	const void *key[2] = { m, d };

	return hash_bytes(key, sizeof(key));
}

struct mount *mount_child_locked(struct mount *m, struct dentry *d)
{
	struct hash_node *at;

	if (!d->mounted || !places.bucket_count)
		return NULL;
	hash_table_for_each_hash(at, &places, place_hash(m, d)) {
		struct mount *child = container_of(at, struct mount, in_places);

		if (child->parent == m && child->mountpoint == d)
			return child;
	}
	return NULL;
}

struct mount *mount_lookup_child(struct mount *m, struct dentry *d)
{
	struct mount *found;

	if (!m || !d->mounted)
		return NULL;
	mount_tree_read_lock();
	found = mount_child_locked(m, d);
	if (found)
		mount_get(found);
	mount_tree_read_unlock();
	return found;
}

bool mount_parent(struct mount *m, struct path *out)
{
	bool found = false;

	mount_tree_read_lock();
	/* What stayed on an umounted mount does not keep that one. */
	if (m->parent && refcount_get_unless_zero(&m->parent->refs)) {
		*out = (struct path){ m->parent, dentry_get(m->mountpoint) };
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

bool mount_is_root(const struct path *p)
{
	return p->mount && p->dentry == p->mount->root;
}

bool path_is_in_namespace(const struct path *p, const struct mount_namespace *ns)
{
	bool in;

	mount_tree_read_lock();
	in = p->mount && p->mount->ns == ns;
	mount_tree_read_unlock();
	return in;
}

bool mount_reachable_locked(const struct path *p, const struct path *root)
{
	struct path at = *p;

	while (at.mount != root->mount && at.mount->parent)
		at = (struct path){ at.mount->parent, at.mount->mountpoint };
	return at.mount == root->mount && dentry_is_below(at.dentry, root->dentry);
}

bool path_is_read_only(const struct path *p)
{
	return (p->mount && p->mount->flags & MOUNT_READONLY) || p->dentry->sb->read_only;
}

/* --- the tree --------------------------------------------------------------------- */

struct mount *mount_next_sibling_locked(const struct mount *m, const struct mount *top)
{
	for (; m != top; m = m->parent) {
		if (m->siblings.next != &m->parent->children)
			return list_entry(m->siblings.next, struct mount, siblings);
	}
	return NULL;
}

struct mount *mount_next_locked(const struct mount *m, const struct mount *top)
{
	struct mount *child = list_first(&m->children, struct mount, siblings);

	return child ? child : mount_next_sibling_locked(m, top);
}

void mount_namespace_changed(struct mount_namespace *ns)
{
	atomic_fetch_add(&ns->generation, 1);
	wait_queue_wake_all(&ns->changes, LINUX_EPOLLERR | LINUX_EPOLLPRI);
}

static void enter_namespace(struct mount *m, struct mount_namespace *ns)
{
	m->ns = ns;
	list_add_tail(&ns->mounts, &m->in_namespace);
	ns->mount_count++;
}

void mount_link_locked(struct mount *m)
{
	if (!places.bucket_count)
		hash_table_init(&places);
	m->mountpoint->mounted++;
	list_add_tail(&m->parent->children, &m->siblings);
	hash_table_insert(&places, &m->in_places, place_hash(m->parent, m->mountpoint));
}

void mount_unlink_locked(struct mount *m)
{
	if (!list_linked(&m->siblings))
		return;
	hash_table_remove(&places, &m->in_places);
	list_remove(&m->siblings);
	m->mountpoint->mounted--;
}

void mount_attach_locked(struct mount *m, const struct path *at, struct mount_namespace *ns)
{
	if (at) {
		m->parent = mount_get(at->mount);
		m->mountpoint = dentry_get(at->dentry);
		mount_link_locked(m);
	}
	if (ns)
		enter_namespace(m, ns);
}

void mount_reparent_locked(struct mount *m, struct mount *parent, struct dentry *place)
{
	struct mount *old_parent = m->parent;
	struct dentry *old_place = m->mountpoint;

	mount_unlink_locked(m);
	m->parent = mount_get(parent);
	m->mountpoint = dentry_get(place);
	mount_link_locked(m);
	/* Neither is the last one: both are mounted, or on the way. */
	dentry_put(old_place);
	mount_put(old_parent);
}

void mount_adopt_tree_locked(struct mount *top, struct mount_namespace *ns)
{
	for (struct mount *m = top; m; m = mount_next_locked(m, top))
		enter_namespace(m, ns);
}

void mount_disown_tree_locked(struct mount *top)
{
	for (struct mount *m = top; m; m = mount_next_locked(m, top)) {
		list_remove(&m->in_namespace);
		m->ns->mount_count--;
		m->ns = NULL;
	}
}

void mount_leave_locked(struct mount *m, struct list_node *gone)
{
	if (m->ns) {
		list_remove(&m->in_namespace);
		m->ns->mount_count--;
		m->ns = NULL;
	}
	mount_make_private_locked(m);
	list_add_tail(gone, &m->in_namespace);
}

/*
 * A detached mount stays linked to its parent's reference until put: the pair is
 * kept in the mount itself, and the in_namespace node (free now) queues it.
 */
void mount_detach_locked(struct mount *m, struct list_node *dead)
{
	mount_unlink_locked(m);
	mount_leave_locked(m, dead);
}

void mount_disconnect_locked(struct list_node *gone, bool lazy, struct list_node *dead)
{
	struct mount *m, *next;

	list_for_each_safe(m, next, gone, in_namespace) {
		list_remove(&m->in_namespace);
		if (lazy && m->locked && m->parent && !m->parent->ns) {
			/* Not the last one: the list that @m's parent is or was on has one. */
			mount_put(m->parent);
		} else {
			mount_unlink_locked(m);
			list_add_tail(dead, &m->in_namespace);
		}
	}
}

void mount_detach_tree_locked(struct mount *m, struct list_node *dead)
{
	struct mount *child;

	mount_detach_locked(m, dead);
	/* It grows while it is walked. */
	for (struct list_node *at = &m->in_namespace; at != dead; at = at->next) {
		m = list_entry(at, struct mount, in_namespace);
		while ((child = list_first(&m->children, struct mount, siblings)))
			mount_detach_locked(child, dead);
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

/* --- locks ------------------------------------------------------------------------------ */

void mount_lock_tree_locked(struct mount *top)
{
	const uint32_t restricting = MOUNT_READONLY | MOUNT_NOSUID | MOUNT_NODEV | MOUNT_NOEXEC;

	for (struct mount *m = top; m; m = mount_next_locked(m, top)) {
		m->locked_flags |= MOUNT_ATIME_MASK | (m->flags & restricting);
		if (m != top)
			m->locked = true;
	}
}

bool mount_has_locked_child_locked(const struct mount *m, struct dentry *d)
{
	struct mount *child;

	list_for_each(child, &m->children, siblings) {
		if (child->locked && dentry_is_below(child->mountpoint, d))
			return true;
	}
	return false;
}

/* --- mounts of namespaces ----------------------------------------------------------------- */

bool dentry_is_bindable(const struct dentry *d)
{
	return d->sb->ops && d->sb->ops->mount_namespace_of;
}

const struct mount_namespace *mount_namespace_behind(const struct dentry *root)
{
	return dentry_is_bindable(root) ? root->sb->ops->mount_namespace_of(root->inode) : NULL;
}

bool mount_namespace_would_loop(const struct mount_namespace *ns, const struct dentry *root)
{
	const struct mount_namespace *kept = mount_namespace_behind(root);

	return kept && kept->ino <= ns->ino;
}

bool mount_tree_would_loop_locked(const struct mount_namespace *ns, struct mount *top)
{
	struct mount *m = top;

	while (m && !mount_namespace_would_loop(ns, m->root))
		m = mount_next_locked(m, top);
	return m;
}

/* --- copies -------------------------------------------------------------------------- */

static int copy_one(struct mount *from, struct dentry *root, uint32_t how, struct mount **out)
{
	struct mount *m;
	int rc = mount_new(from->sb, root, from->flags, &m);

	if (rc < 0)
		return rc;
	m->locked_flags = from->locked_flags;
	if (how & MOUNT_COPY_SLAVE && from->group)
		mount_enslave_locked(m, from->group);
	else
		mount_follow_locked(m, from);
	*out = m;
	return how & MOUNT_COPY_SHARED && !m->group ? mount_share_locked(m) : 0;
}

/* Something below that is not to be copied, with all that is in it. */
static bool is_left_out(const struct mount *m, const struct mount *from, struct dentry *root, uint32_t how)
{
	if (m->unbindable && !(how & MOUNT_COPY_UNBINDABLE))
		return true;
	if (mount_namespace_behind(m->root) && !(how & MOUNT_COPY_NAMESPACES))
		return true;
	return m->parent == from && !dentry_is_below(m->mountpoint, root);
}

/* It would have to be copied, and must not be. */
static bool is_contradiction(const struct mount *m, const struct mount *from, struct dentry *root, uint32_t how)
{
	return m->locked && m->unbindable && !(how & MOUNT_COPY_UNBINDABLE) &&
	       (m->parent != from || dentry_is_below(m->mountpoint, root));
}

/* @m follows @last in @from's tree: up from @last and its copy to @m's parent and that one's copy. */
static struct mount *copy_of_parent(const struct mount *m, const struct mount *last, struct mount *copy)
{
	for (; last != m->parent; last = last->parent)
		copy = copy->parent;
	return copy;
}

static int copy_below(struct mount *from, struct dentry *root, uint32_t how, struct mount *copy)
{
	struct mount *m = mount_next_locked(from, from), *last = from;

	while (m) {
		struct path at = { copy_of_parent(m, last, copy), m->mountpoint };
		int rc;

		if (is_contradiction(m, from, root, how))
			return -EPERM;
		if (is_left_out(m, from, root, how)) {
			copy = at.mount;
			last = m->parent;
			m = mount_next_sibling_locked(m, from);
			continue;
		}
		copy = NULL;
		rc = copy_one(m, m->root, how, &copy);
		if (copy) {
			copy->locked = m->locked;
			mount_attach_locked(copy, &at, NULL);
		}
		if (rc < 0)
			return rc;
		last = m;
		m = mount_next_locked(m, from);
	}
	return 0;
}

int mount_copy_tree_locked(struct mount *from, struct dentry *root, uint32_t how, struct mount **out)
{
	int rc;

	if (mount_namespace_behind(root) && !(how & MOUNT_COPY_NAMESPACES))
		return -EINVAL;
	rc = copy_one(from, root, how, out);
	return rc == 0 && how & MOUNT_COPY_RECURSIVE ? copy_below(from, root, how, *out) : rc;
}

int mount_copy_for_bind_locked(const struct path *from, bool recursive, struct mount **out)
{
	struct mount *m = from->mount;

	if (!m)
		return dentry_is_bindable(from->dentry) ? mount_new(from->dentry->sb, from->dentry, 0, out) : -EINVAL;
	if (m->unbindable || (!recursive && mount_has_locked_child_locked(m, from->dentry)))
		return -EINVAL;
	return mount_copy_tree_locked(m, from->dentry,
				      MOUNT_COPY_NAMESPACES | (recursive ? MOUNT_COPY_RECURSIVE : 0), out);
}
