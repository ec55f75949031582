/* SPDX-License-Identifier: Apache-2.0 */
/* socket, socketpair, bind, listen, connect, accept, shutdown, getsockname, getpeername. */
#include <errno.h>

#include "sentry/abi/fs.h"
#include "sentry/net/net_namespace.h"
#include "sentry/syscalls/fd_install.h"
#include "sentry/syscalls/handlers.h"
#include "sentry/syscalls/socket_args.h"
#include "sentry/vfs/file.h"
#include "util/checked.h"

int socket_lookup(struct task *t, int fd, struct file **file, struct socket **out)
{
	struct file *f = fd_table_lookup(t->fds, fd);
	struct socket *s = f ? socket_from_file(f) : NULL;

	if (!f)
		return -EBADF;
	if (!s) {
		file_put(f);
		return -ENOTSOCK;
	}
	*file = f;
	*out = s;
	return 0;
}

bool socket_nonblocking(const struct file *file, uint32_t flags)
{
	return file->flags & LINUX_O_NONBLOCK || flags & LINUX_MSG_DONTWAIT;
}

int address_copy_in(struct task *t, guest_addr_t addr, int32_t size, struct socket_address *out)
{
	*out = (struct socket_address){ 0 };
	if (size < 0 || size > LINUX_SOCKADDR_MAX)
		return -EINVAL;
	if (copy_in(t->mm, out->bytes, addr, (size_t)size))
		return -EFAULT;
	out->size = (uint32_t)size;
	return 0;
}

int address_copy_out(struct task *t, const struct socket_address *name, guest_addr_t addr,
		     guest_addr_t size_addr)
{
	uint32_t room;

	if (copy_in_u32(t->mm, &room, size_addr))
		return -EFAULT;
	if ((int32_t)room < 0)
		return -EINVAL;
	room = MIN(room, MIN(name->size, (uint32_t)LINUX_SOCKADDR_MAX));
	if (room && copy_out(t->mm, addr, name->bytes, room))
		return -EFAULT;
	return copy_out_u32(t->mm, size_addr, name->size);
}

/* --- creation -------------------------------------------------------------------------- */

static int split_type(uint32_t given, int *type, uint32_t *flags)
{
	*type = (int)(given & LINUX_SOCK_TYPE_MASK);
	*flags = given & ~(uint32_t)LINUX_SOCK_TYPE_MASK;
	return *flags & ~(uint32_t)(LINUX_SOCK_CLOEXEC | LINUX_SOCK_NONBLOCK) ? -EINVAL : 0;
}

int64_t sys_socket(struct task *t, const struct syscall_args *a)
{
	struct socket *s;
	struct file *file;
	uint32_t flags;
	int type, rc = split_type(arg_u32(a, 1), &type, &flags);

	if (!rc)
		rc = socket_create(t->namespaces->net, arg_int(a, 0), type, arg_int(a, 2), &s);
	if (!rc)
		rc = socket_file_new(s, flags & LINUX_SOCK_NONBLOCK, &file);
	return rc ? rc : install_new_file(t, file, flags & LINUX_SOCK_CLOEXEC);
}

static void discard(struct socket *s)
{
	s->ops->release(s);
	socket_put(s);
}

static int new_pair(struct task *t, int family, int type, int protocol, struct socket *out[2])
{
	struct net_namespace *net = t->namespaces->net;
	int rc = socket_create(net, family, type, protocol, &out[0]);

	if (rc)
		return rc;
	rc = socket_create(net, family, type, protocol, &out[1]);
	if (rc) {
		discard(out[0]);
		return rc;
	}
	rc = out[0]->ops->pair ? out[0]->ops->pair(out[0], out[1]) : -EOPNOTSUPP;
	if (rc) {
		discard(out[0]);
		discard(out[1]);
	}
	return rc;
}

static int new_pair_files(struct task *t, int family, int type, int protocol, uint32_t flags,
			  struct file *out[2])
{
	struct socket *pair[2];
	int rc = new_pair(t, family, type, protocol, pair);

	if (rc)
		return rc;
	rc = socket_file_new(pair[0], flags & LINUX_SOCK_NONBLOCK, &out[0]);
	if (rc) {
		discard(pair[1]);
		return rc;
	}
	rc = socket_file_new(pair[1], flags & LINUX_SOCK_NONBLOCK, &out[1]);
	if (rc)
		file_put(out[0]);
	return rc;
}

/* The numbers are told before there is anything behind them, as on Linux. */
static int tell_numbers(struct task *t, guest_addr_t out, const int fds[2])
{
	int rc = copy_out_u32(t->mm, out, (uint32_t)fds[0]);

	return rc ? rc : copy_out_u32(t->mm, guest_add(out, sizeof(uint32_t)), (uint32_t)fds[1]);
}

int64_t sys_socketpair(struct task *t, const struct syscall_args *a)
{
	uint64_t limit = task_rlimit(t, RLIM_NOFILE);
	struct file *files[2];
	uint32_t flags;
	int fds[2], type, rc = split_type(arg_u32(a, 1), &type, &flags);

	if (rc)
		return rc;
	fds[0] = fd_table_reserve(t->fds, limit);
	if (fds[0] < 0)
		return fds[0];
	fds[1] = fd_table_reserve(t->fds, limit);
	rc = fds[1] < 0 ? fds[1] : tell_numbers(t, arg_addr(a, 3), fds);
	if (!rc)
		rc = new_pair_files(t, arg_int(a, 0), type, arg_int(a, 2), flags, files);
	for (int i = 0; i < 2; i++) {
		if (fds[i] < 0)
			continue;
		if (rc) {
			fd_table_unreserve(t->fds, fds[i]);
			continue;
		}
		fd_table_fill(t->fds, fds[i], files[i], flags & LINUX_SOCK_CLOEXEC);
		file_put(files[i]);
	}
	return rc;
}

/* --- names and connections ---------------------------------------------------------------- */

int64_t sys_bind(struct task *t, const struct syscall_args *a)
{
	struct socket_address addr;
	struct socket *s;
	struct file *file;
	int rc = socket_lookup(t, arg_int(a, 0), &file, &s);

	if (rc)
		return rc;
	rc = address_copy_in(t, arg_addr(a, 1), arg_int(a, 2), &addr);
	if (!rc)
		rc = s->ops->bind(s, &addr);
	file_put(file);
	return rc;
}

int64_t sys_listen(struct task *t, const struct syscall_args *a)
{
	struct socket *s;
	struct file *file;
	int rc = socket_lookup(t, arg_int(a, 0), &file, &s);

	if (rc)
		return rc;
	rc = s->ops->listen(s, (int)MIN(arg_u32(a, 1), (uint32_t)LINUX_SOMAXCONN));
	file_put(file);
	return rc;
}

int64_t sys_connect(struct task *t, const struct syscall_args *a)
{
	struct socket_address addr;
	struct socket *s;
	struct file *file;
	int rc = socket_lookup(t, arg_int(a, 0), &file, &s);

	/* Linux fetches the address before it asks whether it is a socket. */
	if (rc == -ENOTSOCK)
		return address_copy_in(t, arg_addr(a, 1), arg_int(a, 2), &addr) ?: rc;
	if (rc)
		return rc;
	rc = address_copy_in(t, arg_addr(a, 1), arg_int(a, 2), &addr);
	if (!rc)
		rc = socket_connect(s, &addr, socket_nonblocking(file, 0));
	file_put(file);
	return rc;
}

static int64_t accept_on(struct task *t, struct file *listener, struct socket *s, guest_addr_t addr,
			 guest_addr_t size_addr, uint32_t flags)
{
	struct socket_address name;
	struct socket *accepted;
	struct file *file;
	int64_t rc = socket_accept(s, socket_nonblocking(listener, 0), &accepted);

	if (!rc)
		rc = socket_file_new(accepted, flags & LINUX_SOCK_NONBLOCK, &file);
	if (rc)
		return rc;
	if (!guest_is_null(addr)) {
		rc = accepted->ops->name(accepted, true, &name) ? -ECONNABORTED : 0;
		if (!rc)
			rc = address_copy_out(t, &name, addr, size_addr);
		if (rc) {
			file_put(file);
			return rc;
		}
	}
	return install_new_file(t, file, flags & LINUX_SOCK_CLOEXEC);
}

static int64_t do_accept(struct task *t, const struct syscall_args *a, uint32_t flags)
{
	struct socket *s;
	struct file *file;
	int64_t rc;

	rc = socket_lookup(t, arg_int(a, 0), &file, &s);
	if (rc == -EBADF)
		return rc;
	if (flags & ~(uint32_t)(LINUX_SOCK_CLOEXEC | LINUX_SOCK_NONBLOCK)) {
		if (!rc)
			file_put(file);
		return -EINVAL;
	}
	if (rc)
		return rc;
	rc = accept_on(t, file, s, arg_addr(a, 1), arg_addr(a, 2), flags);
	file_put(file);
	return rc;
}

int64_t sys_accept(struct task *t, const struct syscall_args *a)
{
	return do_accept(t, a, 0);
}

int64_t sys_accept4(struct task *t, const struct syscall_args *a)
{
	return do_accept(t, a, arg_u32(a, 3));
}

int64_t sys_shutdown(struct task *t, const struct syscall_args *a)
{
	struct socket *s;
	struct file *file;
	int rc = socket_lookup(t, arg_int(a, 0), &file, &s);

	if (rc)
		return rc;
	rc = s->ops->shutdown(s, arg_int(a, 1));
	file_put(file);
	return rc;
}

static int64_t get_name(struct task *t, const struct syscall_args *a, bool peer)
{
	struct socket_address name;
	struct socket *s;
	struct file *file;
	int rc = socket_lookup(t, arg_int(a, 0), &file, &s);

	if (rc)
		return rc;
	rc = s->ops->name(s, peer, &name);
	if (!rc)
		rc = address_copy_out(t, &name, arg_addr(a, 1), arg_addr(a, 2));
	file_put(file);
	return rc;
}

int64_t sys_getsockname(struct task *t, const struct syscall_args *a)
{
	return get_name(t, a, false);
}

int64_t sys_getpeername(struct task *t, const struct syscall_args *a)
{
	return get_name(t, a, true);
}
