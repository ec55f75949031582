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

HEADER(show_unix, "Num       RefCount Protocol Flags    Type St Inode Path\n")
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

static const struct proc_node net_nodes[] = {
	PROC_FILE("arp", 0444, proc_net_arp),
	PROC_FILE("dev", 0444, proc_net_dev),
	PROC_FILE("dev_mcast", 0444, show_nothing),
	PROC_FILE("if_inet6", 0444, proc_net_if_inet6),
	PROC_FILE("igmp", 0444, show_nothing),
	PROC_FILE("ipv6_route", 0444, show_nothing),
	PROC_FILE("netlink", 0444, show_netlink),
	PROC_FILE("netstat", 0444, show_netstat),
	PROC_FILE("packet", 0444, show_packet),
	PROC_FILE("protocols", 0444, show_protocols),
	PROC_FILE("ptype", 0444, show_ptype),
	PROC_FILE("raw", 0444, show_raw),
	PROC_FILE("route", 0444, proc_net_route),
	PROC_FILE("snmp", 0444, show_snmp),
	PROC_FILE("snmp6", 0444, show_snmp6),
	PROC_FILE("sockstat", 0444, show_sockstat),
	PROC_FILE("sockstat6", 0444, show_sockstat6),
	PROC_FILE("tcp", 0444, proc_net_tcp),
	PROC_FILE("tcp6", 0444, proc_net_tcp6),
	PROC_FILE("udp", 0444, proc_net_udp),
	PROC_FILE("udp6", 0444, proc_net_udp6),
	PROC_FILE("unix", 0444, show_unix),
	PROC_FILE("wireless", 0444, show_wireless),
};

const struct proc_dir proc_net_dir = PROC_DIR(net_nodes);
