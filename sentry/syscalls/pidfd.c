/* SPDX-License-Identifier: Apache-2.0 */
/* pidfd_open, pidfd_getfd, kcmp. */
#include <pthread.h>

#include "sentry/abi/sched.h"
#include "sentry/abi/wait.h"
#include "sentry/fs/anon/epoll.h"
#include "sentry/host/host_memory.h"
#include "sentry/kernel/pidfd.h"
#include "sentry/kernel/task_internal.h"
#include "sentry/syscalls/file_call.h"

/* Of the thread's number, or of the group's. */
static uint64_t pid_ino(struct task *t, bool thread)
{
	uint64_t ino;

	mutex_lock(&t->kernel->tasklist_lock);
	ino = thread ? t->pid.ino : t->group->pid.ino;
	mutex_unlock(&t->kernel->tasklist_lock);
	return ino;
}

int64_t sys_pidfd_open(struct task *t, const struct syscall_args *a)
{
	int32_t pid = arg_int(a, 0);
	uint32_t flags = arg_u32(a, 1);
	struct task *target;
	struct file *file;
	int64_t rc;

	if (flags & ~(uint32_t)(LINUX_PIDFD_NONBLOCK | LINUX_PIDFD_THREAD) || pid <= 0)
		return -EINVAL;
	target = task_lookup(t->pid.ns, pid);
	if (!target)
		return -ESRCH;
	/* Without PIDFD_THREAD only a leader has one. */
	if (!(flags & LINUX_PIDFD_THREAD) && task_tgid_in(target, t->pid.ns) != pid) {
		task_put(target);
		return -ENOENT;
	}
	rc = pidfd_new_file(target, pid_ino(target, flags & LINUX_PIDFD_THREAD), flags, &file);
	task_put(target);
	if (rc)
		return rc;
	rc = fd_table_install(t->fds, file, 0, task_rlimit(t, RLIM_NOFILE), true);
	file_put(file);
	return rc;
}

static int64_t take_fd(struct task *t, struct task *target, int fd)
{
	struct fd_table *fds;
	struct file *file;
	int64_t rc;

	if (!task_may_access(t, target, PTRACE_MODE_ATTACH | PTRACE_MODE_REALCREDS))
		return -EPERM;
	fds = task_fds_get(target);
	if (!fds)
		return -ESRCH;
	file = fd_table_lookup_path(fds, fd);
	fd_table_put(fds);
	if (!file)
		return -EBADF;
	rc = fd_table_install(t->fds, file, 0, task_rlimit(t, RLIM_NOFILE), true);
	file_put(file);
	return rc;
}

int64_t sys_pidfd_getfd(struct task *t, const struct syscall_args *a)
{
	struct task *target;
	struct file *file;
	int64_t rc;

	if (arg_u32(a, 2))
		return -EINVAL;
	file = fd_table_lookup(t->fds, arg_int(a, 0));
	if (!file)
		return -EBADF;
	rc = pidfd_task(file, &target);
	file_put(file);
	if (rc)
		return rc;
	rc = take_fd(t, target, arg_int(a, 1));
	task_put(target);
	return rc;
}

/* --- kcmp ----------------------------------------------------------------------------- */

static struct {
	pthread_once_t once;
	uintptr_t xor, factor; /* do not change afterwards */
} cookies = { .once = PTHREAD_ONCE_INIT };

static void make_cookies(void)
{
	host_random(&cookies.xor, sizeof(cookies.xor));
	host_random(&cookies.factor, sizeof(cookies.factor));
	cookies.factor |= 1; /* different addresses stay different */
}

/*
 * 0 equal, 1 less, 2 greater: an order that stays the same while we run, and tells nothing of the
 * addresses themselves.
 */
static int64_t order(const void *a, const void *b)
{
	uintptr_t x, y;

	pthread_once(&cookies.once, make_cookies);
	x = ((uintptr_t)a ^ cookies.xor) * cookies.factor;
	y = ((uintptr_t)b ^ cookies.xor) * cookies.factor;
	return x == y ? 0 : x < y ? 1 : 2;
}

static struct file *file_of(struct task *t, int fd)
{
	struct fd_table *fds = task_fds_get(t);
	struct file *file = fds ? fd_table_lookup_path(fds, fd) : NULL;

	if (fds)
		fd_table_put(fds);
	return file;
}

static int64_t compare_files(struct task *one, struct task *two, int fd1, int fd2)
{
	AUTO_FILE struct file *f1 = file_of(one, fd1), *f2 = file_of(two, fd2);

	return f1 && f2 ? order(f1, f2) : -EBADF;
}

/* A file of @one, and what an epoll instance of @two watches. */
static int64_t compare_watched(struct task *t, struct task *one, struct task *two, int fd, guest_addr_t addr)
{
	struct linux_kcmp_epoll_slot slot;
	AUTO_FILE struct file *file = NULL, *instance = NULL;
	const struct file *target;
	int rc = copy_in(t->mm, &slot, addr, sizeof(slot));

	if (rc < 0)
		return rc;
	file = file_of(one, fd);
	instance = file ? file_of(two, (int)slot.efd) : NULL;
	if (!instance)
		return -EBADF;
	if (!epoll_from_file(instance))
		return -EINVAL;
	target = epoll_target(epoll_from_file(instance), (int)slot.tfd, slot.toff);
	return target ? order(file, target) : -ENOENT;
}

/* Read one at a time: the pointers are only compared. */
static const void *part_of(struct task *t, int type)
{
	const void *p = NULL;

	mutex_lock(&t->lock);
	switch (type) {
	case LINUX_KCMP_VM:
		p = t->mm;
		break;
	case LINUX_KCMP_FILES:
		p = t->fds;
		break;
	case LINUX_KCMP_FS:
		p = t->fs;
		break;
	case LINUX_KCMP_SIGHAND:
		p = t->group->handlers;
		break;
	case LINUX_KCMP_SYSVSEM:
		p = t->sysv_undo;
		break;
	default:
		break;
	}
	mutex_unlock(&t->lock);
	return p;
}

int64_t sys_kcmp(struct task *t, const struct syscall_args *a)
{
	struct task *one = task_lookup(t->pid.ns, arg_int(a, 0));
	struct task *two = task_lookup(t->pid.ns, arg_int(a, 1));
	int type = arg_int(a, 2);
	int mode = PTRACE_MODE_READ | PTRACE_MODE_REALCREDS;
	int64_t result;

	if (!one || !two) {
		result = -ESRCH;
	} else if (!task_may_access(t, one, mode) || !task_may_access(t, two, mode)) {
		result = -EPERM;
	} else {
		switch (type) {
		case LINUX_KCMP_FILE:
			result = compare_files(one, two, arg_int(a, 3), arg_int(a, 4));
			break;
		case LINUX_KCMP_VM:
		case LINUX_KCMP_FILES:
		case LINUX_KCMP_FS:
		case LINUX_KCMP_SIGHAND:
		case LINUX_KCMP_SYSVSEM:
		case LINUX_KCMP_IO:
			result = order(part_of(one, type), part_of(two, type));
			break;
		case LINUX_KCMP_EPOLL_TFD:
			result = compare_watched(t, one, two, arg_int(a, 3), arg_addr(a, 4));
			break;
		default:
			result = -EINVAL;
			break;
		}
	}
	task_put(one);
	task_put(two);
	return result;
}
