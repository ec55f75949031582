/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The provider: sockets are made by the host, and what the network looks like is read
 * from it when asked.  Of the host's records what tells of its hardware or of other
 * namespaces' objects is left out.
 */
#include <errno.h>

#include "sentry/abi/netlink.h"
#include "sentry/host/host_inet.h"
#include "sentry/host/host_netlink.h"
#include "sentry/host/host_procfs.h"
#include "sentry/net/hostinet/hostinet.h"
#include "util/strbuf.h"

#define A(n) (1ULL << (n))

static const struct host_netlink_table tables[NET_TABLE_COUNT] = {
	[NET_LINKS] = {
		LINUX_RTM_GETLINK, LINUX_RTM_NEWLINK, sizeof(struct linux_ifinfomsg),
		A(LINUX_IFLA_ADDRESS) | A(LINUX_IFLA_BROADCAST) | A(LINUX_IFLA_IFNAME) |
			A(LINUX_IFLA_MTU) | A(LINUX_IFLA_LINK) | A(LINUX_IFLA_QDISC) |
			A(LINUX_IFLA_STATS) | A(LINUX_IFLA_MASTER) | A(LINUX_IFLA_TXQLEN) |
			A(LINUX_IFLA_OPERSTATE) | A(LINUX_IFLA_LINKMODE) | A(LINUX_IFLA_LINKINFO) |
			A(LINUX_IFLA_IFALIAS) | A(LINUX_IFLA_STATS64) | A(LINUX_IFLA_AF_SPEC) |
			A(LINUX_IFLA_GROUP) | A(LINUX_IFLA_PROMISCUITY) |
			A(LINUX_IFLA_NUM_TX_QUEUES) | A(LINUX_IFLA_NUM_RX_QUEUES) |
			A(LINUX_IFLA_CARRIER) | A(LINUX_IFLA_CARRIER_CHANGES) |
			A(LINUX_IFLA_LINK_NETNSID) | A(LINUX_IFLA_GSO_MAX_SEGS) |
			A(LINUX_IFLA_GSO_MAX_SIZE) | A(LINUX_IFLA_MIN_MTU) | A(LINUX_IFLA_MAX_MTU) |
			A(LINUX_IFLA_PROP_LIST) | A(LINUX_IFLA_ALT_IFNAME),
	},
	[NET_ADDRESSES] = {
		LINUX_RTM_GETADDR, LINUX_RTM_NEWADDR, sizeof(struct linux_ifaddrmsg),
		A(LINUX_IFA_ADDRESS) | A(LINUX_IFA_LOCAL) | A(LINUX_IFA_LABEL) |
			A(LINUX_IFA_BROADCAST) | A(LINUX_IFA_CACHEINFO) | A(LINUX_IFA_FLAGS) |
			A(LINUX_IFA_RT_PRIORITY) | A(LINUX_IFA_PROTO),
	},
	[NET_ROUTES] = {
		LINUX_RTM_GETROUTE, LINUX_RTM_NEWROUTE, sizeof(struct linux_rtmsg),
		A(LINUX_RTA_DST) | A(LINUX_RTA_SRC) | A(LINUX_RTA_IIF) | A(LINUX_RTA_OIF) |
			A(LINUX_RTA_GATEWAY) | A(LINUX_RTA_PRIORITY) | A(LINUX_RTA_PREFSRC) |
			A(LINUX_RTA_METRICS) | A(LINUX_RTA_MULTIPATH) | A(LINUX_RTA_FLOW) |
			A(LINUX_RTA_CACHEINFO) | A(LINUX_RTA_TABLE) | A(LINUX_RTA_VIA) |
			A(LINUX_RTA_PREF) | A(LINUX_RTA_EXPIRES),
	},
	[NET_NEIGHBOURS] = {
		LINUX_RTM_GETNEIGH, LINUX_RTM_NEWNEIGH, sizeof(struct linux_ndmsg),
		A(LINUX_NDA_DST) | A(LINUX_NDA_LLADDR) | A(LINUX_NDA_CACHEINFO) | A(LINUX_NDA_PROBES),
	},
	[NET_RULES] = {
		LINUX_RTM_GETRULE, LINUX_RTM_NEWRULE, sizeof(struct linux_rtmsg),
		A(LINUX_FRA_DST) | A(LINUX_FRA_SRC) | A(LINUX_FRA_IIFNAME) | A(LINUX_FRA_PRIORITY) |
			A(LINUX_FRA_SUPPRESS_PREFIXLEN) | A(LINUX_FRA_TABLE) | A(LINUX_FRA_OIFNAME) |
			A(LINUX_FRA_PROTOCOL),
	},
};

static int host_create(struct net_namespace *net, int family, int type, int protocol, struct socket **out)
{
	int fd = host_inet_socket(family, type, protocol);

	return fd < 0 ? fd : hostinet_new(net, family, type, protocol, fd, out);
}

static int host_dump(struct net_namespace *net, enum net_table table, uint8_t family, struct strbuf *out)
{
	(void)net;
	return host_netlink_dump(&tables[table], family, out);
}

static int host_route(struct net_namespace *net, uint8_t family, const void *address, uint32_t size,
		      struct strbuf *out)
{
	(void)net;
	return host_netlink_route(&tables[NET_ROUTES], family, address, size, out);
}

static int host_counters(struct net_namespace *net, const char *file, struct strbuf *out)
{
	(void)net;
	return host_procfs_net(file, out);
}

const struct inet_provider host_provider = {
	.name = "host",
	.refuse_raw = -EPERM,
	.create = host_create,
	.dump = host_dump,
	.route = host_route,
	/* Those of the sandbox, and not of others in the same namespace. */
	.sockets = net_visit_sockets,
	.counters = host_counters,
};
