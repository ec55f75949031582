/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rtnetlink: questions about links, addresses, routes, neighbours and rules, answered from
 * the tables of the network's provider.  Nothing can be changed.
 */
#include <errno.h>
#include <string.h>

#include "sentry/abi/netlink.h"
#include "sentry/abi/socket.h"
#include "sentry/net/inet/provider.h"
#include "sentry/net/net_namespace.h"
#include "sentry/net/netlink/netlink.h"
#include "sentry/net/netlink/record.h"
#include "util/checked.h"

/* What a request is about: its table, and the size of the structure before its attributes. */
static const struct {
	uint16_t type;
	enum net_table table;
	size_t size;
} questions[] = {
	{ LINUX_RTM_GETLINK, NET_LINKS, sizeof(struct linux_ifinfomsg) },
	{ LINUX_RTM_GETADDR, NET_ADDRESSES, sizeof(struct linux_ifaddrmsg) },
	{ LINUX_RTM_GETROUTE, NET_ROUTES, sizeof(struct linux_rtmsg) },
	{ LINUX_RTM_GETNEIGH, NET_NEIGHBOURS, sizeof(struct linux_ndmsg) },
	{ LINUX_RTM_GETRULE, NET_RULES, sizeof(struct linux_rtmsg) },
};

struct call {
	struct net_namespace *net;
	const struct record *request;
	uint32_t pid;
	struct strbuf *out;
};

/* Appends @r as part of the answer. */
static void add_record(const struct call *c, const struct record *r, uint16_t flags)
{
	struct linux_nlmsghdr header = r->header;
	size_t start = c->out->length;
	static const char zeroes[4];

	header.flags = flags;
	header.sequence = c->request->header.sequence;
	header.pid = c->pid;
	strbuf_add_bytes(c->out, &header, sizeof(header));
	strbuf_add_bytes(c->out, r->payload, r->size);
	strbuf_add_bytes(c->out, zeroes, LINUX_NLMSG_ALIGN(header.size) - (c->out->length - start));
}

static void add_all(const struct call *c, const struct strbuf *rows)
{
	struct record r;
	size_t at = 0;

	while (record_next(rows->data, rows->length, &at, &r))
		add_record(c, &r, LINUX_NLM_F_MULTI);
	netlink_add_done(c->out, &c->request->header, c->pid);
}

static bool has_name(const struct record *r, const char *name, size_t size)
{
	char text[LINUX_IFNAMSIZ];

	record_find_text(r, sizeof(struct linux_ifinfomsg), LINUX_IFLA_IFNAME, text, sizeof(text));
	return strnlen(name, size) < sizeof(text) && !strncmp(text, name, size);
}

/* The one link that a request names by index or name. */
static int answer_link(const struct call *c, const struct strbuf *rows)
{
	struct linux_ifinfomsg wanted, info;
	const char *name;
	size_t at = 0, size = 0;
	struct record r;

	if (c->request->size < sizeof(wanted))
		return -EINVAL;
	memcpy(&wanted, c->request->payload, sizeof(wanted));
	name = record_find(c->request, sizeof(wanted), LINUX_IFLA_IFNAME, &size);
	if (wanted.index <= 0 && !name)
		return -EINVAL;
	while (record_next(rows->data, rows->length, &at, &r)) {
		if (r.size < sizeof(info))
			continue;
		memcpy(&info, r.payload, sizeof(info));
		if (wanted.index > 0 ? info.index == wanted.index : has_name(&r, name, size)) {
			add_record(c, &r, 0);
			return 0;
		}
	}
	return -ENODEV;
}

static int answer_route(const struct call *c)
{
	AUTO_STRBUF struct strbuf rows = STRBUF_INIT;
	uint8_t family = c->request->size ? c->request->payload[0] : 0;
	uint32_t wanted = family == LINUX_AF_INET6 ? 16 : 4;
	size_t at = 0, size = 0;
	const void *address;
	struct record r;
	int rc;

	if (c->request->size < sizeof(struct linux_rtmsg))
		return -EINVAL;
	if (family != LINUX_AF_INET && family != LINUX_AF_INET6)
		return -EOPNOTSUPP;
	address = record_find(c->request, sizeof(struct linux_rtmsg), LINUX_RTA_DST, &size);
	if (!address || size < wanted)
		return -EINVAL;
	rc = c->net->provider->route(c->net, family, address, wanted, &rows);
	if (!rc && record_next(rows.data, rows.length, &at, &r))
		add_record(c, &r, 0);
	return rc;
}

static int answer_get(const struct call *c, size_t question)
{
	AUTO_STRBUF struct strbuf rows = STRBUF_INIT;
	bool dump = (c->request->header.flags & LINUX_NLM_F_DUMP) != 0;
	uint16_t type = c->request->header.type;
	uint8_t family = c->request->size ? c->request->payload[0] : 0;
	int rc;

	if (!dump && type == LINUX_RTM_GETROUTE)
		return answer_route(c);
	if (!dump && type != LINUX_RTM_GETLINK)
		return -EOPNOTSUPP;
	rc = c->net->provider->dump(c->net, questions[question].table,
				    type == LINUX_RTM_GETLINK ? 0 : family, &rows);
	if (rc)
		return rc;
	if (!dump)
		return answer_link(c, &rows);
	add_all(c, &rows);
	return 0;
}

static bool is_get(uint16_t type)
{
	return (type - LINUX_NLMSG_MIN_TYPE) % 4 == 2;
}

static int answer_one(const struct call *c, bool may_change)
{
	uint16_t type = c->request->header.type;

	if (!is_get(type))
		return may_change ? -EOPNOTSUPP : -EPERM;
	for (size_t i = 0; i < ARRAY_SIZE(questions); i++) {
		if (questions[i].type == type)
			return answer_get(c, i);
	}
	if (!(c->request->header.flags & LINUX_NLM_F_DUMP))
		return -EOPNOTSUPP;
	netlink_add_done(c->out, &c->request->header, c->pid); /* there are none */
	return 0;
}

int route_answer(struct net_namespace *net, const struct record *request, uint32_t pid, bool may_change,
		 struct strbuf *out)
{
	const struct call c = { .net = net, .request = request, .pid = pid, .out = out };

	return answer_one(&c, may_change);
}
