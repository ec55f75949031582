/* SPDX-License-Identifier: Apache-2.0 */
/* signalfd(2), signalfd4(2). */
#include "sentry/fs/anon/signalfd.h"

#include "sentry/abi/epoll.h"
#include "sentry/abi/signal.h"
#include "sentry/syscalls/fd_install.h"
#include "sentry/syscalls/handlers.h"
#include "sentry/vfs/file.h"

static int64_t change_mask(struct task *t, int fd, uint64_t mask)
{
	struct file *file = fd_table_lookup(t->fds, fd);
	int64_t rc = fd;

	if (!file)
		return -EBADF;
	if (file_is_signalfd(file))
		signalfd_set_mask(file, mask);
	else
		rc = -EINVAL;
	file_put(file);
	return rc;
}

static int64_t do_signalfd(struct task *t, const struct syscall_args *a, uint32_t flags)
{
	struct file *file;
	uint64_t mask;
	int rc;

	if (a->v[2] != sizeof(mask))
		return -EINVAL;
	if (copy_in_u64(t->mm, &mask, arg_addr(a, 1)))
		return -EFAULT;
	if (flags & ~(uint32_t)(LINUX_SFD_CLOEXEC | LINUX_SFD_NONBLOCK))
		return -EINVAL;
	mask &= ~(SIGNAL_BIT(LINUX_SIGKILL) | SIGNAL_BIT(LINUX_SIGSTOP));
	if (arg_int(a, 0) != -1)
		return change_mask(t, arg_int(a, 0), mask);
	rc = signalfd_file_new(mask, flags & LINUX_SFD_NONBLOCK, &file);
	return rc ? rc : install_new_file(t, file, flags & LINUX_SFD_CLOEXEC);
}

int64_t sys_signalfd(struct task *t, const struct syscall_args *a)
{
	return do_signalfd(t, a, 0);
}

int64_t sys_signalfd4(struct task *t, const struct syscall_args *a)
{
	return do_signalfd(t, a, arg_u32(a, 3));
}
