/* SPDX-License-Identifier: Apache-2.0 */
/*
 * signalfd.  What can be read depends on who reads: the pending signals of the
 * calling task and its group.  Waiters hang on the signalfd's own queue, into
 * which a bridge forwards from the signal queue of each thread group that ever
 * waited; a bridge holds a reference on the group, so neither outlives the other.
 *
 * Lock order: signalfd->lock (LOCK_RANK_FS_PRIVATE), then the groups' queues.
 */
#include "sentry/fs/anon/signalfd.h"

#include <errno.h>
#include <stdlib.h>

#include "sentry/abi/epoll.h"
#include "sentry/abi/fs.h"
#include "sentry/abi/signal.h"
#include "sentry/kernel/task.h"
#include "sentry/mm/usercopy.h"
#include "sentry/vfs/file.h"
#include "sentry/wait/wait.h"
#include "util/strbuf.h"

struct signalfd {
	_Atomic uint64_t mask;
	struct mutex lock;
	struct list_node bridges; /* protected by lock */
	struct wait_queue queue;
};

struct bridge {
	struct list_node node;
	struct waiter waiter;	    /* in the group's signal queue */
	struct thread_group *group; /* reference */
	struct signalfd *signalfd;
};

enum info_layout { LAYOUT_KILL, LAYOUT_TIMER, LAYOUT_POLL, LAYOUT_FAULT, LAYOUT_CHILD, LAYOUT_RT, LAYOUT_SYS };

/* Which member of the union a siginfo uses: Linux's siginfo_layout(). */
static enum info_layout layout_of(const struct linux_siginfo *info)
{
	if (info->code > LINUX_SI_USER && info->code < LINUX_SI_KERNEL) {
		switch (info->signo) {
		case LINUX_SIGILL:
		case LINUX_SIGFPE:
		case LINUX_SIGSEGV:
		case LINUX_SIGBUS:
		case LINUX_SIGTRAP:
			return LAYOUT_FAULT;
		case LINUX_SIGCHLD:
			return LAYOUT_CHILD;
		case LINUX_SIGIO:
			return LAYOUT_POLL;
		case LINUX_SIGSYS:
			return LAYOUT_SYS;
		default:
			return LAYOUT_KILL;
		}
	}
	if (info->code == LINUX_SI_TIMER)
		return LAYOUT_TIMER;
	if (info->code == LINUX_SI_SIGIO)
		return LAYOUT_POLL;
	return info->code < 0 && info->code != LINUX_SI_TKILL ? LAYOUT_RT : LAYOUT_KILL;
}

static void fill_details(struct linux_signalfd_siginfo *out, const struct linux_siginfo *in)
{
	switch (layout_of(in)) {
	case LAYOUT_KILL:
		out->pid = (uint32_t)in->kill.pid;
		out->uid = in->kill.uid;
		break;
	case LAYOUT_TIMER:
		out->tid = (uint32_t)in->timer.timer_id;
		out->overrun = (uint32_t)in->timer.overrun;
		out->value_ptr = in->timer.value;
		out->value_int = (int32_t)in->timer.value;
		break;
	case LAYOUT_POLL:
		out->band = (uint32_t)in->poll.band;
		out->fd = in->poll.fd;
		break;
	case LAYOUT_FAULT:
		out->addr = in->fault.addr;
		break;
	case LAYOUT_CHILD:
		out->pid = (uint32_t)in->child.pid;
		out->uid = in->child.uid;
		out->status = in->child.status;
		out->utime = (uint64_t)in->child.utime;
		out->stime = (uint64_t)in->child.stime;
		break;
	case LAYOUT_RT:
		out->pid = (uint32_t)in->kill.pid;
		out->uid = in->kill.uid;
		out->value_ptr = in->kill.value;
		out->value_int = (int32_t)in->kill.value;
		break;
	case LAYOUT_SYS:
		out->call_addr = in->sys.call_addr;
		out->syscall = in->sys.syscall;
		out->arch = in->sys.arch;
		break;
	}
}

static ssize_t signalfd_read(struct file *file, struct io_iter *to, uint64_t *pos)
{
	struct signalfd *s = file->private_data;
	struct task *t = task_current();
	struct linux_siginfo info;
	ssize_t done = 0;

	if (to->count < sizeof(struct linux_signalfd_siginfo))
		return -EINVAL;
	while (to->count >= sizeof(struct linux_signalfd_siginfo) && t &&
	       signal_dequeue(t, s->mask, &info)) {
		struct linux_signalfd_siginfo out = { .signo = (uint32_t)info.signo,
						      .err = info.err,
						      .code = info.code };

		fill_details(&out, &info);
		if (io_iter_copy_to(to, &out, sizeof(out)) != (ssize_t)sizeof(out))
			return done ? done : -EFAULT;
		done += (ssize_t)sizeof(out);
	}
	return done ? done : -EAGAIN;
}

static uint32_t signalfd_poll(struct file *file)
{
	struct signalfd *s = file->private_data;
	struct task *t = task_current();

	return t && (signal_pending_set(t) & s->mask) ? LINUX_EPOLLIN : 0;
}

static bool bridge_notify(struct waiter *w, uint32_t events)
{
	struct bridge *b = container_of(w, struct bridge, waiter);

	wait_queue_wake(&b->signalfd->queue, LINUX_EPOLLIN);
	return false;
}

/* The bridge's group reference goes to the caller, who puts it without our lock. */
static struct thread_group *bridge_free_locked(struct bridge *b)
{
	struct thread_group *group = b->group;

	wait_queue_remove(&b->waiter);
	list_remove(&b->node);
	free(b);
	return group;
}

static bool bridged_locked(struct signalfd *s, const struct thread_group *group)
{
	struct bridge *b;

	list_for_each(b, &s->bridges, node)
		if (b->group == group)
			return true;
	return false;
}

/* One bridge to a group without threads, if there is any. */
static struct thread_group *drop_dead_locked(struct signalfd *s)
{
	struct bridge *b;

	list_for_each(b, &s->bridges, node)
		if (!b->group->thread_count)
			return bridge_free_locked(b);
	return NULL;
}

static void bridge_add(struct signalfd *s, struct thread_group *group)
{
	struct bridge *b = calloc(1, sizeof(*b));
	struct thread_group *dead;

	if (!b)
		return; /* as if no signal came: the reader may still be woken by its own signals */
	mutex_lock(&s->lock);
	dead = drop_dead_locked(s);
	if (!bridged_locked(s, group)) {
		b->group = thread_group_get(group);
		b->signalfd = s;
		b->waiter.events = UINT32_MAX;
		b->waiter.notify = bridge_notify;
		wait_queue_add(signal_wait_queue(group), &b->waiter);
		list_add_tail(&s->bridges, &b->node);
		b = NULL;
	}
	mutex_unlock(&s->lock);
	free(b);
	if (dead)
		thread_group_put(dead);
}

static struct wait_queue *signalfd_poll_queue(struct file *file)
{
	struct signalfd *s = file->private_data;
	struct task *t = task_current();
	bool bridged;

	if (t) {
		mutex_lock(&s->lock);
		bridged = bridged_locked(s, t->group);
		mutex_unlock(&s->lock);
		if (!bridged)
			bridge_add(s, t->group);
	}
	return &s->queue;
}

static void signalfd_fdinfo(struct file *file, struct strbuf *out)
{
	struct signalfd *s = file->private_data;

	strbuf_addf(out, "sigmask:\t%016llx\n", (unsigned long long)s->mask);
}

static void signalfd_release(struct file *file)
{
	struct signalfd *s = file->private_data;
	struct bridge *b;

	for (;;) {
		struct thread_group *group;

		mutex_lock(&s->lock);
		b = list_first(&s->bridges, struct bridge, node);
		group = b ? bridge_free_locked(b) : NULL;
		mutex_unlock(&s->lock);
		if (!group)
			break;
		thread_group_put(group);
	}
	wait_queue_destroy(&s->queue);
	mutex_destroy(&s->lock);
	free(s);
}

static const struct file_ops signalfd_ops = {
	.release = signalfd_release,
	.read = signalfd_read,
	.llseek = vfs_llseek_none,
	.poll = signalfd_poll,
	.poll_queue = signalfd_poll_queue,
	.show_fdinfo = signalfd_fdinfo,
	.nowait = true,
	.read_sleep = "signalfd_read_iter",
};

bool file_is_signalfd(const struct file *file)
{
	return file->ops == &signalfd_ops;
}

void signalfd_set_mask(struct file *file, uint64_t mask)
{
	struct signalfd *s = file->private_data;

	s->mask = mask;
	wait_queue_wake(&s->queue, LINUX_EPOLLIN);
}

int signalfd_file_new(uint64_t mask, uint32_t flags, struct file **out)
{
	struct signalfd *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return -ENOMEM;
	s->mask = mask;
	mutex_init(&s->lock, LOCK_RANK_FS_PRIVATE);
	list_init(&s->bridges);
	wait_queue_init(&s->queue);
	rc = file_new_anonymous(&signalfd_ops, "anon_inode:[signalfd]", 0600, LINUX_O_RDWR | flags, s,
				out);
	if (rc) {
		wait_queue_destroy(&s->queue);
		mutex_destroy(&s->lock);
		free(s);
	}
	return rc;
}
