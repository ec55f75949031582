/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UDP over loopback.  A datagram for a port that nobody has is lost; a connected
 * sender hears of it as ECONNREFUSED at its next call, as an ICMP message would
 * tell it.  A receiver whose buffer is full loses what comes.
 */
#include <errno.h>
#include <string.h>

#include "sentry/abi/epoll.h"
#include "sentry/abi/ioctl.h"
#include "sentry/mm/usercopy.h"
#include "sentry/net/inet/inet.h"
#include "sentry/net/netdevice.h"

#define PAYLOAD_MAX 65507U
#define EVENTS_IN (LINUX_EPOLLIN | LINUX_EPOLLRDNORM)

static int datagram_connect(struct socket *s, const struct socket_address *addr, struct socket **wait_on)
{
	struct inet_socket *i = inet_of(s);
	struct inet_name to = { 0 };
	bool disconnect = addr->size >= sizeof(uint16_t) && addr->family == LINUX_AF_UNSPEC;
	int rc = disconnect ? 0 : inet_name_from(s, addr, &to);

	if (!rc && !disconnect)
		rc = inet_route(&to);
	if (!rc && !disconnect)
		rc = inet_autobind(i, &to);
	if (rc)
		return rc;
	mutex_lock(&s->lock);
	if (inet_is_any(&i->own) && !disconnect)
		memcpy(i->own.addr, to.addr, sizeof(to.addr));
	i->remote = to;
	i->local.state = disconnect ? UNIX_CLOSED : UNIX_CONNECTED;
	mutex_unlock(&s->lock);
	return 0;
}

static int no_listen(struct socket *s, int backlog)
{
	return -EOPNOTSUPP;
}

static int no_accept(struct socket *s, struct socket **out)
{
	return -EOPNOTSUPP;
}

/* Does @to take datagrams from @from?  A connected socket hears its partner only. */
static bool accepts(struct inet_socket *to, const struct inet_name *from)
{
	if (to->local.state != UNIX_CONNECTED)
		return true;
	return to->remote.port == from->port && !memcmp(to->remote.addr, from->addr, 16);
}

/* Takes @message over. */
static void deliver(struct inet_socket *to, const struct inet_name *from, struct net_message *message)
{
	struct socket *s = &to->local.base;
	bool queued = false;

	inet_name_to(s, from, &message->from);
	mutex_lock(&s->lock);
	if (!to->local.dead && !to->local.read_shut && accepts(to, from) &&
	    to->local.incoming.bytes + message->size + 512UL * to->local.incoming.count <
		    s->receive_buffer) {
		message_queue_add(&to->local.incoming, message);
		queued = true;
	}
	mutex_unlock(&s->lock);
	if (queued)
		unix_wake_reader(&to->local);
	else
		message_put(message);
}

/* Where to, and the sender's own name; binds the sender. */
static int prepare(struct socket *s, const struct socket_message *m, struct inet_name *to,
		   struct inet_name *from, bool *connected)
{
	struct inet_socket *i = inet_of(s);
	int rc = 0;

	mutex_lock(&s->lock);
	*to = i->remote;
	*connected = i->local.state == UNIX_CONNECTED && !m->name;
	if (i->local.write_shut)
		rc = -EPIPE;
	mutex_unlock(&s->lock);
	if (rc)
		return rc;
	if (m->name)
		rc = inet_name_from(s, m->name, to);
	else if (!*connected)
		rc = -EDESTADDRREQ;
	if (!rc && !to->port)
		rc = -EINVAL;
	if (!rc)
		rc = inet_route(to);
	if (!rc)
		rc = inet_autobind(i, to);
	mutex_lock(&s->lock);
	*from = i->own;
	mutex_unlock(&s->lock);
	if (inet_is_any(from))
		memcpy(from->addr, to->addr, sizeof(from->addr));
	return rc;
}

static ssize_t datagram_send(struct socket *s, struct socket_message *m)
{
	struct inet_name to, from;
	struct inet_socket *target;
	struct net_message *message;
	ssize_t size = (ssize_t)m->data->count;
	bool connected;
	int rc;

	if (m->flags & LINUX_MSG_OOB)
		return -EOPNOTSUPP;
	if (m->data->count > PAYLOAD_MAX)
		return -EMSGSIZE;
	rc = socket_take_error(s);
	if (!rc)
		rc = prepare(s, m, &to, &from, &connected);
	if (rc)
		return rc;
	message = message_new(s, (uint32_t)size);
	if (!message)
		return -ENOBUFS;
	if (io_iter_copy_from(m->data, message->data, (size_t)size) != size) {
		message_put(message);
		return -EFAULT;
	}
	target = inet_find(s->net, s->protocol, &to, false);
	if (target) {
		deliver(target, &from, message);
		unix_put(&target->local);
		return size;
	}
	message_put(message);
	if (connected) {
		socket_set_error(s, ECONNREFUSED);
		unix_wake_all(unix_socket_of(s));
	}
	return size;
}

static uint32_t datagram_poll(struct socket *s)
{
	struct unix_socket *u = unix_socket_of(s);
	uint32_t ready = LINUX_EPOLLOUT | LINUX_EPOLLWRNORM | LINUX_EPOLLWRBAND;

	mutex_lock(&s->lock);
	if (s->error)
		ready |= LINUX_EPOLLERR;
	if (u->read_shut)
		ready |= LINUX_EPOLLRDHUP | EVENTS_IN;
	if (u->read_shut && u->write_shut)
		ready |= LINUX_EPOLLHUP;
	if (u->incoming.count)
		ready |= EVENTS_IN;
	mutex_unlock(&s->lock);
	return ready;
}

static int datagram_shutdown(struct socket *s, int how)
{
	bool connected;

	if (how < LINUX_SHUT_RD || how > LINUX_SHUT_RDWR)
		return -EINVAL;
	mutex_lock(&s->lock);
	connected = unix_socket_of(s)->state == UNIX_CONNECTED;
	mutex_unlock(&s->lock);
	if (!connected)
		return -ENOTCONN;
	return unix_shutdown(s, how);
}

static int64_t datagram_ioctl(struct socket *s, struct mm *mm, uint32_t cmd, uint64_t arg)
{
	struct unix_socket *u = unix_socket_of(s);
	struct net_message *first;
	uint32_t value = 0;

	if (cmd != LINUX_SIOCINQ && cmd != LINUX_SIOCOUTQ)
		return netdevice_ioctl(s, mm, cmd, arg);
	mutex_lock(&s->lock);
	first = message_queue_first(&u->incoming);
	if (cmd == LINUX_SIOCINQ && first)
		value = first->size;
	mutex_unlock(&s->lock);
	return copy_out_u32(mm, guest_addr(arg), value);
}

const struct socket_ops inet_datagram_ops = {
	.release = unix_release,
	.free = unix_free,
	.bind = inet_bind,
	.connect = datagram_connect,
	.listen = no_listen,
	.accept = no_accept,
	.name = inet_name_op,
	.sendmsg = datagram_send,
	.recvmsg = unix_dgram_receive,
	.shutdown = datagram_shutdown,
	.setsockopt = inet_setsockopt,
	.getsockopt = inet_getsockopt,
	.poll = datagram_poll,
	.ioctl = datagram_ioctl,
	.describe = inet_describe,
};
