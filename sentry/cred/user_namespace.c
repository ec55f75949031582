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

/* Of each kind, for each user of the root namespace: far below what the sentry has memory for. */
#define ROOT_LIMIT 15000
#define ROOT_INO 0xEFFFFFFDU /* PROC_USER_INIT_INO */

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
	ns->ino = parent ? namespace_number() : ROOT_INO;
	for (int i = 0; i < NAMESPACE_KIND_COUNT; i++)
		namespace_limit_set(ns, i, parent ? INT32_MAX : ROOT_LIMIT);
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
	int rc;

	if (parent->level > USER_NAMESPACE_LEVEL_MAX)
		return -ENOSPC;
	ns = allocate(parent);
	if (!ns)
		return -ENOMEM;
	rc = namespace_count_add(&ns->count, parent, owner_uid, NAMESPACE_USER);
	if (rc) {
		user_namespace_put(ns);
		return rc;
	}
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

		if (ns->count.user_ns)
			namespace_count_drop(&ns->count);
		free(ns->uid_map);
		free(ns->gid_map);
		free(ns->projid_map);
		mutex_destroy(&ns->lock);
		free(ns);
		ns = parent;
	}
}

struct extents {
	const struct id_map_extent *list;
	unsigned count;
};

static struct extents map_of(struct user_namespace *ns, enum id_map_kind kind)
{
	struct extents e;

	mutex_lock(&ns->lock);
	switch (kind) {
	case ID_MAP_UID:
		e = (struct extents){ ns->uid_map, ns->uid_map_count };
		break;
	case ID_MAP_GID:
		e = (struct extents){ ns->gid_map, ns->gid_map_count };
		break;
	default:
		e = (struct extents){ ns->projid_map, ns->projid_map_count };
		break;
	}
	mutex_unlock(&ns->lock);
	return e;
}

static uint32_t to_kernel(struct user_namespace *ns, enum id_map_kind kind, uint32_t id)
{
	struct extents e;

	if (!ns->parent)
		return id;
	e = map_of(ns, kind);
	for (unsigned i = 0; i < e.count; i++)
		if (id >= e.list[i].inside && id - e.list[i].inside < e.list[i].count)
			return e.list[i].outside + (id - e.list[i].inside);
	return ID_INVALID;
}

static uint32_t from_kernel(struct user_namespace *ns, enum id_map_kind kind, uint32_t id)
{
	struct extents e;

	if (!ns->parent)
		return id;
	e = map_of(ns, kind);
	for (unsigned i = 0; i < e.count; i++)
		if (id >= e.list[i].outside && id - e.list[i].outside < e.list[i].count)
			return e.list[i].inside + (id - e.list[i].outside);
	return ID_OVERFLOW;
}

uint32_t uid_to_kernel(struct user_namespace *ns, uint32_t uid)
{
	return to_kernel(ns, ID_MAP_UID, uid);
}

uint32_t gid_to_kernel(struct user_namespace *ns, uint32_t gid)
{
	return to_kernel(ns, ID_MAP_GID, gid);
}

uint32_t uid_from_kernel(struct user_namespace *ns, uint32_t kuid)
{
	return from_kernel(ns, ID_MAP_UID, kuid);
}

uint32_t gid_from_kernel(struct user_namespace *ns, uint32_t kgid)
{
	return from_kernel(ns, ID_MAP_GID, kgid);
}

uint32_t projid_from_kernel(struct user_namespace *ns, uint32_t id)
{
	return from_kernel(ns, ID_MAP_PROJID, id);
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
static int extent_to_kernel(struct user_namespace *parent, enum id_map_kind kind,
			    struct id_map_extent *e)
{
	uint32_t first = to_kernel(parent, kind, e->outside);
	uint32_t last = to_kernel(parent, kind, e->outside + (e->count - 1));

	if (first == ID_INVALID || last == ID_INVALID || last - first != e->count - 1)
		return -EPERM;
	e->outside = first;
	return 0;
}

int user_namespace_set_map(struct user_namespace *ns, enum id_map_kind kind,
			   const struct id_map_extent *extents, unsigned count)
{
	struct id_map_extent *list;
	struct id_map_extent **map = kind == ID_MAP_UID ? &ns->uid_map :
				     kind == ID_MAP_GID ? &ns->gid_map : &ns->projid_map;
	unsigned *map_count = kind == ID_MAP_UID ? &ns->uid_map_count :
			      kind == ID_MAP_GID ? &ns->gid_map_count : &ns->projid_map_count;
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
		rc = extent_to_kernel(ns->parent, kind, &list[i]);
	mutex_lock(&ns->lock);
	if (!rc && *map_count)
		rc = -EPERM; /* written once */
	if (!rc) {
		*map = list;
		*map_count = count;
	}
	mutex_unlock(&ns->lock);
	if (rc)
		free(list);
	return rc;
}
