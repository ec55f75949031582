/* SPDX-License-Identifier: Apache-2.0 */
/*
 * User namespaces.  Maps are written once; a reader that finds a count other than
 * zero under the lock may use the extents without it, since they do not change
 * any more.  The root namespace maps every id to itself.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/cred/credentials.h"
#include "sentry/cred/user_namespace.h"

static _Atomic uint64_t next_ino = 0xEFFFFFFDU; /* Linux's PROC_USER_INIT_INO */

static struct user_namespace *allocate(struct user_namespace *parent)
{
	struct user_namespace *ns = calloc(1, sizeof(*ns));

	if (!ns)
		return NULL;
	refcount_init(&ns->refs);
	mutex_init(&ns->lock, LOCK_RANK_CREDENTIALS);
	ns->parent = parent ? user_namespace_get(parent) : NULL;
	ns->level = parent ? parent->level + 1 : 0;
	ns->setgroups_allowed = true;
	ns->ino = parent ? 0xF1000000U + atomic_fetch_add(&next_ino, 1) : 0xEFFFFFFDU;
	return ns;
}

int user_namespace_new_root(struct user_namespace **out)
{
	struct user_namespace *ns = allocate(NULL);

	if (!ns)
		return -ENOMEM;
	ns->uid_map = calloc(1, sizeof(*ns->uid_map));
	ns->gid_map = calloc(1, sizeof(*ns->gid_map));
	if (!ns->uid_map || !ns->gid_map) {
		user_namespace_put(ns);
		return -ENOMEM;
	}
	*ns->uid_map = *ns->gid_map = (struct id_map_extent){ 0, 0, UINT32_MAX };
	ns->uid_map_count = ns->gid_map_count = 1;
	*out = ns;
	return 0;
}

int user_namespace_new(struct user_namespace *parent, uint32_t owner_uid, uint32_t owner_gid,
		       struct user_namespace **out)
{
	struct user_namespace *ns;

	if (parent->level + 1 > USER_NAMESPACE_LEVEL_MAX)
		return -ENOSPC;
	ns = allocate(parent);
	if (!ns)
		return -ENOMEM;
	ns->owner_uid = owner_uid;
	ns->owner_gid = owner_gid;
	mutex_lock(&parent->lock);
	ns->setgroups_allowed = parent->setgroups_allowed;
	mutex_unlock(&parent->lock);
	*out = ns;
	return 0;
}

struct user_namespace *user_namespace_get(struct user_namespace *ns)
{
	refcount_get(&ns->refs);
	return ns;
}

void user_namespace_put(struct user_namespace *ns)
{
	/* Iterative: a guest can nest namespaces. */
	while (ns && refcount_put(&ns->refs)) {
		struct user_namespace *parent = ns->parent;

		free(ns->uid_map);
		free(ns->gid_map);
		mutex_destroy(&ns->lock);
		free(ns);
		ns = parent;
	}
}

struct extents {
	const struct id_map_extent *list;
	unsigned count;
};

static struct extents map_of(struct user_namespace *ns, bool group)
{
	struct extents e;

	mutex_lock(&ns->lock);
	e.list = group ? ns->gid_map : ns->uid_map;
	e.count = group ? ns->gid_map_count : ns->uid_map_count;
	mutex_unlock(&ns->lock);
	return e;
}

static uint32_t to_kernel(struct user_namespace *ns, bool group, uint32_t id)
{
	struct extents e;

	if (!ns->parent)
		return id;
	e = map_of(ns, group);
	for (unsigned i = 0; i < e.count; i++)
		if (id >= e.list[i].inside && id - e.list[i].inside < e.list[i].count)
			return e.list[i].outside + (id - e.list[i].inside);
	return ID_INVALID;
}

static uint32_t from_kernel(struct user_namespace *ns, bool group, uint32_t id)
{
	struct extents e;

	if (!ns->parent)
		return id;
	e = map_of(ns, group);
	for (unsigned i = 0; i < e.count; i++)
		if (id >= e.list[i].outside && id - e.list[i].outside < e.list[i].count)
			return e.list[i].inside + (id - e.list[i].outside);
	return ID_OVERFLOW;
}

uint32_t uid_to_kernel(struct user_namespace *ns, uint32_t uid)
{
	return to_kernel(ns, false, uid);
}

uint32_t gid_to_kernel(struct user_namespace *ns, uint32_t gid)
{
	return to_kernel(ns, true, gid);
}

uint32_t uid_from_kernel(struct user_namespace *ns, uint32_t kuid)
{
	return from_kernel(ns, false, kuid);
}

uint32_t gid_from_kernel(struct user_namespace *ns, uint32_t kgid)
{
	return from_kernel(ns, true, kgid);
}

bool user_namespace_is_descendant(const struct user_namespace *ns,
				  const struct user_namespace *ancestor)
{
	while (ns->level > ancestor->level)
		ns = ns->parent;
	return ns == ancestor;
}

static bool extents_overlap(const struct id_map_extent *a, const struct id_map_extent *b)
{
	bool inside = a->inside < (uint64_t)b->inside + b->count &&
		      b->inside < (uint64_t)a->inside + a->count;
	bool outside = a->outside < (uint64_t)b->outside + b->count &&
		       b->outside < (uint64_t)a->outside + a->count;

	return inside || outside;
}

static int extents_check(const struct id_map_extent *list, unsigned count)
{
	if (!count || count > ID_MAP_EXTENTS_MAX)
		return -EINVAL;
	for (unsigned i = 0; i < count; i++) {
		if (!list[i].count || list[i].inside == ID_INVALID || list[i].outside == ID_INVALID ||
		    list[i].inside + list[i].count <= list[i].inside ||
		    list[i].outside + list[i].count <= list[i].outside)
			return -EINVAL;
		for (unsigned j = 0; j < i; j++)
			if (extents_overlap(&list[i], &list[j]))
				return -EINVAL;
	}
	return 0;
}

/* A range of the parent's ids must lie in one of the parent's extents. */
static int extent_to_kernel(struct user_namespace *parent, bool group, struct id_map_extent *e)
{
	uint32_t first = to_kernel(parent, group, e->outside);
	uint32_t last = to_kernel(parent, group, e->outside + (e->count - 1));

	if (first == ID_INVALID || last == ID_INVALID || last - first != e->count - 1)
		return -EPERM;
	e->outside = first;
	return 0;
}

int user_namespace_set_map(struct user_namespace *ns, bool group,
			   const struct id_map_extent *extents, unsigned count)
{
	struct id_map_extent *list;
	int rc = extents_check(extents, count);

	if (rc)
		return rc;
	if (!ns->parent)
		return -EPERM;
	list = calloc(count, sizeof(*list));
	if (!list)
		return -ENOMEM;
	memcpy(list, extents, count * sizeof(*list));
	for (unsigned i = 0; i < count && !rc; i++)
		rc = extent_to_kernel(ns->parent, group, &list[i]);
	mutex_lock(&ns->lock);
	if (!rc && (group ? ns->gid_map_count : ns->uid_map_count))
		rc = -EPERM; /* written once */
	if (!rc && group) {
		ns->gid_map = list;
		ns->gid_map_count = count;
	} else if (!rc) {
		ns->uid_map = list;
		ns->uid_map_count = count;
	}
	mutex_unlock(&ns->lock);
	if (rc)
		free(list);
	return rc;
}
