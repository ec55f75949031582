/* SPDX-License-Identifier: Apache-2.0 */
/* Giving new files their FDs.  What was installed is taken out again if a later step fails. */
#include "sentry/syscalls/fd_install.h"

#include <errno.h>

#include "sentry/kernel/task.h"
#include "sentry/mm/usercopy.h"
#include "sentry/vfs/file.h"

int64_t install_new_file(struct task *t, struct file *file, bool close_on_exec)
{
	int fd = fd_table_install(t->fds, file, 0, task_rlimit(t, RLIM_NOFILE), close_on_exec);

	file_put(file);
	return fd;
}

static void uninstall(struct task *t, int fd)
{
	struct file *file = fd_table_remove(t->fds, fd);

	if (file)
		file_put(file);
}

static int64_t install_both(struct task *t, struct file *first, struct file *second,
			    bool close_on_exec, guest_addr_t out)
{
	uint64_t limit = task_rlimit(t, RLIM_NOFILE);
	int32_t fds[2];

	fds[0] = fd_table_install(t->fds, first, 0, limit, close_on_exec);
	if (fds[0] < 0)
		return fds[0];
	fds[1] = fd_table_install(t->fds, second, 0, limit, close_on_exec);
	if (fds[1] < 0) {
		uninstall(t, fds[0]);
		return fds[1];
	}
	if (!copy_out(t->mm, out, fds, sizeof(fds)))
		return 0;
	uninstall(t, fds[0]);
	uninstall(t, fds[1]);
	return -EFAULT;
}

int64_t install_file_pair(struct task *t, struct file *first, struct file *second,
			  bool close_on_exec, guest_addr_t out)
{
	int64_t rc = install_both(t, first, second, close_on_exec, out);

	file_put(first);
	file_put(second);
	return rc;
}
