/* SPDX-License-Identifier: Apache-2.0 */
/* dup, dup2, dup3, flock. */
#include "config.h"

#include "sentry/kernel/kernel.h"
#include "sentry/syscalls/file_call.h"
#include "sentry/vfs/file_lock.h"

int64_t sys_dup(struct task *t, const struct syscall_args *a)
{
	AUTO_FILE struct file *file = fd_table_lookup_path(t->fds, arg_int(a, 0));

	if (!file)
		return -EBADF;
	return fd_table_install(t->fds, file, 0, task_rlimit(t, RLIM_NOFILE), false);
}

static int64_t dup_to(struct task *t, int from, int to, bool close_on_exec)
{
	AUTO_FILE struct file *file = NULL;
	uint64_t limit = task_rlimit(t, RLIM_NOFILE);

	if ((uint32_t)to >= limit)
		return -EBADF;
	file = fd_table_lookup_path(t->fds, from);
	if (!file)
		return -EBADF;
	return fd_table_install_at(t->fds, file, to, limit, close_on_exec);
}

int64_t sys_dup2(struct task *t, const struct syscall_args *a)
{
	int from = arg_int(a, 0), to = arg_int(a, 1);

	if (from == to) {
		AUTO_FILE struct file *file = fd_table_lookup_path(t->fds, from);

		return file ? to : -EBADF;
	}
	return dup_to(t, from, to, false);
}

int64_t sys_dup3(struct task *t, const struct syscall_args *a)
{
	int from = arg_int(a, 0), to = arg_int(a, 1);
	uint32_t flags = arg_u32(a, 2);

	if (flags & ~LINUX_O_CLOEXEC || from == to)
		return -EINVAL;
	return dup_to(t, from, to, flags);
}

int64_t sys_flock(struct task *t, const struct syscall_args *a)
{
	AUTO_FILE struct file *file = NULL;
	uint32_t command = arg_u32(a, 1), op = command & ~(uint32_t)LINUX_LOCK_NB;
	struct file_lock_request r = { .kind = FILE_LOCK_FLOCK, .end = INT64_MAX };
	int rc;

	if (command & LINUX_LOCK_MAND)
		return 0; /* as Linux since 5.16 */
	if (op != LINUX_LOCK_SH && op != LINUX_LOCK_EX && op != LINUX_LOCK_UN)
		return -EINVAL;
	file = call_file(t, arg_int(a, 0));
	if (!file)
		return -EBADF;
	r.owner = file;
	r.pid = task_tgid_in(t, t->kernel->root_pid_ns);
	r.exclusive = op == LINUX_LOCK_EX;
	if (op == LINUX_LOCK_UN)
		return file_lock_clear(file->inode, &r);
	rc = file_lock_set(file, &r, !(command & LINUX_LOCK_NB));
	return rc == -EINTR ? -ERESTARTSYS : rc;
}
