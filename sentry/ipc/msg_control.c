/* SPDX-License-Identifier: Apache-2.0 */
/* Message queues: making, finding, msgctl; locks as in msg_private.h. */
#include <errno.h>
#include <stdlib.h>

#include "sentry/abi/capability.h"
#include "sentry/host/host_clock.h"
#include "sentry/ipc/msg_private.h"
#include "sentry/kernel/task.h"
#include "util/checked.h"
#include "util/cleanup.h"

#define NSEC 1000000000ULL
#define MSGSSZ 16
#define MSGSEG 0xffff

int64_t msg_now(void)
{
	return (int64_t)(host_realtime_ns() / NSEC);
}

void msg_queue_put(struct msg_queue *q)
{
	struct ipc_message *m, *next;

	if (!refcount_put(&q->refs))
		return;
	list_for_each_safe(m, next, &q->messages, node)
		free(m);
	wait_queue_destroy(&q->changed);
	free(q);
}

void msg_queue_wake_put(struct msg_queue *q)
{
	wait_queue_wake_all(&q->changed, ~0U);
	msg_queue_put(q);
}

struct msg_queue *msg_find_locked(struct ipc_namespace *ns, int32_t id)
{
	return (struct msg_queue *)ipc_ids_find(&ns->msg, id);
}

/* --- msgget ---------------------------------------------------------------------------- */

static struct msg_queue *queue_new(struct task *t, int32_t key, int flags)
{
	struct msg_queue *q = calloc(1, sizeof(*q));

	if (!q)
		return NULL;
	ipc_object_init(&q->object, key, (uint32_t)flags, t->cred);
	refcount_init(&q->refs);
	wait_queue_init(&q->changed);
	list_init(&q->messages);
	q->limit = LINUX_MSGMNB;
	q->ctime = msg_now();
	return q;
}

static int open_existing(struct task *t, struct ipc_namespace *ns, const struct ipc_object *o,
			 int flags)
{
	int rc;

	if ((flags & LINUX_IPC_CREAT) && (flags & LINUX_IPC_EXCL))
		return -EEXIST;
	rc = ipc_object_permission(ns, o, (uint32_t)flags & 0777, t->cred);
	return rc < 0 ? rc : o->id;
}

int msg_get(struct task *t, int32_t key, int flags)
{
	struct ipc_namespace *ns = ipc_namespace_of(t);
	struct msg_queue *made = queue_new(t, key, flags);
	struct ipc_object *o;
	int rc;

	if (!made)
		return -ENOMEM;
	mutex_lock(&ns->lock);
	o = ipc_ids_find_key(&ns->msg, key);
	if (o) {
		rc = open_existing(t, ns, o, flags);
	} else if (key != LINUX_IPC_PRIVATE && !(flags & LINUX_IPC_CREAT)) {
		rc = -ENOENT;
	} else {
		rc = ipc_ids_add(&ns->msg, &made->object);
		if (rc == 0)
			rc = move_ptr(made)->object.id;
	}
	mutex_unlock(&ns->lock);
	if (made)
		msg_queue_put(made);
	return rc;
}

/* --- msgctl ------------------------------------------------------------------------------ */

int msg_remove(struct task *t, int32_t id)
{
	struct ipc_namespace *ns = ipc_namespace_of(t);
	struct msg_queue *q;
	int rc;

	mutex_lock(&ns->lock);
	q = msg_find_locked(ns, id);
	rc = q ? ipc_object_owner(ns, &q->object, t->cred) : -EINVAL;
	if (rc == 0) {
		q->removed = true;
		ipc_ids_remove(&ns->msg, &q->object);
		ns->msg_bytes -= q->bytes;
		ns->msg_count -= q->count;
	}
	mutex_unlock(&ns->lock);
	if (rc == 0)
		msg_queue_wake_put(q); /* the table's reference */
	return rc;
}

int msg_set(struct task *t, int32_t id, const struct linux_msqid64_ds *ds)
{
	struct ipc_namespace *ns = ipc_namespace_of(t);
	int32_t limit = (int32_t)ds->qbytes; /* Linux passes it on as an int */
	struct msg_queue *q;
	int rc;

	mutex_lock(&ns->lock);
	q = msg_find_locked(ns, id);
	rc = q ? ipc_object_owner(ns, &q->object, t->cred) : -EINVAL;
	if (rc == 0 && (uint32_t)limit > LINUX_MSGMNB && !credentials_root_capable(t->cred, LINUX_CAP_SYS_RESOURCE))
		rc = -EPERM;
	if (rc == 0)
		rc = ipc_object_set(&q->object, &ds->perm, t->cred);
	if (rc == 0) {
		q->limit = (uint64_t)limit;
		q->ctime = msg_now();
		refcount_get(&q->refs);
	}
	mutex_unlock(&ns->lock);
	if (rc == 0)
		msg_queue_wake_put(q); /* rights and room may have changed */
	return rc;
}

int msg_stat(struct task *t, int32_t id, int cmd, struct linux_msqid64_ds *out)
{
	struct ipc_namespace *ns = ipc_namespace_of(t);
	const struct msg_queue *q;
	int rc;

	mutex_lock(&ns->lock);
	q = cmd == LINUX_IPC_STAT ? msg_find_locked(ns, id)
				  : (struct msg_queue *)ipc_ids_at(&ns->msg, ipc_id_index(id));
	rc = q ? 0 : -EINVAL;
	if (rc == 0 && cmd != LINUX_MSG_STAT_ANY)
		rc = ipc_object_permission(ns, &q->object, 0444, t->cred);
	if (rc == 0) {
		*out = (struct linux_msqid64_ds){
			.stime = q->stime, .rtime = q->rtime, .ctime = q->ctime,
			.cbytes = q->bytes, .qnum = q->count, .qbytes = q->limit,
			.lspid = q->lspid, .lrpid = q->lrpid,
		};
		ipc_object_show(&q->object, t->cred, &out->perm);
		rc = cmd == LINUX_IPC_STAT ? 0 : q->object.id;
	}
	mutex_unlock(&ns->lock);
	return rc;
}

int msg_info(struct task *t, int cmd, struct linux_msginfo *out)
{
	struct ipc_namespace *ns = ipc_namespace_of(t);
	int highest;

	*out = (struct linux_msginfo){
		.msgpool = LINUX_MSGMNI * (LINUX_MSGMNB / 1024), .msgmap = LINUX_MSGMNB,
		.msgmax = LINUX_MSGMAX, .msgmnb = LINUX_MSGMNB, .msgmni = LINUX_MSGMNI,
		.msgssz = MSGSSZ, .msgtql = LINUX_MSGMNB, .msgseg = MSGSEG,
	};
	mutex_lock(&ns->lock);
	if (cmd == LINUX_MSG_INFO) {
		out->msgpool = (int32_t)ns->msg.count;
		out->msgmap = (int32_t)ns->msg_count;
		out->msgtql = (int32_t)ns->msg_bytes;
	}
	highest = MAX(ns->msg.highest, 0);
	mutex_unlock(&ns->lock);
	return highest;
}

/* The last reference is gone, so nobody waits. */
void msg_namespace_clear(struct ipc_namespace *ns)
{
	for (int32_t i = 0; i <= ns->msg.highest; i++)
		if (ns->msg.slots[i])
			msg_queue_put((struct msg_queue *)ns->msg.slots[i]);
}
