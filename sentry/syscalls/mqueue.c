/* SPDX-License-Identifier: Apache-2.0 */
/* POSIX message queues: arguments in, results out; the queues are in sentry/fs/mqueue. */
#include <stdlib.h>

#include "sentry/abi/signal.h"
#include "sentry/fs/mqueue/mqueue.h"
#include "sentry/syscalls/file_call.h"
#include "sentry/syscalls/time_args.h"

static void cleanup_text(char **text)
{
	free(*text);
}

#define AUTO_TEXT CLEANUP(cleanup_text)

int64_t sys_mq_open(struct task *t, const struct syscall_args *a)
{
	AUTO_TEXT char *name = NULL;
	AUTO_FILE struct file *file = NULL;
	struct linux_mq_attr attr;
	int fd, rc = a->v[3] ? copy_in(t->mm, &attr, arg_addr(a, 3), sizeof(attr)) : 0;

	if (!rc)
		rc = copy_in_path(t->mm, arg_addr(a, 0), &name);
	if (rc)
		return rc;
	fd = fd_table_reserve(t->fds, task_rlimit(t, RLIM_NOFILE));
	if (fd < 0)
		return fd;
	rc = mqueue_open(t, name, arg_u32(a, 1), arg_u32(a, 2), a->v[3] ? &attr : NULL, &file);
	if (rc) {
		fd_table_unreserve(t->fds, fd);
		return rc;
	}
	fd_table_fill(t->fds, fd, file, true);
	return fd;
}

int64_t sys_mq_unlink(struct task *t, const struct syscall_args *a)
{
	AUTO_TEXT char *name = NULL;
	int rc = copy_in_path(t->mm, arg_addr(a, 0), &name);

	return rc ? rc : mqueue_unlink(t, name);
}

static int get_deadline(struct task *t, guest_addr_t addr, uint64_t *deadline)
{
	*deadline = DEADLINE_NONE;
	return guest_is_null(addr) ? 0 : copy_in_timespec(t->mm, addr, deadline);
}

/* A reference on the queue of @fd, or NULL. */
static struct file *get_queue(struct task *t, int fd)
{
	struct file *file = call_file(t, fd);

	if (file && file_is_mqueue(file))
		return file;
	file_put(file);
	return NULL;
}

int64_t sys_mq_timedsend(struct task *t, const struct syscall_args *a)
{
	AUTO_FILE struct file *file = NULL;
	struct mq_message *m;
	uint64_t deadline;
	int rc = get_deadline(t, arg_addr(a, 4), &deadline);

	if (rc)
		return rc;
	if (arg_u32(a, 3) >= LINUX_MQ_PRIO_MAX)
		return -EINVAL;
	file = get_queue(t, arg_int(a, 0));
	if (!file || !file->can_write)
		return -EBADF;
	if (a->v[2] > mqueue_message_max(file))
		return -EMSGSIZE;
	rc = mqueue_message_new(a->v[2], arg_u32(a, 3), &m);
	if (rc)
		return rc;
	rc = copy_in(t->mm, mqueue_message_data(m), arg_addr(a, 1), a->v[2]);
	if (rc) {
		mqueue_message_free(m);
		return rc;
	}
	rc = mqueue_send(t, file, m, deadline);
	return rc == -EINTR ? -ERESTARTSYS : rc;
}

/* As in Linux a message that cannot be stored is lost. */
static int64_t put_message(struct task *t, const struct syscall_args *a, struct mq_message *m)
{
	int64_t size = (int64_t)mqueue_message_size(m);
	int rc = 0;

	if (a->v[3])
		rc = copy_out_u32(t->mm, arg_addr(a, 3), mqueue_message_priority(m));
	if (!rc)
		rc = copy_out(t->mm, arg_addr(a, 1), mqueue_message_data(m), (size_t)size);
	mqueue_message_free(m);
	return rc ? rc : size;
}

int64_t sys_mq_timedreceive(struct task *t, const struct syscall_args *a)
{
	AUTO_FILE struct file *file = NULL;
	struct mq_message *m;
	uint64_t deadline;
	int rc = get_deadline(t, arg_addr(a, 4), &deadline);

	if (rc)
		return rc;
	file = get_queue(t, arg_int(a, 0));
	if (!file || !file->can_read)
		return -EBADF;
	if (a->v[2] < mqueue_message_max(file))
		return -EMSGSIZE;
	rc = mqueue_receive(t, file, deadline, &m);
	if (rc)
		return rc == -EINTR ? -ERESTARTSYS : rc;
	return put_message(t, a, m);
}

static int check_event(const struct linux_sigevent *event)
{
	switch (event->notify) {
	case LINUX_SIGEV_NONE:
	case LINUX_SIGEV_THREAD:
		return 0;
	case LINUX_SIGEV_SIGNAL:
		return (uint32_t)event->signo > SIGNAL_COUNT ? -EINVAL : 0;
	default:
		return -EINVAL;
	}
}

int64_t sys_mq_notify(struct task *t, const struct syscall_args *a)
{
	AUTO_FILE struct file *file = NULL;
	AUTO_FILE struct file *socket_file = NULL;
	uint8_t cookie[LINUX_MQ_COOKIE_SIZE];
	struct linux_sigevent event = { 0 };
	int rc = a->v[1] ? copy_in(t->mm, &event, arg_addr(a, 1), sizeof(event)) : 0;

	if (!rc)
		rc = check_event(&event);
	if (rc)
		return rc;
	if (a->v[1] && event.notify == LINUX_SIGEV_THREAD) {
		rc = copy_in(t->mm, cookie, guest_addr(event.value), sizeof(cookie));
		if (rc)
			return rc;
		socket_file = call_file(t, event.signo);
		if (!socket_file)
			return -EBADF;
		rc = mqueue_notify_check(socket_file);
		if (rc)
			return rc;
	}
	file = get_queue(t, arg_int(a, 0));
	if (!file)
		return -EBADF;
	return mqueue_notify(t, file, a->v[1] ? &event : NULL, cookie, socket_file);
}

int64_t sys_mq_getsetattr(struct task *t, const struct syscall_args *a)
{
	AUTO_FILE struct file *file = NULL;
	struct linux_mq_attr new, old;
	int rc = a->v[1] ? copy_in(t->mm, &new, arg_addr(a, 1), sizeof(new)) : 0;

	if (rc)
		return rc;
	if (a->v[1] && new.flags & ~(int64_t)LINUX_O_NONBLOCK)
		return -EINVAL;
	file = get_queue(t, arg_int(a, 0));
	if (!file)
		return -EBADF;
	mqueue_get_set_attr(file, a->v[1] ? &new : NULL, &old);
	return a->v[2] ? copy_out(t->mm, arg_addr(a, 2), &old, sizeof(old)) : 0;
}
