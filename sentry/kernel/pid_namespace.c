/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pid namespaces and the allocation of numbers in them.
 *
 * Locks: tasklist guards who uses a struct pid; a namespace's own lock guards its
 * bitmap and table, is taken inside tasklist or alone, and namespaces' locks are
 * never nested.  A pid is in the tables from allocation to its last put, and
 * whoever finds it there under tasklist finds NULL users until it is published.
 */
#include "sentry/kernel/pid.h"

#include <errno.h>
#include <stdlib.h>

#include "sentry/kernel/kernel.h"
#include "util/hash.h"
#include "util/log.h"

#define ROOT_NUMBER 0xEFFFFFFCU /* PROC_PID_INIT_INO */

int pid_namespace_new(struct pid_namespace *parent, struct user_namespace *user_ns, uint32_t kuid,
		      struct pid_namespace **out)
{
	struct pid_namespace *ns;
	int rc = 0;

	if (parent && parent->level + 1 >= PID_NAMESPACE_DEPTH_MAX)
		return -ENOSPC;
	ns = calloc(1, sizeof(*ns));
	if (!ns)
		return -ENOMEM;
	if (parent)
		rc = namespace_count_add(&ns->count, user_ns, kuid, NAMESPACE_PID);
	if (rc) {
		free(ns);
		return rc;
	}
	refcount_init(&ns->refs);
	mutex_init(&ns->lock, LOCK_RANK_PID_NAMESPACE);
	pid_bitmap_init(&ns->bitmap, PID_MAX_LIMIT);
	hash_table_init(&ns->table);
	wait_queue_init(&ns->drain_wait);
	ns->parent = parent ? pid_namespace_get(parent) : NULL;
	ns->level = parent ? parent->level + 1 : 0;
	ns->user_ns = user_namespace_get(user_ns);
	ns->ino = parent ? namespace_number() : ROOT_NUMBER;
	*out = ns;
	return 0;
}

struct pid_namespace *pid_namespace_get(struct pid_namespace *ns)
{
	refcount_get(&ns->refs);
	return ns;
}

void pid_namespace_put(struct pid_namespace *ns)
{
	while (ns && refcount_put(&ns->refs)) {
		struct pid_namespace *parent = ns->parent;

		if (ns->count.user_ns)
			namespace_count_drop(&ns->count);
		user_namespace_put(ns->user_ns);
		pid_bitmap_destroy(&ns->bitmap);
		hash_table_destroy(&ns->table);
		wait_queue_destroy(&ns->drain_wait);
		mutex_destroy(&ns->lock);
		free(ns);
		ns = parent;
	}
}

int32_t pid_namespace_last_pid(struct pid_namespace *ns)
{
	int32_t last;

	mutex_lock(&ns->lock);
	last = ns->bitmap.last;
	mutex_unlock(&ns->lock);
	return last;
}

void pid_namespace_set_last_pid(struct pid_namespace *ns, int32_t last)
{
	mutex_lock(&ns->lock);
	ns->bitmap.last = last;
	mutex_unlock(&ns->lock);
}

bool pid_namespace_was_born(struct pid_namespace *ns)
{
	bool born;

	mutex_lock(&ns->lock);
	born = ns->born;
	mutex_unlock(&ns->lock);
	return born;
}

void pid_namespace_mark_dead(struct pid_namespace *ns)
{
	mutex_lock(&ns->lock);
	ns->dead = true;
	mutex_unlock(&ns->lock);
}

bool pid_namespace_is_descendant(const struct pid_namespace *ns,
				 const struct pid_namespace *ancestor)
{
	while (ns->level > ancestor->level)
		ns = ns->parent;
	return ns == ancestor;
}

static void number_release(struct pid *p, struct pid_namespace *ns)
{
	struct pid_link *link = &p->links[ns->level];

	mutex_lock(&ns->lock);
	hash_table_remove(&ns->table, &link->node);
	pid_bitmap_free(&ns->bitmap, p->id.numbers[ns->level]);
	/* The first process could not be made, or its init is gone: nobody can follow. */
	if (p->id.ns == ns && p->id.numbers[ns->level] == 1)
		ns->dead = true;
	mutex_unlock(&ns->lock);
}

static int number_take(struct pid *p, struct pid_namespace *ns, int32_t wanted)
{
	struct pid_link *link = &p->links[ns->level];
	int32_t n = 0;
	int rc = 0;

	mutex_lock(&ns->lock);
	if (ns->dead) {
		rc = -ENOMEM;
	} else if (!wanted) {
		n = pid_bitmap_alloc(&ns->bitmap);
		rc = n < 0 ? n : 0;
	} else if (wanted < 1 || wanted >= ns->bitmap.max ||
		   (wanted != 1 && !ns->born)) {
		rc = -EINVAL;
	} else {
		n = wanted;
		rc = pid_bitmap_take(&ns->bitmap, wanted);
		if (!rc && wanted == 1 && !ns->born)
			ns->bitmap.last = 1;
	}
	if (!rc) {
		p->id.numbers[ns->level] = n;
		link->pid = p;
		link->level = ns->level;
		hash_table_insert(&ns->table, &link->node, hash_u64((uint64_t)n));
		ns->born = true;
	}
	mutex_unlock(&ns->lock);
	return rc;
}

static uint64_t next_ino(void)
{
	static _Atomic uint64_t last;

	return atomic_fetch_add(&last, 1) + 1;
}

int pid_alloc(struct pid_namespace *ns, const int32_t *wanted, uint32_t wanted_count,
	      struct pid **out)
{
	struct pid_namespace *at, *undo;
	struct pid *p = calloc(1, sizeof(*p) + (ns->level + 1) * sizeof(p->links[0]));
	int rc = 0;

	if (!p)
		return -ENOMEM;
	refcount_init(&p->refs);
	p->id.ns = ns;
	for (at = ns; at; at = at->parent) {
		uint32_t depth = ns->level - at->level;

		rc = number_take(p, at, depth < wanted_count ? wanted[depth] : 0);
		if (rc)
			break;
	}
	if (rc) {
		for (undo = ns; undo != at; undo = undo->parent)
			number_release(p, undo);
		free(p);
		return rc;
	}
	p->id.ino = next_ino();
	pid_namespace_get(ns);
	*out = p;
	return 0;
}

struct pid *pid_get(struct pid *p)
{
	refcount_get(&p->refs);
	return p;
}

void pid_put(struct pid *p)
{
	if (!p || !refcount_put(&p->refs))
		return;
	for (struct pid_namespace *ns = p->id.ns; ns; ns = ns->parent)
		number_release(p, ns);
	pid_namespace_put(p->id.ns);
	free(p);
}

/*
 * Only a pid that has users: one without may be freed as soon as ns->lock is
 * dropped, one with users not before tasklist is.
 */
static struct pid *find(struct pid_namespace *ns, int32_t number)
{
	struct hash_node *n;

	hash_table_for_each_hash(n, &ns->table, hash_u64((uint64_t)number)) {
		struct pid_link *link = container_of(n, struct pid_link, node);
		struct pid *p = link->pid;

		if (p->id.numbers[link->level] != number)
			continue;
		return p->task || p->group || p->process_group || p->session ? p : NULL;
	}
	return NULL;
}

struct pid *pid_find_locked(struct pid_namespace *ns, int32_t number)
{
	struct pid *p = NULL;

	if (number <= 0)
		return NULL;
	mutex_lock(&ns->lock);
	p = find(ns, number);
	mutex_unlock(&ns->lock);
	return p;
}

struct pid *pid_next_locked(struct pid_namespace *ns, int32_t from, int32_t *number)
{
	struct pid *p = NULL;
	int32_t n;

	mutex_lock(&ns->lock);
	n = pid_bitmap_next(&ns->bitmap, from);
	if (n)
		p = find(ns, n);
	mutex_unlock(&ns->lock);
	*number = n;
	return p;
}

int32_t pid_number_in(const struct task_pid *id, const struct pid_namespace *ns)
{
	if (!id->ns || !pid_namespace_is_descendant(id->ns, ns))
		return 0;
	return id->numbers[ns->level];
}
