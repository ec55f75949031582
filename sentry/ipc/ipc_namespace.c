/* SPDX-License-Identifier: Apache-2.0 */
/* IPC namespaces, id tables and permissions; locks as in ipc_namespace.h. */
#include "config.h"

#include "sentry/ipc/ipc_namespace.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/capability.h"
#include "sentry/ipc/msg.h"
#include "sentry/ipc/sem.h"
#include "sentry/ipc/shm.h"
#include "sentry/kernel/kernel.h"
#include "sentry/kernel/namespaces.h"
#include "sentry/kernel/task_reap.h"
#include "util/checked.h"

#define INDEX_BITS 15 /* IPCMNI_SHIFT */
#define INDEX_MASK ((1 << INDEX_BITS) - 1)
#define SEQ_MAX ((uint32_t)INT32_MAX >> INDEX_BITS)

/* --- namespaces ------------------------------------------------------------------------ */

static const struct mqueue_limits default_mqueue_limits = {
	.queues_max = 256, .msg_max = 10, .msgsize_max = 8192, .msg_default = 10, .msgsize_default = 8192,
};

static void (*mqueue_end)(struct super_block *mqueue);

void ipc_namespace_on_end(void (*fn)(struct super_block *mqueue))
{
	mqueue_end = fn;
}

static void ids_init(struct ipc_ids *ids, uint32_t max)
{
	*ids = (struct ipc_ids){ .max = max, .last_index = -1, .highest = -1 };
}

int ipc_namespace_new(struct user_namespace *user_ns, struct ipc_namespace **out)
{
	struct ipc_namespace *ns = calloc(1, sizeof(*ns));

	if (!ns)
		return -ENOMEM;
	refcount_init(&ns->refs);
	ns->user_ns = user_namespace_get(user_ns);
	ns->number = namespace_number();
	mutex_init(&ns->lock, LOCK_RANK_IPC);
	ids_init(&ns->shm, LINUX_SHMMNI);
	ids_init(&ns->sem, LINUX_SEMMNI);
	ids_init(&ns->msg, LINUX_MSGMNI);
	list_init(&ns->undos);
	ns->mqueue_limits = default_mqueue_limits;
	*out = ns;
	return 0;
}

struct ipc_namespace *ipc_namespace_get(struct ipc_namespace *ns)
{
	refcount_get(&ns->refs);
	return ns;
}

void ipc_namespace_put(struct ipc_namespace *ns)
{
	if (!ns || !refcount_put(&ns->refs))
		return;
	if (ns->mqueue)
		mqueue_end(ns->mqueue);
	shm_namespace_clear(ns);
	sem_namespace_clear(ns);
	msg_namespace_clear(ns);
	free(ns->shm.slots);
	free(ns->sem.slots);
	free(ns->msg.slots);
	if (ns->count.user_ns)
		namespace_count_drop(&ns->count);
	user_namespace_put(ns->user_ns);
	mutex_destroy(&ns->lock);
	free(ns);
}

struct ipc_namespace *ipc_namespace_of(struct task *t)
{
	return t->namespaces->ipc;
}

static void ops_get(void *ns)
{
	ipc_namespace_get(ns);
}

static void ops_put(void *ns)
{
	ipc_namespace_put(ns);
}

static int ops_create(struct user_namespace *user_ns, uint32_t kuid, void **out)
{
	struct ipc_namespace *ns;
	int rc = ipc_namespace_new(user_ns, &ns);

	if (rc < 0)
		return rc;
	rc = namespace_count_add(&ns->count, user_ns, kuid, NAMESPACE_IPC);
	if (rc < 0)
		ipc_namespace_put(ns);
	else
		*out = ns;
	return rc;
}

static struct user_namespace *ops_owner(void *ns)
{
	return ((struct ipc_namespace *)ns)->user_ns;
}

static uint64_t ops_number(void *ns)
{
	return ((struct ipc_namespace *)ns)->number;
}

/* As Linux's exit_sem: what semop is to undo is undone now. */
static void ops_leave(struct task *t)
{
	sem_task_exit(t, true);
}

int ipc_init(struct kernel *kernel)
{
	static const struct namespace_ops ops = { .get = ops_get, .put = ops_put,
						  .create = ops_create,
						  .owner = ops_owner,
						  .number = ops_number,
						  .leave = ops_leave };
	static const struct task_exit_hook hook = { .fn = sem_task_exit };
	int rc = ipc_namespace_new(kernel->container_user_ns, &kernel->root_ipc_ns);

	if (rc < 0)
		return rc;
	namespaces_register(NULL, &ops);
	task_exit_hook_register(&hook);
	return 0;
}

/* --- ids --------------------------------------------------------------------------------- */

int32_t ipc_id_index(int32_t id)
{
	return id & INDEX_MASK;
}

static int grow(struct ipc_ids *ids)
{
	uint32_t capacity = MIN(MAX(2 * ids->capacity, 16), ids->max);
	struct ipc_object **slots;

	if (ids->count < ids->capacity)
		return 0;
	slots = realloc(ids->slots, capacity * sizeof(struct ipc_object *));
	if (!slots)
		return -ENOMEM;
	memset(slots + ids->capacity, 0, (capacity - ids->capacity) * sizeof(struct ipc_object *));
	ids->slots = slots;
	ids->capacity = capacity;
	return 0;
}

int ipc_ids_add(struct ipc_ids *ids, struct ipc_object *o)
{
	int32_t index = 0;
	int rc;

	if (ids->count >= ids->max)
		return -ENOSPC;
	rc = grow(ids);
	if (rc < 0)
		return rc;
	while (ids->slots[index])
		index++;
	/* an id that was removed does not come back soon */
	if (index <= ids->last_index)
		ids->seq = ids->seq == SEQ_MAX ? 0 : ids->seq + 1;
	ids->last_index = index;
	ids->slots[index] = o;
	ids->count++;
	ids->highest = MAX(ids->highest, index);
	o->id = (int32_t)(ids->seq << INDEX_BITS) + index;
	return 0;
}

void ipc_ids_remove(struct ipc_ids *ids, struct ipc_object *o)
{
	ids->slots[ipc_id_index(o->id)] = NULL;
	ids->count--;
	while (ids->highest >= 0 && !ids->slots[ids->highest])
		ids->highest--;
}

struct ipc_object *ipc_ids_at(const struct ipc_ids *ids, int32_t index)
{
	return index >= 0 && (uint32_t)index < ids->capacity ? ids->slots[index] : NULL;
}

struct ipc_object *ipc_ids_find(const struct ipc_ids *ids, int32_t id)
{
	struct ipc_object *o = id < 0 ? NULL : ipc_ids_at(ids, ipc_id_index(id));

	return o && o->id == id ? o : NULL;
}

struct ipc_object *ipc_ids_find_key(const struct ipc_ids *ids, int32_t key)
{
	if (key == LINUX_IPC_PRIVATE)
		return NULL;
	for (int32_t i = 0; i <= ids->highest; i++)
		if (ids->slots[i] && ids->slots[i]->key == key)
			return ids->slots[i];
	return NULL;
}

/* --- permissions --------------------------------------------------------------------------- */

void ipc_object_init(struct ipc_object *o, int32_t key, uint32_t mode, const struct credentials *cred)
{
	*o = (struct ipc_object){ .key = key, .mode = mode & 0777, .uid = cred->euid,
				  .cuid = cred->euid, .gid = cred->egid, .cgid = cred->egid };
}

int ipc_object_permission(const struct ipc_namespace *ns, const struct ipc_object *o, uint32_t wanted,
			  const struct credentials *cred)
{
	uint32_t requested = (wanted >> 6) | (wanted >> 3) | wanted, granted = o->mode;

	if (cred->euid == o->cuid || cred->euid == o->uid)
		granted >>= 6;
	else if (credentials_in_group(cred, o->cgid) || credentials_in_group(cred, o->gid) ||
		 cred->egid == o->cgid || cred->egid == o->gid)
		granted >>= 3;
	if (!(requested & ~granted & 7))
		return 0;
	return credentials_ns_capable(cred, ns->user_ns, LINUX_CAP_IPC_OWNER) ? 0 : -EACCES;
}

int ipc_object_owner(const struct ipc_namespace *ns, const struct ipc_object *o,
		     const struct credentials *cred)
{
	if (cred->euid == o->cuid || cred->euid == o->uid)
		return 0;
	return credentials_ns_capable(cred, ns->user_ns, LINUX_CAP_SYS_ADMIN) ? 0 : -EPERM;
}

int ipc_object_set(struct ipc_object *o, const struct linux_ipc64_perm *perm,
		   const struct credentials *cred)
{
	uint32_t uid = uid_to_kernel(cred->user_ns, perm->uid);
	uint32_t gid = gid_to_kernel(cred->user_ns, perm->gid);

	if (uid == ID_INVALID || gid == ID_INVALID)
		return -EINVAL;
	o->uid = uid;
	o->gid = gid;
	o->mode = (o->mode & ~0777U) | (perm->mode & 0777);
	return 0;
}

void ipc_object_show(const struct ipc_object *o, const struct credentials *cred,
		     struct linux_ipc64_perm *out)
{
	*out = (struct linux_ipc64_perm){
		.key = o->key,
		.uid = uid_from_kernel(cred->user_ns, o->uid),
		.gid = gid_from_kernel(cred->user_ns, o->gid),
		.cuid = uid_from_kernel(cred->user_ns, o->cuid),
		.cgid = gid_from_kernel(cred->user_ns, o->cgid),
		.mode = o->mode,
		.seq = (uint16_t)(o->id >> INDEX_BITS),
	};
}
