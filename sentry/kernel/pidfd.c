/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pidfds: readable once the group, or the thread, is a zombie or gone.  The file holds
 * the task, not its number, so the number may be used again while the descriptor is open.
 */
#include "sentry/kernel/pidfd.h"

#include <errno.h>
#include <stdlib.h>

#include "sentry/abi/poll.h"
#include "sentry/abi/wait.h"
#include "sentry/kernel/task_internal.h"
#include "sentry/vfs/file.h"
#include "util/strbuf.h"

#define LINUX_O_RDWR 02

/* private_data of the file. */
struct pidfd {
	struct task *task; /* reference; as it was when the descriptor was made */
	bool of_group;	   /* its number is the group's, which a thread that calls exec takes over */
};

static void pidfd_release(struct file *file)
{
	struct pidfd *p = file->private_data;

	task_put(p->task);
	free(p);
}

/*
 * Who has the number now, borrowed; NULL once it is reaped.  A thread whose exec made it
 * the leader has left its own.
 */
static struct task *holder_locked(const struct pidfd *p)
{
	struct thread_group *g = p->task->group;

	if (p->of_group)
		return g->released ? NULL : g->leader;
	return atomic_load(&p->task->state) == TASK_DEAD || g->leader == p->task ? NULL : p->task;
}

static uint32_t pidfd_poll(struct file *file)
{
	struct pidfd *p = file->private_data;
	struct mutex *lock = &p->task->kernel->tasklist_lock;
	struct task *t;
	uint32_t ready = 0;

	mutex_lock(lock);
	t = holder_locked(p);
	if (!t)
		ready = LINUX_POLLIN | LINUX_POLLRDNORM | LINUX_POLLHUP;
	else if (p->of_group ? t->group->zombie : t->ptrace.zombie)
		ready = LINUX_POLLIN | LINUX_POLLRDNORM;
	mutex_unlock(lock);
	return ready;
}

static struct wait_queue *pidfd_poll_queue(struct file *file)
{
	struct pidfd *p = file->private_data;

	return &p->task->group->exit_wait;
}

/* The numbers from the reader's namespace down to the task's own. */
static void pidfd_show(struct file *file, struct strbuf *out)
{
	struct pidfd *p = file->private_data;
	struct task *reader = task_current(), *t;
	int32_t number = -1;
	uint32_t level = 0;

	mutex_lock(&p->task->kernel->tasklist_lock);
	t = holder_locked(p);
	if (t) {
		struct pid_namespace *ns = reader ? reader->pid.ns : t->pid.ns;

		number = pid_number_in(&t->pid, ns);
		level = ns->level;
	}
	strbuf_addf(out, "Pid:\t%d\nNSpid:\t%d", number, number);
	while (number > 0 && ++level <= t->pid.ns->level)
		strbuf_addf(out, "\t%d", t->pid.numbers[level]);
	strbuf_add_char(out, '\n');
	mutex_unlock(&p->task->kernel->tasklist_lock);
}

static ssize_t pidfd_no_read(struct file *file, struct io_iter *to, uint64_t *pos)
{
	return -EINVAL;
}

static ssize_t pidfd_no_write(struct file *file, struct io_iter *from, uint64_t *pos)
{
	return -EINVAL;
}

static const struct file_ops pidfd_ops = {
	.release = pidfd_release,
	.read = pidfd_no_read,
	.write = pidfd_no_write,
	.poll = pidfd_poll,
	.poll_queue = pidfd_poll_queue,
	.show_fdinfo = pidfd_show,
	.ioctl = pidfd_ioctl,
};

int pidfd_new_file(struct task *t, uint32_t flags, struct file **out)
{
	struct pidfd *p = malloc(sizeof(*p));
	int rc = -ENOMEM;

	if (p) {
		p->task = task_get(t);
		mutex_lock(&t->kernel->tasklist_lock);
		/* Without the flag @t led it when it was looked up, and may be replaced by now. */
		p->of_group = !(flags & LINUX_PIDFD_THREAD) || t->group->leader == t;
		mutex_unlock(&t->kernel->tasklist_lock);
		rc = file_new_anonymous(&pidfd_ops, "anon_inode:[pidfd]", 0700,
					LINUX_O_RDWR | (flags & LINUX_PIDFD_NONBLOCK), p, out);
	}
	if (rc) {
		if (p)
			task_put(p->task);
		free(p);
		return rc;
	}
	/* O_EXCL otherwise, which no open file keeps. */
	atomic_fetch_or(&(*out)->flags, flags & LINUX_PIDFD_THREAD);
	return 0;
}

struct thread_group *pidfd_group(struct file *file)
{
	struct pidfd *p = file->ops == &pidfd_ops ? file->private_data : NULL;

	return p ? p->task->group : NULL;
}

bool pidfd_is_thread(struct file *file)
{
	return atomic_load(&file->flags) & LINUX_PIDFD_THREAD;
}

int pidfd_task(struct file *file, struct task **out)
{
	struct pidfd *p = file->private_data;
	struct task *t;

	if (file->ops != &pidfd_ops)
		return -EBADF;
	mutex_lock(&p->task->kernel->tasklist_lock);
	t = holder_locked(p);
	if (t)
		*out = task_get(t);
	mutex_unlock(&p->task->kernel->tasklist_lock);
	return t ? 0 : -ESRCH;
}

int pidfd_exit_status(struct file *file)
{
	struct pidfd *p = file->private_data;
	int status = -1;

	mutex_lock(&p->task->kernel->tasklist_lock);
	if (!holder_locked(p))
		status = p->of_group ? p->task->group->exit_status : p->task->exit_code;
	mutex_unlock(&p->task->kernel->tasklist_lock);
	return status;
}

int pidfd_get_task(struct task *t, int fd, struct task **out)
{
	struct file *file;
	int rc = -EBADF;

	if (fd == LINUX_PIDFD_SELF_THREAD || fd == LINUX_PIDFD_SELF_THREAD_GROUP) {
		*out = task_get(t);
		return 0;
	}
	file = fd_table_lookup(t->fds, fd);
	if (file)
		rc = pidfd_task(file, out);
	file_put(file);
	return rc;
}
