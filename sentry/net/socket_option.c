/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options of SOL_SOCKET that all families share.  Boolean options are bits
 * named by their number; what has an effect looks at the bit or the field.
 */
#include <errno.h>
#include <string.h>

#include "sentry/abi/capability.h"
#include "sentry/abi/epoll.h"
#include "sentry/abi/time.h"
#include "sentry/kernel/task.h"
#include "sentry/net/net_namespace.h"
#include "sentry/net/socket.h"
#include "sentry/vfs/file.h"
#include "util/checked.h"

#define BUFFER_MAX 212992 /* net.core.{r,w}mem_max */
#define SEND_BUFFER_MIN 4608
#define RECEIVE_BUFFER_MIN 2304

/* Of these Linux asks over the machine, not over the socket's network. */
static bool may_everywhere(int capability)
{
	struct task *t = task_current();

	return t && credentials_root_capable(t->cred, capability);
}

static bool may_raw_or_admin(const struct socket *s)
{
	return net_namespace_capable(s->net, LINUX_CAP_NET_RAW) ||
	       net_namespace_capable(s->net, LINUX_CAP_NET_ADMIN);
}

static int get_int(const void *value, uint32_t size, int32_t *out)
{
	if (size < sizeof(*out))
		return -EINVAL;
	memcpy(out, value, sizeof(*out));
	return 0;
}

static bool is_boolean(int name)
{
	switch (name) {
	case LINUX_SO_DEBUG:
	case LINUX_SO_REUSEADDR:
	case LINUX_SO_DONTROUTE:
	case LINUX_SO_BROADCAST:
	case LINUX_SO_KEEPALIVE:
	case LINUX_SO_OOBINLINE:
	case LINUX_SO_NO_CHECK:
	case LINUX_SO_REUSEPORT:
	case LINUX_SO_PASSCRED:
	case LINUX_SO_TIMESTAMP:
	case LINUX_SO_PASSPIDFD:
		return true;
	default:
		return false;
	}
}

static int set_boolean(struct socket *s, int name, const void *value, uint32_t size)
{
	int32_t on;

	if (get_int(value, size, &on))
		return -EINVAL;
	if (name == LINUX_SO_PASSPIDFD && s->family != LINUX_AF_UNIX)
		return -EOPNOTSUPP;
	if (name == LINUX_SO_DEBUG && on && !may_everywhere(LINUX_CAP_NET_ADMIN))
		return -EACCES;
	if (on)
		atomic_fetch_or(&s->option_bits, socket_option_bit(name));
	else
		atomic_fetch_and(&s->option_bits, ~socket_option_bit(name));
	return 0;
}

/* What was asked for, doubled for bookkeeping as Linux does. */
static void set_send_buffer(struct socket *s, int32_t value, bool force)
{
	uint32_t wanted = force ? (uint32_t)MAX(value, 0) : MIN((uint32_t)value, BUFFER_MAX);

	s->send_buffer = MAX(MIN(wanted, (uint32_t)INT32_MAX / 2) * 2, SEND_BUFFER_MIN);
	wait_queue_wake(&s->queue, LINUX_EPOLLOUT | LINUX_EPOLLWRNORM);
}

static void set_receive_buffer(struct socket *s, int32_t value, bool force)
{
	uint32_t wanted = force ? (uint32_t)MAX(value, 0) : MIN((uint32_t)value, BUFFER_MAX);

	s->receive_buffer = MAX(MIN(wanted, (uint32_t)INT32_MAX / 2) * 2, RECEIVE_BUFFER_MIN);
}

static int set_timeout(struct socket *s, int name, const void *value, uint32_t size)
{
	struct linux_timeval time;
	uint64_t ns = 0;

	if (size < sizeof(time))
		return -EINVAL;
	memcpy(&time, value, sizeof(time));
	if (time.usec < 0 || time.usec >= (int64_t)USEC_PER_SEC)
		return -EDOM;
	if (time.sec < 0)
		ns = 1; /* as Linux: do not wait at all */
	else if (mul_overflows((uint64_t)time.sec, NSEC_PER_SEC, &ns) ||
		 add_overflows(ns, (uint64_t)time.usec * NSEC_PER_USEC, &ns) || ns > INT64_MAX / 2)
		ns = 0;
	if (!s->file)
		return 0;
	if (name == LINUX_SO_RCVTIMEO || name == LINUX_SO_RCVTIMEO_NEW)
		s->file->read_timeout_ns = ns;
	else
		s->file->write_timeout_ns = ns;
	return 0;
}

static int set_linger(struct socket *s, const void *value, uint32_t size)
{
	if (size < sizeof(struct linux_linger))
		return -EINVAL;
	mutex_lock(&s->lock);
	memcpy(&s->linger, value, sizeof(s->linger));
	s->linger.on = s->linger.on != 0;
	mutex_unlock(&s->lock);
	return 0;
}

static int set_number(struct socket *s, int name, int32_t value)
{
	switch (name) {
	case LINUX_SO_SNDBUF:
		set_send_buffer(s, value, false);
		return 0;
	case LINUX_SO_RCVBUF:
		set_receive_buffer(s, value, false);
		return 0;
	case LINUX_SO_SNDBUFFORCE:
	case LINUX_SO_RCVBUFFORCE:
		if (!may_everywhere(LINUX_CAP_NET_ADMIN))
			return -EPERM;
		if (name == LINUX_SO_SNDBUFFORCE)
			set_send_buffer(s, value, true);
		else
			set_receive_buffer(s, value, true);
		return 0;
	case LINUX_SO_PRIORITY:
		if ((value < 0 || value > 6) && !may_raw_or_admin(s))
			return -EPERM;
		s->priority = value;
		return 0;
	case LINUX_SO_RCVLOWAT:
		s->low_water = value < 0 ? INT32_MAX : MAX(value, 1);
		return 0;
	case LINUX_SO_MARK:
		if (!may_raw_or_admin(s))
			return -EPERM;
		s->mark = value;
		return 0;
	case LINUX_SO_BSDCOMPAT:
		return 0;
	default: /* includes the read-only TYPE, ERROR, PROTOCOL, DOMAIN, SNDLOWAT */
		return -ENOPROTOOPT;
	}
}

int socket_set_option(struct socket *s, int name, const void *value, uint32_t size)
{
	int32_t number;

	if (name == LINUX_SO_BINDTODEVICE) {
		if (!size || !((const char *)value)[0])
			return 0; /* back to any device */
		return size >= 2 && !memcmp(value, "lo", MIN(size, 3U)) ? 0 : -ENODEV;
	}
	if (get_int(value, size, &number))
		return -EINVAL;
	if (is_boolean(name))
		return set_boolean(s, name, value, size);
	switch (name) {
	case LINUX_SO_RCVTIMEO:
	case LINUX_SO_SNDTIMEO:
	case LINUX_SO_RCVTIMEO_NEW:
	case LINUX_SO_SNDTIMEO_NEW:
		return set_timeout(s, name, value, size);
	case LINUX_SO_LINGER:
		return set_linger(s, value, size);
	default:
		return set_number(s, name, number);
	}
}

/* --- reading ------------------------------------------------------------------------ */

static int get_number(struct socket *s, int name, int32_t *out)
{
	if (name == LINUX_SO_PASSPIDFD && s->family != LINUX_AF_UNIX)
		return -EOPNOTSUPP;
	if (is_boolean(name)) {
		*out = socket_option(s, name);
		return 0;
	}
	switch (name) {
	case LINUX_SO_TYPE:
		*out = s->type;
		return 0;
	case LINUX_SO_DOMAIN:
		*out = s->family;
		return 0;
	case LINUX_SO_PROTOCOL:
		*out = s->protocol;
		return 0;
	case LINUX_SO_ERROR:
		*out = -socket_take_error(s);
		return 0;
	case LINUX_SO_SNDBUF:
		*out = (int32_t)s->send_buffer;
		return 0;
	case LINUX_SO_RCVBUF:
		*out = (int32_t)s->receive_buffer;
		return 0;
	case LINUX_SO_PRIORITY:
		*out = s->priority;
		return 0;
	case LINUX_SO_MARK:
		*out = s->mark;
		return 0;
	case LINUX_SO_RCVLOWAT:
		*out = s->low_water;
		return 0;
	case LINUX_SO_SNDLOWAT:
		*out = 1;
		return 0;
	case LINUX_SO_BSDCOMPAT:
		*out = 0;
		return 0;
	default:
		return -ENOPROTOOPT;
	}
}

static void store(void *value, uint32_t *size, const void *from, uint32_t from_size)
{
	*size = MIN(*size, from_size);
	memcpy(value, from, *size);
}

static struct linux_timeval timeout_of(struct socket *s, int name)
{
	uint64_t ns = 0;

	if (s->file && (name == LINUX_SO_RCVTIMEO || name == LINUX_SO_RCVTIMEO_NEW))
		ns = s->file->read_timeout_ns;
	else if (s->file)
		ns = s->file->write_timeout_ns;
	return (struct linux_timeval){ (int64_t)(ns / NSEC_PER_SEC),
				       (int64_t)(ns % NSEC_PER_SEC / NSEC_PER_USEC) };
}

int socket_get_option(struct socket *s, int name, void *value, uint32_t *size)
{
	struct linux_timeval time;
	struct linux_linger linger;
	int32_t number;
	uint64_t cookie;
	int rc;

	switch (name) {
	case LINUX_SO_RCVTIMEO:
	case LINUX_SO_SNDTIMEO:
	case LINUX_SO_RCVTIMEO_NEW:
	case LINUX_SO_SNDTIMEO_NEW:
		time = timeout_of(s, name);
		store(value, size, &time, sizeof(time));
		return 0;
	case LINUX_SO_LINGER:
		mutex_lock(&s->lock);
		linger = s->linger;
		mutex_unlock(&s->lock);
		store(value, size, &linger, sizeof(linger));
		return 0;
	case LINUX_SO_BINDTODEVICE:
		*size = 0;
		return 0;
	case LINUX_SO_COOKIE: /* by which sock_diag knows it, too */
		if (*size < sizeof(cookie))
			return -EINVAL;
		cookie = s->ino;
		store(value, size, &cookie, sizeof(cookie));
		return 0;
	case LINUX_SO_NETNS_COOKIE:
		if (*size != sizeof(s->net->ino))
			return -EINVAL;
		store(value, size, &s->net->ino, sizeof(s->net->ino));
		return 0;
	default:
		rc = get_number(s, name, &number);
		if (!rc)
			store(value, size, &number, sizeof(number));
		return rc;
	}
}
