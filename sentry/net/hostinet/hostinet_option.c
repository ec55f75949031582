/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options.  Those of the table (host_inet_option.h) are the host's, with its checks and
 * results; what concerns how a guest waits, who it is, or what it may do is the sentry's.
 */
#include <errno.h>
#include <string.h>

#include "sentry/host/host_inet.h"
#include "sentry/host/host_inet_option.h"
#include "sentry/net/hostinet/hostinet.h"
#include "util/checked.h"

/* SOL_SOCKET options that the sentry keeps and answers itself. */
static bool is_own(int name)
{
	switch (name) {
	case LINUX_SO_TYPE:
	case LINUX_SO_DOMAIN:
	case LINUX_SO_PROTOCOL:
	case LINUX_SO_RCVTIMEO:
	case LINUX_SO_SNDTIMEO:
	case LINUX_SO_RCVTIMEO_NEW:
	case LINUX_SO_SNDTIMEO_NEW:
	case LINUX_SO_LINGER:
	case LINUX_SO_DEBUG:
	case LINUX_SO_MARK:
	case LINUX_SO_BSDCOMPAT:
	case LINUX_SO_COOKIE:
	case LINUX_SO_NETNS_COOKIE:
	case LINUX_SO_PASSPIDFD:
		return true;
	default:
		return false;
	}
}

static int set_host(struct socket *s, int level, int name, const void *value, uint32_t size)
{
	const struct host_inet_option *o = host_inet_option_find(level, name, HOST_INET_SET);

	if (!o)
		return -ENOPROTOOPT;
	return host_inet_set_option(hostinet_of(s)->fd, level, name, value, MIN(size, (uint32_t)o->size));
}

/*
 * The host's close of a socket that lingers would hold up a thread of the sentry.  The guest's
 * gets the answer it expects, and its close does not wait; a reset (no time at all) is the host's.
 */
static int set_linger(struct socket *s, const void *value, uint32_t size)
{
	struct linux_linger linger;
	int rc = socket_set_option(s, LINUX_SO_LINGER, value, size);

	if (rc)
		return rc;
	memcpy(&linger, value, sizeof(linger));
	if (linger.seconds)
		linger.on = 0;
	return set_host(s, LINUX_SOL_SOCKET, LINUX_SO_LINGER, &linger, sizeof(linger));
}

/* With rights that the sentry does not have over the host, so as far as it goes without. */
static int set_with_right(struct socket *s, int name, const void *value, uint32_t size)
{
	int rc = socket_set_option(s, name, value, size);

	if (rc)
		return rc;
	switch (name) {
	case LINUX_SO_SNDBUFFORCE:
		return set_host(s, LINUX_SOL_SOCKET, LINUX_SO_SNDBUF, value, size);
	case LINUX_SO_RCVBUFFORCE:
		return set_host(s, LINUX_SOL_SOCKET, LINUX_SO_RCVBUF, value, size);
	default: /* LINUX_SO_PRIORITY, LINUX_SO_RCVLOWAT: the sentry's value is looked at as well */
		return set_host(s, LINUX_SOL_SOCKET, name, value, size);
	}
}

/* Of these levels a short value is wrong before the name is. */
static bool is_too_short(const struct socket *s, int level, int name, uint32_t size)
{
	if (size >= sizeof(int32_t))
		return false;
	return level == LINUX_SOL_SOCKET ? name != LINUX_SO_BINDTODEVICE :
					   level == LINUX_SOL_TCP && s->protocol == LINUX_IPPROTO_TCP &&
						   name != LINUX_TCP_CONGESTION;
}

int hostinet_setsockopt(struct socket *s, int level, int name, const void *value, uint32_t size)
{
	if (is_too_short(s, level, name, size))
		return -EINVAL;
	if (level != LINUX_SOL_SOCKET)
		return set_host(s, level, name, value, size);
	switch (name) {
	case LINUX_SO_LINGER:
		return set_linger(s, value, size);
	case LINUX_SO_SNDBUFFORCE:
	case LINUX_SO_RCVBUFFORCE:
	case LINUX_SO_PRIORITY:
	case LINUX_SO_RCVLOWAT:
		return set_with_right(s, name, value, size);
	case LINUX_SO_PASSCRED:
		return -EOPNOTSUPP;
	case LINUX_SO_MARK: /* marks mean something to the host's packet filters */
		return -EPERM;
	default:
		return is_own(name) ? socket_set_option(s, name, value, size) :
				      set_host(s, level, name, value, size);
	}
}

static int get_error(struct socket *s, void *value, uint32_t *size)
{
	int32_t error = -socket_take_error(s);

	if (!error)
		return host_inet_get_option(hostinet_of(s)->fd, LINUX_SOL_SOCKET, LINUX_SO_ERROR,
					    value, size);
	*size = MIN(*size, (uint32_t)sizeof(error));
	memcpy(value, &error, *size);
	return 0;
}

int hostinet_getsockopt(struct socket *s, int level, int name, void *value, uint32_t *size)
{
	const struct host_inet_option *o;

	if (level == LINUX_SOL_SOCKET && name == LINUX_SO_ERROR)
		return get_error(s, value, size);
	if (level == LINUX_SOL_SOCKET && is_own(name))
		return socket_get_option(s, name, value, size);
	o = host_inet_option_find(level, name, HOST_INET_GET);
	if (!o)
		return s->family == LINUX_AF_INET && level != LINUX_SOL_SOCKET && level != LINUX_SOL_IP &&
				       level != s->protocol ? -EOPNOTSUPP : -ENOPROTOOPT;
	*size = MIN(*size, (uint32_t)o->size);
	return host_inet_get_option(hostinet_of(s)->fd, level, name, value, size);
}
