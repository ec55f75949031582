/* SPDX-License-Identifier: Apache-2.0 */
/* See host_inet.h.  Stateless. */
#include "sentry/host/host_inet.h"

#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

static int result(int rc)
{
	return rc < 0 ? -errno : rc;
}

int host_inet_socket(int family, int type, int protocol)
{
	return result(socket(family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, protocol));
}

int host_inet_accept(int fd)
{
	int rc;

	do
		rc = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	while (rc < 0 && errno == EINTR);
	return result(rc);
}

int host_inet_bind(int fd, const void *address, uint32_t size)
{
	return result(bind(fd, address, size));
}

int host_inet_connect(int fd, const void *address, uint32_t size)
{
	return result(connect(fd, address, size));
}

int host_inet_listen(int fd, int backlog)
{
	return result(listen(fd, backlog));
}

int host_inet_shutdown(int fd, int how)
{
	return result(shutdown(fd, how));
}

int host_inet_name(int fd, bool peer, void *address, uint32_t *size)
{
	socklen_t room = *size;
	int rc = peer ? getpeername(fd, address, &room) : getsockname(fd, address, &room);

	if (rc < 0)
		return -errno;
	*size = room < *size ? room : *size;
	return 0;
}

static struct msghdr header_of(const struct host_inet_message *m, struct iovec *iov)
{
	*iov = (struct iovec){ m->data, m->size };
	return (struct msghdr){
		.msg_name = m->address,
		.msg_namelen = m->address_size,
		.msg_iov = iov,
		.msg_iovlen = 1,
		.msg_control = m->control_size ? m->control : NULL,
		.msg_controllen = m->control_size,
	};
}

ssize_t host_inet_send(int fd, struct host_inet_message *m)
{
	struct iovec iov;
	struct msghdr msg = header_of(m, &iov);
	ssize_t n;

	do
		n = sendmsg(fd, &msg, (int)(m->flags | MSG_DONTWAIT | MSG_NOSIGNAL));
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

ssize_t host_inet_receive(int fd, struct host_inet_message *m)
{
	struct iovec iov;
	struct msghdr msg = header_of(m, &iov);
	ssize_t n;

	do
		n = recvmsg(fd, &msg, (int)(m->flags | MSG_DONTWAIT | MSG_CMSG_CLOEXEC));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	m->address_size = msg.msg_namelen < m->address_size ? msg.msg_namelen : m->address_size;
	m->control_size = msg.msg_controllen < m->control_size ? msg.msg_controllen : m->control_size;
	m->out_flags = (uint32_t)msg.msg_flags & ~(uint32_t)MSG_CMSG_CLOEXEC;
	return n;
}

int host_inet_set_option(int fd, int level, int name, const void *value, uint32_t size)
{
	return result(setsockopt(fd, level, name, value, size));
}

int host_inet_get_option(int fd, int level, int name, void *value, uint32_t *size)
{
	socklen_t room = *size;

	if (getsockopt(fd, level, name, value, &room) < 0)
		return -errno;
	*size = room < *size ? room : *size;
	return 0;
}

int host_inet_count(int fd, enum host_inet_count what, int *out)
{
	static const unsigned long requests[] = {
		[HOST_INET_READABLE] = FIONREAD,
		[HOST_INET_UNACKED] = TIOCOUTQ,
		[HOST_INET_UNSENT] = SIOCOUTQNSD,
		[HOST_INET_AT_MARK] = SIOCATMARK,
	};

	return result(ioctl(fd, requests[what], out));
}

uint32_t host_inet_poll(int fd)
{
	struct pollfd entry = { .fd = fd, .events = POLLIN | POLLPRI | POLLOUT | POLLRDHUP | POLLRDNORM |
						    POLLRDBAND | POLLWRNORM | POLLWRBAND };

	return poll(&entry, 1, 0) <= 0 ? 0 : (uint16_t)entry.revents;
}
