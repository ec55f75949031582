/* SPDX-License-Identifier: Apache-2.0 */
/* seccomp(2). */
#include "sentry/syscalls/seccomp.h"

#include <stdlib.h>

#include "sentry/abi/capability.h"
#include "sentry/kernel/seccomp.h"
#include "sentry/syscalls/handlers.h"
#include "sentry/vfs/file.h"

static int copy_in_filter(struct task *t, guest_addr_t src, struct seccomp_filter **out)
{
	struct linux_sock_fprog program;
	struct linux_sock_filter *insns;
	int rc = copy_in(t->mm, &program, src, sizeof(program));

	if (rc)
		return rc;
	if (!program.len || program.len > LINUX_BPF_MAXINSNS)
		return -EINVAL;
	if (!t->cred->no_new_privs && !task_capable(t, LINUX_CAP_SYS_ADMIN))
		return -EACCES;
	if (!program.filter)
		return -EINVAL;
	insns = malloc(program.len * sizeof(*insns));
	if (!insns)
		return -ENOMEM;
	rc = copy_in(t->mm, insns, guest_addr(program.filter), program.len * sizeof(*insns));
	if (rc) {
		free(insns);
		return rc;
	}
	return seccomp_filter_new(insns, program.len, out);
}

/* The FD is reserved by being installed; it goes again if the filter is not attached. */
static int64_t attach_with_listener(struct task *t, struct seccomp_filter *f, uint32_t flags)
{
	struct file *file;
	int64_t rc = seccomp_listener_new(f, &file);
	int fd;

	if (rc)
		return rc;
	fd = fd_table_install(t->fds, file, 0, task_rlimit(t, RLIM_NOFILE), true);
	rc = fd < 0 ? fd : seccomp_attach(t, f, flags);
	if (!rc) {
		file_put(file);
		return fd;
	}
	if (fd >= 0) {
		struct file *installed = fd_table_remove(t->fds, fd);

		if (installed)
			file_put(installed);
	}
	file_put(file);
	return rc;
}

static int64_t set_filter(struct task *t, uint32_t flags, guest_addr_t src)
{
	struct seccomp_filter *f;
	int64_t rc;

	if (flags & ~LINUX_SECCOMP_FILTER_FLAG_MASK)
		return -EINVAL;
	if ((flags & LINUX_SECCOMP_FILTER_FLAG_TSYNC) &&
	    (flags & LINUX_SECCOMP_FILTER_FLAG_NEW_LISTENER) &&
	    !(flags & LINUX_SECCOMP_FILTER_FLAG_TSYNC_ESRCH))
		return -EINVAL;
	if ((flags & LINUX_SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV) &&
	    !(flags & LINUX_SECCOMP_FILTER_FLAG_NEW_LISTENER))
		return -EINVAL;
	rc = copy_in_filter(t, src, &f);
	if (rc)
		return rc;
	if (flags & LINUX_SECCOMP_FILTER_FLAG_NEW_LISTENER) {
		rc = attach_with_listener(t, f, flags);
		if (rc < 0)
			seccomp_filter_free(f);
		return rc;
	}
	rc = seccomp_attach(t, f, flags);
	if (rc)
		seccomp_filter_free(f);
	return rc;
}

static int64_t set_strict(struct task *t, uint32_t flags, guest_addr_t arg)
{
	return flags || arg.v ? -EINVAL : seccomp_set_strict(t);
}

static int64_t action_available(struct task *t, uint32_t flags, guest_addr_t arg)
{
	uint32_t action;
	int rc;

	if (flags)
		return -EINVAL;
	rc = copy_in_u32(t->mm, &action, arg);
	if (rc)
		return rc;
	switch (action) {
	case LINUX_SECCOMP_RET_KILL_PROCESS:
	case LINUX_SECCOMP_RET_KILL_THREAD:
	case LINUX_SECCOMP_RET_TRAP:
	case LINUX_SECCOMP_RET_ERRNO:
	case LINUX_SECCOMP_RET_USER_NOTIF:
	case LINUX_SECCOMP_RET_TRACE:
	case LINUX_SECCOMP_RET_LOG:
	case LINUX_SECCOMP_RET_ALLOW:
		return 0;
	default:
		return -EOPNOTSUPP;
	}
}

static int64_t notification_sizes(struct task *t, uint32_t flags, guest_addr_t arg)
{
	const struct linux_seccomp_notif_sizes sizes = {
		sizeof(struct linux_seccomp_notif),
		sizeof(struct linux_seccomp_notif_resp),
		sizeof(struct linux_seccomp_data),
	};

	return flags ? -EINVAL : copy_out(t->mm, arg, &sizes, sizeof(sizes));
}

int64_t sys_seccomp(struct task *t, const struct syscall_args *a)
{
	uint32_t flags = arg_u32(a, 1);
	guest_addr_t arg = arg_addr(a, 2);

	switch (arg_u32(a, 0)) {
	case LINUX_SECCOMP_SET_MODE_STRICT:
		return set_strict(t, flags, arg);
	case LINUX_SECCOMP_SET_MODE_FILTER:
		return set_filter(t, flags, arg);
	case LINUX_SECCOMP_GET_ACTION_AVAIL:
		return action_available(t, flags, arg);
	case LINUX_SECCOMP_GET_NOTIF_SIZES:
		return notification_sizes(t, flags, arg);
	default:
		return -EINVAL;
	}
}

int64_t seccomp_prctl(struct task *t, uint64_t mode, guest_addr_t filter)
{
	switch (mode) {
	case LINUX_SECCOMP_MODE_STRICT:
		return seccomp_set_strict(t);
	case LINUX_SECCOMP_MODE_FILTER:
		return set_filter(t, 0, filter);
	default:
		return -EINVAL;
	}
}
