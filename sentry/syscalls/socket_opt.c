/* SPDX-License-Identifier: Apache-2.0 */
/* setsockopt(2) and getsockopt(2): values pass through a small buffer. */
#include <errno.h>

#include "sentry/net/unix/unix.h"
#include "sentry/syscalls/handlers.h"
#include "sentry/syscalls/socket_args.h"
#include "sentry/vfs/file.h"
#include "util/checked.h"

#define VALUE_MAX 512U /* no option that we know is longer */

/* Of a level that the socket has not, nothing is read: 0 or what Linux tells. */
static int check_level(const struct socket *s, int level, bool set)
{
	if (level == LINUX_SOL_SOCKET)
		return 0;
	switch (s->family) {
	case LINUX_AF_UNIX:
		return -EOPNOTSUPP;
	case LINUX_AF_NETLINK:
		return level == LINUX_SOL_NETLINK ? 0 : -ENOPROTOOPT;
	case LINUX_AF_INET:
		if (level == LINUX_SOL_IP || level == s->protocol)
			return 0;
		return set ? -ENOPROTOOPT : -EOPNOTSUPP;
	case LINUX_AF_INET6:
		if (level == LINUX_SOL_IP || level == LINUX_SOL_IPV6 || level == s->protocol)
			return 0;
		return -ENOPROTOOPT;
	default:
		return 0;
	}
}

int64_t sys_setsockopt(struct task *t, const struct syscall_args *a)
{
	uint8_t value[VALUE_MAX] ALIGNED(8);
	int32_t given = arg_int(a, 4);
	uint32_t size = MIN((uint32_t)given, VALUE_MAX);
	struct socket *s;
	struct file *file;
	int rc;

	rc = socket_lookup(t, arg_int(a, 0), &file, &s);
	if (rc)
		return rc;
	rc = given < 0 ? -EINVAL : check_level(s, arg_int(a, 1), true);
	if (!rc)
		rc = copy_in(t->mm, value, arg_addr(a, 3), size);
	if (!rc)
		rc = s->ops->setsockopt(s, arg_int(a, 1), arg_int(a, 2), value, size);
	file_put(file);
	return rc;
}

static int get_peer_pidfd(struct task *t, struct socket *s, const struct syscall_args *a, uint32_t size)
{
	struct file *file = NULL;
	int rc = s->family == LINUX_AF_UNIX ? unix_peer_pidfd(unix_socket_of(s), &file) : -ENODATA;
	int32_t fd;

	if (rc)
		return rc;
	size = MIN(size, (uint32_t)sizeof(fd));
	fd = fd_table_install(t->fds, file, 0, task_rlimit(t, RLIM_NOFILE), true);
	file_put(file);
	if (fd < 0)
		return fd;
	if (!copy_out_u32(t->mm, arg_addr(a, 4), size) && !copy_out(t->mm, arg_addr(a, 3), &fd, size))
		return 0;
	file_put(fd_table_remove(t->fds, fd));
	return -EFAULT;
}

static int get_option(struct task *t, struct socket *s, const struct syscall_args *a)
{
	uint8_t value[VALUE_MAX] ALIGNED(8);
	uint32_t size;
	int rc = check_level(s, arg_int(a, 1), false);

	if (rc)
		return rc;
	if (copy_in_u32(t->mm, &size, arg_addr(a, 4)))
		return -EFAULT;
	if ((int32_t)size < 0)
		return -EINVAL;
	if (arg_int(a, 1) == LINUX_SOL_SOCKET && arg_int(a, 2) == LINUX_SO_PEERPIDFD)
		return get_peer_pidfd(t, s, a, size);
	size = MIN(size, VALUE_MAX);
	rc = s->ops->getsockopt(s, arg_int(a, 1), arg_int(a, 2), value, &size);
	if (rc)
		return rc;
	if (size && copy_out(t->mm, arg_addr(a, 3), value, size))
		return -EFAULT;
	return copy_out_u32(t->mm, arg_addr(a, 4), size);
}

int64_t sys_getsockopt(struct task *t, const struct syscall_args *a)
{
	struct socket *s;
	struct file *file;
	int rc = socket_lookup(t, arg_int(a, 0), &file, &s);

	if (rc)
		return rc;
	rc = get_option(t, s, a);
	file_put(file);
	return rc;
}
