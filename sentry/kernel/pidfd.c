/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pidfds: readable once the group is a zombie or gone.  The file holds the task, not
 * its number, so the number may be used again while the descriptor is open.
 */
#include "sentry/kernel/pidfd.h"

#include <errno.h>
#include <stdio.h>

#include "sentry/abi/poll.h"
#include "sentry/abi/wait.h"
#include "sentry/kernel/task_internal.h"
#include "sentry/vfs/file.h"

#define LINUX_O_RDWR 02

static void pidfd_release(struct file *file)
{
	task_put(file->private_data);
}

static uint32_t pidfd_poll(struct file *file)
{
	struct task *t = file->private_data;
	struct thread_group *g = t->group;
	uint32_t ready = 0;

	mutex_lock(&t->kernel->tasklist_lock);
	if (g->released)
		ready = LINUX_POLLIN | LINUX_POLLRDNORM | LINUX_POLLHUP;
	else if (g->zombie)
		ready = LINUX_POLLIN | LINUX_POLLRDNORM;
	mutex_unlock(&t->kernel->tasklist_lock);
	return ready;
}

static struct wait_queue *pidfd_poll_queue(struct file *file)
{
	struct task *t = file->private_data;

	return &t->group->exit_wait;
}

/* The numbers from the reader's namespace down to the task's own. */
static void pidfd_show(struct file *file, char *buf, size_t size)
{
	struct task *t = file->private_data, *reader = task_current();
	struct task_pid *pid = &t->group->pid;
	struct pid_namespace *ns = reader ? reader->pid.ns : pid->ns;
	int32_t number = atomic_load(&t->state) == TASK_DEAD ? -1 : pid_number_in(pid, ns);
	int used = snprintf(buf, size, "Pid:\t%d\nNSpid:\t%d", number, number);

	for (uint32_t level = ns->level + 1; number > 0 && level <= pid->ns->level; level++)
		if (used > 0 && (size_t)used < size)
			used += snprintf(buf + used, size - (size_t)used, "\t%d", pid->numbers[level]);
	if (used > 0 && (size_t)used < size)
		snprintf(buf + used, size - (size_t)used, "\n");
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
};

int pidfd_new_file(struct task *t, uint32_t flags, struct file **out)
{
	int rc = file_new_anonymous(&pidfd_ops, "[pidfd]", 0600,
				    LINUX_O_RDWR | (flags & (LINUX_PIDFD_NONBLOCK | LINUX_PIDFD_THREAD)),
				    task_get(t), out);

	if (rc)
		task_put(t);
	return rc;
}

struct task *pidfd_task(struct file *file)
{
	return file->ops == &pidfd_ops ? file->private_data : NULL;
}

bool pidfd_is_thread(struct file *file)
{
	return atomic_load(&file->flags) & LINUX_PIDFD_THREAD;
}

int pidfd_get_task(struct task *t, int fd, struct task **out)
{
	struct task *target = NULL;
	struct file *file;
	int rc = 0;

	if (fd == LINUX_PIDFD_SELF_THREAD || fd == LINUX_PIDFD_SELF_THREAD_GROUP) {
		*out = task_get(t);
		return 0;
	}
	file = fd_table_lookup(t->fds, fd);
	target = file ? pidfd_task(file) : NULL;
	if (!target)
		rc = -EBADF;
	else if (atomic_load(&target->state) == TASK_DEAD)
		rc = -ESRCH;
	else
		*out = task_get(target);
	file_put(file);
	return rc;
}
