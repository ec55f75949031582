/* SPDX-License-Identifier: Apache-2.0 */
/* The common part of sockets: families, references, errors, credentials. */
#include "sentry/net/socket.h"

#include <errno.h>
#include <stdlib.h>

#include "sentry/abi/capability.h"
#include "sentry/kernel/task.h"
#include "sentry/net/file_batch.h"
#include "sentry/net/net_namespace.h"

#define BUFFER_DEFAULT 212992 /* net.core.{r,w}mem_default */

static const struct socket_family_ops *families[LINUX_AF_MAX]; /* written at boot */

void socket_family_register(const struct socket_family_ops *ops)
{
	families[ops->family] = ops;
}

/* Packet sockets are not there, which only who might have one learns. */
static int refuse_packet_socket(struct net_namespace *net)
{
	return net_namespace_capable(net, LINUX_CAP_NET_RAW) ? -EAFNOSUPPORT : -EPERM;
}

int socket_create(struct net_namespace *net, int family, int type, int protocol, struct socket **out)
{
	if (family < 0 || family >= LINUX_AF_MAX)
		return -EAFNOSUPPORT;
	if (type < 0 || type >= LINUX_SOCK_MAX)
		return -EINVAL;
	if (family == LINUX_AF_PACKET || (family == LINUX_AF_INET && type == LINUX_SOCK_PACKET))
		return refuse_packet_socket(net);
	if (!families[family])
		return -EAFNOSUPPORT;
	return families[family]->create(net, type, protocol, out);
}

void socket_init(struct socket *s, const struct socket_ops *ops, struct net_namespace *net,
		 int family, int type, int protocol)
{
	refcount_init(&s->refs);
	s->ops = ops;
	s->family = family;
	s->type = type;
	s->protocol = protocol;
	s->net = net_namespace_get(net);
	mutex_init(&s->lock, LOCK_RANK_SOCKET);
	wait_queue_init(&s->queue);
	wait_queue_init(&s->space_queue);
	async_list_init(&s->async);
	s->send_buffer = BUFFER_DEFAULT;
	s->receive_buffer = BUFFER_DEFAULT;
	s->low_water = 1;
	/* From here on others may ask it what it is. */
	mutex_lock(&net->sockets_lock);
	list_add_tail(&net->sockets, &s->net_node);
	mutex_unlock(&net->sockets_lock);
}

void socket_destroy(struct socket *s)
{
	mutex_lock(&s->net->sockets_lock);
	list_remove(&s->net_node);
	mutex_unlock(&s->net->sockets_lock);
	net_namespace_put(s->net);
	async_list_destroy(&s->async);
	wait_queue_destroy(&s->space_queue);
	wait_queue_destroy(&s->queue);
	mutex_destroy(&s->lock);
}

void socket_report_input(struct socket *s, enum async_reason reason)
{
	if (!s->readers_asleep)
		async_report(&s->async, reason);
}

void socket_report_space(struct socket *s)
{
	if (atomic_exchange(&s->space_wanted, false))
		async_report(&s->async, ASYNC_OUT);
}

struct socket *socket_get(struct socket *s)
{
	refcount_get(&s->refs);
	return s;
}

void socket_put(struct socket *s)
{
	if (s && refcount_put(&s->refs))
		s->ops->free(s);
}

void socket_lock_pair(struct socket *a, struct socket *b)
{
	struct socket *first = (uintptr_t)a < (uintptr_t)b ? a : b;

	mutex_lock(&first->lock);
	mutex_lock_nested(first == a ? &b->lock : &a->lock);
}

void socket_unlock_pair(struct socket *a, struct socket *b)
{
	mutex_unlock(&a->lock);
	mutex_unlock(&b->lock);
}

/* No option has the number 0. */
uint32_t socket_option_bit(int name)
{
	return 1U << (name == LINUX_SO_PASSPIDFD ? 0 : name);
}

bool socket_option(const struct socket *s, int name)
{
	return s->option_bits & socket_option_bit(name);
}

int socket_take_error(struct socket *s)
{
	return s->error ? -atomic_exchange(&s->error, 0) : 0;
}

void socket_set_error(struct socket *s, int error)
{
	s->error = error;
}

/* --- ancillary data ----------------------------------------------------------------- */

void socket_cred_copy(struct socket_cred *to, const struct socket_cred *from)
{
	*to = *from;
	if (to->group)
		thread_group_get(to->group);
}

void socket_cred_release(struct socket_cred *c)
{
	if (c->group)
		thread_group_put(c->group);
	c->group = NULL;
}

void socket_cred_current(struct socket_cred *c, bool effective)
{
	struct task *t = task_current();
	const struct credentials *cred;

	*c = (struct socket_cred){ 0 };
	if (!t)
		return;
	cred = task_cred(t);
	c->group = thread_group_get(t->group);
	c->uid = effective ? cred->euid : cred->uid;
	c->gid = effective ? cred->egid : cred->gid;
	credentials_put(cred);
}

void ancillary_release(struct ancillary *a)
{
	file_batch_release(a->files);
	socket_cred_release(&a->cred);
	free(a->rows);
	*a = (struct ancillary){ 0 };
}
