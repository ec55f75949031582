/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sentry's own sockets of a network namespace, one by one.  References are taken
 * under the lock of the list, and the sockets asked without it.
 */
#include <errno.h>
#include <stdlib.h>

#include "sentry/net/inet/provider.h"
#include "sentry/net/net_namespace.h"
#include "sentry/net/socket.h"

#define SLACK 64

static bool is_listed(const struct socket *s, int family, int protocol)
{
	return s->family == family && s->protocol == protocol;
}

static size_t count_listed(struct net_namespace *net, int family, int protocol)
{
	struct socket *s;
	size_t count = 0;

	mutex_lock(&net->sockets_lock);
	list_for_each(s, &net->sockets, net_node)
		count += is_listed(s, family, protocol);
	mutex_unlock(&net->sockets_lock);
	return count;
}

/* A reference on each socket of the kind, but those that many came meanwhile; NULL: no memory. */
static struct socket **collect(struct net_namespace *net, int family, int protocol, size_t *count)
{
	size_t room = count_listed(net, family, protocol) + SLACK, used = 0;
	struct socket **list = calloc(room, sizeof(struct socket *));
	struct socket *s;

	if (!list)
		return NULL;
	mutex_lock(&net->sockets_lock);
	list_for_each(s, &net->sockets, net_node) {
		if (used < room && is_listed(s, family, protocol) &&
		    refcount_get_unless_zero(&s->refs))
			list[used++] = s;
	}
	mutex_unlock(&net->sockets_lock);
	*count = used;
	return list;
}

int net_each_socket(struct net_namespace *net, int family, int protocol, net_each_fn *fn, void *arg)
{
	size_t count;
	struct socket **list = collect(net, family, protocol, &count);

	if (!list)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		fn(arg, list[i]);
		socket_put(list[i]);
	}
	free(list);
	return 0;
}

struct visit {
	net_socket_visit *fn;
	void *arg;
};

static void describe(void *arg, struct socket *s)
{
	struct net_socket_entry entry = { .family = (uint8_t)s->family, .protocol = (uint8_t)s->protocol };
	const struct visit *v = arg;

	if (!s->ops->describe)
		return;
	s->ops->describe(s, &entry);
	entry.ino = s->ino;
	entry.uid = s->uid;
	v->fn(v->arg, &entry);
}

int net_visit_sockets(struct net_namespace *net, uint8_t family, uint8_t protocol,
		      net_socket_visit *visit, void *arg)
{
	struct visit v = { visit, arg };

	return net_each_socket(net, family, protocol, describe, &v);
}
