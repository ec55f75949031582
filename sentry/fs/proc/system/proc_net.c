/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/PID/net: the files, and those that are a heading or counters.  Tables of the network are in
 * proc_net_tables.c, sockets in proc_net_sockets.c.
 */
#include <errno.h>

#include "sentry/fs/proc/system/proc_net.h"
#include "sentry/net/inet/provider.h"
#include "sentry/net/net_namespace.h"

struct net_namespace *proc_net_begin(const struct proc_call *c, struct namespaces **holder)
{
	*holder = c->task ? task_namespaces_get(c->task) : NULL;
	return *holder ? (*holder)->net : NULL;
}

/* Counters of the whole network; @nothing where the provider counts none. */
static int show_counters(const struct proc_call *c, const char *file, const char *nothing, struct strbuf *out)
{
	struct namespaces *holder;
	struct net_namespace *net = proc_net_begin(c, &holder);
	int rc = net ? net->provider->counters(net, file, out) : -EINVAL;

	if (rc == -ENOENT) {
		strbuf_add(out, nothing);
		rc = 0;
	}
	namespaces_put(holder);
	return rc;
}

#define COUNTERS(fn, file, nothing)                                  \
	static int fn(const struct proc_call *c, struct strbuf *out) \
	{                                                            \
		return show_counters(c, file, nothing, out);         \
	}

#define HEADER(fn, text)                                             \
	static int fn(const struct proc_call *c, struct strbuf *out) \
	{                                                            \
		strbuf_add(out, text);                               \
		return 0;                                            \
	}

HEADER(show_netlink, "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops   "
		     " Inode\n")
HEADER(show_packet, "sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n")
HEADER(show_protocols, "protocol  size sockets  memory press maxhdr  slab module     cl co di ac io in "
		       "de sh ss gs se re sp bi br ha uh gp em\n")
COUNTERS(show_sockstat, "sockstat",
	 "sockets: used 0\nTCP: inuse 0 orphan 0 tw 0 alloc 0 mem 0\nUDP: inuse 0 mem 0\n"
		      "UDPLITE: inuse 0\nRAW: inuse 0\nFRAG: inuse 0 memory 0\n")
COUNTERS(show_snmp, "snmp",
	 "Ip: Forwarding DefaultTTL InReceives InHdrErrors InAddrErrors ForwDatagrams "
		  "InUnknownProtos InDiscards InDelivers OutRequests OutDiscards OutNoRoutes "
		  "ReasmTimeout ReasmReqds ReasmOKs ReasmFails FragOKs FragFails FragCreates\n"
		  "Ip: 2 64 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
		  "Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails "
		  "EstabResets CurrEstab InSegs OutSegs RetransSegs InErrs OutRsts InCsumErrors\n"
		  "Tcp: 1 200 120000 -1 0 0 0 0 0 0 0 0 0 0 0\n"
		  "Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors "
		  "IgnoredMulti MemErrors\n"
		  "Udp: 0 0 0 0 0 0 0 0 0\n")
COUNTERS(show_netstat, "netstat", "")
COUNTERS(show_snmp6, "snmp6", "")
COUNTERS(show_sockstat6, "sockstat6", "")
HEADER(show_wireless, "Inter-| sta-|   Quality        |   Discarded packets               | Missed | WE\n"
		      " face | tus | link level noise |  nwid  crypt   frag  retry   misc | beacon | 22\n")
HEADER(show_raw, PROC_NET_UDP_HEADING)
HEADER(show_ptype, "Type Device      Function\n")
HEADER(show_nothing, "")

/* Linux opens those that list something itself, and refuses a writer. */
#define NET_TABLE(name, show) PROC_CHECKED(name, 0444, show, PROC_NO_WRITER)
#define NET_COUNTERS(name, show) PROC_CHECKED(name, 0444, show, PROC_NO_WRITE)

static const struct proc_node net_nodes[] = {
	NET_TABLE("arp", proc_net_arp),
	NET_TABLE("dev", proc_net_dev),
	NET_TABLE("dev_mcast", show_nothing),
	NET_TABLE("if_inet6", proc_net_if_inet6),
	NET_TABLE("igmp", show_nothing),
	NET_TABLE("ipv6_route", show_nothing),
	NET_TABLE("netlink", show_netlink),
	NET_COUNTERS("netstat", show_netstat),
	NET_TABLE("packet", show_packet),
	NET_TABLE("protocols", show_protocols),
	NET_TABLE("ptype", show_ptype),
	NET_TABLE("raw", show_raw),
	NET_TABLE("route", proc_net_route),
	NET_COUNTERS("snmp", show_snmp),
	NET_COUNTERS("snmp6", show_snmp6),
	NET_COUNTERS("sockstat", show_sockstat),
	NET_COUNTERS("sockstat6", show_sockstat6),
	NET_TABLE("tcp", proc_net_tcp),
	NET_TABLE("tcp6", proc_net_tcp6),
	NET_TABLE("udp", proc_net_udp),
	NET_TABLE("udp6", proc_net_udp6),
	NET_TABLE("unix", proc_net_unix),
	NET_TABLE("wireless", show_wireless),
};

const struct proc_dir proc_net_dir = PROC_DIR(net_nodes);
