/* SPDX-License-Identifier: Apache-2.0 */
/*
 * User notification: a task's call waits until whoever holds the listener has answered.
 *
 * Notifications and FD requests live on the stacks of those who wait for them, linked under
 * the filter's notify_lock, and are unlinked under it before their owner leaves.  FDs are
 * put into the table by the waiting task itself, without the lock: such a request is
 * `taken`, and its sender waits for it whatever happens.
 */
#include <errno.h>
#include <stdlib.h>

#include "sentry/abi/epoll.h"
#include "sentry/abi/fs.h"
#include "sentry/host/host_memory.h"
#include "sentry/kernel/restart.h"
#include "sentry/kernel/seccomp_internal.h"
#include "sentry/kernel/task_internal.h"
#include "sentry/mm/copy_struct.h"
#include "sentry/vfs/file.h"

enum notification_state { NOTIFICATION_NEW, NOTIFICATION_SENT, NOTIFICATION_ANSWERED };

struct addfd {
	struct list_node node; /* in notification.addfds */
	struct file *file;     /* the sender's reference */
	uint32_t flags, new_fd;
	bool close_on_exec;
	bool taken, done;
	int64_t result;
	struct wait_queue wait;
};

struct notification {
	struct list_node node; /* in listener.notifications */
	struct task *task;
	const struct linux_seccomp_data *data;
	uint64_t id;
	enum notification_state state;
	int64_t value;
	int32_t error;
	uint32_t flags;
	struct list_node addfds;
	struct wait_queue wait; /* its task */
};

/* Everything: notify_lock. */
struct seccomp_listener {
	struct list_node notifications;
	uint64_t next_id;
	uint32_t requests; /* not yet given to a reader */
	uint64_t flags;
};

/* --- the task ------------------------------------------------------------------------------ */

static struct notification *find_locked(struct seccomp_filter *f, uint64_t id)
{
	struct notification *n;

	list_for_each(n, &f->listener->notifications, node)
		if (n->id == id)
			return n;
	return NULL;
}

static int64_t receive_fd(struct task *t, const struct addfd *a)
{
	uint64_t limit = task_rlimit(t, RLIM_NOFILE);

	if (!(a->flags & LINUX_SECCOMP_ADDFD_FLAG_SETFD))
		return fd_table_install(t->fds, a->file, 0, limit, a->close_on_exec);
	if (a->new_fd > INT32_MAX)
		return -EBADF;
	return fd_table_install_at(t->fds, a->file, (int)a->new_fd, limit, a->close_on_exec);
}

static void finish_addfd_locked(struct addfd *a, int64_t result)
{
	a->result = result;
	a->done = true;
	wait_queue_wake_all(&a->wait, ~0U);
}

static void serve_addfd(struct seccomp_filter *f, struct notification *n, struct addfd *a)
	NO_LOCK_ANALYSIS
{
	bool send = a->flags & LINUX_SECCOMP_ADDFD_FLAG_SEND;
	int64_t fd;

	list_remove(&a->node);
	a->taken = true;
	mutex_unlock(&f->notify_lock);
	fd = receive_fd(n->task, a);
	mutex_lock(&f->notify_lock);
	if (send && fd < 0 && f->listener) {
		n->state = NOTIFICATION_SENT;
	} else if (send && fd >= 0) {
		n->flags = 0;
		n->error = 0;
		n->value = fd;
	}
	finish_addfd_locked(a, fd);
}

/* Answers are waited for with the lock dropped.  0: answered. */
static int wait_for_answer(struct seccomp_filter *f, struct notification *n) NO_LOCK_ANALYSIS
{
	struct wait_entry e;
	bool killable = false, was_killable;
	int rc = 0;

	wait_begin(&e, &n->wait, ~0U);
	for (;;) {

		while (!list_empty(&n->addfds))
			serve_addfd(f, n, list_first(&n->addfds, struct addfd, node));
		if (n->state == NOTIFICATION_ANSWERED) {
			rc = 0;
			break;
		}
		was_killable = killable;
		killable = f->wait_killable && n->state == NOTIFICATION_SENT;
		/* An interruption counts unless the call was read while it slept. */
		if (rc < 0 && (was_killable || !killable))
			break;
		mutex_unlock(&f->notify_lock);
		rc = killable ? wait_sleep_killable(DEADLINE_NONE) : wait_sleep(DEADLINE_NONE);
		mutex_lock(&f->notify_lock);
	}
	wait_end(&e);
	return rc;
}

static void notification_init(struct notification *n, struct task *t,
			      const struct linux_seccomp_data *data, uint64_t id)
{
	*n = (struct notification){ .task = t, .data = data, .id = id };
	list_node_init(&n->node);
	list_init(&n->addfds);
	wait_queue_init(&n->wait);
}

bool seccomp_notify(struct task *t, struct seccomp_filter *f, const struct linux_seccomp_data *data,
		    enum seccomp_verdict *verdict, int64_t *result)
{
	struct notification n;
	struct addfd *a, *next;
	int rc;

	*verdict = SECCOMP_SKIP;
	mutex_lock(&f->notify_lock);
	if (!f->listener) {
		mutex_unlock(&f->notify_lock);
		*result = -ENOSYS;
		return false;
	}
	notification_init(&n, t, data, f->listener->next_id++);
	list_add_tail(&f->listener->notifications, &n.node);
	f->listener->requests++;
	wait_queue_wake(&f->wait, LINUX_EPOLLIN | LINUX_EPOLLRDNORM);
	rc = wait_for_answer(f, &n);
	list_for_each_safe(a, next, &n.addfds, node) {
		list_remove(&a->node);
		finish_addfd_locked(a, -ESRCH);
	}
	if (list_linked(&n.node))
		list_remove(&n.node);
	mutex_unlock(&f->notify_lock);
	wait_queue_destroy(&n.wait);
	if (rc < 0) {
		*verdict = SECCOMP_WAITED;
		*result = -ERESTARTSYS;
		return false;
	}
	if (n.flags & LINUX_SECCOMP_USER_NOTIF_FLAG_CONTINUE)
		return true;
	*result = n.error ? n.error : n.value;
	return false;
}

/* --- the reader ------------------------------------------------------------------------------ */

static struct notification *first_new_locked(struct seccomp_filter *f)
{
	struct notification *n;

	list_for_each(n, &f->listener->notifications, node)
		if (n->state == NOTIFICATION_NEW)
			return n;
	return NULL;
}

/* True: there is a request, which now counts as read, or nobody will ever make one. */
static bool take_request(struct seccomp_filter *f)
{
	bool taken = false;

	mutex_lock(&f->notify_lock);
	if (f->listener->requests) {
		f->listener->requests--;
		taken = true;
	}
	mutex_unlock(&f->notify_lock);
	return taken || atomic_load(&f->users) == 0;
}

static int wait_for_request(struct seccomp_filter *f)
{
	struct wait_entry e;
	int rc = 0;

	wait_begin(&e, &f->wait, LINUX_EPOLLIN | LINUX_EPOLLHUP);
	while (!take_request(f) && !rc)
		rc = wait_sleep(DEADLINE_NONE);
	wait_end(&e);
	return rc ? -ERESTARTSYS : 0;
}

/* The message could not be handed over: it is as before. */
static void unread(struct seccomp_filter *f, uint64_t id)
{
	struct notification *n;

	mutex_lock(&f->notify_lock);
	n = find_locked(f, id);
	if (n) {
		n->state = NOTIFICATION_NEW;
		f->listener->requests++;
		wait_queue_wake_all(&n->wait, ~0U);
		wait_queue_wake(&f->wait, LINUX_EPOLLIN | LINUX_EPOLLRDNORM);
	}
	mutex_unlock(&f->notify_lock);
}

static int64_t receive(struct seccomp_filter *f, struct mm *mm, guest_addr_t arg)
{
	struct linux_seccomp_notif out = { 0 };
	unsigned char old[sizeof(out)];
	struct notification *n;
	int rc = copy_in(mm, old, arg, sizeof(old));

	if (rc)
		return rc;
	for (size_t i = 0; i < sizeof(old); i++)
		if (old[i])
			return -EINVAL;
	rc = wait_for_request(f);
	if (rc)
		return rc;
	mutex_lock(&f->notify_lock);
	n = first_new_locked(f);
	if (n) {
		out.id = n->id;
		out.pid = (uint32_t)task_tid_in(n->task, task_current()->pid.ns);
		out.data = *n->data;
		n->state = NOTIFICATION_SENT;
		wait_queue_wake(&f->wait, LINUX_EPOLLOUT | LINUX_EPOLLWRNORM);
	}
	mutex_unlock(&f->notify_lock);
	if (!n)
		return -ENOENT;
	rc = copy_out(mm, arg, &out, sizeof(out));
	if (rc)
		unread(f, out.id);
	return rc;
}

static int64_t answer(struct seccomp_filter *f, struct mm *mm, guest_addr_t arg)
{
	struct linux_seccomp_notif_resp in;
	struct notification *n;
	int rc = copy_in(mm, &in, arg, sizeof(in));

	if (rc)
		return rc;
	if ((in.flags & ~LINUX_SECCOMP_USER_NOTIF_FLAG_CONTINUE) ||
	    (in.flags && (in.error || in.val)))
		return -EINVAL;
	mutex_lock(&f->notify_lock);
	n = find_locked(f, in.id);
	if (!n) {
		rc = -ENOENT;
	} else if (n->state != NOTIFICATION_SENT) {
		rc = -EINPROGRESS;
	} else {
		n->state = NOTIFICATION_ANSWERED;
		n->value = in.val;
		n->error = in.error;
		n->flags = in.flags;
		wait_queue_wake_all(&n->wait, ~0U);
	}
	mutex_unlock(&f->notify_lock);
	return rc;
}

static int64_t id_valid(struct seccomp_filter *f, struct mm *mm, guest_addr_t arg)
{
	struct notification *n;
	uint64_t id;
	int rc = copy_in_u64(mm, &id, arg);

	if (rc)
		return rc;
	mutex_lock(&f->notify_lock);
	n = find_locked(f, id);
	rc = n && n->state == NOTIFICATION_SENT ? 0 : -ENOENT;
	mutex_unlock(&f->notify_lock);
	return rc;
}

static int64_t set_flags(struct seccomp_filter *f, uint64_t flags)
{
	if (flags & ~LINUX_SECCOMP_USER_NOTIF_FD_SYNC_WAKE_UP)
		return -EINVAL;
	/* A wish about the waker's CPU; the platform's hand-over decides that here. */
	mutex_lock(&f->notify_lock);
	f->listener->flags = flags;
	mutex_unlock(&f->notify_lock);
	return 0;
}

/* --- FDs for the waiting task ------------------------------------------------------------------ */

static int queue_addfd(struct seccomp_filter *f, uint64_t id, struct addfd *a)
{
	struct notification *n;
	int rc = 0;

	mutex_lock(&f->notify_lock);
	n = find_locked(f, id);
	if (!n) {
		rc = -ENOENT;
	} else if (n->state != NOTIFICATION_SENT) {
		rc = -EINPROGRESS;
	} else if ((a->flags & LINUX_SECCOMP_ADDFD_FLAG_SEND) && !list_empty(&n->addfds)) {
		rc = -EBUSY;
	} else {
		if (a->flags & LINUX_SECCOMP_ADDFD_FLAG_SEND)
			n->state = NOTIFICATION_ANSWERED;
		list_add_tail(&n->addfds, &a->node);
		wait_queue_wake_all(&n->wait, ~0U);
	}
	mutex_unlock(&f->notify_lock);
	return rc;
}

/* Whether the wait is over; an interrupted one withdraws what was not begun. */
static bool addfd_over(struct seccomp_filter *f, struct addfd *a, bool interrupted)
{
	bool over;

	mutex_lock(&f->notify_lock);
	if (interrupted && !a->done && !a->taken) {
		list_remove(&a->node);
		a->result = -ERESTARTSYS;
		a->done = true;
	}
	over = a->done;
	mutex_unlock(&f->notify_lock);
	return over;
}

static int64_t wait_for_addfd(struct seccomp_filter *f, struct addfd *a)
{
	struct wait_entry e;
	int rc = 0;

	wait_begin(&e, &a->wait, ~0U);
	while (!addfd_over(f, a, rc < 0))
		rc = rc < 0 ? wait_sleep_uninterruptible(DEADLINE_NONE) : wait_sleep(DEADLINE_NONE);
	wait_end(&e);
	return a->result;
}

static int64_t add_fd(struct seccomp_filter *f, struct mm *mm, guest_addr_t arg, uint32_t size)
{
	struct linux_seccomp_notif_addfd in;
	struct addfd a = { 0 };
	int64_t rc;

	if (size < sizeof(in) || size >= GUEST_PAGE_SIZE)
		return -EINVAL;
	rc = copy_in_struct(mm, &in, sizeof(in), sizeof(in), arg, size);
	if (rc)
		return rc;
	if ((in.newfd_flags & ~(uint32_t)LINUX_O_CLOEXEC) ||
	    (in.flags & ~(LINUX_SECCOMP_ADDFD_FLAG_SETFD | LINUX_SECCOMP_ADDFD_FLAG_SEND)) ||
	    (in.newfd && !(in.flags & LINUX_SECCOMP_ADDFD_FLAG_SETFD)))
		return -EINVAL;
	a.file = fd_table_lookup(task_current()->fds, (int)in.srcfd);
	if (!a.file)
		return -EBADF;
	a.flags = in.flags;
	a.new_fd = in.newfd;
	a.close_on_exec = in.newfd_flags;
	list_node_init(&a.node);
	wait_queue_init(&a.wait);
	rc = queue_addfd(f, in.id, &a);
	if (!rc)
		rc = wait_for_addfd(f, &a);
	wait_queue_destroy(&a.wait);
	file_put(a.file);
	return rc;
}

/* --- the file ------------------------------------------------------------------------------------ */

static int64_t listener_ioctl(struct file *file, struct mm *mm, uint32_t cmd, uint64_t arg)
{
	struct seccomp_filter *f = file->private_data;

	switch (cmd) {
	case LINUX_SECCOMP_IOCTL_NOTIF_RECV:
		return receive(f, mm, guest_addr(arg));
	case LINUX_SECCOMP_IOCTL_NOTIF_SEND:
		return answer(f, mm, guest_addr(arg));
	case LINUX_SECCOMP_IOCTL_NOTIF_ID_VALID:
	case LINUX_SECCOMP_IOCTL_NOTIF_ID_VALID_WRONG:
		return id_valid(f, mm, guest_addr(arg));
	case LINUX_SECCOMP_IOCTL_NOTIF_SET_FLAGS:
		return set_flags(f, arg);
	default:
		if (LINUX_IOC_BASE(cmd) == LINUX_IOC_BASE(LINUX_SECCOMP_IOCTL_NOTIF_ADDFD))
			return add_fd(f, mm, guest_addr(arg), LINUX_IOC_SIZE(cmd));
		return -EINVAL;
	}
}

static uint32_t listener_poll(struct file *file)
{
	struct seccomp_filter *f = file->private_data;
	struct notification *n;
	uint32_t ready = 0;

	mutex_lock(&f->notify_lock);
	list_for_each(n, &f->listener->notifications, node) {
		if (n->state == NOTIFICATION_NEW)
			ready |= LINUX_EPOLLIN | LINUX_EPOLLRDNORM;
		if (n->state == NOTIFICATION_SENT)
			ready |= LINUX_EPOLLOUT | LINUX_EPOLLWRNORM;
	}
	mutex_unlock(&f->notify_lock);
	return atomic_load(&f->users) ? ready : ready | LINUX_EPOLLHUP;
}

static struct wait_queue *listener_poll_queue(struct file *file)
{
	struct seccomp_filter *f = file->private_data;

	return &f->wait;
}

void seccomp_listener_free(struct seccomp_filter *f)
{
	struct seccomp_listener *l;
	struct notification *n, *next;

	mutex_lock(&f->notify_lock);
	l = f->listener;
	f->listener = NULL;
	if (l) {
		list_for_each_safe(n, next, &l->notifications, node) {
			list_remove(&n->node);
			if (n->state == NOTIFICATION_ANSWERED)
				continue;
			n->state = NOTIFICATION_ANSWERED;
			n->error = -ENOSYS;
			n->value = 0;
			n->flags = 0;
			wait_queue_wake_all(&n->wait, ~0U);
		}
	}
	mutex_unlock(&f->notify_lock);
	free(l);
}

static void listener_release(struct file *file)
{
	struct seccomp_filter *f = file->private_data;

	seccomp_listener_free(f);
	seccomp_filter_put(f);
}

static const struct file_ops listener_ops = {
	.release = listener_release,
	.ioctl = listener_ioctl,
	.poll = listener_poll,
	.poll_queue = listener_poll_queue,
};

int seccomp_listener_new(struct seccomp_filter *f, struct file **out)
{
	struct seccomp_listener *l = calloc(1, sizeof(*l));
	int rc;

	if (!l)
		return -ENOMEM;
	list_init(&l->notifications);
	host_random(&l->next_id, sizeof(l->next_id));
	rc = file_new_anonymous(&listener_ops, "anon_inode:seccomp notify", 0600, LINUX_O_RDWR, f, out);
	if (rc) {
		free(l);
		return rc;
	}
	seccomp_filter_get(f);
	f->listener = l;
	f->has_listener = true;
	return 0;
}
