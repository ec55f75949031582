/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options of internet sockets.  On loopback without packets most have nothing to
 * act on: they are checked, kept and given back.
 */
#include <errno.h>
#include <string.h>

#include "sentry/net/inet/inet.h"
#include "util/checked.h"

/* What getsockopt says of options never set; -1: not an option that we know. */
static int tcp_default(int name)
{
	switch (name) {
	case LINUX_TCP_NODELAY:
	case LINUX_TCP_CORK:
	case LINUX_TCP_DEFER_ACCEPT:
	case LINUX_TCP_USER_TIMEOUT:
	case LINUX_TCP_FASTOPEN:
		return 0;
	case LINUX_TCP_MAXSEG:
		return 65483;
	case LINUX_TCP_KEEPIDLE:
		return 7200;
	case LINUX_TCP_KEEPINTVL:
		return 75;
	case LINUX_TCP_KEEPCNT:
		return 9;
	case LINUX_TCP_SYNCNT:
		return 6;
	case LINUX_TCP_LINGER2:
		return 60;
	case LINUX_TCP_QUICKACK:
		return 1;
	default:
		return -1;
	}
}

static int ip_default(int level, int name)
{
	if (level == LINUX_SOL_IPV6) {
		switch (name) {
		case LINUX_IPV6_UNICAST_HOPS:
			return 64;
		case LINUX_IPV6_MULTICAST_HOPS:
		case LINUX_IPV6_MULTICAST_LOOP:
			return 1;
		case LINUX_IPV6_MULTICAST_IF:
		case LINUX_IPV6_MTU_DISCOVER:
		case LINUX_IPV6_RECVERR:
		case LINUX_IPV6_V6ONLY:
		case LINUX_IPV6_RECVPKTINFO:
		case LINUX_IPV6_TCLASS:
			return 0;
		default:
			return -1;
		}
	}
	switch (name) {
	case LINUX_IP_TTL:
		return 64;
	case LINUX_IP_MULTICAST_TTL:
	case LINUX_IP_MULTICAST_LOOP:
	case LINUX_IP_MTU_DISCOVER:
		return 1;
	case LINUX_IP_TOS:
	case LINUX_IP_PKTINFO:
	case LINUX_IP_RECVERR:
	case LINUX_IP_RECVTTL:
	case LINUX_IP_RECVTOS:
	case LINUX_IP_BIND_ADDRESS_NO_PORT:
	case LINUX_IP_MULTICAST_IF:
		return 0;
	default:
		return -1;
	}
}

/* The place of an option's value (kept as difference from its default); NULL: unknown. */
static int32_t *slot(struct socket *s, int level, int name, int *standard)
{
	struct inet_socket *i = inet_of(s);

	if (name < 0 || name >= INET_OPTIONS)
		return NULL;
	if (level == LINUX_SOL_TCP && s->protocol == LINUX_IPPROTO_TCP) {
		*standard = tcp_default(name);
		return *standard < 0 ? NULL : &i->tcp_options[name];
	}
	if (level == LINUX_SOL_IP || (level == LINUX_SOL_IPV6 && s->family == LINUX_AF_INET6)) {
		*standard = ip_default(level, name);
		return *standard < 0 ? NULL : &i->ip_options[name];
	}
	return NULL;
}

int inet_setsockopt(struct socket *s, int level, int name, const void *value, uint32_t size)
{
	struct inet_socket *i = inet_of(s);
	int32_t number, *place;
	int standard = 0;

	if (level == LINUX_SOL_SOCKET)
		return name == LINUX_SO_PASSCRED ? -EOPNOTSUPP :
						   socket_set_option(s, name, value, size);
	if (level == LINUX_SOL_TCP && name == LINUX_TCP_CONGESTION)
		return size >= 5 && !memcmp(value, "cubic", 5) ? 0 : -ENOENT;
	place = slot(s, level, name, &standard);
	if (!place)
		return -ENOPROTOOPT;
	if (size >= sizeof(number))
		memcpy(&number, value, sizeof(number));
	else if (size && level == LINUX_SOL_IP)
		number = *(const uint8_t *)value;
	else
		return -EINVAL;
	mutex_lock(&s->lock);
	*place = number - standard;
	if (level == LINUX_SOL_IPV6 && name == LINUX_IPV6_V6ONLY && !i->bound)
		i->v6_only = number != 0;
	mutex_unlock(&s->lock);
	return 0;
}

static int get_tcp_info(struct socket *s, void *value, uint32_t *size)
{
	uint8_t info[104] = { 0 }; /* struct tcp_info up to tcpi_total_retrans */

	mutex_lock(&s->lock);
	switch (unix_socket_of(s)->state) {
	case UNIX_LISTENING:
		info[0] = LINUX_TCP_LISTEN;
		break;
	case UNIX_CONNECTED:
		info[0] = LINUX_TCP_ESTABLISHED;
		break;
	case UNIX_CLOSED:
		info[0] = LINUX_TCP_CLOSE;
		break;
	}
	mutex_unlock(&s->lock);
	*size = MIN(*size, (uint32_t)sizeof(info));
	memcpy(value, info, *size);
	return 0;
}

int inet_getsockopt(struct socket *s, int level, int name, void *value, uint32_t *size)
{
	int32_t number, *place;
	int standard = 0;

	if (level == LINUX_SOL_SOCKET && name == LINUX_SO_ACCEPTCONN) {
		mutex_lock(&s->lock);
		number = unix_socket_of(s)->state == UNIX_LISTENING;
		mutex_unlock(&s->lock);
	} else if (level == LINUX_SOL_SOCKET) {
		return socket_get_option(s, name, value, size);
	} else if (level == LINUX_SOL_TCP && name == LINUX_TCP_INFO &&
		   s->protocol == LINUX_IPPROTO_TCP) {
		return get_tcp_info(s, value, size);
	} else if (level == LINUX_SOL_TCP && name == LINUX_TCP_CONGESTION &&
		   s->protocol == LINUX_IPPROTO_TCP) {
		char algorithm[16] = "cubic";

		*size = MIN(*size, (uint32_t)sizeof(algorithm));
		memcpy(value, algorithm, *size);
		return 0;
	} else {
		place = slot(s, level, name, &standard);
		if (!place)
			return -ENOPROTOOPT;
		mutex_lock(&s->lock);
		number = *place + standard;
		mutex_unlock(&s->lock);
	}
	*size = MIN(*size, (uint32_t)sizeof(number));
	memcpy(value, &number, *size);
	return 0;
}
