/* SPDX-License-Identifier: Apache-2.0 */
/* Semaphore arrays: making, finding, semctl; locks as in sem_private.h. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "sentry/host/host_clock.h"
#include "sentry/ipc/sem_private.h"
#include "sentry/kernel/task.h"
#include "util/checked.h"

#define NSEC 1000000000ULL

int64_t sem_now(void)
{
	return (int64_t)(host_realtime_ns() / NSEC);
}

int32_t sem_caller_pid(struct task *t)
{
	return task_tgid_in(t, task_pid_namespace(t));
}

void sem_array_put(struct sem_array *a)
{
	if (!refcount_put(&a->refs))
		return;
	wait_queue_destroy(&a->changed);
	free(a);
}

void sem_array_wake_put(struct sem_array *a)
{
	wait_queue_wake_all(&a->changed, ~0U);
	sem_array_put(a);
}

struct sem_array *sem_find_locked(struct ipc_namespace *ns, int32_t id)
{
	return (struct sem_array *)ipc_ids_find(&ns->sem, id);
}

/* --- semget -------------------------------------------------------------------------- */

static int array_new(struct task *t, int32_t key, int32_t count, int flags, struct sem_array **out)
{
	struct sem_array *a = calloc(1, sizeof(*a) + (size_t)count * sizeof(a->sems[0]));

	if (!a)
		return -ENOMEM;
	ipc_object_init(&a->object, key, (uint32_t)flags, t->cred);
	refcount_init(&a->refs);
	wait_queue_init(&a->changed);
	a->count = (uint32_t)count;
	a->ctime = sem_now();
	*out = a;
	return 0;
}

static int open_existing(struct task *t, struct ipc_namespace *ns, const struct ipc_object *o,
			 int32_t count, int flags)
{
	int rc;

	if ((flags & LINUX_IPC_CREAT) && (flags & LINUX_IPC_EXCL))
		return -EEXIST;
	if ((uint32_t)count > ((const struct sem_array *)o)->count)
		return -EINVAL;
	rc = ipc_object_permission(ns, o, (uint32_t)flags & 0777, t->cred);
	return rc < 0 ? rc : o->id;
}

static int publish_locked(struct ipc_namespace *ns, struct sem_array *a)
{
	int rc;

	if (ns->sem_total + a->count > (uint64_t)LINUX_SEMMNS)
		return -ENOSPC;
	rc = ipc_ids_add(&ns->sem, &a->object);
	if (rc < 0)
		return rc;
	ns->sem_total += a->count;
	return a->object.id;
}

int sem_get(struct task *t, int32_t key, int32_t count, int flags)
{
	struct ipc_namespace *ns = ipc_namespace_of(t);
	struct sem_array *made = NULL;
	struct ipc_object *o;
	int rc;

	if (count < 0 || count > LINUX_SEMMSL)
		return -EINVAL;
	mutex_lock(&ns->lock);
	o = ipc_ids_find_key(&ns->sem, key);
	rc = o ? open_existing(t, ns, o, count, flags) : 0;
	mutex_unlock(&ns->lock);
	if (o)
		return rc;
	if (key != LINUX_IPC_PRIVATE && !(flags & LINUX_IPC_CREAT))
		return -ENOENT;
	if (count == 0)
		return -EINVAL;
	rc = array_new(t, key, count, flags, &made);
	if (rc < 0)
		return rc;
	mutex_lock(&ns->lock);
	o = ipc_ids_find_key(&ns->sem, key); /* someone else was faster? */
	rc = o ? open_existing(t, ns, o, count, flags) : publish_locked(ns, made);
	if (!o && rc >= 0)
		made = NULL;
	mutex_unlock(&ns->lock);
	if (made)
		sem_array_put(made);
	return rc;
}

/* --- semctl --------------------------------------------------------------------------- */

int sem_query(struct task *t, int32_t id, int32_t num, int cmd)
{
	struct ipc_namespace *ns = ipc_namespace_of(t);
	struct sem_array *a;
	int rc;

	mutex_lock(&ns->lock);
	a = sem_find_locked(ns, id);
	rc = a ? ipc_object_permission(ns, &a->object, 0444, t->cred) : -EINVAL;
	if (rc == 0 && (num < 0 || (uint32_t)num >= a->count))
		rc = -EINVAL;
	if (rc == 0) {
		const struct semaphore *s = &a->sems[num];

		rc = cmd == LINUX_GETVAL ? s->value :
		     cmd == LINUX_GETPID ? s->pid :
		     cmd == LINUX_GETNCNT ? (int)s->increase_waiters : (int)s->zero_waiters;
	}
	mutex_unlock(&ns->lock);
	return rc;
}

int sem_set_value(struct task *t, int32_t id, int32_t num, int32_t value)
{
	struct ipc_namespace *ns = ipc_namespace_of(t);
	struct sem_array *a;
	int rc;

	if (value > LINUX_SEMVMX || value < 0)
		return -ERANGE;
	mutex_lock(&ns->lock);
	a = sem_find_locked(ns, id);
	if (!a || num < 0 || (uint32_t)num >= a->count)
		rc = -EINVAL;
	else
		rc = ipc_object_permission(ns, &a->object, 0222, t->cred);
	if (rc == 0) {
		a->sems[num].value = value;
		a->sems[num].pid = sem_caller_pid(t);
		a->ctime = sem_now();
		sem_undo_clear_locked(ns, a, num);
		refcount_get(&a->refs);
	}
	mutex_unlock(&ns->lock);
	if (rc == 0)
		sem_array_wake_put(a);
	return rc;
}

int sem_count(struct task *t, int32_t id, uint32_t wanted)
{
	struct ipc_namespace *ns = ipc_namespace_of(t);
	const struct sem_array *a;
	int rc;

	mutex_lock(&ns->lock);
	a = sem_find_locked(ns, id);
	rc = a ? ipc_object_permission(ns, &a->object, wanted, t->cred) : -EINVAL;
	if (rc == 0)
		rc = (int)a->count;
	mutex_unlock(&ns->lock);
	return rc;
}

int sem_get_all(struct task *t, int32_t id, uint16_t *values, uint32_t count)
{
	struct ipc_namespace *ns = ipc_namespace_of(t);
	const struct sem_array *a;
	int rc = -EIDRM;

	mutex_lock(&ns->lock);
	a = sem_find_locked(ns, id);
	if (a && a->count == count) {
		for (uint32_t i = 0; i < count; i++)
			values[i] = (uint16_t)a->sems[i].value;
		rc = 0;
	}
	mutex_unlock(&ns->lock);
	return rc;
}

int sem_set_all(struct task *t, int32_t id, const uint16_t *values, uint32_t count)
{
	struct ipc_namespace *ns = ipc_namespace_of(t);
	struct sem_array *a;
	int rc = -EIDRM;

	for (uint32_t i = 0; i < count; i++)
		if (values[i] > LINUX_SEMVMX)
			return -ERANGE;
	mutex_lock(&ns->lock);
	a = sem_find_locked(ns, id);
	if (a && a->count == count) {
		for (uint32_t i = 0; i < count; i++) {
			a->sems[i].value = values[i];
			a->sems[i].pid = sem_caller_pid(t);
			sem_undo_clear_locked(ns, a, (int32_t)i);
		}
		a->ctime = sem_now();
		refcount_get(&a->refs);
		rc = 0;
	}
	mutex_unlock(&ns->lock);
	if (rc == 0)
		sem_array_wake_put(a);
	return rc;
}

static void remove_locked(struct ipc_namespace *ns, struct sem_array *a)
{
	a->removed = true;
	sem_undo_forget_locked(ns, a);
	ipc_ids_remove(&ns->sem, &a->object);
	ns->sem_total -= a->count;
}

int sem_remove(struct task *t, int32_t id)
{
	struct ipc_namespace *ns = ipc_namespace_of(t);
	struct sem_array *a;
	int rc;

	mutex_lock(&ns->lock);
	a = sem_find_locked(ns, id);
	rc = a ? ipc_object_owner(ns, &a->object, t->cred) : -EINVAL;
	if (rc == 0)
		remove_locked(ns, a);
	mutex_unlock(&ns->lock);
	if (rc == 0)
		sem_array_wake_put(a); /* the table's reference */
	return rc;
}

int sem_set(struct task *t, int32_t id, const struct linux_semid64_ds *ds)
{
	struct ipc_namespace *ns = ipc_namespace_of(t);
	struct sem_array *a;
	int rc;

	mutex_lock(&ns->lock);
	a = sem_find_locked(ns, id);
	rc = a ? ipc_object_owner(ns, &a->object, t->cred) : -EINVAL;
	if (rc == 0)
		rc = ipc_object_set(&a->object, &ds->perm, t->cred);
	if (rc == 0)
		a->ctime = sem_now();
	mutex_unlock(&ns->lock);
	return rc;
}

int sem_stat(struct task *t, int32_t id, int cmd, struct linux_semid64_ds *out)
{
	struct ipc_namespace *ns = ipc_namespace_of(t);
	const struct sem_array *a;
	int rc;

	mutex_lock(&ns->lock);
	a = cmd == LINUX_IPC_STAT ? sem_find_locked(ns, id)
				  : (struct sem_array *)ipc_ids_at(&ns->sem, ipc_id_index(id));
	rc = a ? 0 : -EINVAL;
	if (rc == 0 && cmd != LINUX_SEM_STAT_ANY)
		rc = ipc_object_permission(ns, &a->object, 0444, t->cred);
	if (rc == 0) {
		*out = (struct linux_semid64_ds){ .otime = a->otime, .ctime = a->ctime,
						  .nsems = a->count };
		ipc_object_show(&a->object, t->cred, &out->perm);
		rc = cmd == LINUX_IPC_STAT ? 0 : a->object.id;
	}
	mutex_unlock(&ns->lock);
	return rc;
}

int sem_info(struct task *t, int cmd, struct linux_seminfo *out)
{
	struct ipc_namespace *ns = ipc_namespace_of(t);
	int highest;

	*out = (struct linux_seminfo){ .semmap = LINUX_SEMMNS, .semmni = LINUX_SEMMNI,
				       .semmns = LINUX_SEMMNS, .semmnu = LINUX_SEMMNS,
				       .semmsl = LINUX_SEMMSL, .semopm = LINUX_SEMOPM,
				       .semume = LINUX_SEMOPM, .semusz = 20,
				       .semvmx = LINUX_SEMVMX, .semaem = LINUX_SEMVMX };
	mutex_lock(&ns->lock);
	if (cmd == LINUX_SEM_INFO) {
		out->semusz = (int32_t)ns->sem.count;
		out->semaem = (int32_t)ns->sem_total;
	}
	highest = MAX(ns->sem.highest, 0);
	mutex_unlock(&ns->lock);
	return highest;
}

/* The last reference is gone, so nobody waits and no process is left. */
void sem_namespace_clear(struct ipc_namespace *ns)
{
	for (int32_t i = 0; i <= ns->sem.highest; i++) {
		struct sem_array *a = (struct sem_array *)ns->sem.slots[i];

		if (!a)
			continue;
		sem_undo_forget_locked(ns, a);
		sem_array_put(a);
	}
}
