/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AF_NETLINK sockets.  A request is answered while it is sent; the answer waits in
 * the socket's own queue.  Fields below are protected by base.lock.
 */
#include "sentry/net/netlink/netlink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/capability.h"
#include "sentry/abi/epoll.h"
#include "sentry/abi/ioctl.h"
#include "sentry/abi/netlink.h"
#include "sentry/kernel/task.h"
#include "sentry/mm/usercopy.h"
#include "sentry/net/message_queue.h"
#include "sentry/net/net_namespace.h"
#include "sentry/net/netdevice.h"
#include "sentry/net/netlink/record.h"
#include "util/checked.h"
#include "util/log.h"

#define REQUEST_MAX 65536U
#define DATAGRAM_SIZE 3776U /* NLMSG_GOODSIZE */
#define DELIVERED_MAX 1024U /* datagrams that wait when one comes unasked for */
#define GENERATED_PORTS 0xfffff000U /* for a process's second socket and on, as Linux picks them */

struct netlink_socket {
	struct socket base;
	struct message_queue incoming;
	struct linux_sockaddr_nl local, remote;
	bool bound;
};

static _Atomic uint32_t next_port = GENERATED_PORTS;

static struct netlink_socket *netlink_of(struct socket *s)
{
	return container_of(s, struct netlink_socket, base);
}

static void netlink_release(struct socket *s)
{
	struct netlink_socket *n = netlink_of(s);
	struct list_node messages;

	mutex_lock(&s->lock);
	message_queue_take_all(&n->incoming, &messages);
	mutex_unlock(&s->lock);
	message_list_put(&messages);
}

static void netlink_free(struct socket *s)
{
	socket_destroy(s);
	free(netlink_of(s));
}

static void bind_locked(struct netlink_socket *n, uint32_t pid)
{
	n->local.family = LINUX_AF_NETLINK;
	n->local.pid = pid ? pid : next_port--;
	n->bound = true;
}

static int address_of(const struct socket_address *addr, struct linux_sockaddr_nl *out)
{
	if (addr->size < sizeof(*out) || addr->family != LINUX_AF_NETLINK)
		return -EINVAL;
	memcpy(out, addr->bytes, sizeof(*out));
	return 0;
}

static int netlink_bind(struct socket *s, const struct socket_address *addr)
{
	struct netlink_socket *n = netlink_of(s);
	struct linux_sockaddr_nl name;
	int rc = address_of(addr, &name);

	if (rc)
		return rc;
	mutex_lock(&s->lock);
	if (n->bound && name.pid != n->local.pid)
		rc = -EINVAL;
	else if (!n->bound)
		bind_locked(n, name.pid);
	if (!rc)
		n->local.groups = name.groups;
	mutex_unlock(&s->lock);
	return rc;
}

static int netlink_connect(struct socket *s, const struct socket_address *addr, struct socket **wait_on)
{
	struct netlink_socket *n = netlink_of(s);
	struct linux_sockaddr_nl name = { 0 };
	int rc = addr->size >= sizeof(uint16_t) && addr->family == LINUX_AF_UNSPEC ?
			 0 :
			 address_of(addr, &name);

	if (rc)
		return rc;
	if (name.pid)
		return -ECONNREFUSED; /* only the kernel listens */
	mutex_lock(&s->lock);
	if (!n->bound)
		bind_locked(n, 0);
	n->remote = name;
	mutex_unlock(&s->lock);
	return 0;
}

static int netlink_name(struct socket *s, bool peer, struct socket_address *out)
{
	struct netlink_socket *n = netlink_of(s);
	struct linux_sockaddr_nl name;

	mutex_lock(&s->lock);
	name = peer ? n->remote : n->local;
	mutex_unlock(&s->lock);
	name.family = LINUX_AF_NETLINK;
	*out = (struct socket_address){ .size = sizeof(name) };
	memcpy(out->bytes, &name, sizeof(name));
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

static int no_shutdown(struct socket *s, int how)
{
	return -EOPNOTSUPP;
}

/* --- messages ---------------------------------------------------------------------------- */

static int queue_message(struct socket *s, const void *data, size_t size)
{
	struct linux_sockaddr_nl kernel = { .family = LINUX_AF_NETLINK };
	struct netlink_socket *n = netlink_of(s);
	struct net_message *m = message_new(s, (uint32_t)size);

	if (!m)
		return -ENOMEM;
	if (data)
		memcpy(m->data, data, size);
	m->from.size = sizeof(kernel);
	memcpy(m->from.bytes, &kernel, sizeof(kernel));
	mutex_lock(&s->lock);
	message_queue_add(&n->incoming, m);
	mutex_unlock(&s->lock);
	wait_queue_wake(&s->queue, LINUX_EPOLLIN | LINUX_EPOLLRDNORM);
	socket_report_input(s, ASYNC_IN);
	return 0;
}

/*
 * Datagrams as big as Linux makes them for a reader of unknown buffer; a message is never cut,
 * and the end of a dump comes alone.
 */
static int queue_answer(struct socket *s, const struct strbuf *answer)
{
	size_t at = 0, start = 0, end = 0;
	struct record r;
	int rc = 0;

	if (answer->failed)
		return -ENOMEM;
	while (!rc && record_next(answer->data, answer->length, &at, &r)) {
		if (end > start && (at - start > DATAGRAM_SIZE || r.header.type == LINUX_NLMSG_DONE)) {
			rc = queue_message(s, answer->data + start, end - start);
			start = end;
		}
		end = at;
	}
	return !rc && end > start ? queue_message(s, answer->data + start, end - start) : rc;
}

static bool has_room(struct socket *s)
{
	struct netlink_socket *n = netlink_of(s);
	bool room;

	mutex_lock(&s->lock);
	room = n->incoming.count < DELIVERED_MAX;
	mutex_unlock(&s->lock);
	return room;
}

void netlink_deliver(struct socket *s, const void *data, size_t size)
{
	if (has_room(s) && queue_message(s, data, size))
		log_debug("netlink: no memory for a message");
}

void netlink_add_done(struct strbuf *out, const struct linux_nlmsghdr *request, uint32_t pid)
{
	struct linux_nlmsghdr header = { .size = sizeof(header) + sizeof(int32_t),
					 .type = LINUX_NLMSG_DONE,
					 .flags = LINUX_NLM_F_MULTI,
					 .sequence = request->sequence,
					 .pid = pid };
	int32_t zero = 0;

	strbuf_add_bytes(out, &header, sizeof(header));
	strbuf_add_bytes(out, &zero, sizeof(zero));
}

/* With the request's header, and for an error what came with it. */
static void add_error(struct strbuf *out, const struct record *request, uint32_t pid, int32_t error)
{
	size_t quoted = error ? request->size : 0;
	struct linux_nlmsghdr header = {
		.size = (uint32_t)(2 * sizeof(header) + sizeof(error) + quoted),
		.type = LINUX_NLMSG_ERROR,
		.flags = error ? 0 : LINUX_NLM_F_CAPPED,
		.sequence = request->header.sequence,
		.pid = pid,
	};
	static const char zeroes[4];

	strbuf_add_bytes(out, &header, sizeof(header));
	strbuf_add_bytes(out, &error, sizeof(error));
	strbuf_add_bytes(out, &request->header, sizeof(request->header));
	strbuf_add_bytes(out, request->payload, quoted);
	strbuf_add_bytes(out, zeroes, LINUX_NLMSG_ALIGN(header.size) - header.size);
}

static int answer_request(struct socket *s, const struct record *r, uint32_t pid, struct strbuf *out)
{
	bool may_change = net_namespace_capable(s->net, LINUX_CAP_NET_ADMIN);

	if (r->header.type < LINUX_NLMSG_MIN_TYPE)
		return 0;
	return s->protocol == LINUX_NETLINK_SOCK_DIAG ? sock_diag_answer(s->net, r, pid, out) :
							route_answer(s->net, r, pid, may_change, out);
}

static void answer_record(struct socket *s, const struct record *r, uint32_t pid)
{
	AUTO_STRBUF struct strbuf out = STRBUF_INIT;
	bool dump = (r->header.flags & LINUX_NLM_F_DUMP) && r->header.type >= LINUX_NLMSG_MIN_TYPE;
	int rc = 0;

	if (!(r->header.flags & LINUX_NLM_F_REQUEST))
		return;
	rc = answer_request(s, r, pid, &out);
	if (rc || (!dump && r->header.flags & LINUX_NLM_F_ACK))
		add_error(&out, r, pid, rc);
	/* As when a buffer is full: the reader learns that it has missed something. */
	if (queue_answer(s, &out))
		socket_set_error(s, ENOBUFS);
}

static void answer(struct socket *s, const void *request, size_t size)
{
	struct netlink_socket *n = netlink_of(s);
	struct record r;
	size_t at = 0;
	uint32_t pid;

	mutex_lock(&s->lock);
	if (!n->bound)
		bind_locked(n, 0);
	pid = n->local.pid;
	mutex_unlock(&s->lock);
	while (s->protocol != LINUX_NETLINK_KOBJECT_UEVENT && record_next(request, size, &at, &r))
		answer_record(s, &r, pid);
}

static ssize_t netlink_send(struct socket *s, struct socket_message *m)
{
	size_t size = m->data->count;
	struct linux_sockaddr_nl to = { 0 };
	char *request;
	int rc = 0;

	if (m->flags & LINUX_MSG_OOB)
		return -EOPNOTSUPP;
	if (m->name)
		rc = address_of(m->name, &to);
	if (!rc && to.pid)
		rc = -ECONNREFUSED;
	if (!rc && size > REQUEST_MAX)
		rc = -EMSGSIZE;
	if (rc)
		return rc;
	request = malloc(size + 1);
	if (!request)
		return -ENOBUFS;
	if (io_iter_copy_from(m->data, request, size) != (ssize_t)size)
		rc = -EFAULT;
	if (!rc)
		answer(s, request, size);
	free(request);
	return rc ? rc : (ssize_t)size;
}

static ssize_t netlink_receive(struct socket *s, struct socket_message *m)
{
	struct netlink_socket *n = netlink_of(s);
	struct net_message *message;
	uint32_t size;
	ssize_t done;

	mutex_lock(&s->lock);
	message = message_queue_first(&n->incoming);
	if (message && m->flags & LINUX_MSG_PEEK)
		refcount_get(&message->refs);
	else if (message)
		message_queue_remove(&n->incoming, message);
	mutex_unlock(&s->lock);
	if (!message) {
		int error = socket_take_error(s);

		return error ? error : -EAGAIN;
	}
	if (m->name)
		*m->name = message->from;
	size = (uint32_t)MIN(m->data->count, message->size);
	done = io_iter_copy_to(m->data, message->data, size);
	if (size < message->size)
		m->out_flags |= LINUX_MSG_TRUNC;
	if (done != (ssize_t)size)
		done = -EFAULT;
	else if (m->flags & LINUX_MSG_TRUNC)
		done = message->size;
	message_put(message);
	return done;
}

static uint32_t netlink_poll(struct socket *s)
{
	struct netlink_socket *n = netlink_of(s);
	uint32_t ready = LINUX_EPOLLOUT | LINUX_EPOLLWRNORM | LINUX_EPOLLWRBAND;

	mutex_lock(&s->lock);
	if (n->incoming.count)
		ready |= LINUX_EPOLLIN | LINUX_EPOLLRDNORM;
	mutex_unlock(&s->lock);
	return ready;
}

/* Options of SOL_NETLINK ask for extensions of answers that we do not give. */
static int netlink_setsockopt(struct socket *s, int level, int name, const void *value, uint32_t size)
{
	if (level == LINUX_SOL_SOCKET)
		return socket_set_option(s, name, value, size);
	if (level != LINUX_SOL_NETLINK)
		return -ENOPROTOOPT;
	return size < sizeof(int32_t) ? -EINVAL : name >= 1 && name <= 12 ? 0 : -ENOPROTOOPT;
}

static int netlink_getsockopt(struct socket *s, int level, int name, void *value, uint32_t *size)
{
	return level == LINUX_SOL_SOCKET ? socket_get_option(s, name, value, size) : -ENOPROTOOPT;
}

static int64_t netlink_ioctl(struct socket *s, struct mm *mm, uint32_t cmd, uint64_t arg)
{
	return netdevice_ioctl(s, mm, cmd, arg);
}

static const struct socket_ops netlink_ops = {
	.release = netlink_release,
	.free = netlink_free,
	.bind = netlink_bind,
	.connect = netlink_connect,
	.listen = no_listen,
	.accept = no_accept,
	.name = netlink_name,
	.sendmsg = netlink_send,
	.recvmsg = netlink_receive,
	.shutdown = no_shutdown,
	.setsockopt = netlink_setsockopt,
	.getsockopt = netlink_getsockopt,
	.poll = netlink_poll,
	.ioctl = netlink_ioctl,
};

static int netlink_create(struct net_namespace *net, int type, int protocol, struct socket **out)
{
	struct netlink_socket *n;

	if (type != LINUX_SOCK_RAW && type != LINUX_SOCK_DGRAM)
		return -ESOCKTNOSUPPORT;
	/* Nothing ever happens to devices, so a listener for uevents hears nothing. */
	if (protocol != LINUX_NETLINK_ROUTE && protocol != LINUX_NETLINK_KOBJECT_UEVENT &&
	    protocol != LINUX_NETLINK_SOCK_DIAG)
		return -EPROTONOSUPPORT;
	n = calloc(1, sizeof(*n));
	if (!n)
		return -ENOMEM;
	socket_init(&n->base, &netlink_ops, net, LINUX_AF_NETLINK, type, protocol);
	message_queue_init(&n->incoming);
	*out = &n->base;
	return 0;
}

int netlink_socket_of(struct file *file, struct socket **out)
{
	struct socket *s = socket_from_file(file);

	if (!s)
		return -ENOTSOCK;
	if (s->ops != &netlink_ops)
		return -EINVAL;
	if (!has_room(s))
		return -EAGAIN;
	*out = socket_get(s);
	return 0;
}

const struct socket_family_ops netlink_family = { .family = LINUX_AF_NETLINK,
						  .create = netlink_create };
