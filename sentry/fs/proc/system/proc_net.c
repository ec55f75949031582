/* SPDX-License-Identifier: Apache-2.0 */
/*
 * /proc/PID/net: the tables of a network namespace that has the loopback interface
 * and no sockets of its own kind listed yet.
 */
#include <errno.h>

#include "sentry/fs/proc/proc_internal.h"

#define HEADER(fn, text)                                             \
	static int fn(const struct proc_call *c, struct strbuf *out) \
	{                                                            \
		strbuf_add(out, text);                               \
		return 0;                                            \
	}

HEADER(show_dev, "Inter-|   Receive                                                |  Transmit\n"
		 " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets "
		 "errs drop fifo colls carrier compressed\n"
		 "    lo:       0       0    0    0    0     0          0         0        0       0    0  "
		 "  0    0     0       0          0\n")
HEADER(show_tcp, "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  "
		 "timeout inode                                                     \n")
HEADER(show_tcp6, "  sl  local_address                         remote_address                        "
		  "st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n")
HEADER(show_udp, "   sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid "
		 " timeout inode ref pointer drops             \n")
HEADER(show_udp6, "  sl  local_address                         remote_address                        "
		  "st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n")
HEADER(show_unix, "Num       RefCount Protocol Flags    Type St Inode Path\n")
HEADER(show_route, "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT"
		   "                                                       \n")
HEADER(show_if_inet6, "00000000000000000000000000000001 01 80 10 80       lo\n")
HEADER(show_arp, "IP address       HW type     Flags       HW address            Mask     Device\n")
HEADER(show_netlink, "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops   "
		     " Inode\n")
HEADER(show_packet, "sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n")
HEADER(show_protocols, "protocol  size sockets  memory press maxhdr  slab module     cl co di ac io in "
		       "de sh ss gs se re sp bi br ha uh gp em\n")
HEADER(show_sockstat, "sockets: used 0\nTCP: inuse 0 orphan 0 tw 0 alloc 0 mem 0\nUDP: inuse 0 mem 0\n"
		      "UDPLITE: inuse 0\nRAW: inuse 0\nFRAG: inuse 0 memory 0\n")
HEADER(show_snmp, "Ip: Forwarding DefaultTTL InReceives InHdrErrors InAddrErrors ForwDatagrams "
		  "InUnknownProtos InDiscards InDelivers OutRequests OutDiscards OutNoRoutes "
		  "ReasmTimeout ReasmReqds ReasmOKs ReasmFails FragOKs FragFails FragCreates\n"
		  "Ip: 2 64 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
		  "Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens PassiveOpens AttemptFails "
		  "EstabResets CurrEstab InSegs OutSegs RetransSegs InErrs OutRsts InCsumErrors\n"
		  "Tcp: 1 200 120000 -1 0 0 0 0 0 0 0 0 0 0 0\n"
		  "Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors InCsumErrors "
		  "IgnoredMulti MemErrors\n"
		  "Udp: 0 0 0 0 0 0 0 0 0\n")
HEADER(show_wireless, "Inter-| sta-|   Quality        |   Discarded packets               | Missed | WE\n"
		      " face | tus | link level noise |  nwid  crypt   frag  retry   misc | beacon | 22\n")
HEADER(show_ptype, "Type Device      Function\n")
HEADER(show_nothing, "")

static const struct proc_node net_nodes[] = {
	PROC_FILE("arp", 0444, show_arp),
	PROC_FILE("dev", 0444, show_dev),
	PROC_FILE("dev_mcast", 0444, show_nothing),
	PROC_FILE("if_inet6", 0444, show_if_inet6),
	PROC_FILE("igmp", 0444, show_nothing),
	PROC_FILE("ipv6_route", 0444, show_nothing),
	PROC_FILE("netlink", 0444, show_netlink),
	PROC_FILE("netstat", 0444, show_nothing),
	PROC_FILE("packet", 0444, show_packet),
	PROC_FILE("protocols", 0444, show_protocols),
	PROC_FILE("ptype", 0444, show_ptype),
	PROC_FILE("raw", 0444, show_udp),
	PROC_FILE("route", 0444, show_route),
	PROC_FILE("snmp", 0444, show_snmp),
	PROC_FILE("sockstat", 0444, show_sockstat),
	PROC_FILE("tcp", 0444, show_tcp),
	PROC_FILE("tcp6", 0444, show_tcp6),
	PROC_FILE("udp", 0444, show_udp),
	PROC_FILE("udp6", 0444, show_udp6),
	PROC_FILE("unix", 0444, show_unix),
	PROC_FILE("wireless", 0444, show_wireless),
};

const struct proc_dir proc_net_dir = PROC_DIR(net_nodes);
