/* SPDX-License-Identifier: Apache-2.0 */
/* pipe(2) and pipe2(2). */
#include "sentry/fs/pipe/pipe.h"

#include "sentry/abi/fs.h"
#include "sentry/syscalls/fd_install.h"
#include "sentry/syscalls/handlers.h"

static int64_t do_pipe(struct task *t, guest_addr_t out, uint32_t flags)
{
	struct file *read_end, *write_end;
	int rc;

	/* O_NOTIFICATION_PIPE (O_EXCL) is known to Linux only when configured. */
	if (flags & ~(LINUX_O_CLOEXEC | LINUX_O_NONBLOCK | LINUX_O_DIRECT))
		return -EINVAL;
	rc = pipe_files_new(flags, &read_end, &write_end);
	if (rc)
		return rc;
	return install_file_pair(t, read_end, write_end, flags & LINUX_O_CLOEXEC, out);
}

int64_t sys_pipe(struct task *t, const struct syscall_args *a)
{
	return do_pipe(t, arg_addr(a, 0), 0);
}

int64_t sys_pipe2(struct task *t, const struct syscall_args *a)
{
	return do_pipe(t, arg_addr(a, 0), arg_u32(a, 1));
}
