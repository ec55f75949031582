/* SPDX-License-Identifier: Apache-2.0 */
/* eventfd(2), eventfd2(2). */
#include "sentry/fs/anon/eventfd.h"

#include "sentry/abi/epoll.h"
#include "sentry/syscalls/fd_install.h"
#include "sentry/syscalls/handlers.h"

static int64_t do_eventfd(struct task *t, uint32_t count, uint32_t flags)
{
	struct file *file;
	int rc;

	if (flags & ~(uint32_t)(LINUX_EFD_SEMAPHORE | LINUX_EFD_CLOEXEC | LINUX_EFD_NONBLOCK))
		return -EINVAL;
	rc = eventfd_file_new(count, flags & LINUX_EFD_SEMAPHORE, flags & LINUX_EFD_NONBLOCK, &file);
	return rc ? rc : install_new_file(t, file, flags & LINUX_EFD_CLOEXEC);
}

int64_t sys_eventfd(struct task *t, const struct syscall_args *a)
{
	return do_eventfd(t, arg_u32(a, 0), 0);
}

int64_t sys_eventfd2(struct task *t, const struct syscall_args *a)
{
	return do_eventfd(t, arg_u32(a, 0), arg_u32(a, 1));
}
