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

static bool overlaps(const struct inet_socket *a, const struct inet_socket *b)
{
	bool a_v6 = a->local.base.family == LINUX_AF_INET6, b_v6 = b->local.base.family == LINUX_AF_INET6;

	/* An IPv6-only socket and an IPv4 one never meet. */
	if ((a->v6_only && !b_v6) || (b->v6_only && !a_v6))
		return false;
	if (inet_is_any(&a->own) || inet_is_any(&b->own))
		return a_v6 == b_v6 || inet_is_any(a_v6 ? &a->own : &b->own);
	return !memcmp(a->own.addr, b->own.addr, sizeof(a->own.addr));
}

static bool may_share(const struct inet_socket *a, const struct inet_socket *b)
{
	const struct socket *sa = &a->local.base, *sb = &b->local.base;

	if (socket_option(sa, LINUX_SO_REUSEPORT) && socket_option(sb, LINUX_SO_REUSEPORT))
		return true;
	return socket_option(sa, LINUX_SO_REUSEADDR) && socket_option(sb, LINUX_SO_REUSEADDR) &&
	       a->local.state != UNIX_LISTENING && b->local.state != UNIX_LISTENING;
}

static bool conflict_locked(struct net_namespace *net, const struct inet_socket *i, uint16_t port)
{
	int protocol = i->local.base.protocol;
	struct hash_node *node;

	hash_table_for_each_hash(node, &net->ports, port_hash(protocol, port)) {
		struct inet_socket *other = of_node(node);

		if (other->local.base.protocol == protocol && other->own.port == port &&
		    overlaps(other, i) && !may_share(other, i))
			return true;
	}
	return false;
}

static int pick_locked(struct net_namespace *net, const struct inet_socket *i, uint16_t *port)
{
	for (uint32_t n = 0; n < PORT_COUNT; n++) {
		*port = (uint16_t)(PORT_FIRST + net->next_port++ % PORT_COUNT);
		if (!conflict_locked(net, i, *port))
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
		else if (conflict_locked(s->net, i, port))
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

static bool receives(struct inet_socket *i, int protocol, const struct inet_name *name, bool listening)
{
	bool v4 = !i->own.addr[0] && i->own.addr[10] == 0xff;
	bool to_v4 = name->addr[10] == 0xff && name->addr[11] == 0xff;

	if (i->local.base.protocol != protocol || i->own.port != name->port)
		return false;
	if (listening && i->local.state != UNIX_LISTENING)
		return false;
	if (!inet_is_any(&i->own))
		return !memcmp(i->own.addr, name->addr, sizeof(name->addr));
	return to_v4 ? v4 || !i->v6_only : !v4;
}

struct inet_socket *inet_find(struct net_namespace *net, int protocol, const struct inet_name *name,
			      bool listening)
{
	struct inet_socket *found = NULL;
	struct hash_node *node;

	mutex_lock(&net->lock);
	hash_table_for_each_hash(node, &net->ports, port_hash(protocol, name->port)) {
		struct inet_socket *i = of_node(node);

		/* An exact address goes before the any address. */
		if (receives(i, protocol, name, listening) && (!found || inet_is_any(&found->own)))
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
