/* SPDX-License-Identifier: Apache-2.0 */
/* send, sendto, sendmsg, sendmmsg and their receiving twins. */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>

#include "sentry/syscalls/handlers.h"
#include "sentry/syscalls/poll_set.h"
#include "sentry/syscalls/socket_args.h"
#include "sentry/vfs/file.h"
#include "util/checked.h"
#include "util/cleanup.h"

int64_t socket_send_result(struct task *t, const struct socket *s, uint32_t flags, int64_t result)
{
	if (result == -EPIPE && s->type == LINUX_SOCK_STREAM && !(flags & LINUX_MSG_NOSIGNAL))
		signal_send_self(t, SIGPIPE);
	return result;
}

/* --- one buffer --------------------------------------------------------------------------- */

int64_t sys_sendto(struct task *t, const struct syscall_args *a)
{
	struct socket_message m = { .flags = arg_u32(a, 3) };
	struct socket_address name;
	struct io_iter data;
	struct socket *s;
	struct file *file;
	int64_t rc;

	if (!guest_range_ok(arg_addr(a, 1), MIN(a->v[2], IO_MAX_COUNT)))
		return -EFAULT;
	rc = socket_lookup(t, arg_int(a, 0), &file, &s);
	if (rc)
		return rc;
	if (!guest_is_null(arg_addr(a, 4))) {
		rc = address_copy_in(t, arg_addr(a, 4), arg_int(a, 5), &name);
		m.name = name.size ? &name : NULL;
	}
	if (!rc) {
		io_iter_init_guest(&data, t->mm, arg_addr(a, 1), a->v[2]);
		m.data = &data;
		rc = socket_send(s, &m, socket_nonblocking(file, m.flags));
		rc = socket_send_result(t, s, m.flags, rc);
	}
	file_put(file);
	return rc;
}

int64_t sys_recvfrom(struct task *t, const struct syscall_args *a)
{
	struct socket_message m = { .flags = arg_u32(a, 3) };
	struct socket_address name = { 0 };
	struct io_iter data;
	struct socket *s;
	struct file *file;
	int64_t rc;

	if (!guest_range_ok(arg_addr(a, 1), MIN(a->v[2], IO_MAX_COUNT)))
		return -EFAULT;
	rc = socket_lookup(t, arg_int(a, 0), &file, &s);
	if (rc)
		return rc;
	io_iter_init_guest(&data, t->mm, arg_addr(a, 1), a->v[2]);
	m.data = &data;
	m.name = &name;
	rc = socket_receive(s, &m, socket_nonblocking(file, m.flags));
	ancillary_release(&m.control);
	if (rc >= 0 && !guest_is_null(arg_addr(a, 4))) {
		int copied = address_copy_out(t, &name, arg_addr(a, 4), arg_addr(a, 5));

		if (copied)
			rc = copied;
	}
	file_put(file);
	return rc;
}

/* --- struct msghdr ---------------------------------------------------------------------------- */

static int header_copy_in(struct task *t, guest_addr_t addr, struct linux_msghdr *h, struct io_iter *data,
			  struct guest_iovec **segments)
{
	if (copy_in(t->mm, h, addr, sizeof(*h)))
		return -EFAULT;
	if (!h->name)
		h->name_size = 0;
	if (h->name_size < 0)
		return -EINVAL;
	h->name_size = MIN(h->name_size, LINUX_SOCKADDR_MAX);
	if (h->iov_count > LINUX_UIO_MAXIOV)
		return -EMSGSIZE;
	return io_iter_init_iovec(data, t->mm, guest_addr(h->iov), h->iov_count, segments);
}

int64_t socket_send_header(struct task *t, struct file *file, struct socket *s, guest_addr_t header,
			   uint32_t flags)
{
	AUTO_FREE struct guest_iovec *segments = NULL;
	struct socket_message m = { .flags = flags };
	struct socket_address name;
	struct linux_msghdr h;
	struct io_iter data;
	int64_t rc = header_copy_in(t, header, &h, &data, &segments);

	if (!rc && h.name_size) {
		rc = address_copy_in(t, guest_addr(h.name), h.name_size, &name);
		m.name = &name;
	}
	if (!rc && h.control_size > INT32_MAX)
		rc = -ENOBUFS;
	if (!rc && h.control_size)
		rc = control_copy_in(t, s, guest_addr(h.control), h.control_size, &m.control);
	if (rc)
		return rc;
	m.data = &data;
	rc = socket_send(s, &m, socket_nonblocking(file, flags));
	ancillary_release(&m.control);
	return socket_send_result(t, s, flags, rc);
}

static int64_t receive_results(struct task *t, guest_addr_t header, const struct linux_msghdr *h,
			       struct socket_message *m)
{
	uint64_t control_size = h->control_size;
	int rc = 0;

	m->out_flags |= m->flags & LINUX_MSG_CMSG_CLOEXEC;
	rc = control_copy_out(t, &m->control, guest_addr(h->control), &control_size, m->flags,
			      &m->out_flags);
	if (!rc && h->name) {
		guest_addr_t size_addr =
			guest_add(header, offsetof(struct linux_msghdr, name_size));

		rc = address_copy_out(t, m->name, guest_addr(h->name), size_addr);
	}
	if (!rc)
		rc = copy_out_u32(t->mm, guest_add(header, offsetof(struct linux_msghdr, flags)),
				  m->out_flags);
	if (!rc)
		rc = copy_out_u64(t->mm,
				  guest_add(header, offsetof(struct linux_msghdr, control_size)),
				  control_size);
	return rc;
}

int64_t socket_receive_header(struct task *t, struct file *file, struct socket *s,
			      guest_addr_t header, uint32_t flags)
{
	AUTO_FREE struct guest_iovec *segments = NULL;
	struct socket_address name = { 0 };
	struct socket_message m = { .flags = flags, .name = &name };
	struct linux_msghdr h;
	struct io_iter data;
	int64_t rc = header_copy_in(t, header, &h, &data, &segments), stored;

	if (rc)
		return rc;
	m.data = &data;
	m.control_room = h.control_size;
	rc = socket_receive(s, &m, socket_nonblocking(file, flags));
	if (rc < 0) {
		ancillary_release(&m.control);
		return rc;
	}
	stored = receive_results(t, header, &h, &m);
	return stored ? stored : rc;
}

int64_t sys_sendmsg(struct task *t, const struct syscall_args *a)
{
	struct socket *s;
	struct file *file;
	int64_t rc;

	if (arg_u32(a, 2) & LINUX_MSG_CMSG_COMPAT)
		return -EINVAL;
	rc = socket_lookup(t, arg_int(a, 0), &file, &s);
	if (rc)
		return rc;
	rc = socket_send_header(t, file, s, arg_addr(a, 1), arg_u32(a, 2));
	file_put(file);
	return rc;
}

int64_t sys_recvmsg(struct task *t, const struct syscall_args *a)
{
	struct socket *s;
	struct file *file;
	int64_t rc;

	if (arg_u32(a, 2) & LINUX_MSG_CMSG_COMPAT)
		return -EINVAL;
	rc = socket_lookup(t, arg_int(a, 0), &file, &s);
	if (rc)
		return rc;
	rc = socket_receive_header(t, file, s, arg_addr(a, 1), arg_u32(a, 2));
	file_put(file);
	return rc;
}

/* --- many messages ---------------------------------------------------------------------------- */

static guest_addr_t nth(guest_addr_t vector, uint32_t i)
{
	return guest_add(vector, (uint64_t)i * sizeof(struct linux_mmsghdr));
}

static int store_size(struct task *t, guest_addr_t entry, int64_t size)
{
	return copy_out_u32(t->mm, guest_add(entry, offsetof(struct linux_mmsghdr, size)),
			    (uint32_t)size);
}

int64_t sys_sendmmsg(struct task *t, const struct syscall_args *a)
{
	uint32_t count = MIN(arg_u32(a, 2), (uint32_t)LINUX_UIO_MAXIOV), done = 0;
	struct socket *s;
	struct file *file;
	int64_t rc;

	if (arg_u32(a, 3) & LINUX_MSG_CMSG_COMPAT)
		return -EINVAL;
	rc = socket_lookup(t, arg_int(a, 0), &file, &s);
	if (rc)
		return rc;
	while (done < count) {
		guest_addr_t entry = nth(arg_addr(a, 1), done);

		rc = socket_send_header(t, file, s, entry, arg_u32(a, 3));
		if (rc >= 0)
			rc = store_size(t, entry, rc);
		if (rc < 0)
			break;
		done++;
	}
	file_put(file);
	return done ? done : rc;
}

static int64_t receive_many(struct task *t, struct file *file, struct socket *s, guest_addr_t vector,
			    uint32_t count, uint32_t flags, uint64_t deadline)
{
	uint32_t done = 0;
	int64_t rc = socket_take_error(s);

	while (!rc && done < count) {
		guest_addr_t entry = nth(vector, done);

		rc = socket_receive_header(t, file, s, entry, flags & ~LINUX_MSG_WAITFORONE);
		if (rc >= 0)
			rc = store_size(t, entry, rc);
		if (rc < 0)
			break;
		done++;
		if (flags & LINUX_MSG_WAITFORONE)
			flags |= LINUX_MSG_DONTWAIT;
		/* As Linux, the timeout is looked at only between messages. */
		if (!deadline || (deadline != DEADLINE_NONE && poll_deadline_after(0) >= deadline))
			break;
	}
	/* An error after some messages is reported by the next call. */
	if (done && rc < 0 && rc != -EAGAIN && rc > -512)
		socket_set_error(s, (int)-rc);
	return done ? done : rc;
}

int64_t sys_recvmmsg(struct task *t, const struct syscall_args *a)
{
	uint64_t deadline;
	struct socket *s;
	struct file *file;
	int64_t rc;

	if (arg_u32(a, 3) & LINUX_MSG_CMSG_COMPAT)
		return -EINVAL;
	rc = poll_timeout_from_timespec(t, arg_addr(a, 4), &deadline);
	if (!rc)
		rc = socket_lookup(t, arg_int(a, 0), &file, &s);
	if (rc)
		return rc;
	rc = receive_many(t, file, s, arg_addr(a, 1), MIN(arg_u32(a, 2), (uint32_t)LINUX_UIO_MAXIOV),
			  arg_u32(a, 3), deadline);
	file_put(file);
	if (rc > 0)
		rc = poll_finish(t, rc, false, arg_addr(a, 4), deadline, POLL_TIMESPEC);
	return rc;
}
