/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections of unix sockets: connect, listen, accept, pairs, shutdown, and
 * what the other side sees when a file closes.
 *
 * connect makes the server's socket itself (an "embryo") and queues it at the
 * listener, so it returns at once and data can be sent before accept.
 */
#include <errno.h>

#include "sentry/abi/epoll.h"
#include "sentry/net/unix/unix.h"
#include "sentry/vfs/file.h"
#include "util/checked.h"

/* Linux's unix_recvq_full: one more than the limit gets in. */
bool unix_queue_full_locked(const struct unix_socket *u)
{
	return u->incoming.count > UNIX_DGRAM_QUEUE_MAX;
}

int unix_pair(struct socket *a, struct socket *b)
{
	struct unix_socket *ua = unix_socket_of(a), *ub = unix_socket_of(b);

	/* Not published yet: no lock needed. */
	ua->peer = unix_get(ub);
	ub->peer = unix_get(ua);
	ua->state = ub->state = UNIX_CONNECTED;
	socket_cred_current(&ua->peer_cred, true);
	socket_cred_copy(&ub->peer_cred, &ua->peer_cred);
	return 0;
}

/* --- streams and seqpacket ---------------------------------------------------------- */

/* Both are locked; @server is not published yet. */
static int join_locked(struct unix_socket *client, struct unix_socket *listener,
		       struct unix_socket *server, bool *full)
{
	*full = false;
	if (listener->dead || listener->state != UNIX_LISTENING || listener->read_shut)
		return -ECONNREFUSED;
	if (listener->embryo_count > listener->backlog) {
		*full = true;
		return -EAGAIN;
	}
	if (client->state == UNIX_CONNECTED)
		return -EISCONN;
	if (client->state != UNIX_CLOSED)
		return -EINVAL;
	server->peer = unix_get(client);
	client->peer = unix_get(server);
	server->state = client->state = UNIX_CONNECTED;
	server->address = listener->address;
	if (server->address)
		refcount_get(&server->address->refs);
	socket_cred_release(&client->peer_cred);
	socket_cred_copy(&client->peer_cred, &listener->peer_cred);
	server->base.option_bits = listener->base.option_bits; /* SO_PASSCRED and SO_PASSPIDFD are inherited */
	list_add_tail(&listener->embryos, &server->embryo_node);
	listener->embryo_count++;
	return 0;
}

int unix_connect_stream(struct unix_socket *u, struct unix_socket *listener, bool *full)
{
	struct unix_socket *server;
	int rc = listener->variant ?
			 listener->variant->new_server(listener, u, &server) :
			 unix_socket_new(listener->base.net, u->base.type, &server);

	*full = false;
	if (rc)
		return rc;
	socket_cred_current(&server->peer_cred, true);
	if (u == listener) {
		/* Only a listener gets this far, and it cannot connect. */
		mutex_lock(&u->base.lock);
		rc = u->state == UNIX_LISTENING ? -EINVAL : -ECONNREFUSED;
		mutex_unlock(&u->base.lock);
	} else {
		socket_lock_pair(&u->base, &listener->base);
		rc = join_locked(u, listener, server, full);
		socket_unlock_pair(&u->base, &listener->base);
	}
	if (rc) {
		unix_put(server);
		return rc;
	}
	unix_wake_reader(listener);
	unix_wake_all(u);
	if (u->variant) /* TCP: established */
		async_report(&u->base.async, ASYNC_OUT);
	return 0;
}

/* --- datagrams ------------------------------------------------------------------------ */

static int connect_dgram(struct unix_socket *u, struct unix_socket *other)
{
	struct unix_socket *old;
	bool allowed;

	/* A socket that is connected elsewhere takes nothing from us. */
	mutex_lock(&other->base.lock);
	allowed = !other->peer || other->peer == u;
	mutex_unlock(&other->base.lock);
	if (!allowed)
		return -EPERM;
	mutex_lock(&u->base.lock);
	old = u->peer;
	u->peer = unix_get(other);
	u->state = UNIX_CONNECTED;
	mutex_unlock(&u->base.lock);
	unix_forget_peer_space(u);
	unix_put(old);
	unix_wake_all(u);
	return 0;
}

static int disconnect_dgram(struct unix_socket *u)
{
	struct unix_socket *old;

	mutex_lock(&u->base.lock);
	old = u->peer;
	u->peer = NULL;
	u->state = UNIX_CLOSED;
	mutex_unlock(&u->base.lock);
	unix_forget_peer_space(u);
	unix_put(old);
	return 0;
}

int unix_connect(struct socket *s, const struct socket_address *addr, struct socket **wait_on)
{
	struct unix_socket *u = unix_socket_of(s), *other;
	bool full = false;
	int rc;

	if (s->type == LINUX_SOCK_DGRAM && addr->size >= sizeof(uint16_t) &&
	    addr->family == LINUX_AF_UNSPEC)
		return disconnect_dgram(u);
	if (unix_wants_sender(u)) {
		rc = unix_autobind(u);
		if (rc)
			return rc;
	}
	rc = unix_find(u, addr, s->type, &other);
	if (rc)
		return rc;
	rc = s->type == LINUX_SOCK_DGRAM ? connect_dgram(u, other) :
					   unix_connect_stream(u, other, &full);
	if (full)
		*wait_on = socket_get(&other->base);
	unix_put(other);
	return rc;
}

/* --- listening -------------------------------------------------------------------------- */

int unix_listen(struct socket *s, int backlog)
{
	struct unix_socket *u = unix_socket_of(s);
	struct socket_cred cred, old = { 0 };
	int rc = 0;

	socket_cred_current(&cred, true);
	mutex_lock(&s->lock);
	if ((!u->address && !u->variant) || u->state == UNIX_CONNECTED)
		rc = -EINVAL;
	if (!rc) {
		old = u->peer_cred;
		u->peer_cred = cred;
		u->backlog = (unsigned)backlog;
		u->state = UNIX_LISTENING;
	}
	mutex_unlock(&s->lock);
	socket_cred_release(rc ? &cred : &old);
	if (!rc)
		wait_queue_wake(&s->space_queue, LINUX_EPOLLOUT);
	return rc;
}

int unix_accept(struct socket *s, struct socket **out)
{
	struct unix_socket *u = unix_socket_of(s), *embryo = NULL;
	int rc = 0;

	mutex_lock(&s->lock);
	if (u->state != UNIX_LISTENING)
		rc = -EINVAL;
	else
		embryo = list_first(&u->embryos, struct unix_socket, embryo_node);
	if (embryo) {
		list_remove(&embryo->embryo_node);
		u->embryo_count--;
	} else if (!rc) {
		rc = u->read_shut ? -EINVAL : -EAGAIN;
	}
	mutex_unlock(&s->lock);
	if (rc)
		return rc;
	wait_queue_wake(&s->space_queue, LINUX_EPOLLOUT);
	*out = &embryo->base;
	return 0;
}

/* --- ends ------------------------------------------------------------------------------- */

/* Nothing more will come; @over: nor go.  With TCP the FIN is input of its own. */
static void report_end(struct unix_socket *u, bool over)
{
	socket_report_input(&u->base, over ? ASYNC_HUP : ASYNC_IN);
	if (u->variant)
		socket_report_input(&u->base, ASYNC_IN);
}

int unix_shutdown(struct socket *s, int how)
{
	struct unix_socket *u = unix_socket_of(s), *peer;
	bool no_read = how != LINUX_SHUT_WR, no_write = how != LINUX_SHUT_RD, over;

	if (how < LINUX_SHUT_RD || how > LINUX_SHUT_RDWR)
		return -EINVAL;
	mutex_lock(&s->lock);
	u->read_shut |= no_read;
	u->write_shut |= no_write;
	mutex_unlock(&s->lock);
	peer = unix_is_connection_based(u) ? unix_peer_get(u) : NULL;
	if (peer) {
		mutex_lock(&peer->base.lock);
		peer->read_shut |= no_write;
		if (!u->variant) /* TCP does not tell */
			peer->write_shut |= no_read;
		over = u->variant ? peer->write_shut : no_read;
		mutex_unlock(&peer->base.lock);
		unix_wake_all(peer);
		if (no_write)
			report_end(peer, over);
		unix_put(peer);
	}
	unix_wake_all(u);
	return 0;
}

/* The other end of a connection learns that @u is gone. */
static void tell_peer(struct unix_socket *u, struct unix_socket *peer, bool reset)
{
	bool over = false;

	if (unix_is_connection_based(u)) {
		mutex_lock(&peer->base.lock);
		over = !u->variant || peer->write_shut;
		peer->read_shut = true;
		peer->write_shut |= !u->variant; /* TCP: until it tries */
		if (reset)
			socket_set_error(&peer->base, ECONNRESET);
		mutex_unlock(&peer->base.lock);
	}
	unix_wake_all(peer);
	if (unix_is_connection_based(u))
		report_end(peer, over);
}

static void close_socket(struct unix_socket *u, bool embryo);

static void close_embryos(struct list_node *embryos)
{
	struct unix_socket *e;

	while ((e = list_first(embryos, struct unix_socket, embryo_node))) {
		list_remove(&e->embryo_node);
		close_socket(e, true);
		unix_put(e);
	}
}

static void close_socket(struct unix_socket *u, bool embryo)
{
	struct list_node embryos, messages;
	struct unix_socket *peer;
	bool unread;

	unix_unbind(u);
	mutex_lock(&u->base.lock);
	u->dead = true;
	u->state = UNIX_CLOSED;
	u->read_shut = u->write_shut = true;
	unread = u->incoming.count != 0;
	peer = u->peer;
	u->peer = NULL;
	message_queue_take_all(&u->incoming, &messages);
	list_init(&embryos);
	list_splice_tail(&embryos, &u->embryos);
	u->embryo_count = 0;
	mutex_unlock(&u->base.lock);
	unix_forget_peer_space(u);
	if (peer) {
		tell_peer(u, peer, unread || embryo);
		unix_put(peer);
	}
	wait_queue_wake_all(&u->base.space_queue, LINUX_EPOLLOUT | LINUX_EPOLLERR);
	close_embryos(&embryos);
	message_list_put(&messages);
}

void unix_release(struct socket *s)
{
	close_socket(unix_socket_of(s), false);
	file_batch_collect();
}
