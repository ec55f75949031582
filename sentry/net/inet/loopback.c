/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of a network that has the loopback interface and nothing else. */
#include <errno.h>
#include <string.h>

#include "sentry/abi/netlink.h"
#include "sentry/net/inet/inet.h"
#include "sentry/net/inet/provider.h"
#include "sentry/net/net_namespace.h"
#include "sentry/net/netdevice.h"
#include "sentry/net/netlink/record.h"

#define STATS64_SIZE 200
#define STATS_SIZE 96

static void add_link(struct strbuf *out)
{
	static const uint8_t no_address[6], no_stats[STATS64_SIZE];
	struct linux_ifinfomsg info = { .type = LINUX_ARPHRD_LOOPBACK,
					.index = LOOPBACK_INDEX,
					.flags = LOOPBACK_FLAGS | LINUX_IFF_LOWER_UP };
	struct record_mark mark = record_begin(out, LINUX_RTM_NEWLINK, &info, sizeof(info));

	record_text(out, LINUX_IFLA_IFNAME, "lo");
	record_u32(out, LINUX_IFLA_TXQLEN, 1000);
	record_u8(out, LINUX_IFLA_OPERSTATE, 0);
	record_u8(out, LINUX_IFLA_LINKMODE, 0);
	record_u32(out, LINUX_IFLA_MTU, LOOPBACK_MTU);
	record_u32(out, LINUX_IFLA_GROUP, 0);
	record_u32(out, LINUX_IFLA_NUM_TX_QUEUES, 1);
	record_u32(out, LINUX_IFLA_NUM_RX_QUEUES, 1);
	record_u8(out, LINUX_IFLA_CARRIER, 1);
	record_text(out, LINUX_IFLA_QDISC, "noqueue");
	record_attribute(out, LINUX_IFLA_ADDRESS, no_address, sizeof(no_address));
	record_attribute(out, LINUX_IFLA_BROADCAST, no_address, sizeof(no_address));
	record_attribute(out, LINUX_IFLA_STATS64, no_stats, STATS64_SIZE);
	record_attribute(out, LINUX_IFLA_STATS, no_stats, STATS_SIZE);
	record_end(out, mark);
}

static void add_address(struct strbuf *out, uint8_t family, const void *address, uint8_t size,
			uint8_t prefix)
{
	static const uint32_t for_ever[4] = { UINT32_MAX, UINT32_MAX, 0, 0 };
	struct linux_ifaddrmsg info = { .family = family,
					.prefix_size = prefix,
					.flags = LINUX_IFA_F_PERMANENT,
					.scope = LINUX_RT_SCOPE_HOST,
					.index = LOOPBACK_INDEX };
	struct record_mark mark = record_begin(out, LINUX_RTM_NEWADDR, &info, sizeof(info));

	record_attribute(out, LINUX_IFA_ADDRESS, address, size);
	if (family == LINUX_AF_INET) {
		record_attribute(out, LINUX_IFA_LOCAL, address, size);
		record_text(out, LINUX_IFA_LABEL, "lo");
	}
	record_u32(out, LINUX_IFA_FLAGS, LINUX_IFA_F_PERMANENT);
	record_attribute(out, LINUX_IFA_CACHEINFO, for_ever, sizeof(for_ever));
	record_end(out, mark);
}

static int loopback_dump(struct net_namespace *net, enum net_table table, uint8_t family,
			 struct strbuf *out)
{
	static const uint8_t v4[4] = { 127, 0, 0, 1 };
	static const uint8_t v6[16] = { [15] = 1 };

	if (table == NET_LINKS)
		add_link(out);
	if (table == NET_ADDRESSES && (family == LINUX_AF_UNSPEC || family == LINUX_AF_INET))
		add_address(out, LINUX_AF_INET, v4, sizeof(v4), 8);
	if (table == NET_ADDRESSES && (family == LINUX_AF_UNSPEC || family == LINUX_AF_INET6))
		add_address(out, LINUX_AF_INET6, v6, sizeof(v6), 128);
	return out->failed ? -ENOMEM : 0;
}

static int loopback_route(struct net_namespace *net, uint8_t family, const void *address, uint32_t size,
			  struct strbuf *out)
{
	return -ENETUNREACH;
}

static int loopback_counters(struct net_namespace *net, const char *file, struct strbuf *out)
{
	return -ENOENT;
}

const struct inet_provider loopback_provider = {
	.name = "none",
	.refuse_raw = -EPROTONOSUPPORT,
	.create = loopback_create,
	.dump = loopback_dump,
	.route = loopback_route,
	.sockets = net_visit_sockets,
	.counters = loopback_counters,
};
