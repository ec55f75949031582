/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sending and receiving.  Data passes through a buffer of the sentry's: the guest's memory is
 * touched outside of locks and of host calls on it.  Bytes of a stream that were
 * taken from the host and could not be stored are kept for the next read.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/epoll.h"
#include "sentry/abi/fs.h"
#include "sentry/host/host_inet.h"
#include "sentry/mm/usercopy.h"
#include "sentry/net/hostinet/hostinet.h"
#include "sentry/vfs/file.h"
#include "util/checked.h"
#include "util/log.h"

#define CHUNK_SMALL 4096U
#define CHUNK_MAX 65536U
#define DATAGRAM_MAX 65535U
#define CONTROL_ROOM 4096U /* more than all that a socket can be told to report */

#define SEND_FLAGS                                                                     \
	(LINUX_MSG_OOB | LINUX_MSG_DONTROUTE | LINUX_MSG_EOR | LINUX_MSG_CONFIRM | LINUX_MSG_MORE)
#define RECEIVE_FLAGS (LINUX_MSG_OOB | LINUX_MSG_PEEK | LINUX_MSG_TRUNC | LINUX_MSG_ERRQUEUE)

static bool is_stream(const struct socket *s)
{
	return s->type == LINUX_SOCK_STREAM;
}

/* The result of a call that did @done bytes before @n; an error that the host told us is not lost. */
static ssize_t part_done(struct hostinet_socket *h, ssize_t done, ssize_t n)
{
	if (done && n < 0 && n != -EAGAIN && n != -EFAULT && n != -EPIPE)
		socket_set_error(&h->base, (int)-n);
	return done && n < 0 ? done : n;
}

/* --- send ------------------------------------------------------------------------------------ */

static struct host_inet_message outgoing(const struct socket_message *m, void *data, size_t size)
{
	struct host_inet_message out = {
		.data = data,
		.size = size,
		.control = m->control.rows,
		.control_size = m->control.rows_size,
		.flags = m->flags & SEND_FLAGS,
	};

	if (m->name) {
		out.address = m->name->bytes;
		out.address_size = m->name->size;
	}
	return out;
}

static ssize_t send_datagram(struct hostinet_socket *h, struct socket_message *m, char *buf)
{
	size_t size = m->data->count;
	struct io_iter before = *m->data;
	struct host_inet_message out = outgoing(m, buf, size);
	ssize_t n;

	if (io_iter_copy_from(m->data, buf, size) != (ssize_t)size)
		return -EFAULT;
	n = host_inet_send(h->fd, &out);
	/* To be tried again. */
	if (n == -EAGAIN)
		*m->data = before;
	return n;
}

static ssize_t send_chunk(struct hostinet_socket *h, struct socket_message *m, char *buf, size_t size)
{
	struct io_iter before = *m->data;
	struct host_inet_message out;
	ssize_t got = io_iter_copy_from(m->data, buf, size), sent;

	if (got < 0)
		return got;
	out = outgoing(m, buf, (size_t)got);
	/* What follows is more of the same call. */
	if (m->data->count)
		out.flags |= LINUX_MSG_MORE;
	sent = host_inet_send(h->fd, &out);
	if (sent < got) {
		*m->data = before;
		if (sent > 0)
			io_iter_advance(m->data, (uint64_t)sent);
	}
	return sent;
}

static ssize_t send_stream(struct hostinet_socket *h, struct socket_message *m, char *buf, size_t room)
{
	ssize_t done = 0, n;

	do {
		size_t size = MIN(m->data->count, room);

		n = send_chunk(h, m, buf, size);
		if (n > 0)
			done += n;
		if (n < (ssize_t)size)
			break;
	} while (m->data->count);
	return done && n >= 0 ? done : part_done(h, done, n);
}

static int check_send(const struct socket *s, const struct socket_message *m)
{
	/* A connection with the first data would be made here, where nobody waits for it. */
	if (m->flags & LINUX_MSG_FASTOPEN)
		return -EOPNOTSUPP;
	if (m->name && !is_stream(s) && m->name->family != LINUX_AF_INET &&
	    m->name->family != LINUX_AF_INET6 && m->name->family != LINUX_AF_UNSPEC)
		return s->family != LINUX_AF_INET || m->name->size < sizeof(m->name->in) ?
			       -EINVAL : -EAFNOSUPPORT;
	return !is_stream(s) && m->data->count > DATAGRAM_MAX ? -EMSGSIZE : 0;
}

ssize_t hostinet_send(struct socket *s, struct socket_message *m)
{
	struct hostinet_socket *h = hostinet_of(s);
	char small[CHUNK_SMALL] __attribute__((uninitialized));
	size_t room = MIN(m->data->count, CHUNK_MAX);
	char *buf = small;
	ssize_t n = socket_take_error(s);

	if (!n)
		n = check_send(s, m);
	if (n)
		return n;
	if (room > sizeof(small)) {
		buf = malloc(room);
		if (!buf)
			return -ENOBUFS;
	}
	n = is_stream(s) ? send_stream(h, m, buf, room) : send_datagram(h, m, buf);
	if (buf != small)
		free(buf);
	/* A short count says that there was no room as well. */
	if (n == -EAGAIN || (n >= 0 && is_stream(s) && m->data->count))
		hostinet_want_space(h);
	return n;
}

/* --- receive --------------------------------------------------------------------------------- */

/* Without memory for them the stream would go on with a hole: it ends instead. */
static void keep_leftover(struct hostinet_socket *h, const char *bytes, size_t size)
{
	char *all;

	mutex_lock(&h->base.lock);
	all = realloc(h->leftover, h->leftover_size + size);
	if (all) {
		memmove(all + size, all, h->leftover_size);
		memcpy(all, bytes, size);
		h->leftover = all;
		h->leftover_size += size;
	}
	mutex_unlock(&h->base.lock);
	if (!all) {
		socket_set_error(&h->base, ENOMEM);
		if (host_inet_shutdown(h->fd, LINUX_SHUT_RDWR) < 0)
			log_debug("a stream with a hole was ended by its other side");
	}
}

static size_t take_leftover(struct hostinet_socket *h, void *buf, size_t size, bool peek)
{
	size_t taken;

	mutex_lock(&h->base.lock);
	taken = MIN(size, h->leftover_size);
	if (taken)
		memcpy(buf, h->leftover, taken);
	if (taken && !peek) {
		h->leftover_size -= taken;
		memmove(h->leftover, h->leftover + taken, h->leftover_size);
	}
	mutex_unlock(&h->base.lock);
	return taken;
}

/* Control messages become the message's; @control holds what the host wrote. */
static int store_control(struct socket_message *m, uint8_t *control, size_t size)
{
	hostinet_control_filter(control, &size);
	if (!size)
		return 0;
	m->control.rows = malloc(size);
	if (!m->control.rows)
		return -ENOBUFS;
	memcpy(m->control.rows, control, size);
	m->control.rows_size = (uint32_t)size;
	return 0;
}

/* One call of the host, name and control messages included when @first. */
static ssize_t receive_host(struct hostinet_socket *h, struct socket_message *m, char *buf, size_t size,
			    bool first)
{
	uint8_t control[CONTROL_ROOM] ALIGNED(8) __attribute__((uninitialized));
	struct host_inet_message in = { .data = buf, .size = size, .flags = m->flags & RECEIVE_FLAGS };
	ssize_t n;
	int rc;

	if (first) {
		in.control = control;
		in.control_size = MIN(m->control_room, sizeof(control));
		in.address = m->name ? m->name->bytes : NULL;
		in.address_size = m->name ? sizeof(m->name->bytes) : 0;
	}
	n = host_inet_receive(h->fd, &in);
	if (n < 0)
		return n;
	m->out_flags |= in.out_flags & (LINUX_MSG_OOB | LINUX_MSG_TRUNC | LINUX_MSG_CTRUNC |
					LINUX_MSG_EOR | LINUX_MSG_ERRQUEUE);
	if (first && m->name)
		m->name->size = in.address_size;
	rc = first ? store_control(m, control, in.control_size) : 0;
	return rc ? rc : n;
}

/* Stores what was received; @n may be more than @size where MSG_TRUNC asks for real sizes. */
static ssize_t deliver(struct hostinet_socket *h, struct socket_message *m, const char *buf, ssize_t n,
		       size_t size)
{
	size_t stored = MIN((size_t)n, size);
	ssize_t copied;

	/* Thrown away, by request. */
	if (is_stream(&h->base) && m->flags & LINUX_MSG_TRUNC && !(m->flags & LINUX_MSG_ERRQUEUE)) {
		io_iter_advance(m->data, stored);
		return n;
	}
	copied = io_iter_copy_to(m->data, buf, stored);
	if (copied == (ssize_t)stored)
		return n;
	/* A datagram that cannot be stored is lost, as on Linux. */
	if (!is_stream(&h->base) || m->flags & LINUX_MSG_ERRQUEUE)
		return -EFAULT;
	/* Of a stream nothing is: Linux takes off whole buffers, or none. */
	if (!(m->flags & (LINUX_MSG_PEEK | LINUX_MSG_OOB)))
		keep_leftover(h, buf, stored);
	return -EFAULT;
}

static ssize_t receive_chunk(struct hostinet_socket *h, struct socket_message *m, char *buf, size_t size,
			     bool first)
{
	size_t kept = 0;
	ssize_t n;

	if (is_stream(&h->base) && !(m->flags & (LINUX_MSG_ERRQUEUE | LINUX_MSG_OOB)))
		kept = take_leftover(h, buf, size, m->flags & LINUX_MSG_PEEK);
	n = kept && kept == size ? 0 : receive_host(h, m, buf + kept, size - kept, first);
	if (kept)
		n = part_done(h, (ssize_t)kept, n < 0 ? n : n + (ssize_t)kept);
	return n < 0 ? n : deliver(h, m, buf, n, size);
}

/*
 * Does the caller have to wait for more, by SO_RCVLOWAT?  A host socket that does not block gives
 * less than that.
 */
static bool below_low_water(struct hostinet_socket *h, const struct socket_message *m)
{
	const struct file *file = h->base.file;

	if (h->base.low_water <= 1 || !is_stream(&h->base) ||
	    m->flags & (LINUX_MSG_DONTWAIT | LINUX_MSG_OOB | LINUX_MSG_ERRQUEUE) || !file ||
	    file->flags & LINUX_O_NONBLOCK || m->data->count < (uint64_t)h->base.low_water)
		return false;
	return !(host_inet_poll(h->fd) & (LINUX_EPOLLIN | LINUX_EPOLLERR | LINUX_EPOLLHUP));
}

static ssize_t receive_all(struct hostinet_socket *h, struct socket_message *m, char *buf, size_t room)
{
	ssize_t done = 0, n;

	do {
		size_t size = MIN(m->data->count, room);

		n = receive_chunk(h, m, buf, size, !done);
		if (n > 0)
			done += n;
		/* A stream is read as far as it goes; a peek would see the same again. */
		if (n < (ssize_t)size || !is_stream(&h->base) || m->flags & ~(uint32_t)LINUX_MSG_WAITALL)
			break;
	} while (m->data->count);
	return done && n >= 0 ? done : part_done(h, done, n);
}

ssize_t hostinet_receive(struct socket *s, struct socket_message *m)
{
	struct hostinet_socket *h = hostinet_of(s);
	char small[CHUNK_SMALL] __attribute__((uninitialized));
	size_t room = MIN(m->data->count, CHUNK_MAX);
	char *buf = small;
	ssize_t n = socket_take_error(s);

	if (n)
		return n;
	if (below_low_water(h, m))
		return -EAGAIN;
	if (room > sizeof(small)) {
		buf = malloc(room);
		if (!buf)
			return -ENOBUFS;
	}
	n = receive_all(h, m, buf, room);
	if (buf != small)
		free(buf);
	return n;
}
