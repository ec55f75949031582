/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ports: a table per network namespace of the sockets that are bound.  A socket
 * is in it from bind to close, so what is found there is alive.
 */
#include <errno.h>
#include <string.h>

#include "sentry/net/inet/inet.h"
#include "sentry/net/net_namespace.h"
#include "util/hash.h"

#define PORT_FIRST 32768U /* net.ipv4.ip_local_port_range */
#define PORT_COUNT 28232U

static uint64_t port_hash(int protocol, uint16_t port)
{
	return hash_u64((uint64_t)(unsigned)protocol << 16 | port);
}

static struct inet_socket *of_node(struct hash_node *node)
{
	return container_of(node, struct inet_socket, port_node);
}

/* There is an address that both receive: a name says whether of IPv4, or of IPv6, and in "::" of both. */
static bool overlaps(const struct inet_socket *a, const struct inet_socket *b)
{
	bool a_v4 = inet_is_v4(&a->own), b_v4 = inet_is_v4(&b->own);
	const struct inet_socket *v6 = a_v4 ? b : a;

	if (a_v4 != b_v4)
		return inet_is_any(&v6->own) && !v6->v6_only;
	return inet_is_any(&a->own) || inet_is_any(&b->own) ||
	       !memcmp(a->own.addr, b->own.addr, sizeof(a->own.addr));
}

static bool may_share(const struct inet_socket *i, const struct inet_socket *other)
{
	const struct socket *s = &i->local.base, *o = &other->local.base;

	if (socket_option(s, LINUX_SO_REUSEPORT) && socket_option(o, LINUX_SO_REUSEPORT) && s->uid == o->uid)
		return true;
	return socket_option(s, LINUX_SO_REUSEADDR) && socket_option(o, LINUX_SO_REUSEADDR) &&
	       other->local.state != UNIX_LISTENING;
}

/* @alone: what they would share counts, too. */
static bool conflict_locked(struct net_namespace *net, const struct inet_socket *i, uint16_t port, bool alone)
{
	int protocol = i->local.base.protocol;
	struct hash_node *node;

	hash_table_for_each_hash(node, &net->ports, port_hash(protocol, port)) {
		struct inet_socket *other = of_node(node);

		if (other != i && other->local.base.protocol == protocol && other->own.port == port &&
		    overlaps(other, i) && (alone || !may_share(i, other)))
			return true;
	}
	return false;
}

/* One that nobody has, whatever the options. */
static int pick_locked(struct net_namespace *net, const struct inet_socket *i, uint16_t *port)
{
	for (uint32_t n = 0; n < PORT_COUNT; n++) {
		*port = (uint16_t)(PORT_FIRST + net->next_port++ % PORT_COUNT);
		if (!conflict_locked(net, i, *port, true))
			return 0;
	}
	return -EADDRINUSE;
}

/* Enters @i under @name; port 0: any free one. */
static int enter(struct inet_socket *i, const struct inet_name *name)
{
	struct socket *s = &i->local.base;
	uint16_t port = name->port;
	int rc = 0;

	mutex_lock(&s->net->lock);
	mutex_lock(&s->lock);
	if (i->bound)
		rc = -EINVAL;
	if (!rc) {
		i->own = *name;
		if (!port)
			rc = pick_locked(s->net, i, &port);
		else if (conflict_locked(s->net, i, port, false))
			rc = -EADDRINUSE;
	}
	if (!rc) {
		i->own.port = port;
		i->bound = true;
		hash_table_insert(&s->net->ports, &i->port_node, port_hash(s->protocol, port));
	} else if (!i->bound) {
		memset(&i->own, 0, sizeof(i->own));
	}
	mutex_unlock(&s->lock);
	mutex_unlock(&s->net->lock);
	return rc;
}

int inet_bind(struct socket *s, const struct socket_address *addr)
{
	struct inet_name name;
	int rc = inet_name_from(s, addr, &name);

	if (rc)
		return rc;
	if (!inet_is_any(&name) && !inet_is_loopback(&name))
		return -EADDRNOTAVAIL;
	if (!net_namespace_may_bind(s->net, name.port))
		return -EACCES;
	if (inet_of(s)->v6_only && inet_is_v4(&name))
		return -EINVAL;
	return enter(inet_of(s), &name);
}

int inet_autobind(struct inet_socket *i, const struct inet_name *remote)
{
	struct inet_name name = { 0 };
	int rc;

	memcpy(name.addr, remote->addr, sizeof(name.addr));
	rc = enter(i, &name);
	return rc == -EINVAL ? 0 : rc;
}

/* Only one of those that share a port by SO_REUSEADDR may listen. */
int inet_listen_bound(struct inet_socket *i, int backlog)
{
	struct net_namespace *net = i->local.base.net;
	int rc = 0;

	mutex_lock(&net->lock);
	if (i->bound && i->local.state == UNIX_CLOSED && conflict_locked(net, i, i->own.port, false))
		rc = -EADDRINUSE;
	if (!rc)
		rc = unix_listen(&i->local.base, backlog);
	mutex_unlock(&net->lock);
	return rc;
}

static bool receives(struct inet_socket *i, int protocol, const struct inet_name *name, bool listening)
{
	bool v4 = inet_is_v4(&i->own), to_v4 = inet_is_v4(name);

	if (i->local.base.protocol != protocol || i->own.port != name->port)
		return false;
	if (listening && i->local.state != UNIX_LISTENING)
		return false;
	if (!inet_is_any(&i->own))
		return !memcmp(i->own.addr, name->addr, sizeof(name->addr));
	return to_v4 ? v4 || !i->v6_only : !v4;
}

/* An exact address goes before the any address, a socket of the address's own family before the other. */
static int rank(const struct inet_socket *i, const struct inet_name *name)
{
	return (inet_is_any(&i->own) ? 0 : 2) + ((i->local.base.family == LINUX_AF_INET) == inet_is_v4(name));
}

struct inet_socket *inet_find(struct net_namespace *net, int protocol, const struct inet_name *name,
			      bool listening)
{
	struct inet_socket *found = NULL;
	struct hash_node *node;

	mutex_lock(&net->lock);
	hash_table_for_each_hash(node, &net->ports, port_hash(protocol, name->port)) {
		struct inet_socket *i = of_node(node);

		if (receives(i, protocol, name, listening) && (!found || rank(i, name) > rank(found, name)))
			found = i;
	}
	if (found)
		unix_get(&found->local);
	mutex_unlock(&net->lock);
	return found;
}

void inet_unbind(struct unix_socket *u)
{
	struct inet_socket *i = container_of(u, struct inet_socket, local);
	struct net_namespace *net = u->base.net;

	mutex_lock(&net->lock);
	if (i->bound)
		hash_table_remove(&net->ports, &i->port_node);
	i->bound = false;
	mutex_unlock(&net->lock);
}
