/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets of the host: life, names, connections, readiness. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/epoll.h"
#include "sentry/abi/fs.h"
#include "sentry/abi/ioctl.h"
#include "sentry/host/host_epoll.h"
#include "sentry/host/host_inet.h"
#include "sentry/host/host_socket.h"
#include "sentry/mm/usercopy.h"
#include "sentry/net/hostinet/hostinet.h"
#include "sentry/net/net_namespace.h"
#include "sentry/net/netdevice.h"
#include "sentry/vfs/file.h"
#include "sentry/wait/wait.h"
#include "util/checked.h"

#define SHORTEST_IN6 offsetof(struct linux_sockaddr_in6, scope_id)

/* --- life ----------------------------------------------------------------------------------- */

/* Under the poller's lock; the socket is there, as its release takes it out first. */
static void report(struct host_poll_entry *e, uint32_t events)
{
	struct hostinet_socket *h = container_of(e, struct hostinet_socket, poll);

	if (events & (LINUX_EPOLLHUP | LINUX_EPOLLERR)) {
		socket_report_input(&h->base, ASYNC_HUP);
	} else if (events & LINUX_EPOLLIN) {
		socket_report_input(&h->base, ASYNC_IN);
		/* Linux reports the end of half a connection, and then that it can be read. */
		if (events & LINUX_EPOLLRDHUP && !h->end_reported)
			socket_report_input(&h->base, ASYNC_IN);
		h->end_reported = events & LINUX_EPOLLRDHUP;
	}
	if (events & LINUX_EPOLLOUT)
		socket_report_space(&h->base);
}

int hostinet_new(struct net_namespace *net, int family, int type, int protocol, int fd,
		    struct socket **out)
{
	struct hostinet_socket *h = calloc(1, sizeof(*h));

	if (!h) {
		host_socket_close(fd);
		return -ENOMEM;
	}
	h->fd = fd;
	h->live = type != LINUX_SOCK_STREAM;
	h->poll.report = report;
	socket_init(&h->base, &hostinet_socket_ops, net, family, type, protocol);
	*out = &h->base;
	return 0;
}

/* SO_LINGER with a time is not the host's (hostinet_option.c), so its close does not wait. */
static void hostinet_release(struct socket *s)
{
	struct hostinet_socket *h = hostinet_of(s);
	int fd;

	host_poller_remove(&h->poll);
	mutex_lock(&s->lock);
	fd = h->fd;
	h->fd = -1;
	mutex_unlock(&s->lock);
	host_socket_close(fd);
}

static void hostinet_free(struct socket *s)
{
	struct hostinet_socket *h = hostinet_of(s);

	socket_destroy(s);
	free(h->leftover);
	free(h);
}

/* An FD that the host refuses to watch would never wake anybody; sockets it does not refuse. */
static void hear_of(struct hostinet_socket *h, uint32_t events)
{
	int rc = host_poller_add(&h->poll, h->fd, &h->base.queue, events);

	if (rc)
		socket_set_error(&h->base, -rc);
}

static void hostinet_watch(struct socket *s)
{
	struct hostinet_socket *h = hostinet_of(s);

	h->watched = true;
	if (h->live)
		hear_of(h, HOST_EPOLL_INPUT);
}

/* A stream connects or listens from now on. */
static void become_live(struct hostinet_socket *h)
{
	h->live = true;
	if (h->watched)
		hear_of(h, HOST_EPOLL_INPUT);
}

/*
 * Room is heard of once somebody found none, as SOCK_NOSPACE has it: else each datagram that leaves
 * would wake the poller, and the first report, of the room that is there, could come when something
 * arrives and have that reported twice.
 */
void hostinet_want_space(struct hostinet_socket *h)
{
	h->live = true;
	h->base.space_wanted = true;
	hear_of(h, HOST_EPOLL_ALL);
}

/* --- names and connections ------------------------------------------------------------------- */

/* The family decides how the host reads the rest, so it has to be one of this socket's. */
static int check_address(const struct socket *s, const struct socket_address *addr)
{
	if (addr->size < sizeof(addr->family))
		return -EINVAL;
	/* An IPv4 name on an IPv6 socket is for the host to take or refuse. */
	if (addr->family == s->family || addr->family == LINUX_AF_UNSPEC ||
	    addr->family == LINUX_AF_INET)
		return 0;
	return addr->size < (s->family == LINUX_AF_INET ? sizeof(addr->in) : SHORTEST_IN6) ?
		       -EINVAL : -EAFNOSUPPORT;
}

static int hostinet_bind(struct socket *s, const struct socket_address *addr)
{
	int rc = check_address(s, addr);

	if (rc)
		return rc;
	if (addr->size >= sizeof(addr->in) &&
	    !net_namespace_may_bind(s->net, __builtin_bswap16(addr->in.port)))
		return -EACCES;
	return host_inet_bind(hostinet_of(s)->fd, addr->bytes, addr->size);
}

/*
 * A connect that waited has its connection.  Who waits for the socket's readiness hears of it now, as from Linux
 * before connect returns, and not once more when the poller comes to it.
 */
static void connect_succeeds(struct hostinet_socket *h)
{
	wait_queue_wake(&h->base.queue, LINUX_EPOLLOUT | LINUX_EPOLLWRNORM | LINUX_EPOLLWRBAND);
	socket_report_space(&h->base);
	host_poller_renew(&h->poll, HOST_EPOLL_INPUT);
}

static bool is_nonblocking(const struct socket *s)
{
	return s->file && s->file->flags & LINUX_O_NONBLOCK;
}

/*
 * Who waits asks again and again: the host's answer is "already" until it is the outcome, and
 * the first one then is 0.
 */
static int hostinet_connect(struct socket *s, const struct socket_address *addr,
			       struct socket **wait_on)
{
	struct hostinet_socket *h = hostinet_of(s);
	int rc = check_address(s, addr);

	(void)wait_on;
	if (rc)
		return rc;
	rc = host_inet_connect(h->fd, addr->bytes, addr->size);
	if (!rc) {
		become_live(h);
		if (atomic_exchange(&h->connect_waits, false))
			connect_succeeds(h);
	}
	if (rc != -EINPROGRESS && rc != -EALREADY)
		return rc;
	hostinet_want_space(h);
	if (is_nonblocking(s))
		return rc;
	h->connect_waits = true;
	return -EAGAIN;
}

static int hostinet_listen(struct socket *s, int backlog)
{
	int rc = host_inet_listen(hostinet_of(s)->fd, backlog);

	if (!rc)
		become_live(hostinet_of(s));
	return rc;
}

static int hostinet_accept(struct socket *s, struct socket **out)
{
	int fd = host_inet_accept(hostinet_of(s)->fd), rc;

	if (fd < 0)
		return fd;
	rc = hostinet_new(s->net, s->family, s->type, s->protocol, fd, out);
	if (!rc)
		hostinet_of(*out)->live = true;
	return rc;
}

static int hostinet_name(struct socket *s, bool peer, struct socket_address *out)
{
	struct socket_address name = { .size = sizeof(name.bytes) };
	int rc = host_inet_name(hostinet_of(s)->fd, peer, name.bytes, &name.size);

	if (!rc)
		*out = name;
	return rc;
}

static int hostinet_shutdown(struct socket *s, int how)
{
	int rc = host_inet_shutdown(hostinet_of(s)->fd, how);

	/* Datagram sockets wake nobody on the host's side of it. */
	if (!rc)
		wait_queue_wake_all(&s->queue, LINUX_EPOLLIN | LINUX_EPOLLOUT | LINUX_EPOLLHUP |
						       LINUX_EPOLLRDHUP);
	return rc;
}

/* --- readiness ------------------------------------------------------------------------------ */

static size_t leftover_size(struct hostinet_socket *h)
{
	size_t size;

	mutex_lock(&h->base.lock);
	size = h->leftover_size;
	mutex_unlock(&h->base.lock);
	return size;
}

static uint32_t hostinet_poll(struct socket *s)
{
	struct hostinet_socket *h = hostinet_of(s);
	uint32_t ready = host_inet_poll(h->fd);

	if (!(ready & LINUX_EPOLLOUT))
		hostinet_want_space(h);
	if (leftover_size(h))
		ready |= LINUX_EPOLLIN | LINUX_EPOLLRDNORM;
	if (s->error)
		ready |= LINUX_EPOLLERR;
	return ready;
}

static int64_t hostinet_ioctl(struct socket *s, struct mm *mm, uint32_t cmd, uint64_t arg)
{
	static const struct {
		uint32_t cmd;
		enum host_inet_count what;
	} counts[] = {
		{ LINUX_SIOCINQ, HOST_INET_READABLE },
		{ LINUX_SIOCOUTQ, HOST_INET_UNACKED },
		{ LINUX_SIOCOUTQNSD, HOST_INET_UNSENT },
		{ LINUX_SIOCATMARK, HOST_INET_AT_MARK },
	};
	struct hostinet_socket *h = hostinet_of(s);
	int value, rc;

	for (size_t i = 0; i < ARRAY_SIZE(counts); i++) {
		if (counts[i].cmd != cmd)
			continue;
		rc = host_inet_count(h->fd, counts[i].what, &value);
		if (rc)
			return rc;
		if (cmd == LINUX_SIOCINQ)
			value += (int)leftover_size(h);
		return copy_out_u32(mm, guest_addr(arg), (uint32_t)value);
	}
	return netdevice_ioctl(s, mm, cmd, arg);
}

/* --- what it is ------------------------------------------------------------------------------ */

static uint16_t split_name(const struct socket_address *name, uint8_t address[16])
{
	if (name->family == LINUX_AF_INET && name->size >= sizeof(name->in)) {
		memcpy(address, &name->in.addr, sizeof(name->in.addr));
		return __builtin_bswap16(name->in.port);
	}
	if (name->family == LINUX_AF_INET6 && name->size >= SHORTEST_IN6) {
		memcpy(address, name->in6.addr, sizeof(name->in6.addr));
		return __builtin_bswap16(name->in6.port);
	}
	return 0;
}

static uint8_t state_of(int fd, int protocol, bool connected)
{
	uint8_t info[8];
	uint32_t size = sizeof(info);

	if (protocol != LINUX_IPPROTO_TCP)
		return connected ? LINUX_TCP_ESTABLISHED : LINUX_TCP_CLOSE;
	if (host_inet_get_option(fd, LINUX_SOL_TCP, LINUX_TCP_INFO, info, &size) || !size)
		return LINUX_TCP_CLOSE;
	return info[0];
}

/* Under the lock, so that the descriptor is not closed and another's meanwhile. */
static void hostinet_describe(struct socket *s, struct net_socket_entry *e)
{
	struct hostinet_socket *h = hostinet_of(s);
	struct socket_address name;
	int count;

	mutex_lock(&s->lock);
	e->state = LINUX_TCP_CLOSE;
	if (h->fd >= 0) {
		bool connected = !hostinet_name(s, true, &name);

		if (connected)
			e->remote_port = split_name(&name, e->remote);
		if (!hostinet_name(s, false, &name))
			e->local_port = split_name(&name, e->local);
		e->state = state_of(h->fd, s->protocol, connected);
		if (!host_inet_count(h->fd, HOST_INET_READABLE, &count) && count > 0)
			e->receive_queue = (uint32_t)count + (uint32_t)h->leftover_size;
		if (!host_inet_count(h->fd, HOST_INET_UNACKED, &count) && count > 0)
			e->send_queue = (uint32_t)count;
	}
	mutex_unlock(&s->lock);
}

const struct socket_ops hostinet_socket_ops = {
	.release = hostinet_release,
	.free = hostinet_free,
	.bind = hostinet_bind,
	.connect = hostinet_connect,
	.listen = hostinet_listen,
	.accept = hostinet_accept,
	.name = hostinet_name,
	.sendmsg = hostinet_send,
	.recvmsg = hostinet_receive,
	.shutdown = hostinet_shutdown,
	.setsockopt = hostinet_setsockopt,
	.getsockopt = hostinet_getsockopt,
	.poll = hostinet_poll,
	.ioctl = hostinet_ioctl,
	.watch = hostinet_watch,
	.describe = hostinet_describe,
	.check_control = hostinet_check_control,
};
