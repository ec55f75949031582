/* SPDX-License-Identifier: Apache-2.0 */
/*
 * semop: all operations of a call at once or none.  Who cannot go on sleeps until
 * anything in the array changes and tries again.  SEM_UNDO is kept by thread group and
 * carried out by its exit.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "sentry/ipc/sem_private.h"
#include "sentry/kernel/task.h"
#include "util/checked.h"

/* --- undo ------------------------------------------------------------------------------ */

struct sem_undo *sem_undo_get_locked(struct ipc_namespace *ns, struct task *t, struct sem_array *a)
{
	struct sem_undo *u;

	list_for_each(u, &ns->undos, node)
		if (u->owner == t->group && u->array == a)
			return u;
	u = calloc(1, sizeof(*u) + a->count * sizeof(u->adjust[0]));
	if (!u)
		return NULL;
	u->owner = t->group;
	u->array = a;
	list_add_tail(&ns->undos, &u->node);
	return u;
}

void sem_undo_forget_locked(struct ipc_namespace *ns, struct sem_array *a)
{
	struct sem_undo *u, *tmp;

	list_for_each_safe(u, tmp, &ns->undos, node)
		if (u->array == a) {
			list_remove(&u->node);
			free(u);
		}
}

void sem_undo_clear_locked(struct ipc_namespace *ns, struct sem_array *a, int32_t num)
{
	struct sem_undo *u;

	list_for_each(u, &ns->undos, node)
		if (u->array == a)
			u->adjust[num] = 0;
}

/* Takes one record of @owner out and applies it; a reference on its array, or NULL. */
static struct sem_array *undo_one(struct ipc_namespace *ns, struct task *t)
{
	struct sem_array *a = NULL;
	struct sem_undo *u;

	mutex_lock(&ns->lock);
	list_for_each(u, &ns->undos, node)
		if (u->owner == t->group) {
			a = u->array;
			break;
		}
	if (a) {
		for (uint32_t i = 0; i < a->count; i++) {
			if (!u->adjust[i])
				continue;
			a->sems[i].value = MIN(MAX(a->sems[i].value + u->adjust[i], 0),
					       LINUX_SEMVMX);
			a->sems[i].pid = sem_caller_pid(t);
		}
		a->otime = sem_now();
		list_remove(&u->node);
		free(u);
		refcount_get(&a->refs);
	}
	mutex_unlock(&ns->lock);
	return a;
}

void sem_task_exit(struct task *t, bool group_dead)
{
	struct ipc_namespace *ns = t->namespaces ? ipc_namespace_of(t) : NULL;
	struct sem_array *a;

	if (!group_dead || !ns)
		return;
	while ((a = undo_one(ns, t)))
		sem_array_wake_put(a);
}

/* --- operating --------------------------------------------------------------------------- */

struct operation {
	struct ipc_namespace *ns;
	struct task *task;
	struct sem_array *array; /* reference */
	const struct linux_sembuf *ops;
	uint32_t count;
	bool alters, undoes;
};

static void roll_back(struct operation *o, uint32_t done)
{
	while (done--)
		o->array->sems[o->ops[done].num].value -= o->ops[done].op;
}

static bool undo_fits(const struct operation *o, const struct sem_undo *u, uint32_t i)
{
	int32_t adjust = u->adjust[o->ops[i].num] - o->ops[i].op;

	return adjust >= -(LINUX_SEMVMX + 1) && adjust <= LINUX_SEMVMX;
}

/* 0: done; 1: must wait for ops[*blocked]; or an error.  Nothing has changed unless 0. */
static int try_locked(struct operation *o, struct sem_undo *u, uint32_t *blocked)
{
	for (uint32_t i = 0; i < o->count; i++) {
		const struct linux_sembuf *op = &o->ops[i];
		struct semaphore *s = &o->array->sems[op->num];
		int32_t value = s->value + op->op;
		bool waits = op->op ? value < 0 : s->value != 0;
		int rc = 0;

		if (waits)
			rc = op->flags & LINUX_IPC_NOWAIT ? -EAGAIN : 1;
		else if (value > LINUX_SEMVMX ||
			 ((op->flags & LINUX_SEM_UNDO) && !undo_fits(o, u, i)))
			rc = -ERANGE;
		if (rc) {
			*blocked = i;
			roll_back(o, i);
			return rc;
		}
		s->value = value;
	}
	for (uint32_t i = 0; i < o->count; i++) {
		const struct linux_sembuf *op = &o->ops[i];

		if (op->flags & LINUX_SEM_UNDO)
			u->adjust[op->num] = (int16_t)(u->adjust[op->num] - op->op);
		o->array->sems[op->num].pid = sem_caller_pid(o->task);
	}
	o->array->otime = sem_now();
	return 0;
}

static uint32_t *waiter_count(struct operation *o, uint32_t blocked)
{
	struct semaphore *s = &o->array->sems[o->ops[blocked].num];

	return o->ops[blocked].op ? &s->increase_waiters : &s->zero_waiters;
}

static int decode(struct operation *o, int32_t id) REQUIRES(o->ns->lock)
{
	uint32_t highest = 0;
	struct sem_array *a;
	int rc;

	for (uint32_t i = 0; i < o->count; i++) {
		highest = MAX(highest, o->ops[i].num);
		o->alters = o->alters || o->ops[i].op;
		o->undoes = o->undoes || (o->ops[i].flags & LINUX_SEM_UNDO);
	}
	a = sem_find_locked(o->ns, id);
	if (!a)
		return -EINVAL;
	if (highest >= a->count)
		return -EFBIG;
	rc = ipc_object_permission(o->ns, &a->object, o->alters ? 0222 : 0444, o->task->cred);
	if (rc < 0)
		return rc;
	refcount_get(&a->refs);
	o->array = a;
	return 0;
}

/* One try; on 1 the caller is counted as waiting for ops[*blocked]. */
static int attempt(struct operation *o, uint32_t *blocked)
{
	struct sem_undo *u = NULL;
	int rc;

	mutex_lock(&o->ns->lock);
	if (o->array->removed) {
		rc = -EIDRM;
	} else {
		if (o->undoes)
			u = sem_undo_get_locked(o->ns, o->task, o->array);
		rc = o->undoes && !u ? -ENOMEM : try_locked(o, u, blocked);
	}
	if (rc == 1)
		(*waiter_count(o, *blocked))++;
	mutex_unlock(&o->ns->lock);
	return rc;
}

static void stop_waiting(struct operation *o, uint32_t blocked)
{
	mutex_lock(&o->ns->lock);
	(*waiter_count(o, blocked))--;
	mutex_unlock(&o->ns->lock);
}

static int run(struct operation *o, uint64_t deadline)
{
	struct wait_entry e;
	uint32_t blocked;
	int rc, slept;

	wait_begin(&e, &o->array->changed, ~0U);
	while ((rc = attempt(o, &blocked)) == 1) {
		slept = wait_sleep(deadline);
		stop_waiting(o, blocked);
		if (slept < 0) {
			rc = slept == -ETIMEDOUT ? -EAGAIN : slept;
			break;
		}
	}
	wait_end(&e);
	return rc;
}

int sem_operate(struct task *t, int32_t id, const struct linux_sembuf *ops, uint32_t count,
		uint64_t deadline)
{
	struct operation o = { .ns = ipc_namespace_of(t), .task = t, .ops = ops, .count = count };
	int rc;

	mutex_lock(&o.ns->lock);
	rc = decode(&o, id);
	mutex_unlock(&o.ns->lock);
	if (rc < 0)
		return rc;
	rc = run(&o, deadline);
	if (rc == 0 && o.alters)
		sem_array_wake_put(o.array);
	else
		sem_array_put(o.array);
	return rc;
}
