/* SPDX-License-Identifier: Apache-2.0 */
/* /proc/PID/net/dev, route, if_inet6 and arp, from the tables of the network's provider. */
#include <errno.h>
#include <string.h>

#include "sentry/abi/netlink.h"
#include "sentry/abi/socket.h"
#include "sentry/fs/proc/system/proc_net.h"
#include "sentry/net/inet/provider.h"
#include "sentry/net/net_namespace.h"
#include "sentry/net/netlink/record.h"
#include "util/checked.h"

#define LINE_SIZE 127 /* Linux pads the lines of routes */

/* Two tables: the one that is shown, and the links, for their names. */
struct tables {
	struct strbuf links, rows;
};

static int read_tables(const struct proc_call *c, enum net_table table, uint8_t family, struct tables *t)
{
	struct namespaces *holder;
	struct net_namespace *net = proc_net_begin(c, &holder);
	int rc = net ? net->provider->dump(net, NET_LINKS, 0, &t->links) : -EINVAL;

	if (rc == 0 && table != NET_LINKS)
		rc = net->provider->dump(net, table, family, &t->rows);
	namespaces_put(holder);
	return rc;
}

static void free_tables(struct tables *t)
{
	strbuf_free(&t->links);
	strbuf_free(&t->rows);
}

#define AUTO_TABLES __attribute__((cleanup(free_tables)))

/* The next row with @size bytes of structure, copied. */
static bool next_row(const struct strbuf *rows, size_t *at, struct record *r, void *info, size_t size)
{
	while (record_next(rows->data, rows->length, at, r)) {
		if (r->size < size)
			continue;
		memcpy(info, r->payload, size);
		return true;
	}
	return false;
}

static void link_name(const struct tables *t, uint32_t index, char name[LINUX_IFNAMSIZ])
{
	struct linux_ifinfomsg info;
	struct record r;
	size_t at = 0;

	name[0] = '*';
	name[1] = '\0';
	while (next_row(&t->links, &at, &r, &info, sizeof(info))) {
		if ((uint32_t)info.index == index) {
			record_find_text(&r, sizeof(info), LINUX_IFLA_IFNAME, name, LINUX_IFNAMSIZ);
			return;
		}
	}
}

/* --- dev ------------------------------------------------------------------------------------ */

enum { /* struct rtnl_link_stats64 */
	RX_PACKETS, TX_PACKETS, RX_BYTES, TX_BYTES, RX_ERRORS, TX_ERRORS, RX_DROPPED, TX_DROPPED, MULTICAST,
	COLLISIONS, RX_LENGTH, RX_OVER, RX_CRC, RX_FRAME, RX_FIFO, RX_MISSED, TX_ABORTED, TX_CARRIER, TX_FIFO,
	TX_HEARTBEAT, TX_WINDOW, RX_COMPRESSED, TX_COMPRESSED, STATS_COUNT,
};

static void add_device(struct strbuf *out, const char *name, const uint64_t n[STATS_COUNT])
{
	const uint64_t columns[] = {
		n[RX_BYTES], n[RX_PACKETS], n[RX_ERRORS], n[RX_DROPPED] + n[RX_MISSED], n[RX_FIFO],
		n[RX_LENGTH] + n[RX_OVER] + n[RX_CRC] + n[RX_FRAME], n[RX_COMPRESSED], n[MULTICAST],
		n[TX_BYTES], n[TX_PACKETS], n[TX_ERRORS], n[TX_DROPPED], n[TX_FIFO], n[COLLISIONS],
		n[TX_CARRIER] + n[TX_ABORTED] + n[TX_WINDOW] + n[TX_HEARTBEAT], n[TX_COMPRESSED],
	};
	static const int widths[] = { 7, 7, 4, 4, 4, 5, 10, 9, 8, 7, 4, 4, 4, 5, 7, 10 };

	strbuf_addf(out, "%6s:", name);
	for (size_t i = 0; i < ARRAY_SIZE(columns); i++)
		strbuf_addf(out, " %*llu", widths[i], (unsigned long long)columns[i]);
	strbuf_add_char(out, '\n');
}

int proc_net_dev(const struct proc_call *c, struct strbuf *out)
{
	AUTO_TABLES struct tables t = { STRBUF_INIT, STRBUF_INIT };
	struct linux_ifinfomsg info;
	struct record r;
	size_t at = 0;
	int rc = read_tables(c, NET_LINKS, 0, &t);

	strbuf_add(out, "Inter-|   Receive                                                |  Transmit\n"
			" face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets "
			"errs drop fifo colls carrier compressed\n");
	while (rc == 0 && next_row(&t.links, &at, &r, &info, sizeof(info))) {
		uint64_t numbers[STATS_COUNT] = { 0 };
		char name[LINUX_IFNAMSIZ];
		size_t size = 0;
		const void *stats = record_find(&r, sizeof(info), LINUX_IFLA_STATS64, &size);

		if (stats)
			memcpy(numbers, stats, MIN(size, sizeof(numbers)));
		record_find_text(&r, sizeof(info), LINUX_IFLA_IFNAME, name, sizeof(name));
		add_device(out, name, numbers);
	}
	return rc;
}

/* --- route ----------------------------------------------------------------------------------- */

#define RTF_UP 1U
#define RTF_GATEWAY 2U
#define RTF_HOST 4U

static void add_route(const struct tables *t, const struct record *r, const struct linux_rtmsg *info,
		      struct strbuf *out)
{
	const size_t skip = sizeof(*info);
	uint32_t gateway = record_find_u32(r, skip, LINUX_RTA_GATEWAY, 0);
	uint32_t flags = RTF_UP | (gateway ? RTF_GATEWAY : 0) | (info->dst_size == 32 ? RTF_HOST : 0);
	uint32_t mask = info->dst_size ? __builtin_bswap32(~0U << (32 - MIN(info->dst_size, (uint8_t)32))) : 0;
	size_t start = out->length;
	char name[LINUX_IFNAMSIZ];

	link_name(t, record_find_u32(r, skip, LINUX_RTA_OIF, 0), name);
	strbuf_addf(out, "%s\t%08X\t%08X\t%04X\t%d\t%u\t%u\t%08X\t%d\t%u\t%u", name,
		    record_find_u32(r, skip, LINUX_RTA_DST, 0), gateway, flags, 0, 0,
		    record_find_u32(r, skip, LINUX_RTA_PRIORITY, 0), mask, 0, 0, 0);
	while (!out->failed && out->length - start < LINE_SIZE)
		strbuf_add_char(out, ' ');
	strbuf_add_char(out, '\n');
}

int proc_net_route(const struct proc_call *c, struct strbuf *out)
{
	AUTO_TABLES struct tables t = { STRBUF_INIT, STRBUF_INIT };
	struct linux_rtmsg info;
	struct record r;
	size_t at = 0;
	int rc = read_tables(c, NET_ROUTES, LINUX_AF_INET, &t);

	strbuf_addf(out, "%-*s\n", LINE_SIZE,
		    "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT");
	while (rc == 0 && next_row(&t.rows, &at, &r, &info, sizeof(info))) {
		if (info.family == LINUX_AF_INET && info.table == LINUX_RT_TABLE_MAIN &&
		    info.type == LINUX_RTN_UNICAST)
			add_route(&t, &r, &info, out);
	}
	return rc;
}

/* --- if_inet6 -------------------------------------------------------------------------------- */

/* The scope as this file has it: of the address's kind. */
static unsigned scope6(uint8_t scope)
{
	switch (scope) {
	case LINUX_RT_SCOPE_HOST:
		return 0x10;
	case LINUX_RT_SCOPE_LINK:
		return 0x20;
	case LINUX_RT_SCOPE_SITE:
		return 0x40;
	default:
		return 0;
	}
}

int proc_net_if_inet6(const struct proc_call *c, struct strbuf *out)
{
	AUTO_TABLES struct tables t = { STRBUF_INIT, STRBUF_INIT };
	struct linux_ifaddrmsg info;
	struct record r;
	size_t at = 0;
	int rc = read_tables(c, NET_ADDRESSES, LINUX_AF_INET6, &t);

	while (rc == 0 && next_row(&t.rows, &at, &r, &info, sizeof(info))) {
		char name[LINUX_IFNAMSIZ];
		size_t size = 0;
		const uint8_t *address = record_find(&r, sizeof(info), LINUX_IFA_ADDRESS, &size);

		if (info.family != LINUX_AF_INET6 || !address || size < 16)
			continue;
		for (int i = 0; i < 16; i++)
			strbuf_addf(out, "%02x", address[i]);
		link_name(&t, info.index, name);
		strbuf_addf(out, " %02x %02x %02x %02x %8s\n", info.index, info.prefix_size,
			    scope6(info.scope),
			    record_find_u32(&r, sizeof(info), LINUX_IFA_FLAGS, info.flags) & 0xff, name);
	}
	return rc;
}

/* --- arp ------------------------------------------------------------------------------------- */

#define ARPHRD_ETHER 1U
#define NEIGHBOUR_VALID 0xdeU /* NUD_VALID */
#define NEIGHBOUR_NOARP 0x40U
#define NEIGHBOUR_PERMANENT 0x80U
#define FLAG_COMPLETE 2U
#define FLAG_PERMANENT 4U

static void add_neighbour(const struct tables *t, const struct record *r, const struct linux_ndmsg *info,
			  struct strbuf *out)
{
	size_t size = 0, hardware_size = 0;
	const uint8_t *address = record_find(r, sizeof(*info), LINUX_NDA_DST, &size);
	const uint8_t *hardware = record_find(r, sizeof(*info), LINUX_NDA_LLADDR, &hardware_size);
	static const uint8_t none[6];
	unsigned flags = info->state & NEIGHBOUR_VALID ? FLAG_COMPLETE : 0;
	AUTO_STRBUF struct strbuf text = STRBUF_INIT;
	char name[LINUX_IFNAMSIZ];

	if (!address || size < 4)
		return;
	if (!hardware || hardware_size < sizeof(none))
		hardware = none;
	if (info->state & NEIGHBOUR_PERMANENT)
		flags |= FLAG_PERMANENT;
	strbuf_addf(&text, "%u.%u.%u.%u", address[0], address[1], address[2], address[3]);
	link_name(t, (uint32_t)info->index, name);
	strbuf_addf(out, "%-16s 0x%-10x0x%-10x%02x:%02x:%02x:%02x:%02x:%02x     *        %s\n",
		    strbuf_text(&text), ARPHRD_ETHER, flags, hardware[0], hardware[1], hardware[2],
		    hardware[3], hardware[4], hardware[5], name);
}

int proc_net_arp(const struct proc_call *c, struct strbuf *out)
{
	AUTO_TABLES struct tables t = { STRBUF_INIT, STRBUF_INIT };
	struct linux_ndmsg info;
	struct record r;
	size_t at = 0;
	int rc = read_tables(c, NET_NEIGHBOURS, LINUX_AF_INET, &t);

	strbuf_add(out, "IP address       HW type     Flags       HW address            Mask     Device\n");
	while (rc == 0 && next_row(&t.rows, &at, &r, &info, sizeof(info))) {
		if (info.family == LINUX_AF_INET && !(info.state & NEIGHBOUR_NOARP))
			add_neighbour(&t, &r, &info, out);
	}
	return rc;
}
