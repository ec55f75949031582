/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AF_INET and AF_INET6, whoever provides them: which sockets there are and who may
 * have one.
 */
#include <errno.h>
#include <stddef.h>

#include "sentry/abi/capability.h"
#include "sentry/net/inet/inet.h"
#include "sentry/net/inet/provider.h"
#include "sentry/net/net_namespace.h"

/* Raw sockets are not there, which only who might have one learns. */
static int refuse_raw(const struct net_namespace *net, int protocol)
{
	if (!protocol)
		return -EPROTONOSUPPORT;
	return net_namespace_capable(net, LINUX_CAP_NET_RAW) ? net->provider->refuse_raw : -EPERM;
}

static int create(struct net_namespace *net, int family, int type, int protocol, struct socket **out)
{
	int ping = family == LINUX_AF_INET ? LINUX_IPPROTO_ICMP : LINUX_IPPROTO_ICMPV6;

	if (protocol < 0 || protocol >= LINUX_IPPROTO_MAX)
		return -EINVAL;
	if (type == LINUX_SOCK_RAW)
		return refuse_raw(net, protocol);
	if (type != LINUX_SOCK_STREAM && type != LINUX_SOCK_DGRAM)
		return -ESOCKTNOSUPPORT;
	if (type == LINUX_SOCK_DGRAM && protocol == ping)
		return net_namespace_may_ping(net) ?
			       net->provider->create(net, family, type, protocol, out) :
			       -EACCES;
	if (!protocol)
		protocol = type == LINUX_SOCK_STREAM ? LINUX_IPPROTO_TCP : LINUX_IPPROTO_UDP;
	if (protocol != (type == LINUX_SOCK_STREAM ? LINUX_IPPROTO_TCP : LINUX_IPPROTO_UDP))
		return -EPROTONOSUPPORT;
	return net->provider->create(net, family, type, protocol, out);
}

static int create4(struct net_namespace *net, int type, int protocol, struct socket **out)
{
	return create(net, LINUX_AF_INET, type, protocol, out);
}

static int create6(struct net_namespace *net, int type, int protocol, struct socket **out)
{
	return create(net, LINUX_AF_INET6, type, protocol, out);
}

const struct socket_family_ops inet_family = { .family = LINUX_AF_INET, .create = create4 };
const struct socket_family_ops inet6_family = { .family = LINUX_AF_INET6, .create = create6 };
