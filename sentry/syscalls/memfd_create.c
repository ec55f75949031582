/* SPDX-License-Identifier: Apache-2.0 */
/* memfd_create. */
#include "config.h"

#include "sentry/fs/tmpfs/tmpfs.h"
#include "sentry/syscalls/fd_install.h"
#include "sentry/syscalls/file_call.h"

int64_t sys_memfd_create(struct task *t, const struct syscall_args *a)
{
	const uint32_t exec_flags = LINUX_MFD_NOEXEC_SEAL | LINUX_MFD_EXEC;
	char name[LINUX_MFD_NAME_MAX + 1];
	uint32_t flags = arg_u32(a, 1);
	struct file *file;
	ssize_t n;
	int rc;

	if (flags & ~(LINUX_MFD_CLOEXEC | LINUX_MFD_ALLOW_SEALING | LINUX_MFD_HUGETLB | exec_flags))
		return -EINVAL;
	if ((flags & exec_flags) == exec_flags)
		return -EINVAL;
	n = copy_in_str(t->mm, name, arg_addr(a, 0), sizeof(name));
	if (n < 0)
		return n == -ENAMETOOLONG ? -EINVAL : n;
	if (flags & LINUX_MFD_HUGETLB)
		return -ENOSYS; /* as a kernel without hugetlbfs */
	rc = memfd_new(name, flags, t->cred, &file);
	return rc < 0 ? rc : install_new_file(t, file, flags & LINUX_MFD_CLOEXEC);
}
