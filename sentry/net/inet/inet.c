/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Internet sockets of a loopback-only network: creation, names, and TCP.  UDP is
 * in inet_datagram.c, the network's tables in loopback.c.
 */
#include "sentry/net/inet/inet.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/fs.h"
#include "sentry/abi/ioctl.h"
#include "sentry/kernel/task.h"
#include "sentry/mm/usercopy.h"
#include "sentry/net/inet/provider.h"
#include "sentry/net/net_namespace.h"
#include "sentry/net/netdevice.h"
#include "sentry/vfs/file.h"

int inet_socket_new(struct net_namespace *net, int family, int type, int protocol,
		    const struct socket_ops *ops, struct inet_socket **out)
{
	struct inet_socket *i = calloc(1, sizeof(*i));

	if (!i)
		return -ENOMEM;
	unix_socket_init(&i->local, ops, net, family, type, protocol);
	i->local.variant = &inet_variant;
	*out = i;
	return 0;
}

int inet_name_op(struct socket *s, bool peer, struct socket_address *out)
{
	struct inet_socket *i = inet_of(s);
	struct inet_name name;
	bool connected;

	mutex_lock(&s->lock);
	connected = i->local.state == UNIX_CONNECTED && i->remote.port;
	name = peer ? i->remote : i->own;
	mutex_unlock(&s->lock);
	if (peer && !connected)
		return -ENOTCONN;
	inet_name_to(s, &name, out);
	return 0;
}

/* The accepted end of a connection from @client. */
static int new_server(struct unix_socket *listener, struct unix_socket *client, struct unix_socket **out)
{
	struct inet_socket *from = container_of(client, struct inet_socket, local);
	struct socket *l = &listener->base;
	struct inet_socket *i;
	int rc = inet_socket_new(l->net, l->family, l->type, l->protocol, l->ops, &i);

	if (rc)
		return rc;
	mutex_lock(&client->base.lock);
	i->own = from->remote;
	i->remote = from->own;
	mutex_unlock(&client->base.lock);
	*out = &i->local;
	return 0;
}

const struct unix_variant inet_variant = { .new_server = new_server, .unbind = inet_unbind };

/* --- TCP ---------------------------------------------------------------------------------- */

static int stream_listen(struct socket *s, int backlog)
{
	static const struct inet_name any4 = { .addr = { [10] = 0xff, [11] = 0xff } }, any6;
	int rc = inet_autobind(inet_of(s), s->family == LINUX_AF_INET ? &any4 : &any6);

	return rc ? rc : inet_listen_bound(inet_of(s), backlog);
}

static bool is_nonblocking(const struct socket *s)
{
	return s->file && s->file->flags & LINUX_O_NONBLOCK;
}

/* 0 when a connection may be tried; else connect's result. */
static int check_state(struct inet_socket *i)
{
	struct socket *s = &i->local.base;
	int rc = 0;

	mutex_lock(&s->lock);
	if (i->connecting) {
		/* The answer to the EINPROGRESS before. */
		i->connecting = false;
		rc = i->local.state == UNIX_CONNECTED ? 1 : socket_take_error(s);
	} else if (i->local.state != UNIX_CLOSED) {
		rc = -EISCONN;
	}
	mutex_unlock(&s->lock);
	return rc;
}

static int connect_to(struct inet_socket *i, const struct inet_name *to, struct socket **wait_on)
{
	struct socket *s = &i->local.base;
	struct inet_socket *listener = inet_find(s->net, s->protocol, to, true);
	bool full = false;
	int rc;

	if (!listener)
		return -ECONNREFUSED;
	rc = unix_connect_stream(&i->local, &listener->local, &full);
	if (full)
		*wait_on = socket_get(&listener->local.base);
	unix_put(&listener->local);
	return rc;
}

static int stream_connect(struct socket *s, const struct socket_address *addr, struct socket **wait_on)
{
	struct inet_socket *i = inet_of(s);
	struct inet_name to;
	int rc = check_state(i);

	if (rc)
		return rc > 0 ? 0 : rc;
	rc = inet_name_from(s, addr, &to);
	if (!rc)
		rc = inet_route(&to);
	if (!rc)
		rc = inet_autobind(i, &to);
	if (rc)
		return rc;
	mutex_lock(&s->lock);
	if (inet_is_any(&i->own)) {
		uint16_t port = i->own.port;

		i->own = to;
		i->own.port = port;
	}
	i->remote = to;
	mutex_unlock(&s->lock);
	rc = connect_to(i, &to, wait_on);
	/* As over a wire, who does not wait learns the outcome later. */
	if (!is_nonblocking(s) || (rc && rc != -ECONNREFUSED))
		return rc;
	mutex_lock(&s->lock);
	i->connecting = true;
	mutex_unlock(&s->lock);
	if (rc)
		socket_set_error(s, -rc);
	unix_wake_all(&i->local);
	return -EINPROGRESS;
}

static int stream_shutdown(struct socket *s, int how)
{
	bool connected;

	if (how < LINUX_SHUT_RD || how > LINUX_SHUT_RDWR)
		return -EINVAL;
	mutex_lock(&s->lock);
	connected = unix_socket_of(s)->state != UNIX_CLOSED;
	mutex_unlock(&s->lock);
	return connected ? unix_shutdown(s, how) : -ENOTCONN;
}

static int64_t stream_ioctl(struct socket *s, struct mm *mm, uint32_t cmd, uint64_t arg)
{
	struct unix_socket *u = unix_socket_of(s);
	uint32_t value;
	bool listening;

	if (cmd != LINUX_SIOCINQ && cmd != LINUX_SIOCOUTQ && cmd != LINUX_SIOCATMARK)
		return netdevice_ioctl(s, mm, cmd, arg);
	mutex_lock(&s->lock);
	listening = u->state == UNIX_LISTENING;
	/* What was sent is at the receiver at once. */
	value = cmd == LINUX_SIOCINQ ? (uint32_t)u->incoming.bytes : 0;
	mutex_unlock(&s->lock);
	if (listening && cmd != LINUX_SIOCATMARK)
		return -EINVAL;
	return copy_out_u32(mm, guest_addr(arg), value);
}

static void set_address(uint8_t to[16], const struct inet_name *name, int family)
{
	if (family == LINUX_AF_INET)
		memcpy(to, name->addr + 12, 4);
	else
		memcpy(to, name->addr, 16);
}

void inet_describe(struct socket *s, struct net_socket_entry *e)
{
	static const uint8_t states[] = { [UNIX_CLOSED] = LINUX_TCP_CLOSE,
					  [UNIX_LISTENING] = LINUX_TCP_LISTEN,
					  [UNIX_CONNECTED] = LINUX_TCP_ESTABLISHED };
	struct inet_socket *i = inet_of(s);

	mutex_lock(&s->lock);
	e->state = states[i->local.state];
	set_address(e->local, &i->own, s->family);
	set_address(e->remote, &i->remote, s->family);
	e->local_port = i->own.port;
	e->remote_port = i->remote.port;
	if (e->state != LINUX_TCP_LISTEN)
		e->receive_queue = (uint32_t)i->local.incoming.bytes;
	mutex_unlock(&s->lock);
}

const struct socket_ops inet_stream_ops = {
	.release = unix_release,
	.free = unix_free,
	.bind = inet_bind,
	.connect = stream_connect,
	.listen = stream_listen,
	.accept = unix_accept,
	.name = inet_name_op,
	.sendmsg = unix_stream_send,
	.recvmsg = unix_stream_receive,
	.shutdown = stream_shutdown,
	.setsockopt = inet_setsockopt,
	.getsockopt = inet_getsockopt,
	.poll = unix_stream_poll,
	.ioctl = stream_ioctl,
	.describe = inet_describe,
};

/* --- creation --------------------------------------------------------------------------------- */

int loopback_create(struct net_namespace *net, int family, int type, int protocol, struct socket **out)
{
	struct inet_socket *i;
	int rc = -EPROTONOSUPPORT; /* nobody would answer a ping */

	if (protocol == LINUX_IPPROTO_TCP)
		rc = inet_socket_new(net, family, type, protocol, &inet_stream_ops, &i);
	else if (protocol == LINUX_IPPROTO_UDP)
		rc = inet_socket_new(net, family, type, protocol, &inet_datagram_ops, &i);
	if (!rc)
		*out = &i->local.base;
	return rc;
}
