/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes of stream sockets.  A write becomes messages of at most MESSAGE_CHUNK
 * bytes in the peer's queue; a read may take from several, but does not cross
 * from one sender's credentials to another's, nor past files it was handed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/epoll.h"
#include "sentry/mm/usercopy.h"
#include "sentry/net/unix/unix.h"
#include "util/checked.h"

#define EVENTS_IN (LINUX_EPOLLIN | LINUX_EPOLLRDNORM)

bool unix_wants_sender(const struct unix_socket *u)
{
	return socket_option(&u->base, LINUX_SO_PASSCRED) || socket_option(&u->base, LINUX_SO_PASSPIDFD);
}

void unix_tell_sender(const struct unix_socket *u, struct socket_message *m, const struct net_message *message)
{
	if (!unix_wants_sender(u))
		return;
	m->control.has_cred = true;
	m->control.tells_cred = socket_option(&u->base, LINUX_SO_PASSCRED);
	m->control.tells_pidfd = socket_option(&u->base, LINUX_SO_PASSPIDFD);
	if (message->control.has_cred)
		socket_cred_copy(&m->control.cred, &message->control.cred);
	else
		m->control.cred = (struct socket_cred){ NULL, 65534, 65534 };
}

void unix_stamp(struct unix_socket *u, struct unix_socket *other, struct socket_message *m,
		struct net_message *message)
{
	if (m->control.has_cred) {
		socket_cred_copy(&message->control.cred, &m->control.cred);
		message->control.has_cred = true;
	} else if (unix_wants_sender(u) || unix_wants_sender(other)) {
		socket_cred_current(&message->control.cred, false);
		message->control.has_cred = true;
	}
}

/* --- sending ---------------------------------------------------------------------------- */

static int check_send(struct unix_socket *u, const struct socket_message *m, struct unix_socket **peer)
{
	int rc = 0;

	if (m->flags & LINUX_MSG_OOB)
		return -EOPNOTSUPP;
	mutex_lock(&u->base.lock);
	if (m->name && !u->variant)
		rc = u->state == UNIX_CONNECTED ? -EISCONN : -EOPNOTSUPP;
	else if (!u->peer)
		rc = u->write_shut || u->variant ? -EPIPE : -ENOTCONN;
	else if (u->write_shut)
		rc = -EPIPE;
	else
		*peer = unix_get(u->peer);
	mutex_unlock(&u->base.lock);
	return rc;
}

/* Queues @message at @peer; takes it over unless refused. */
static int deliver(struct unix_socket *peer, struct net_message *message)
{
	int rc = 0;

	mutex_lock(&peer->base.lock);
	if (peer->dead || peer->read_shut)
		rc = -EPIPE;
	else
		message_queue_add(&peer->incoming, message);
	mutex_unlock(&peer->base.lock);
	if (!rc)
		unix_wake_reader(peer);
	return rc;
}

/* One chunk: its size, or an error with the iterator where it was. */
static ssize_t send_chunk(struct unix_socket *u, struct unix_socket *peer, struct socket_message *m)
{
	uint32_t limit = MAX(u->base.send_buffer / 2, 512U) - 64;
	uint32_t size = (uint32_t)MIN(m->data->count, MIN(limit, MESSAGE_CHUNK));
	struct io_iter before = *m->data;
	struct net_message *message;
	int rc = 0;

	if (!message_sender_has_room(&u->base))
		return -EAGAIN;
	message = message_new(&u->base, size);
	if (!message)
		return -ENOMEM;
	if (io_iter_copy_from(m->data, message->data, size) != (ssize_t)size)
		rc = -EFAULT;
	if (!rc && m->control.files) {
		rc = unix_flight_begin(m->control.files);
		if (!rc)
			message->control.files = m->control.files;
	}
	if (!rc) {
		unix_stamp(u, peer, m, message);
		message_charge(message);
		rc = deliver(peer, message);
		if (rc && message->control.files) {
			unix_flight_end(message->control.files);
			message->control.files = NULL; /* still the caller's */
		}
	}
	if (rc) {
		*m->data = before;
		message_put(message);
		return rc;
	}
	m->control.files = NULL;
	return (ssize_t)size;
}

ssize_t unix_stream_send(struct socket *s, struct socket_message *m)
{
	struct unix_socket *u = unix_socket_of(s), *peer = NULL;
	ssize_t done = 0, n = check_send(u, m, &peer);

	while (!n && m->data->count) {
		n = send_chunk(u, peer, m);
		if (n > 0) {
			done += n;
			n = 0;
		}
	}
	unix_put(peer);
	return done ? done : n;
}

/* --- receiving --------------------------------------------------------------------------- */

static bool same_sender(const struct socket_cred *a, const struct socket_cred *b)
{
	return a->group == b->group && a->uid == b->uid && a->gid == b->gid;
}

/* May bytes of @message be joined to what @m has already? */
static bool may_join(const struct unix_socket *u, const struct socket_message *m,
		     const struct net_message *message)
{
	if (m->control.files)
		return false;
	if (!unix_wants_sender(u) || !m->control.has_cred)
		return true;
	return same_sender(&m->control.cred, &message->control.cred);
}

/* A part of a message, to be copied to the guest without a lock. */
struct taken {
	struct net_message *message; /* reference */
	uint32_t offset, size;
	bool peeked;
};

/* Hands the message's credentials and files to @m; the in-flight lock is held if it has files. */
static int take_control(struct unix_socket *u, struct socket_message *m, struct net_message *message)
{
	bool peek = m->flags & LINUX_MSG_PEEK;

	if (message->control.files) {
		if (peek) {
			m->control.files = file_batch_copy(message->control.files);
			if (!m->control.files)
				return -ENOMEM;
		} else {
			unix_flight_end_locked(message->control.files);
			m->control.files = message->control.files;
			message->control.files = NULL;
		}
	}
	if (!m->control.has_cred)
		unix_tell_sender(u, m, message);
	return 0;
}

/*
 * Takes from the first message (or, peeking, from the first after @skip bytes).
 * 1: taken; 0: the read ends here; -EAGAIN: needs the in-flight lock; -ENOMEM.
 */
static int take_locked(struct unix_socket *u, struct socket_message *m, uint64_t skip, bool have_flight,
		       bool first, struct taken *t) REQUIRES(u->base.lock)
{
	struct net_message *message, *found = NULL;
	uint32_t left = 0;
	int rc;

	list_for_each(message, &u->incoming.messages, node) {
		left = message->size - message->offset;
		if (skip < left) {
			found = message;
			break;
		}
		skip -= left;
	}
	if (!found || (!first && !may_join(u, m, found)))
		return 0;
	if (found->control.files && !have_flight)
		return -EAGAIN;
	rc = take_control(u, m, found);
	if (rc)
		return rc;
	t->message = found;
	t->offset = found->offset + (uint32_t)skip;
	t->size = (uint32_t)MIN(m->data->count, left - skip);
	t->peeked = m->flags & LINUX_MSG_PEEK;
	/* A message that is used up leaves the queue and its reference to us. */
	if (t->peeked || !message_queue_consume(&u->incoming, found, t->size))
		refcount_get(&found->refs);
	return 1;
}

static int take(struct unix_socket *u, struct socket_message *m, uint64_t skip, bool first, struct taken *t)
{
	bool flight = false;
	int rc;

	for (;;) {
		if (flight)
			unix_flight_lock();
		mutex_lock(&u->base.lock);
		rc = take_locked(u, m, skip, flight, first, t);
		mutex_unlock(&u->base.lock);
		if (flight)
			unix_flight_unlock();
		if (rc != -EAGAIN)
			return rc;
		flight = true;
	}
}

/* Copies to the guest: bytes delivered; what it refused goes back. */
static ssize_t give(struct unix_socket *u, struct socket_message *m, struct taken *t)
{
	ssize_t n = io_iter_copy_to(m->data, t->message->data + t->offset, t->size);
	uint32_t done = n > 0 ? (uint32_t)n : 0;

	if (done < t->size && !t->peeked) {
		mutex_lock(&u->base.lock);
		message_queue_unconsume(&u->incoming, t->message, t->size - done);
		mutex_unlock(&u->base.lock);
	}
	message_put(t->message);
	return done < t->size && !done ? -EFAULT : (ssize_t)done;
}

/* Nothing is queued: the end, an error, or -EAGAIN. */
static ssize_t empty_result(struct unix_socket *u)
{
	ssize_t rc = -EAGAIN;

	mutex_lock(&u->base.lock);
	if (u->incoming.count)
		rc = -EAGAIN;
	else if (u->base.error)
		rc = socket_take_error(&u->base);
	else if (u->read_shut)
		rc = 0;
	mutex_unlock(&u->base.lock);
	return rc;
}

static bool is_connected(struct unix_socket *u)
{
	bool connected;

	mutex_lock(&u->base.lock);
	connected = u->state == UNIX_CONNECTED;
	mutex_unlock(&u->base.lock);
	return connected;
}

ssize_t unix_stream_receive(struct socket *s, struct socket_message *m)
{
	struct unix_socket *u = unix_socket_of(s);
	bool first = true;
	struct taken t;
	ssize_t done = 0, n = 0;
	int rc;

	if (!is_connected(u))
		return u->variant ? -ENOTCONN : -EINVAL;
	if (m->flags & LINUX_MSG_OOB)
		return -EOPNOTSUPP;
	if (m->name)
		m->name->size = 0;
	while ((rc = take(u, m, m->flags & LINUX_MSG_PEEK ? (uint64_t)done : 0, first, &t)) > 0) {
		uint32_t wanted = t.size;

		n = give(u, m, &t);
		first = false;
		if (n < 0)
			break;
		done += n;
		if ((uint32_t)n < wanted || !m->data->count || m->control.files)
			break;
	}
	if (done || !first)
		return done ? done : n;
	return rc < 0 ? rc : empty_result(u);
}
