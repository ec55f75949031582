/* SPDX-License-Identifier: Apache-2.0 */
/* Queues of messages between local sockets; see the header. */
#include "sentry/net/message_queue.h"

#include <stdlib.h>

#include "sentry/abi/epoll.h"
#include "util/checked.h"

#define EVENTS_OUT (LINUX_EPOLLOUT | LINUX_EPOLLWRNORM)
#define OVERHEAD_DATA 320U  /* Linux: struct skb_shared_info at the end of the data */
#define OVERHEAD_BUFFER 256U /* Linux: struct sk_buff */

void message_queue_init(struct message_queue *q)
{
	list_init(&q->messages);
	q->count = 0;
	q->bytes = 0;
}

/* What Linux would charge ("truesize"): slab sizes for small data, pages for large. */
static uint32_t charge_for(uint32_t size)
{
	uint32_t data = size + OVERHEAD_DATA, slab = 512;

	if (data > 16384)
		return OVERHEAD_BUFFER + 512 + (uint32_t)round_up(size, 4096);
	while (slab < data)
		slab *= 2;
	return OVERHEAD_BUFFER + slab;
}

struct net_message *message_new(struct socket *sender, uint32_t size)
{
	struct net_message *m = malloc(sizeof(*m) + size);

	if (!m)
		return NULL;
	*m = (struct net_message){ .size = size };
	refcount_init(&m->refs);
	m->sender = socket_get(sender);
	return m;
}

void message_put(struct net_message *m)
{
	if (!m || !refcount_put(&m->refs))
		return;
	if (m->charge) {
		m->sender->send_charge -= m->charge;
		if (message_sender_writable(m->sender)) {
			wait_queue_wake(&m->sender->queue, EVENTS_OUT);
			socket_report_space(m->sender);
		}
	}
	ancillary_release(&m->control);
	socket_put(m->sender);
	free(m);
}

bool message_sender_has_room(const struct socket *sender)
{
	return sender->send_charge < sender->send_buffer;
}

bool message_sender_writable(const struct socket *sender)
{
	return (uint64_t)sender->send_charge * 4 <= sender->send_buffer;
}

void message_charge(struct net_message *m)
{
	m->charge = charge_for(m->size);
	m->sender->send_charge += m->charge;
}

void message_queue_add(struct message_queue *q, struct net_message *m)
{
	list_add_tail(&q->messages, &m->node);
	q->count++;
	q->bytes += m->size - m->offset;
}

struct net_message *message_queue_first(struct message_queue *q)
{
	return list_first(&q->messages, struct net_message, node);
}

void message_queue_remove(struct message_queue *q, struct net_message *m)
{
	list_remove(&m->node);
	q->count--;
	q->bytes -= m->size - m->offset;
}

bool message_queue_consume(struct message_queue *q, struct net_message *m, uint32_t size)
{
	m->offset += size;
	q->bytes -= size;
	if (m->offset < m->size)
		return false;
	list_remove(&m->node);
	q->count--;
	return true;
}

void message_queue_unconsume(struct message_queue *q, struct net_message *m, uint32_t size)
{
	if (!list_linked(&m->node)) {
		refcount_get(&m->refs);
		list_add_head(&q->messages, &m->node);
		q->count++;
	}
	m->offset -= size;
	q->bytes += size;
}

void message_queue_take_all(struct message_queue *q, struct list_node *list)
{
	list_init(list);
	list_splice_tail(list, &q->messages);
	q->count = 0;
	q->bytes = 0;
}

void message_list_put(struct list_node *list)
{
	struct net_message *m;

	while ((m = list_first(list, struct net_message, node))) {
		list_remove(&m->node);
		message_put(m);
	}
}
