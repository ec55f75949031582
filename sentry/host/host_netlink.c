/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See host_netlink.h.  One question at a time, under a lock; the kernel answers while it is asked,
 * so nothing here waits.  Answers are walked with libmnl's checks of sizes, and only those of our
 * question, from the kernel, with attributes of the caller's list are kept.
 */
#include "sentry/host/host_netlink.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/lock.h"
#include "util/strbuf.h"

#define ANSWER_SIZE 32768U /* what a kernel fills at most for one recvmsg */
#define ANSWERS_MAX (16U << 20)
#define TRIES 5 /* of a dump that was changed while it was read */

static struct {
	struct mutex lock; /* LOCK_RANK_LEAF */
	int fd;		   /* does not change after boot */
	uint32_t sequence; /* protected by lock */
	uint32_t port;	   /* does not change after boot */
} host = { .lock = MUTEX_INIT(LOCK_RANK_LEAF), .fd = -1 };

int host_netlink_open(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	struct sockaddr_nl name = { .nl_family = AF_NETLINK };
	socklen_t size = sizeof(name);
	int rc = 0;

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&name, sizeof(name)) < 0 ||
	    getsockname(fd, (struct sockaddr *)&name, &size) < 0)
		rc = -errno;
	if (rc) {
		close(fd);
		return rc;
	}
	host.fd = fd;
	host.port = name.nl_pid;
	return 0;
}

/* Appends one row with those attributes that are wanted. */
static int keep_row(const struct host_netlink_table *table, const struct nlmsghdr *row, struct strbuf *out)
{
	struct nlmsghdr header = { .nlmsg_type = row->nlmsg_type };
	size_t start = out->length;
	const struct nlattr *attr;

	if (mnl_nlmsg_get_payload_len(row) < table->size)
		return -EIO;
	strbuf_add_bytes(out, &header, sizeof(header));
	strbuf_add_bytes(out, mnl_nlmsg_get_payload(row), table->size);
	mnl_attr_for_each(attr, row, table->size) {
		static const char zeroes[4];
		uint16_t type = mnl_attr_get_type(attr);

		if (type >= 64 || !(table->attributes >> type & 1))
			continue;
		strbuf_add_bytes(out, attr, attr->nla_len);
		strbuf_add_bytes(out, zeroes, MNL_ALIGN(attr->nla_len) - attr->nla_len);
	}
	if (out->failed)
		return -ENOMEM;
	header.nlmsg_len = (uint32_t)(out->length - start);
	memcpy(out->data + start, &header, sizeof(header));
	return out->length > ANSWERS_MAX ? -E2BIG : 0;
}

static int error_of(const struct nlmsghdr *message)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);

	if (mnl_nlmsg_get_payload_len(message) < sizeof(*error) || error->error > 0 ||
	    error->error < -4095)
		return -EIO;
	return error->error;
}

/* One datagram: 1 when it was the last. */
static int read_answer(const struct host_netlink_table *table, const void *buf, int size,
		       struct strbuf *out)
{
	const struct nlmsghdr *m = buf;
	int rc = 0;

	for (; !rc && mnl_nlmsg_ok(m, size); m = mnl_nlmsg_next(m, &size)) {
		if (!mnl_nlmsg_seq_ok(m, host.sequence) || !mnl_nlmsg_portid_ok(m, host.port))
			continue;
		if (m->nlmsg_flags & NLM_F_DUMP_INTR)
			rc = -EAGAIN;
		else if (m->nlmsg_type == NLMSG_DONE)
			rc = 1;
		else if (m->nlmsg_type == NLMSG_ERROR)
			rc = error_of(m);
		else if (m->nlmsg_type == table->row)
			rc = keep_row(table, m, out);
		if (!rc && m->nlmsg_type == table->row && !(m->nlmsg_flags & NLM_F_MULTI))
			rc = 1;
	}
	return rc;
}

static int read_answers(const struct host_netlink_table *table, char *buf, struct strbuf *out)
{
	struct sockaddr_nl from;
	struct iovec iov = { buf, ANSWER_SIZE };
	int rc = 0;

	while (!rc) {
		struct msghdr msg = { .msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &iov,
				      .msg_iovlen = 1 };
		ssize_t n = recvmsg(host.fd, &msg, MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? -EIO : -errno;
		if (msg.msg_flags & MSG_TRUNC || msg.msg_namelen != sizeof(from))
			return -EIO;
		/* Others of the namespace could send to our port: only the kernel is listened to. */
		if (from.nl_pid == 0)
			rc = read_answer(table, buf, (int)n, out);
	}
	return rc > 0 ? 0 : rc;
}

/* What an earlier, failed question left. */
static void drain(char *buf)
{
	while (recv(host.fd, buf, ANSWER_SIZE, MSG_DONTWAIT) > 0)
		;
}

static int ask(const struct host_netlink_table *table, struct nlmsghdr *question, char *buf,
	       struct strbuf *out)
{
	size_t start = out->length;
	int rc = -EAGAIN;

	mutex_lock(&host.lock);
	for (int i = 0; i < TRIES && rc == -EAGAIN; i++) {
		drain(buf);
		question->nlmsg_seq = ++host.sequence ? host.sequence : ++host.sequence;
		rc = send(host.fd, question, question->nlmsg_len, 0) < 0 ? -errno : 0;
		if (!rc)
			rc = read_answers(table, buf, out);
		if (rc && out->length > start)
			strbuf_truncate(out, start);
	}
	mutex_unlock(&host.lock);
	return rc == -EAGAIN ? -EIO : rc;
}

static struct nlmsghdr *begin(char *buf, const struct host_netlink_table *table, uint16_t flags,
			      uint8_t family)
{
	struct nlmsghdr *m = mnl_nlmsg_put_header(buf);
	uint8_t *body;

	m->nlmsg_type = table->get;
	m->nlmsg_flags = NLM_F_REQUEST | flags;
	body = mnl_nlmsg_put_extra_header(m, table->size);
	body[0] = family; /* the first byte of each of the structures */
	return m;
}

static char *answer_buffer(void)
{
	return host.fd < 0 ? NULL : malloc(ANSWER_SIZE);
}

int host_netlink_dump(const struct host_netlink_table *table, uint8_t family, struct strbuf *out)
{
	AUTO_FREE char *buf = answer_buffer();
	char question[128] __attribute__((aligned(8)));

	return buf ? ask(table, begin(question, table, NLM_F_DUMP, family), buf, out) : -ENOMEM;
}

int host_netlink_route(const struct host_netlink_table *table, uint8_t family, const void *address,
		       size_t size, struct strbuf *out)
{
	AUTO_FREE char *buf = answer_buffer();
	char question[128] __attribute__((aligned(8)));
	struct nlmsghdr *m = begin(question, table, 0, family);
	struct rtmsg *route = mnl_nlmsg_get_payload(m);

	if (!buf)
		return -ENOMEM;
	route->rtm_dst_len = (uint8_t)(size * 8);
	mnl_attr_put(m, RTA_DST, size, address);
	return ask(table, m, buf, out);
}
