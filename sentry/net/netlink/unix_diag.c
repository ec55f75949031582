/* SPDX-License-Identifier: Apache-2.0 */
/* NETLINK_SOCK_DIAG of AF_UNIX: all of a network namespace, or one by its inode number. */
#include <errno.h>
#include <string.h>

#include "sentry/abi/netlink.h"
#include "sentry/cred/credentials.h"
#include "sentry/kernel/task.h"
#include "sentry/net/netlink/netlink.h"
#include "sentry/net/netlink/record.h"
#include "sentry/net/unix/unix.h"

struct query {
	struct strbuf *out;
	const struct linux_nlmsghdr *request;
	struct linux_unix_diag_req wanted;
	uint32_t pid;
	bool one;   /* that with the number, not all in the states asked for */
	int result; /* of one */
};

static void add_attributes(struct strbuf *out, const struct unix_entry *e, uint32_t show)
{
	const uint32_t queues[2] = { e->receive_queue, e->send_queue };
	struct task *t = task_current();

	if (show & LINUX_UDIAG_SHOW_NAME && e->name_size)
		record_attribute(out, LINUX_UNIX_DIAG_NAME, e->name, e->name_size);
	if (show & LINUX_UDIAG_SHOW_PEER && e->has_peer)
		record_u32(out, LINUX_UNIX_DIAG_PEER, (uint32_t)e->peer_ino);
	if (show & LINUX_UDIAG_SHOW_RQLEN)
		record_attribute(out, LINUX_UNIX_DIAG_RQLEN, queues, sizeof(queues));
	record_u8(out, LINUX_UNIX_DIAG_SHUTDOWN, e->shut);
	if (show & LINUX_UDIAG_SHOW_UID)
		record_u32(out, LINUX_UNIX_DIAG_UID,
			   t ? uid_from_kernel(t->cred->user_ns, e->uid) : e->uid);
}

static void add_entry(const struct query *q, const struct unix_entry *e)
{
	const struct linux_unix_diag_msg m = {
		.family = LINUX_AF_UNIX,
		.type = (uint8_t)e->type,
		.state = e->state,
		.ino = (uint32_t)e->ino,
		.cookie = { (uint32_t)e->ino, (uint32_t)(e->ino >> 32) },
	};
	struct record_mark mark = record_begin(q->out, LINUX_SOCK_DIAG_BY_FAMILY, &m, sizeof(m));
	struct linux_nlmsghdr header;

	add_attributes(q->out, e, q->wanted.show);
	record_end(q->out, mark);
	if (q->out->failed)
		return;
	memcpy(&header, q->out->data + mark.start, sizeof(header));
	header.flags = q->one ? 0 : LINUX_NLM_F_MULTI;
	header.sequence = q->request->sequence;
	header.pid = q->pid;
	memcpy(q->out->data + mark.start, &header, sizeof(header));
}

/* All ones: any. */
static bool is_meant(const uint32_t cookie[2], uint64_t ino)
{
	return (cookie[0] == UINT32_MAX && cookie[1] == UINT32_MAX) ||
	       (cookie[0] == (uint32_t)ino && cookie[1] == (uint32_t)(ino >> 32));
}

static void visit(void *arg, struct socket *s)
{
	struct query *q = arg;
	struct unix_entry e;

	if (!unix_describe(unix_socket_of(s), &e))
		return;
	if (!q->one) {
		if (q->wanted.states >> e.state & 1)
			add_entry(q, &e);
	} else if ((uint32_t)e.ino == q->wanted.ino && q->result == -ENOENT) {
		q->result = is_meant(q->wanted.cookie, e.ino) ? 0 : -ESTALE;
		if (!q->result)
			add_entry(q, &e);
	}
}

int unix_diag_answer(struct net_namespace *net, const struct record *request, uint32_t pid,
		     struct strbuf *out)
{
	struct query q = { .out = out, .request = &request->header, .pid = pid };
	int rc;

	if (request->size < sizeof(q.wanted))
		return -EINVAL;
	memcpy(&q.wanted, request->payload, sizeof(q.wanted));
	q.one = !(request->header.flags & LINUX_NLM_F_DUMP);
	if (q.one && !q.wanted.ino)
		return -EINVAL;
	q.result = q.one ? -ENOENT : 0;
	rc = net_each_socket(net, LINUX_AF_UNIX, 0, visit, &q);
	if (!rc && !q.one)
		netlink_add_done(out, &request->header, pid);
	return rc ? rc : q.result;
}
