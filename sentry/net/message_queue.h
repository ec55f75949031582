/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The receive side of local sockets: a queue of messages.  A message is owned by
 * the queue it is in, and charged to its sender's send buffer until it is
 * consumed, as Linux charges buffers.  Its bytes never change, so receivers copy
 * them to the guest with a reference and without a lock.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sentry/net/socket.h"
#include "util/list.h"
#include "util/refcount.h"

struct net_message {
	struct list_node node;	    /* in a queue; protected by the receiver's lock */
	struct refcount refs;
	struct socket *sender;	    /* reference: charged, and known to the receiver */
	struct socket_address from; /* of datagrams */
	struct ancillary control;   /* leaves with the first byte; receiver's lock */
	uint32_t charge;	    /* does not change */
	uint32_t size;		    /* does not change */
	uint32_t offset;	    /* consumed (streams); receiver's lock */
	char data[];
};

struct message_queue {
	struct list_node messages; /* all protected by the receiving socket's lock */
	uint32_t count;
	uint64_t bytes;
};

#define MESSAGE_CHUNK 32768U /* the most a stream puts into one message */

void message_queue_init(struct message_queue *q);

/* Memory for @size bytes from @sender: not yet charged.  NULL: no memory. */
struct net_message *message_new(struct socket *sender, uint32_t size) MUST_CHECK;
/* The last put gives the charge back and wakes the sender.  Not under a socket's lock. */
void message_put(struct net_message *m);
/* May @sender send more now? */
bool message_sender_has_room(const struct socket *sender);
/* poll's idea of it: a quarter of the buffer. */
bool message_sender_writable(const struct socket *sender);
/* Charges the message to its sender: call when it is about to be queued. */
void message_charge(struct net_message *m);

/* With the receiver's lock held. */
void message_queue_add(struct message_queue *q, struct net_message *m);
struct net_message *message_queue_first(struct message_queue *q);
void message_queue_remove(struct message_queue *q, struct net_message *m);
/* Takes @size bytes off the first message; true when it is used up and was removed
 * (its reference is then the caller's). */
bool message_queue_consume(struct message_queue *q, struct net_message *m, uint32_t size);
/* Undoes the last @size bytes of a consume that the guest's memory refused.  True when
 * the queue took a new reference. */
void message_queue_unconsume(struct message_queue *q, struct net_message *m, uint32_t size);
/* Moves all messages to @list (for message_put outside the lock). */
void message_queue_take_all(struct message_queue *q, struct list_node *list);
void message_list_put(struct list_node *list);
