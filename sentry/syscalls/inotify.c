/* SPDX-License-Identifier: Apache-2.0 */
/* inotify_init, inotify_init1, inotify_add_watch, inotify_rm_watch. */
#include "config.h"

#include "sentry/syscalls/fd_install.h"
#include "sentry/syscalls/file_call.h"
#include "sentry/vfs/inotify.h"

static int64_t new_instance(struct task *t, uint32_t flags)
{
	struct file *file;
	int rc;

	if (flags & ~(LINUX_IN_CLOEXEC | LINUX_IN_NONBLOCK))
		return -EINVAL;
	rc = inotify_file_new(flags, &file);
	return rc < 0 ? rc : install_new_file(t, file, flags & LINUX_IN_CLOEXEC);
}

int64_t sys_inotify_init(struct task *t, const struct syscall_args *a)
{
	return new_instance(t, 0);
}

int64_t sys_inotify_init1(struct task *t, const struct syscall_args *a)
{
	return new_instance(t, arg_u32(a, 0));
}

int64_t sys_inotify_add_watch(struct task *t, const struct syscall_args *a)
{
	const uint32_t both = LINUX_IN_MASK_ADD | LINUX_IN_MASK_CREATE;
	const uint32_t known = LINUX_IN_ALL_EVENTS | LINUX_IN_UNMOUNT | LINUX_IN_Q_OVERFLOW |
			       LINUX_IN_IGNORED | LINUX_IN_ONLYDIR | LINUX_IN_DONT_FOLLOW |
			       LINUX_IN_EXCL_UNLINK | both | LINUX_IN_ISDIR | LINUX_IN_ONESHOT;
	uint32_t mask = arg_u32(a, 2), lookup = mask & LINUX_IN_DONT_FOLLOW ? 0 : LOOKUP_FOLLOW;
	AUTO_FILE struct file *file = NULL;
	AUTO_PATH struct path p = { NULL, NULL };
	int rc;

	if (!(mask & known) || mask & ~known)
		return -EINVAL;
	file = call_file(t, arg_int(a, 0));
	if (!file)
		return -EBADF;
	if ((mask & both) == both || !inotify_is_file(file))
		return -EINVAL;
	if (mask & LINUX_IN_ONLYDIR)
		lookup |= LOOKUP_DIRECTORY;
	rc = call_lookup(t, LINUX_AT_FDCWD, arg_addr(a, 1), lookup, &p);
	if (rc == 0)
		rc = path_permission(&p, LINUX_MAY_READ, t->cred);
	return rc < 0 ? rc : inotify_add(file, p.dentry, mask);
}

int64_t sys_inotify_rm_watch(struct task *t, const struct syscall_args *a)
{
	AUTO_FILE struct file *file = call_file(t, arg_int(a, 0));

	if (!file)
		return -EBADF;
	return inotify_is_file(file) ? inotify_remove(file, arg_int(a, 1)) : -EINVAL;
}
