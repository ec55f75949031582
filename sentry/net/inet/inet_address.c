/* SPDX-License-Identifier: Apache-2.0 */
/* Internet addresses of the loopback network: between sockaddr and one internal form. */
#include <errno.h>
#include <string.h>

#include "sentry/net/inet/inet.h"

static const uint8_t v4_prefix[12] = { [10] = 0xff, [11] = 0xff };
static const uint8_t v6_loopback[16] = { [15] = 1 };
static const uint8_t v6_any[16];

bool inet_is_v4(const struct inet_name *name)
{
	return !memcmp(name->addr, v4_prefix, sizeof(v4_prefix));
}

int inet_name_from(const struct socket *s, const struct socket_address *addr, struct inet_name *out)
{
	if (s->family == LINUX_AF_INET) {
		if (addr->size < sizeof(addr->in))
			return -EINVAL;
		/* Linux takes AF_UNSPEC for the any address. */
		if (addr->family != LINUX_AF_INET &&
		    !(addr->family == LINUX_AF_UNSPEC && !addr->in.addr))
			return -EAFNOSUPPORT;
		memcpy(out->addr, v4_prefix, sizeof(v4_prefix));
		memcpy(out->addr + sizeof(v4_prefix), &addr->in.addr, 4);
		out->port = __builtin_bswap16(addr->in.port);
		return 0;
	}
	if (addr->size < offsetof(struct linux_sockaddr_in6, scope_id))
		return -EINVAL;
	if (addr->family != LINUX_AF_INET6)
		return -EAFNOSUPPORT;
	memcpy(out->addr, addr->in6.addr, sizeof(out->addr));
	out->port = __builtin_bswap16(addr->in6.port);
	return 0;
}

void inet_name_to(const struct socket *s, const struct inet_name *name, struct socket_address *out)
{
	*out = (struct socket_address){ 0 };
	if (s->family == LINUX_AF_INET) {
		out->size = sizeof(out->in);
		out->in.family = LINUX_AF_INET;
		out->in.port = __builtin_bswap16(name->port);
		memcpy(&out->in.addr, name->addr + sizeof(v4_prefix), 4);
		return;
	}
	out->size = sizeof(out->in6);
	out->in6.family = LINUX_AF_INET6;
	out->in6.port = __builtin_bswap16(name->port);
	memcpy(out->in6.addr, name->addr, sizeof(name->addr));
}

bool inet_is_any(const struct inet_name *name)
{
	static const uint8_t zero[4];

	return !memcmp(name->addr, v6_any, sizeof(v6_any)) ||
	       (inet_is_v4(name) && !memcmp(name->addr + 12, zero, sizeof(zero)));
}

bool inet_is_loopback(const struct inet_name *name)
{
	return (inet_is_v4(name) && name->addr[12] == 127) ||
	       !memcmp(name->addr, v6_loopback, sizeof(v6_loopback));
}

int inet_route(struct inet_name *name)
{
	if (inet_is_any(name)) {
		if (inet_is_v4(name)) {
			name->addr[12] = 127;
			name->addr[15] = 1;
		} else {
			memcpy(name->addr, v6_loopback, sizeof(v6_loopback));
		}
	}
	return inet_is_loopback(name) ? 0 : -ENETUNREACH;
}
