/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mq_notify: one process at a time is told, once, that a message came to the empty queue while
 * nobody waited for one.  Signals and datagrams are sent without the queue's lock, from what was
 * taken under it.
 */
#include <errno.h>
#include <string.h>

#include "sentry/abi/signal.h"
#include "sentry/fs/mqueue/mqueue_private.h"
#include "sentry/kernel/task.h"
#include "sentry/net/netlink/netlink.h"

void mqueue_notify_take_locked(struct message_queue_posix *q, struct mq_notification *out)
{
	*out = q->notification;
	q->notification = (struct mq_notification){ 0 };
}

void mqueue_notification_drop(struct mq_notification *n)
{
	if (n->owner)
		thread_group_put(n->owner);
	if (n->user_ns)
		user_namespace_put(n->user_ns);
	if (n->socket)
		socket_put(n->socket);
	*n = (struct mq_notification){ 0 };
}

/* From the kernel, so nobody's permission; but not to a program that did not ask. */
static void send_signal(struct task *sender, const struct mq_notification *n)
{
	struct linux_siginfo info = { .signo = n->signo, .code = LINUX_SI_MESGQ };
	int rc;

	if (!n->signo || atomic_load(&n->owner->exec_count) != n->exec_count)
		return;
	info.kill.pid = task_tgid_in(sender, n->owner->pid.ns);
	info.kill.uid = uid_from_kernel(n->user_ns, sender->cred->uid);
	info.kill.value = n->value;
	rc = signal_send_group(n->owner, &info);
	(void)rc; /* dead, or too many pending: as in Linux nobody hears of it */
}

static void send_cookie(struct mq_notification *n, uint8_t why)
{
	n->cookie[LINUX_MQ_COOKIE_SIZE - 1] = why;
	netlink_deliver(n->socket, n->cookie, sizeof(n->cookie));
}

void mqueue_notify_send(struct task *sender, struct mq_notification *n)
{
	if (!n->owner)
		return;
	if (n->notify == LINUX_SIGEV_SIGNAL)
		send_signal(sender, n);
	else if (n->notify == LINUX_SIGEV_THREAD)
		send_cookie(n, LINUX_MQ_WOKENUP);
	mqueue_notification_drop(n);
}

void mqueue_notify_remove(struct message_queue_posix *q, struct thread_group *g)
{
	struct mq_notification n = { 0 };

	mutex_lock(&q->lock);
	if (q->notification.owner == g)
		mqueue_notify_take_locked(q, &n);
	mutex_unlock(&q->lock);
	if (n.owner && n.notify == LINUX_SIGEV_THREAD)
		send_cookie(&n, LINUX_MQ_REMOVED);
	mqueue_notification_drop(&n);
}

static int prepare(struct task *t, const struct linux_sigevent *event, const void *cookie,
		   struct file *socket_file, struct mq_notification *n)
{
	*n = (struct mq_notification){ .exec_count = atomic_load(&t->group->exec_count),
				       .notify = event->notify,
				       .signo = event->signo,
				       .value = event->value };
	if (event->notify == LINUX_SIGEV_THREAD) {
		int rc = netlink_socket_of(socket_file, &n->socket);

		if (rc)
			return rc;
		memcpy(n->cookie, cookie, sizeof(n->cookie));
	}
	n->owner = thread_group_get(t->group);
	n->user_ns = user_namespace_get(t->cred->user_ns);
	return 0;
}

int mqueue_notify_check(struct file *socket_file)
{
	struct socket *s;
	int rc = netlink_socket_of(socket_file, &s);

	if (!rc)
		socket_put(s);
	return rc;
}

int mqueue_notify(struct task *t, struct file *file, const struct linux_sigevent *event,
		  const void *cookie, struct file *socket_file)
{
	struct message_queue_posix *q = mqueue_of(file->inode);
	struct mq_notification n;
	int rc;

	if (!event) {
		mqueue_notify_remove(q, t->group);
		return 0;
	}
	rc = prepare(t, event, cookie, socket_file, &n);
	if (rc)
		return rc;
	mutex_lock(&q->lock);
	if (q->notification.owner) {
		rc = -EBUSY;
	} else {
		q->notification = n;
		n = (struct mq_notification){ 0 };
	}
	mutex_unlock(&q->lock);
	mqueue_notification_drop(&n);
	if (!rc)
		inode_touch(file->inode, SETATTR_ATIME | SETATTR_CTIME);
	return rc;
}
