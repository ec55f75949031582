/* SPDX-License-Identifier: Apache-2.0 */
/* Whole messages: datagram and seqpacket sockets. */
#include <errno.h>
#include <stdlib.h>

#include "sentry/abi/epoll.h"
#include "sentry/mm/usercopy.h"
#include "sentry/net/unix/unix.h"
#include "util/checked.h"

#define EVENTS_IN (LINUX_EPOLLIN | LINUX_EPOLLRDNORM)
#define EVENTS_OUT (LINUX_EPOLLOUT | LINUX_EPOLLWRNORM)

/* --- room at the peer --------------------------------------------------------------- */

static bool forward_space(struct waiter *w, uint32_t events)
{
	struct unix_socket *u = container_of(w, struct unix_socket, peer_space);

	wait_queue_wake(&u->base.queue, EVENTS_OUT);
	return false;
}

/* Those who poll @u from now on hear when @other has room again. */
static void watch_peer_space(struct unix_socket *u, struct unix_socket *other)
{
	mutex_lock(&u->base.lock);
	if (!u->peer_space_of && u->peer == other) {
		u->peer_space_of = socket_get(&other->base);
		u->peer_space.events = UINT32_MAX;
		u->peer_space.notify = forward_space;
		wait_queue_add(&other->base.space_queue, &u->peer_space);
	}
	mutex_unlock(&u->base.lock);
}

void unix_forget_peer_space(struct unix_socket *u)
{
	struct socket *of;

	mutex_lock(&u->base.lock);
	of = u->peer_space_of;
	u->peer_space_of = NULL;
	if (of)
		wait_queue_remove(&u->peer_space);
	mutex_unlock(&u->base.lock);
	socket_put(of);
}

/* Full for @u: a socket that is connected back to it is limited by the sender's buffer only. */
static bool full_for(struct unix_socket *other, const struct unix_socket *u)
{
	bool full;

	mutex_lock(&other->base.lock);
	full = other->peer != u && unix_queue_full_locked(other);
	mutex_unlock(&other->base.lock);
	return full && other != u;
}

uint32_t unix_dgram_poll(struct socket *s)
{
	struct unix_socket *u = unix_socket_of(s), *peer = NULL;
	uint32_t ready = 0;

	mutex_lock(&s->lock);
	if (s->error)
		ready |= LINUX_EPOLLERR;
	if (u->read_shut)
		ready |= LINUX_EPOLLRDHUP | LINUX_EPOLLIN | LINUX_EPOLLRDNORM;
	if (u->read_shut && u->write_shut)
		ready |= LINUX_EPOLLHUP;
	if (u->incoming.count || u->embryo_count)
		ready |= LINUX_EPOLLIN | LINUX_EPOLLRDNORM;
	if (s->type == LINUX_SOCK_SEQPACKET && u->state == UNIX_CLOSED)
		ready |= LINUX_EPOLLHUP;
	if (u->state != UNIX_LISTENING && message_sender_writable(s))
		ready |= LINUX_EPOLLOUT | LINUX_EPOLLWRNORM | LINUX_EPOLLWRBAND;
	if (ready & LINUX_EPOLLOUT && u->peer)
		peer = unix_get(u->peer);
	mutex_unlock(&s->lock);
	if (peer && full_for(peer, u)) {
		watch_peer_space(u, peer);
		if (full_for(peer, u)) /* still, now that a change would be heard */
			ready &= ~(LINUX_EPOLLOUT | LINUX_EPOLLWRNORM | LINUX_EPOLLWRBAND);
	}
	unix_put(peer);
	return ready;
}

/* --- sending ------------------------------------------------------------------------------ */

/* A reference on where the message goes. */
static int destination(struct unix_socket *u, const struct socket_message *m, struct unix_socket **out)
{
	bool seqpacket = u->base.type == LINUX_SOCK_SEQPACKET;
	int rc = 0;

	if (m->flags & LINUX_MSG_OOB)
		return -EOPNOTSUPP;
	mutex_lock(&u->base.lock);
	if (seqpacket && u->state != UNIX_CONNECTED)
		rc = -ENOTCONN;
	mutex_unlock(&u->base.lock);
	if (rc)
		return rc;
	if (m->name && !seqpacket)
		return unix_find(u, m->name, u->base.type, out);
	*out = unix_peer_get(u);
	return *out ? 0 : -ENOTCONN;
}

/* The peer's file is closed. */
static int dead_destination(struct unix_socket *u, struct unix_socket *other)
{
	struct unix_socket *old = NULL;

	if (u->base.type == LINUX_SOCK_SEQPACKET)
		return -EPIPE;
	mutex_lock(&u->base.lock);
	if (u->peer == other) {
		old = u->peer;
		u->peer = NULL;
		u->state = UNIX_CLOSED;
	}
	mutex_unlock(&u->base.lock);
	unix_forget_peer_space(u);
	unix_put(old);
	return -ECONNREFUSED;
}

static int check_room(struct unix_socket *u, struct unix_socket *other, struct socket_message *m)
{
	bool dead, deaf, stranger, shut;

	mutex_lock(&u->base.lock);
	shut = u->write_shut;
	mutex_unlock(&u->base.lock);
	if (shut)
		return -EPIPE;
	mutex_lock(&other->base.lock);
	dead = other->dead;
	deaf = other->read_shut;
	stranger = other->peer && other->peer != u;
	mutex_unlock(&other->base.lock);
	if (dead)
		return dead_destination(u, other);
	if (stranger && u->base.type == LINUX_SOCK_DGRAM)
		return -EPERM;
	if (deaf)
		return -EPIPE;
	if (!message_sender_has_room(&u->base))
		return -EAGAIN;
	if (full_for(other, u)) {
		watch_peer_space(u, other);
		if (full_for(other, u)) {
			m->blocked_on = socket_get(&other->base);
			return -EAGAIN;
		}
	}
	return 0;
}

static int make_message(struct unix_socket *u, struct unix_socket *other, struct socket_message *m,
			struct net_message **out)
{
	struct net_message *message = message_new(&u->base, (uint32_t)m->data->count);

	if (!message)
		return -ENOMEM;
	if (io_iter_copy_from(m->data, message->data, message->size) != (ssize_t)message->size) {
		message_put(message);
		return -EFAULT;
	}
	mutex_lock(&u->base.lock);
	if (u->address)
		message->from = u->address->name;
	mutex_unlock(&u->base.lock);
	unix_stamp(u, other, m, message);
	*out = message;
	return 0;
}

/* Takes over the message. */
static void sink(struct unix_socket *other, struct net_message *message)
{
	other->sink(other, message);
	if (message->control.files)
		unix_flight_end(message->control.files);
	message_put(message);
}

/* Takes over the message on success. */
static int deliver(struct unix_socket *other, struct net_message *message)
{
	int rc = 0;

	mutex_lock(&other->base.lock);
	if (other->dead || other->read_shut)
		rc = other->dead && other->base.type == LINUX_SOCK_DGRAM ? -ECONNREFUSED : -EPIPE;
	else if (!other->sink)
		message_queue_add(&other->incoming, message);
	mutex_unlock(&other->base.lock);
	if (!rc && other->sink)
		sink(other, message);
	else if (!rc)
		unix_wake_reader(other);
	return rc;
}

static ssize_t send_to(struct unix_socket *u, struct unix_socket *other, struct socket_message *m)
{
	struct io_iter before = *m->data;
	struct net_message *message = NULL;
	ssize_t size = (ssize_t)m->data->count;
	int rc = make_message(u, other, m, &message);

	if (!rc && m->control.files) {
		rc = unix_flight_begin(m->control.files);
		if (!rc)
			message->control.files = m->control.files;
	}
	if (!rc) {
		message_charge(message);
		rc = deliver(other, message);
		if (rc && message->control.files) {
			unix_flight_end(message->control.files);
			message->control.files = NULL;
		}
	}
	if (rc) {
		*m->data = before;
		message_put(message);
		return rc;
	}
	m->control.files = NULL;
	return size;
}

ssize_t unix_dgram_send(struct socket *s, struct socket_message *m)
{
	struct unix_socket *u = unix_socket_of(s), *other;
	ssize_t rc;

	if (unix_wants_sender(u)) {
		rc = unix_autobind(u);
		if (rc)
			return rc;
	}
	if (m->data->count > s->send_buffer - 32)
		return -EMSGSIZE;
	rc = destination(u, m, &other);
	if (rc)
		return rc;
	rc = check_room(u, other, m);
	if (!rc)
		rc = send_to(u, other, m);
	unix_put(other);
	return rc;
}

/* --- receiving ---------------------------------------------------------------------------- */

static int take_control(struct unix_socket *u, struct socket_message *m, struct net_message *message)
{
	if (message->control.files && m->flags & LINUX_MSG_PEEK) {
		m->control.files = file_batch_copy(message->control.files);
		if (!m->control.files)
			return -ENOMEM;
	} else if (message->control.files) {
		unix_flight_end_locked(message->control.files);
		m->control.files = message->control.files;
		message->control.files = NULL;
	}
	unix_tell_sender(u, m, message);
	return 0;
}

/* The first message with a reference, taken out unless peeking; -EAGAIN and *retry when the
 * in-flight lock is needed. */
static int take_locked(struct unix_socket *u, struct socket_message *m, bool have_flight, bool *retry,
		       struct net_message **out) REQUIRES(u->base.lock)
{
	struct net_message *message = message_queue_first(&u->incoming);
	int rc;

	*retry = false;
	if (u->base.type == LINUX_SOCK_SEQPACKET && u->state != UNIX_CONNECTED)
		return -ENOTCONN;
	if (u->base.error)
		return socket_take_error(&u->base);
	if (!message)
		return u->read_shut ? 0 : -EAGAIN;
	if (message->control.files && !have_flight) {
		*retry = true;
		return -EAGAIN;
	}
	rc = take_control(u, m, message);
	if (rc)
		return rc;
	if (m->flags & LINUX_MSG_PEEK)
		refcount_get(&message->refs);
	else
		message_queue_remove(&u->incoming, message);
	*out = message;
	return 0;
}

static int take(struct unix_socket *u, struct socket_message *m, struct net_message **out)
{
	bool flight = false, retry;
	int rc;

	do {
		if (flight)
			unix_flight_lock();
		mutex_lock(&u->base.lock);
		rc = take_locked(u, m, flight, &retry, out);
		mutex_unlock(&u->base.lock);
		if (flight)
			unix_flight_unlock();
		flight = true;
	} while (retry);
	return rc;
}

ssize_t unix_dgram_receive(struct socket *s, struct socket_message *m)
{
	struct unix_socket *u = unix_socket_of(s);
	struct net_message *message = NULL;
	uint32_t size;
	ssize_t n;
	int rc;

	if (m->flags & LINUX_MSG_OOB)
		return -EOPNOTSUPP;
	if (m->name)
		m->name->size = 0;
	rc = take(u, m, &message);
	if (rc || !message)
		return rc;
	if (!(m->flags & LINUX_MSG_PEEK))
		wait_queue_wake(&s->space_queue, EVENTS_OUT);
	if (m->name)
		*m->name = message->from;
	size = (uint32_t)MIN(m->data->count, message->size);
	n = io_iter_copy_to(m->data, message->data, size);
	if (size < message->size)
		m->out_flags |= LINUX_MSG_TRUNC;
	if (n != (ssize_t)size)
		n = -EFAULT;
	else if (m->flags & LINUX_MSG_TRUNC)
		n = message->size;
	message_put(message);
	return n;
}
