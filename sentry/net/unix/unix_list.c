/* SPDX-License-Identifier: Apache-2.0 */
/* What one socket is, for those who list them. */
#include <string.h>

#include "sentry/net/unix/unix.h"
#include "util/checked.h"

static void copy_name_locked(const struct unix_socket *u, struct unix_entry *out)
{
	const struct socket_address *name = u->address ? &u->address->name : NULL;

	if (!name || name->size <= sizeof(uint16_t))
		return;
	out->name_size = MIN(name->size - (uint32_t)sizeof(uint16_t), (uint32_t)sizeof(out->name));
	memcpy(out->name, name->bytes + sizeof(uint16_t), out->name_size);
}

static void copy_queues_locked(struct unix_socket *u, struct unix_entry *out)
{
	if (u->state == UNIX_LISTENING) {
		out->receive_queue = u->embryo_count;
		out->send_queue = u->backlog;
		return;
	}
	if (unix_is_connection_based(u))
		out->receive_queue = (uint32_t)u->incoming.bytes;
	else if (message_queue_first(&u->incoming))
		out->receive_queue = message_queue_first(&u->incoming)->size;
	out->send_queue = u->base.send_charge;
}

bool unix_describe(struct unix_socket *u, struct unix_entry *out)
{
	struct unix_socket *peer = NULL;

	*out = (struct unix_entry){ .ino = u->base.ino, .uid = u->base.uid, .type = u->base.type };
	mutex_lock(&u->base.lock);
	if (u->dead || !out->ino) {
		mutex_unlock(&u->base.lock);
		return false;
	}
	out->state = u->state == UNIX_LISTENING	  ? LINUX_TCP_LISTEN
		     : u->state == UNIX_CONNECTED ? LINUX_TCP_ESTABLISHED
						  : LINUX_TCP_CLOSE;
	out->shut = (uint8_t)(u->read_shut | u->write_shut << 1);
	if (u->peer)
		peer = unix_get(u->peer);
	copy_name_locked(u, out);
	copy_queues_locked(u, out);
	mutex_unlock(&u->base.lock);
	out->has_peer = peer;
	if (peer) {
		mutex_lock(&peer->base.lock);
		out->peer_ino = peer->dead ? 0 : (uint64_t)peer->base.ino;
		mutex_unlock(&peer->base.lock);
	}
	unix_put(peer);
	return true;
}
