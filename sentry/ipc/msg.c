/* SPDX-License-Identifier: Apache-2.0 */
/* Sending and receiving; locks as in msg_private.h.  A sleeper keeps its queue by a reference. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/ipc/msg_private.h"
#include "sentry/kernel/task.h"

enum search { SEARCH_ANY, SEARCH_EQUAL, SEARCH_NOT_EQUAL, SEARCH_LOWEST, SEARCH_NUMBER };

struct ipc_message *ipc_message_new(int64_t type, uint64_t size)
{
	struct ipc_message *m = malloc(sizeof(*m) + size);

	if (!m)
		return NULL;
	list_node_init(&m->node);
	m->type = type;
	m->size = size;
	return m;
}

/* --- one try, with the lock held --------------------------------------------------------- */

/* 0: sent; -EAGAIN: no room. */
static int try_send_locked(struct ipc_namespace *ns, struct task *t, struct msg_queue *q,
			   struct ipc_message *m)
{
	int rc = ipc_object_permission(ns, &q->object, 0222, t->cred);

	if (rc < 0)
		return rc;
	if (q->removed)
		return -EIDRM;
	if (m->size + q->bytes > q->limit || q->count + 1 > q->limit)
		return -EAGAIN;
	list_add_tail(&q->messages, &m->node);
	q->bytes += m->size;
	q->count++;
	ns->msg_bytes += m->size;
	ns->msg_count++;
	q->lspid = task_tgid_in(t, task_pid_namespace(t));
	q->stime = msg_now();
	return 0;
}

static struct ipc_message *find_message_locked(struct msg_queue *q, enum search search, int64_t type)
{
	struct ipc_message *m, *best = NULL;
	int64_t number = 0;

	list_for_each(m, &q->messages, node) {
		switch (search) {
		case SEARCH_ANY:
			return m;
		case SEARCH_EQUAL:
			if (m->type == type)
				return m;
			break;
		case SEARCH_NOT_EQUAL:
			if (m->type != type)
				return m;
			break;
		case SEARCH_LOWEST:
			if (m->type <= type && (!best || m->type < best->type))
				best = m;
			break;
		case SEARCH_NUMBER:
			if (number++ == type)
				return m;
			break;
		}
	}
	return best;
}

/* MSG_COPY: the queue stays as it is.  @room was allocated before the lock. */
static int copy_message(const struct ipc_message *m, struct ipc_message *room)
{
	if (m->size > room->size)
		return -EINVAL;
	room->type = m->type;
	room->size = m->size;
	memcpy(room->text, m->text, m->size);
	return 0;
}

struct receive_request {
	enum search search;
	int64_t type;
	uint64_t size;
	int flags;
	struct ipc_message *copy; /* MSG_COPY: filled */
};

/* 0: *out is the caller's (or NULL: copied); -ENOMSG: none yet. */
static int try_receive_locked(struct ipc_namespace *ns, struct task *t, struct msg_queue *q,
			      const struct receive_request *rq, struct ipc_message **out)
{
	int rc = ipc_object_permission(ns, &q->object, 0444, t->cred);
	struct ipc_message *m;

	if (rc < 0)
		return rc;
	if (q->removed)
		return -EIDRM;
	m = find_message_locked(q, rq->search, rq->type);
	if (!m)
		return -ENOMSG;
	if (rq->size < m->size && !(rq->flags & LINUX_MSG_NOERROR))
		return -E2BIG;
	if (rq->copy)
		return copy_message(m, rq->copy);
	list_remove(&m->node);
	q->bytes -= m->size;
	q->count--;
	ns->msg_bytes -= m->size;
	ns->msg_count--;
	q->lrpid = task_tgid_in(t, task_pid_namespace(t));
	q->rtime = msg_now();
	*out = m;
	return 0;
}

/* --- sleeping ------------------------------------------------------------------------------ */

static struct msg_queue *queue_lookup(struct ipc_namespace *ns, int32_t id)
{
	struct msg_queue *q;

	mutex_lock(&ns->lock);
	q = msg_find_locked(ns, id);
	if (q)
		refcount_get(&q->refs);
	mutex_unlock(&ns->lock);
	return q;
}

int msg_send(struct task *t, int32_t id, struct ipc_message *m, int flags)
{
	struct ipc_namespace *ns = ipc_namespace_of(t);
	struct msg_queue *q = queue_lookup(ns, id);
	struct wait_entry e;
	int rc, slept = 0;

	if (!q)
		return -EINVAL;
	wait_begin(&e, &q->changed, ~0U);
	for (;;) {
		mutex_lock(&ns->lock);
		rc = try_send_locked(ns, t, q, m);
		mutex_unlock(&ns->lock);
		if (rc != -EAGAIN || (flags & LINUX_IPC_NOWAIT))
			break;
		if (slept < 0) {
			rc = slept;
			break;
		}
		slept = wait_sleep(DEADLINE_NONE);
	}
	wait_end(&e);
	if (rc == 0)
		msg_queue_wake_put(q);
	else
		msg_queue_put(q);
	return rc;
}

static int receive(struct task *t, int32_t id, const struct receive_request *rq,
		   struct ipc_message **out)
{
	struct ipc_namespace *ns = ipc_namespace_of(t);
	struct msg_queue *q = queue_lookup(ns, id);
	struct wait_entry e;
	int rc, slept = 0;

	if (!q)
		return -EINVAL;
	wait_begin(&e, &q->changed, ~0U);
	for (;;) {
		mutex_lock(&ns->lock);
		rc = try_receive_locked(ns, t, q, rq, out);
		mutex_unlock(&ns->lock);
		if (rc != -ENOMSG || (rq->flags & LINUX_IPC_NOWAIT))
			break;
		if (slept < 0) {
			rc = slept;
			break;
		}
		slept = wait_sleep(DEADLINE_NONE);
	}
	wait_end(&e);
	if (rc == 0 && !rq->copy)
		msg_queue_wake_put(q);
	else
		msg_queue_put(q);
	return rc;
}

static enum search search_of(int64_t *type, int flags)
{
	if (flags & LINUX_MSG_COPY)
		return SEARCH_NUMBER;
	if (*type == 0)
		return SEARCH_ANY;
	if (*type < 0) {
		*type = *type == INT64_MIN ? INT64_MAX : -*type;
		return SEARCH_LOWEST;
	}
	return flags & LINUX_MSG_EXCEPT ? SEARCH_NOT_EQUAL : SEARCH_EQUAL;
}

int msg_receive(struct task *t, int32_t id, uint64_t size, int64_t type, int flags,
		struct ipc_message **out)
{
	struct receive_request rq = { .type = type, .size = size, .flags = flags };
	int rc;

	if (id < 0 || (int64_t)size < 0)
		return -EINVAL;
	if (flags & LINUX_MSG_COPY) {
		if ((flags & LINUX_MSG_EXCEPT) || !(flags & LINUX_IPC_NOWAIT))
			return -EINVAL;
		rq.copy = ipc_message_new(0, size < LINUX_MSGMAX ? size : LINUX_MSGMAX);
		if (!rq.copy)
			return -ENOMEM;
	}
	rq.search = search_of(&rq.type, flags);
	rc = receive(t, id, &rq, out);
	if (rc < 0)
		free(rq.copy);
	else if (rq.copy)
		*out = rq.copy;
	return rc;
}
