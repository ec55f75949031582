/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rtnetlink for a network that has the loopback interface and nothing else.
 * Stateless: each request is answered from constants.
 */
#include <errno.h>
#include <string.h>

#include "sentry/abi/netlink.h"
#include "sentry/net/netdevice.h"
#include "sentry/net/netlink/netlink.h"
#include "util/checked.h"

#define FLAG_LOWER_UP 0x10000U
#define STATS64_SIZE 200
#define STATS_SIZE 96

struct reply {
	struct strbuf *out;
	const struct linux_nlmsghdr *request;
	uint32_t pid;
	size_t start; /* of the message being built */
};

static void pad(struct strbuf *out)
{
	static const char zeroes[4];

	strbuf_add_bytes(out, zeroes, LINUX_NLMSG_ALIGN((uint32_t)out->length) - out->length);
}

static void begin(struct reply *r, uint16_t type, uint16_t flags)
{
	struct linux_nlmsghdr header = { .type = type,
					 .flags = flags,
					 .sequence = r->request->sequence,
					 .pid = r->pid };

	r->start = r->out->length;
	strbuf_add_bytes(r->out, &header, sizeof(header));
}

static void end(struct reply *r)
{
	uint32_t size = (uint32_t)(r->out->length - r->start);

	if (!r->out->failed)
		memcpy(r->out->data + r->start, &size, sizeof(size));
	pad(r->out);
}

static void attribute(struct reply *r, uint16_t type, const void *data, size_t size)
{
	struct linux_nlattr header = { .size = (uint16_t)(sizeof(header) + size), .type = type };

	strbuf_add_bytes(r->out, &header, sizeof(header));
	strbuf_add_bytes(r->out, data, size);
	pad(r->out);
}

static void attribute_u32(struct reply *r, uint16_t type, uint32_t value)
{
	attribute(r, type, &value, sizeof(value));
}

static void attribute_u8(struct reply *r, uint16_t type, uint8_t value)
{
	attribute(r, type, &value, sizeof(value));
}

static void error_reply(struct reply *r, int error)
{
	int32_t code = error;

	begin(r, LINUX_NLMSG_ERROR, 0);
	strbuf_add_bytes(r->out, &code, sizeof(code));
	strbuf_add_bytes(r->out, r->request, sizeof(*r->request));
	end(r);
}

static void done(struct reply *r)
{
	int32_t zero = 0;

	begin(r, LINUX_NLMSG_DONE, LINUX_NLM_F_MULTI);
	strbuf_add_bytes(r->out, &zero, sizeof(zero));
	end(r);
}

/* --- the interface --------------------------------------------------------------------- */

static void add_link(struct reply *r, uint16_t flags)
{
	static const uint8_t no_address[6], no_stats[STATS64_SIZE];
	struct linux_ifinfomsg info = { .type = LINUX_ARPHRD_LOOPBACK,
					.index = LOOPBACK_INDEX,
					.flags = LOOPBACK_FLAGS | FLAG_LOWER_UP };

	begin(r, LINUX_RTM_NEWLINK, flags);
	strbuf_add_bytes(r->out, &info, sizeof(info));
	attribute(r, LINUX_IFLA_IFNAME, "lo", 3);
	attribute_u32(r, LINUX_IFLA_TXQLEN, 1000);
	attribute_u8(r, LINUX_IFLA_OPERSTATE, 0);
	attribute_u8(r, LINUX_IFLA_LINKMODE, 0);
	attribute_u32(r, LINUX_IFLA_MTU, LOOPBACK_MTU);
	attribute_u32(r, LINUX_IFLA_GROUP, 0);
	attribute_u32(r, LINUX_IFLA_NUM_TX_QUEUES, 1);
	attribute_u32(r, LINUX_IFLA_NUM_RX_QUEUES, 1);
	attribute_u8(r, LINUX_IFLA_CARRIER, 1);
	attribute(r, LINUX_IFLA_QDISC, "noqueue", 8);
	attribute(r, LINUX_IFLA_ADDRESS, no_address, sizeof(no_address));
	attribute(r, LINUX_IFLA_BROADCAST, no_address, sizeof(no_address));
	attribute(r, LINUX_IFLA_STATS64, no_stats, STATS64_SIZE);
	attribute(r, LINUX_IFLA_STATS, no_stats, STATS_SIZE);
	end(r);
}

static void add_address(struct reply *r, uint8_t family, const void *address, uint8_t size,
			uint8_t prefix)
{
	static const uint32_t for_ever[4] = { UINT32_MAX, UINT32_MAX, 0, 0 };
	struct linux_ifaddrmsg info = { .family = family,
					.prefix_size = prefix,
					.flags = LINUX_IFA_F_PERMANENT,
					.scope = LINUX_RT_SCOPE_HOST,
					.index = LOOPBACK_INDEX };

	begin(r, LINUX_RTM_NEWADDR, LINUX_NLM_F_MULTI);
	strbuf_add_bytes(r->out, &info, sizeof(info));
	attribute(r, LINUX_IFA_ADDRESS, address, size);
	if (family == LINUX_AF_INET) {
		attribute(r, LINUX_IFA_LOCAL, address, size);
		attribute(r, LINUX_IFA_LABEL, "lo", 3);
	}
	attribute_u32(r, LINUX_IFA_FLAGS, LINUX_IFA_F_PERMANENT);
	attribute(r, LINUX_IFA_CACHEINFO, for_ever, sizeof(for_ever));
	end(r);
}

static void add_addresses(struct reply *r, uint8_t family)
{
	static const uint8_t v4[4] = { 127, 0, 0, 1 };
	static const uint8_t v6[16] = { [15] = 1 };

	if (family == LINUX_AF_UNSPEC || family == LINUX_AF_INET)
		add_address(r, LINUX_AF_INET, v4, sizeof(v4), 8);
	if (family == LINUX_AF_UNSPEC || family == LINUX_AF_INET6)
		add_address(r, LINUX_AF_INET6, v6, sizeof(v6), 128);
}

/* --- requests ----------------------------------------------------------------------------- */

/* RTM_GETLINK for one interface, named by index or by IFLA_IFNAME. */
static bool names_loopback(const uint8_t *payload, size_t size)
{
	struct linux_ifinfomsg info;
	size_t at = sizeof(info);

	if (size < sizeof(info))
		return false;
	memcpy(&info, payload, sizeof(info));
	if (info.index)
		return info.index == LOOPBACK_INDEX;
	while (size - at >= sizeof(struct linux_nlattr)) {
		struct linux_nlattr attr;

		memcpy(&attr, payload + at, sizeof(attr));
		if (attr.size < sizeof(attr) || attr.size > size - at)
			return false;
		if (attr.type == LINUX_IFLA_IFNAME)
			return attr.size >= sizeof(attr) + 2 &&
			       !strncmp((const char *)payload + at + sizeof(attr), "lo",
					attr.size - sizeof(attr));
		at += MIN(LINUX_NLMSG_ALIGN(attr.size), size - at);
	}
	return false;
}

static bool is_get(uint16_t type)
{
	return (type - LINUX_NLMSG_MIN_TYPE) % 4 == 2;
}

static void answer_get(struct reply *r, const uint8_t *payload, size_t size)
{
	bool dump = (r->request->flags & LINUX_NLM_F_DUMP) != 0;
	uint8_t family = size ? payload[0] : 0;

	if (r->request->type == LINUX_RTM_GETLINK && !dump) {
		if (names_loopback(payload, size))
			add_link(r, 0);
		else
			error_reply(r, -ENODEV);
		return;
	}
	if (!dump) {
		error_reply(r, r->request->type == LINUX_RTM_GETROUTE ? -ENETUNREACH : -EOPNOTSUPP);
		return;
	}
	if (r->request->type == LINUX_RTM_GETLINK)
		add_link(r, LINUX_NLM_F_MULTI);
	else if (r->request->type == LINUX_RTM_GETADDR)
		add_addresses(r, family);
	done(r);
}

static void answer_one(struct reply *r, const uint8_t *payload, size_t size, bool may_change)
{
	if (!(r->request->flags & LINUX_NLM_F_REQUEST))
		return;
	if (r->request->type < LINUX_NLMSG_MIN_TYPE) {
		if (r->request->flags & LINUX_NLM_F_ACK)
			error_reply(r, 0);
	} else if (is_get(r->request->type)) {
		answer_get(r, payload, size);
	} else {
		error_reply(r, may_change ? -EOPNOTSUPP : -EPERM);
	}
}

void route_answer(const void *data, size_t size, uint32_t pid, bool may_change, struct strbuf *out)
{
	const uint8_t *bytes = data;

	while (size >= sizeof(struct linux_nlmsghdr)) {
		struct linux_nlmsghdr header;
		struct reply r = { .out = out, .request = &header, .pid = pid };
		size_t step;

		memcpy(&header, bytes, sizeof(header));
		if (header.size < sizeof(header) || header.size > size)
			return;
		answer_one(&r, bytes + sizeof(header), header.size - sizeof(header), may_change);
		step = MIN(LINUX_NLMSG_ALIGN(header.size), size);
		bytes += step;
		size -= step;
	}
}
