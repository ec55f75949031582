/* SPDX-License-Identifier: Apache-2.0 */
/* See the header.  An entry exists while one of its counts is not zero; one leaf lock. */
#include "sentry/cred/namespace_count.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>

#include "sentry/cred/user_namespace.h"
#include "util/hash.h"
#include "util/hash_table.h"
#include "util/lock.h"
#include "util/log.h"

struct entry {
	struct hash_node node;
	const struct user_namespace *ns; /* kept by what is counted */
	uint32_t kuid;
	uint32_t counts[NAMESPACE_KIND_COUNT];
};

static struct mutex lock = MUTEX_INIT(LOCK_RANK_LEAF);
static struct hash_table entries; /* protected by lock */
static bool initialised;	  /* protected by lock */
static _Atomic uint64_t next_number = 0xF0000000U; /* PROC_DYNAMIC_FIRST */

static uint64_t hash_of(const struct user_namespace *ns, uint32_t kuid)
{
	return hash_u64((uint64_t)(uintptr_t)ns ^ ((uint64_t)kuid << 32));
}

static struct entry *find_locked(const struct user_namespace *ns, uint32_t kuid)
{
	struct hash_node *n;

	if (!initialised) {
		hash_table_init(&entries);
		initialised = true;
	}
	hash_table_for_each_hash(n, &entries, hash_of(ns, kuid)) {
		struct entry *e = container_of(n, struct entry, node);

		if (e->ns == ns && e->kuid == kuid)
			return e;
	}
	return NULL;
}

static int add_locked(const struct user_namespace *ns, uint32_t kuid, enum namespace_kind kind)
{
	struct entry *e = find_locked(ns, kuid);

	if ((e ? (int64_t)e->counts[kind] : 0) >= atomic_load(&ns->namespace_limits[kind]))
		return -ENOSPC;
	if (!e) {
		e = calloc(1, sizeof(*e));
		if (!e)
			return -ENOMEM;
		e->ns = ns;
		e->kuid = kuid;
		hash_table_insert(&entries, &e->node, hash_of(ns, kuid));
	}
	e->counts[kind]++;
	return 0;
}

static void drop_locked(const struct user_namespace *ns, uint32_t kuid, enum namespace_kind kind)
{
	struct entry *e = find_locked(ns, kuid);

	ASSERT(e && e->counts[kind]);
	e->counts[kind]--;
	for (int i = 0; i < NAMESPACE_KIND_COUNT; i++)
		if (e->counts[i])
			return;
	hash_table_remove(&entries, &e->node);
	free(e);
}

int namespace_count_add(struct namespace_count *count, struct user_namespace *user_ns,
			uint32_t kuid, enum namespace_kind kind)
{
	struct user_namespace *ns, *undo;
	uint32_t uid = kuid;
	int rc = 0;

	mutex_lock(&lock);
	for (ns = user_ns; ns; uid = ns->owner_uid, ns = ns->parent) {
		rc = add_locked(ns, uid, kind);
		if (rc)
			break;
	}
	uid = kuid;
	for (undo = user_ns; rc && undo != ns; uid = undo->owner_uid, undo = undo->parent)
		drop_locked(undo, uid, kind);
	mutex_unlock(&lock);
	if (!rc)
		*count = (struct namespace_count){ user_ns, kuid, kind };
	return rc;
}

void namespace_count_drop(struct namespace_count *count)
{
	uint32_t uid = count->kuid;

	mutex_lock(&lock);
	for (struct user_namespace *ns = count->user_ns; ns; uid = ns->owner_uid, ns = ns->parent)
		drop_locked(ns, uid, count->kind);
	mutex_unlock(&lock);
	count->user_ns = NULL;
}

int64_t namespace_limit(struct user_namespace *user_ns, enum namespace_kind kind)
{
	return atomic_load(&user_ns->namespace_limits[kind]);
}

void namespace_limit_set(struct user_namespace *user_ns, enum namespace_kind kind, int64_t limit)
{
	atomic_store(&user_ns->namespace_limits[kind], limit);
}

uint64_t namespace_number(void)
{
	return atomic_fetch_add(&next_number, 1);
}
