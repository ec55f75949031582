/* SPDX-License-Identifier: Apache-2.0 */
/* NETLINK_SOCK_DIAG: dumps of TCP and UDP sockets, which is what ss asks for. unix_diag.c has those of AF_UNIX. */
#include <errno.h>
#include <string.h>

#include "sentry/abi/netlink.h"
#include "sentry/abi/socket.h"
#include "sentry/cred/credentials.h"
#include "sentry/kernel/task.h"
#include "sentry/net/inet/provider.h"
#include "sentry/net/net_namespace.h"
#include "sentry/net/netlink/netlink.h"
#include "sentry/net/netlink/record.h"

struct dump {
	struct strbuf *out;
	const struct linux_nlmsghdr *request;
	uint32_t pid;
	uint32_t states; /* bit n: those in state n are asked for */
};

static void add_socket(void *arg, const struct net_socket_entry *e)
{
	const struct dump *d = arg;
	struct task *t = task_current();
	struct linux_inet_diag_msg m = {
		.family = e->family,
		.state = e->state,
		.timer = e->timer,
		.retransmits = (uint8_t)e->retransmits,
		.source_port = __builtin_bswap16(e->local_port),
		.destination_port = __builtin_bswap16(e->remote_port),
		.cookie = { (uint32_t)e->ino, (uint32_t)(e->ino >> 32) },
		.expires = e->expires_ms,
		.receive_queue = e->receive_queue,
		.send_queue = e->send_queue,
		.uid = t ? uid_from_kernel(t->cred->user_ns, e->uid) : e->uid,
		.ino = (uint32_t)e->ino,
	};
	struct linux_nlmsghdr header = {
		.size = sizeof(header) + sizeof(m),
		.type = LINUX_SOCK_DIAG_BY_FAMILY,
		.flags = LINUX_NLM_F_MULTI,
		.sequence = d->request->sequence,
		.pid = d->pid,
	};

	if (!e->local_port || e->state >= 32 || !(d->states >> e->state & 1))
		return;
	memcpy(m.source, e->local, sizeof(m.source));
	memcpy(m.destination, e->remote, sizeof(m.destination));
	strbuf_add_bytes(d->out, &header, sizeof(header));
	strbuf_add_bytes(d->out, &m, sizeof(m));
}

int sock_diag_answer(struct net_namespace *net, const struct record *request, uint32_t pid,
		     struct strbuf *out)
{
	struct linux_inet_diag_req wanted;
	struct dump d = { .out = out, .request = &request->header, .pid = pid };
	int rc;

	if (request->header.type != LINUX_SOCK_DIAG_BY_FAMILY || request->size < 1)
		return -EINVAL;
	if (request->payload[0] == LINUX_AF_UNIX)
		return unix_diag_answer(net, request, pid, out);
	if (request->payload[0] != LINUX_AF_INET && request->payload[0] != LINUX_AF_INET6)
		return -ENOENT;
	if (request->size < sizeof(wanted))
		return -EINVAL;
	memcpy(&wanted, request->payload, sizeof(wanted));
	if (wanted.protocol != LINUX_IPPROTO_TCP && wanted.protocol != LINUX_IPPROTO_UDP)
		return -ENOENT;
	if (!(request->header.flags & LINUX_NLM_F_DUMP))
		return -EOPNOTSUPP; /* a question about one socket */
	d.states = wanted.states;
	rc = net->provider->sockets(net, wanted.family, wanted.protocol, add_socket, &d);
	if (!rc)
		netlink_add_done(out, &request->header, pid);
	return rc;
}
