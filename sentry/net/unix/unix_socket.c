/* SPDX-License-Identifier: Apache-2.0 */
/* AF_UNIX sockets: creation, names, options, polling, ioctl, and the tables of operations. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/epoll.h"
#include "sentry/abi/ioctl.h"
#include "sentry/kernel/pid.h"
#include "sentry/kernel/pidfd.h"
#include "sentry/kernel/task.h"
#include "sentry/mm/usercopy.h"
#include "sentry/net/netdevice.h"
#include "sentry/net/unix/unix.h"
#include "util/checked.h"

struct unix_socket *unix_get(struct unix_socket *u)
{
	socket_get(&u->base);
	return u;
}

void unix_put(struct unix_socket *u)
{
	if (u)
		socket_put(&u->base);
}

struct unix_socket *unix_peer_get(struct unix_socket *u)
{
	struct unix_socket *peer;

	mutex_lock(&u->base.lock);
	peer = u->peer ? unix_get(u->peer) : NULL;
	mutex_unlock(&u->base.lock);
	return peer;
}

bool unix_is_connection_based(const struct unix_socket *u)
{
	return u->base.type != LINUX_SOCK_DGRAM;
}

void unix_wake_all(struct unix_socket *u)
{
	wait_queue_wake_all(&u->base.queue, LINUX_EPOLLIN | LINUX_EPOLLRDNORM | LINUX_EPOLLOUT |
						    LINUX_EPOLLWRNORM | LINUX_EPOLLRDHUP |
						    LINUX_EPOLLHUP | LINUX_EPOLLERR);
}

void unix_wake_reader(struct unix_socket *u)
{
	wait_queue_wake(&u->base.queue, LINUX_EPOLLIN | LINUX_EPOLLRDNORM);
	socket_report_input(&u->base, ASYNC_IN);
}

void unix_free(struct socket *s)
{
	struct unix_socket *u = unix_socket_of(s);

	unix_address_put(u->address);
	socket_cred_release(&u->peer_cred);
	socket_destroy(s);
	free(u);
}

static int unix_name(struct socket *s, bool peer, struct socket_address *out)
{
	struct unix_socket *u = unix_socket_of(s), *of = unix_get(u);

	if (peer) {
		unix_put(of);
		of = unix_peer_get(u);
		if (!of)
			return -ENOTCONN;
	}
	mutex_lock(&of->base.lock);
	if (of->address) {
		*out = of->address->name;
	} else {
		*out = (struct socket_address){ .size = sizeof(uint16_t) };
		out->family = LINUX_AF_UNIX;
	}
	mutex_unlock(&of->base.lock);
	unix_put(of);
	return 0;
}

/* --- options: SO_PEERCRED, SO_ACCEPTCONN --------------------------------------------- */

static int32_t pid_of(const struct socket_cred *cred)
{
	struct task *t = task_current();

	return cred->group && t ? pid_number_in(&cred->group->pid, task_pid_namespace(t)) : 0;
}

static int get_peer_cred(struct unix_socket *u, void *value, uint32_t *size)
{
	struct linux_ucred out = { .uid = UINT32_MAX, .gid = UINT32_MAX };
	struct task *t = task_current();
	struct socket_cred cred;

	mutex_lock(&u->base.lock);
	socket_cred_copy(&cred, &u->peer_cred);
	mutex_unlock(&u->base.lock);
	if (cred.group && t) {
		out.pid = pid_of(&cred);
		out.uid = uid_from_kernel(task_user_namespace(t), cred.uid);
		out.gid = gid_from_kernel(task_user_namespace(t), cred.gid);
	}
	socket_cred_release(&cred);
	*size = MIN(*size, (uint32_t)sizeof(out));
	memcpy(value, &out, *size);
	return 0;
}

int unix_peer_pidfd(struct unix_socket *u, struct file **out)
{
	struct socket_cred cred;
	int rc;

	mutex_lock(&u->base.lock);
	socket_cred_copy(&cred, &u->peer_cred);
	mutex_unlock(&u->base.lock);
	rc = cred.group ? pidfd_new_of_group(cred.group, out) : -ENODATA;
	socket_cred_release(&cred);
	return rc;
}

static int unix_getsockopt(struct socket *s, int level, int name, void *value, uint32_t *size)
{
	struct unix_socket *u = unix_socket_of(s);
	int32_t listening;

	if (level != LINUX_SOL_SOCKET)
		return -EOPNOTSUPP;
	switch (name) {
	case LINUX_SO_PEERCRED:
		return get_peer_cred(u, value, size);
	case LINUX_SO_ACCEPTCONN:
		mutex_lock(&s->lock);
		listening = u->state == UNIX_LISTENING;
		mutex_unlock(&s->lock);
		*size = MIN(*size, (uint32_t)sizeof(listening));
		memcpy(value, &listening, *size);
		return 0;
	default:
		return socket_get_option(s, name, value, size);
	}
}

static int unix_setsockopt(struct socket *s, int level, int name, const void *value, uint32_t size)
{
	return level == LINUX_SOL_SOCKET ? socket_set_option(s, name, value, size) : -EOPNOTSUPP;
}

/* --- poll and ioctl -------------------------------------------------------------------- */

uint32_t unix_stream_poll(struct socket *s)
{
	struct unix_socket *u = unix_socket_of(s);
	uint32_t ready = 0;

	mutex_lock(&s->lock);
	if (s->error)
		ready |= LINUX_EPOLLERR;
	if (u->read_shut && u->write_shut)
		ready |= LINUX_EPOLLHUP;
	if (u->read_shut)
		ready |= LINUX_EPOLLRDHUP | LINUX_EPOLLIN | LINUX_EPOLLRDNORM;
	if (u->incoming.count || u->embryo_count)
		ready |= LINUX_EPOLLIN | LINUX_EPOLLRDNORM;
	if (u->state == UNIX_CLOSED)
		ready |= LINUX_EPOLLHUP;
	if (u->state != UNIX_LISTENING && message_sender_writable(s))
		ready |= LINUX_EPOLLOUT | LINUX_EPOLLWRNORM | LINUX_EPOLLWRBAND;
	mutex_unlock(&s->lock);
	return ready;
}

static int64_t unix_ioctl(struct socket *s, struct mm *mm, uint32_t cmd, uint64_t arg)
{
	struct unix_socket *u = unix_socket_of(s);
	struct net_message *first;
	uint64_t value;
	bool listening;

	switch (cmd) {
	case LINUX_SIOCOUTQ:
		value = s->send_charge;
		break;
	case LINUX_SIOCINQ:
		mutex_lock(&s->lock);
		listening = u->state == UNIX_LISTENING;
		first = message_queue_first(&u->incoming);
		value = unix_is_connection_based(u) ? u->incoming.bytes : first ? first->size : 0;
		mutex_unlock(&s->lock);
		if (listening)
			return -EINVAL;
		break;
	case LINUX_SIOCATMARK:
		if (s->type != LINUX_SOCK_STREAM)
			return -EOPNOTSUPP;
		value = 0; /* there is no urgent data */
		break;
	default:
		return netdevice_ioctl(s, mm, cmd, arg);
	}
	return copy_out_u32(mm, guest_addr(arg), (uint32_t)value);
}

/* --- tables and creation ------------------------------------------------------------------ */

static int no_listen(struct socket *s, int backlog)
{
	return -EOPNOTSUPP;
}

static int no_accept(struct socket *s, struct socket **out)
{
	return -EOPNOTSUPP;
}

#define COMMON_OPS                                                                          \
	.release = unix_release, .free = unix_free, .bind = unix_bind, .connect = unix_connect, \
	.name = unix_name, .shutdown = unix_shutdown, .setsockopt = unix_setsockopt,        \
	.getsockopt = unix_getsockopt, .ioctl = unix_ioctl, .pair = unix_pair

static const struct socket_ops stream_ops = {
	COMMON_OPS,
	.listen = unix_listen,
	.accept = unix_accept,
	.sendmsg = unix_stream_send,
	.recvmsg = unix_stream_receive,
	.poll = unix_stream_poll,
};

static const struct socket_ops seqpacket_ops = {
	COMMON_OPS,
	.listen = unix_listen,
	.accept = unix_accept,
	.sendmsg = unix_dgram_send,
	.recvmsg = unix_dgram_receive,
	.poll = unix_dgram_poll,
};

static const struct socket_ops dgram_ops = {
	COMMON_OPS,
	.listen = no_listen,
	.accept = no_accept,
	.sendmsg = unix_dgram_send,
	.recvmsg = unix_dgram_receive,
	.poll = unix_dgram_poll,
};

void unix_socket_init(struct unix_socket *u, const struct socket_ops *ops, struct net_namespace *net,
		      int family, int type, int protocol)
{
	socket_init(&u->base, ops, net, family, type, protocol);
	message_queue_init(&u->incoming);
	list_init(&u->embryos);
}

int unix_socket_new(struct net_namespace *net, int type, struct unix_socket **out)
{
	const struct socket_ops *ops = type == LINUX_SOCK_STREAM    ? &stream_ops :
				       type == LINUX_SOCK_SEQPACKET ? &seqpacket_ops :
								      &dgram_ops;
	struct unix_socket *u = calloc(1, sizeof(*u));

	if (!u)
		return -ENOMEM;
	unix_socket_init(u, ops, net, LINUX_AF_UNIX, type, 0);
	*out = u;
	return 0;
}

static int unix_create(struct net_namespace *net, int type, int protocol, struct socket **out)
{
	struct unix_socket *u;
	int rc;

	if (protocol && protocol != LINUX_AF_UNIX)
		return -EPROTONOSUPPORT;
	if (type == LINUX_SOCK_RAW)
		type = LINUX_SOCK_DGRAM;
	if (type != LINUX_SOCK_STREAM && type != LINUX_SOCK_DGRAM && type != LINUX_SOCK_SEQPACKET)
		return -ESOCKTNOSUPPORT;
	rc = unix_socket_new(net, type, &u);
	if (!rc)
		*out = &u->base;
	return rc;
}

const struct socket_family_ops unix_family = { .family = LINUX_AF_UNIX, .create = unix_create };
