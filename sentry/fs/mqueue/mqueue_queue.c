/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A queue's messages.  They lie in a heap, so that a queue of 65,536 is no place to hold up a
 * lock.  As in Linux a message goes directly to a receiver who waits, and the message of a sender
 * who waits goes in as soon as one has left.
 *
 * RLIMIT_MSGQUEUE is charged for a full queue when it is made, with Linux's sizes; besides, all messages
 * of the sandbox together have a limit.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/capability.h"
#include "sentry/abi/epoll.h"
#include "sentry/abi/fs.h"
#include "sentry/abi/sched.h"
#include "sentry/cred/user_account.h"
#include "sentry/fs/mqueue/mqueue_private.h"
#include "sentry/kernel/clock_sleep.h"
#include "sentry/kernel/task.h"
#include "util/checked.h"

/* What Linux counts for a message and for each priority in use. */
#define MESSAGE_OVERHEAD 48ULL
#define PRIORITY_OVERHEAD 48ULL
#define TOTAL_BYTES_MAX (256ULL << 20)

struct mq_waiter {
	struct list_node node;	/* unlinked: served */
	struct mq_message *m;	/* to send; or received */
	struct sleeper *sleeper;
	int32_t priority;	/* Linux's task->prio: the least is served first; does not change */
};

static _Atomic uint64_t total_bytes;

/* --- messages ---------------------------------------------------------------------------- */

int mqueue_message_new(uint64_t size, uint32_t priority, struct mq_message **out)
{
	struct mq_message *m = NULL;

	uint64_t bytes = sizeof(*m) + size;

	/* Empty ones too take memory. */
	if (atomic_fetch_add(&total_bytes, bytes) + bytes <= TOTAL_BYTES_MAX)
		m = malloc(bytes);
	if (!m) {
		atomic_fetch_sub(&total_bytes, bytes);
		return -ENOMEM;
	}
	*m = (struct mq_message){ .size = size, .priority = priority };
	*out = m;
	return 0;
}

void mqueue_message_free(struct mq_message *m)
{
	if (!m)
		return;
	atomic_fetch_sub(&total_bytes, sizeof(*m) + m->size);
	free(m);
}

char *mqueue_message_data(struct mq_message *m)
{
	return m->data;
}

uint64_t mqueue_message_size(const struct mq_message *m)
{
	return m->size;
}

uint32_t mqueue_message_priority(const struct mq_message *m)
{
	return m->priority;
}

/* --- the heap ----------------------------------------------------------------------------- */

static bool is_before(const struct mq_message *a, const struct mq_message *b)
{
	return a->priority != b->priority ? a->priority > b->priority : a->order < b->order;
}

static int make_room_locked(struct message_queue_posix *q)
{
	uint32_t capacity = q->capacity ? q->capacity * 2 : 8;
	struct mq_message **heap;

	if (q->count < q->capacity)
		return 0;
	heap = realloc(q->heap, capacity * sizeof(struct mq_message *));
	if (!heap)
		return -ENOMEM;
	q->heap = heap;
	q->capacity = capacity;
	return 0;
}

static int insert_locked(struct message_queue_posix *q, struct mq_message *m)
{
	uint32_t at = q->count;
	int rc = make_room_locked(q);

	if (rc)
		return rc;
	m->order = q->next_order++;
	for (; at && is_before(m, q->heap[(at - 1) / 2]); at = (at - 1) / 2)
		q->heap[at] = q->heap[(at - 1) / 2];
	q->heap[at] = m;
	q->count++;
	q->bytes += m->size;
	return 0;
}

/* The queue is not empty. */
static struct mq_message *take_first_locked(struct message_queue_posix *q)
{
	struct mq_message *first = q->heap[0], *last = q->heap[--q->count];
	uint32_t at = 0, child;

	while ((child = 2 * at + 1) < q->count) {
		if (child + 1 < q->count && is_before(q->heap[child + 1], q->heap[child]))
			child++;
		if (!is_before(q->heap[child], last))
			break;
		q->heap[at] = q->heap[child];
		at = child;
	}
	q->heap[at] = last;
	q->bytes -= first->size;
	return first;
}

/* --- queues ---------------------------------------------------------------------------------- */

/* One more queue of the namespace, and its limits. */
static int count_queue(struct mqueue_fs *fs, const struct credentials *cred, struct mqueue_limits *limits)
{
	int rc = 0;

	mutex_lock(&fs->lock);
	if (!fs->ns) {
		rc = -EACCES;
	} else {
		mutex_lock(&fs->ns->lock);
		*limits = fs->ns->mqueue_limits;
		if (fs->ns->mqueue_count >= limits->queues_max &&
		    !credentials_root_capable(cred, LINUX_CAP_SYS_RESOURCE))
			rc = -ENOSPC;
		else
			fs->ns->mqueue_count++;
		mutex_unlock(&fs->ns->lock);
	}
	mutex_unlock(&fs->lock);
	return rc;
}

static void uncount_queue(struct mqueue_fs *fs)
{
	mutex_lock(&fs->lock);
	if (fs->ns) {
		mutex_lock(&fs->ns->lock);
		fs->ns->mqueue_count--;
		mutex_unlock(&fs->ns->lock);
	}
	mutex_unlock(&fs->lock);
}

static int set_limits(struct message_queue_posix *q, const struct linux_mq_attr *attr,
		      const struct mqueue_limits *limits, const struct credentials *cred)
{
	bool privileged = attr && credentials_root_capable(cred, LINUX_CAP_SYS_RESOURCE);
	int64_t max = MIN(limits->msg_max, limits->msg_default);
	int64_t size = MIN(limits->msgsize_max, limits->msgsize_default);

	if (attr) {
		max = attr->maxmsg;
		size = attr->msgsize;
	}
	if (max <= 0 || size <= 0)
		return -EINVAL;
	if (max > (privileged ? LINUX_MQ_HARD_MSGMAX : (int64_t)limits->msg_max) ||
	    size > (privileged ? LINUX_MQ_HARD_MSGSIZEMAX : (int64_t)limits->msgsize_max))
		return -EINVAL;
	q->max_messages = max;
	q->max_size = (uint64_t)size;
	return 0;
}

/* At most 65,536 times 16 MiB: no overflow. */
static int charge(struct message_queue_posix *q, struct task *t)
{
	uint64_t max = (uint64_t)q->max_messages;
	uint64_t bytes = max * q->max_size + max * MESSAGE_OVERHEAD +
			 MIN(max, LINUX_MQ_PRIO_MAX) * PRIORITY_OVERHEAD;
	int rc = user_charge_amount(t->cred->uid, USER_QUEUE_BYTES, bytes, task_rlimit(t, RLIM_MSGQUEUE));

	if (rc)
		return rc == -EAGAIN ? -EMFILE : rc;
	q->charged_uid = t->cred->uid;
	q->charged_bytes = bytes;
	return 0;
}

int mqueue_queue_new(struct mqueue_fs *fs, const struct linux_mq_attr *attr,
		     struct message_queue_posix **out)
{
	struct task *t = task_current();
	struct message_queue_posix *q;
	struct mqueue_limits limits;
	int rc = count_queue(fs, t->cred, &limits);

	if (rc)
		return rc;
	q = calloc(1, sizeof(*q));
	rc = q ? set_limits(q, attr, &limits, t->cred) : -ENOMEM;
	if (!rc)
		rc = charge(q, t);
	if (rc) {
		free(q);
		uncount_queue(fs);
		return rc;
	}
	mutex_init(&q->lock, LOCK_RANK_FS_PRIVATE);
	list_init(&q->senders);
	list_init(&q->receivers);
	wait_queue_init(&q->poll_queue);
	*out = q;
	return 0;
}

void mqueue_queue_free(struct mqueue_fs *fs, struct message_queue_posix *q)
{
	for (uint32_t i = 0; i < q->count; i++)
		mqueue_message_free(q->heap[i]);
	mqueue_notification_drop(&q->notification);
	user_uncharge_amount(q->charged_uid, USER_QUEUE_BYTES, q->charged_bytes);
	uncount_queue(fs);
	wait_queue_destroy(&q->poll_queue);
	mutex_destroy(&q->lock);
	free(q->heap);
	free(q);
}

uint64_t mqueue_message_max(struct file *file)
{
	return mqueue_of(file->inode)->max_size;
}

/* --- sending and receiving ------------------------------------------------------------------- */

static int32_t priority_of(struct task *t)
{
	int32_t priority;

	mutex_lock(&t->lock);
	if (t->sched_policy == LINUX_SCHED_FIFO || t->sched_policy == LINUX_SCHED_RR)
		priority = LINUX_MAX_RT_PRIO - 1 - t->sched_priority;
	else
		priority = LINUX_DEFAULT_PRIO + t->nice;
	mutex_unlock(&t->lock);
	return priority;
}

/* By priority, behind others of the same. */
static void queue_waiter_locked(struct list_node *list, struct mq_waiter *w)
{
	struct list_node *at = list->prev;

	while (at != list && list_entry(at, struct mq_waiter, node)->priority > w->priority)
		at = at->prev;
	list_insert_between(&w->node, at, at->next);
}

static void serve_locked(struct mq_waiter *w)
{
	struct sleeper *sleeper = w->sleeper;

	list_remove(&w->node);
	sleeper_wake(sleeper);
}

/* Until it was served: 0.  Both lists' nodes are protected by the queue's lock. */
static int sleep_until_served(struct message_queue_posix *q, struct mq_waiter *w, uint64_t deadline)
{
	int rc = 0;

	for (;;) {
		bool served;

		mutex_lock(&q->lock);
		served = !list_linked(&w->node);
		if (!served && rc)
			list_remove(&w->node);
		mutex_unlock(&q->lock);
		if (served)
			return 0;
		if (rc)
			return rc;
		rc = clock_sleep(deadline, true);
	}
}

/* 0: sent; -EAGAIN: full; @n: whom to tell. */
static int try_send_locked(struct message_queue_posix *q, struct mq_message *m,
			   struct mq_notification *n)
{
	struct mq_waiter *receiver = list_first(&q->receivers, struct mq_waiter, node);
	int rc;

	if (q->count >= q->max_messages)
		return -EAGAIN;
	if (receiver) {
		receiver->m = m;
		serve_locked(receiver);
		return 0;
	}
	rc = insert_locked(q, m);
	if (rc)
		return rc;
	if (q->count == 1)
		mqueue_notify_take_locked(q, n);
	wait_queue_wake(&q->poll_queue, LINUX_EPOLLIN | LINUX_EPOLLRDNORM);
	return 0;
}

int mqueue_send(struct task *t, struct file *file, struct mq_message *m, uint64_t deadline)
{
	struct message_queue_posix *q = mqueue_of(file->inode);
	struct mq_waiter w = { .m = m, .sleeper = sleeper_current(), .priority = priority_of(t) };
	bool wait = !(file->flags & LINUX_O_NONBLOCK);
	struct mq_notification n = { 0 };
	int rc;

	mutex_lock(&q->lock);
	rc = try_send_locked(q, m, &n);
	if (rc == -EAGAIN && wait)
		queue_waiter_locked(&q->senders, &w);
	mutex_unlock(&q->lock);
	if (!rc) {
		mqueue_notify_send(t, &n);
		mqueue_touch(file->inode);
	} else if (rc == -EAGAIN && wait) {
		rc = sleep_until_served(q, &w, deadline);
	}
	if (rc)
		mqueue_message_free(m);
	return rc;
}

/* There is room again. */
static void admit_sender_locked(struct message_queue_posix *q)
{
	struct mq_waiter *sender = list_first(&q->senders, struct mq_waiter, node);

	if (!sender)
		wait_queue_wake(&q->poll_queue, LINUX_EPOLLOUT | LINUX_EPOLLWRNORM);
	else if (!insert_locked(q, sender->m))
		serve_locked(sender);
}

int mqueue_receive(struct task *t, struct file *file, uint64_t deadline, struct mq_message **out)
{
	struct message_queue_posix *q = mqueue_of(file->inode);
	struct mq_waiter w = { .sleeper = sleeper_current(), .priority = priority_of(t) };
	bool wait = !(file->flags & LINUX_O_NONBLOCK), sleeps = false;
	int rc = 0;

	mutex_lock(&q->lock);
	if (q->count) {
		w.m = take_first_locked(q);
		admit_sender_locked(q);
	} else if (wait) {
		queue_waiter_locked(&q->receivers, &w);
		sleeps = true;
	} else {
		rc = -EAGAIN;
	}
	mutex_unlock(&q->lock);
	if (sleeps)
		rc = sleep_until_served(q, &w, deadline);
	else if (!rc)
		mqueue_touch(file->inode);
	if (!rc)
		*out = w.m;
	return rc;
}

void mqueue_get_set_attr(struct file *file, const struct linux_mq_attr *new, struct linux_mq_attr *old)
{
	struct message_queue_posix *q = mqueue_of(file->inode);

	mutex_lock(&q->lock);
	*old = (struct linux_mq_attr){ .flags = file->flags & LINUX_O_NONBLOCK,
				       .maxmsg = q->max_messages,
				       .msgsize = (int64_t)q->max_size,
				       .curmsgs = q->count };
	mutex_unlock(&q->lock);
	if (!new)
		return;
	if (new->flags & LINUX_O_NONBLOCK)
		atomic_fetch_or(&file->flags, LINUX_O_NONBLOCK);
	else
		atomic_fetch_and(&file->flags, ~(uint32_t)LINUX_O_NONBLOCK);
	inode_touch(file->inode, SETATTR_ATIME | SETATTR_CTIME);
}
