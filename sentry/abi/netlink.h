/* SPDX-License-Identifier: Apache-2.0 */
/* Netlink and rtnetlink: the messages about links, addresses and routes. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define LINUX_NETLINK_ROUTE 0
#define LINUX_NETLINK_SOCK_DIAG 4
#define LINUX_NETLINK_KOBJECT_UEVENT 15

struct linux_sockaddr_nl {
	uint16_t family;
	uint16_t pad;
	uint32_t pid;
	uint32_t groups;
};
_Static_assert(sizeof(struct linux_sockaddr_nl) == 12, "sockaddr_nl");

struct linux_nlmsghdr {
	uint32_t size;
	uint16_t type;
	uint16_t flags;
	uint32_t sequence;
	uint32_t pid;
};
_Static_assert(sizeof(struct linux_nlmsghdr) == 16, "nlmsghdr");

struct linux_nlattr {
	uint16_t size;
	uint16_t type;
};
#define LINUX_NLMSG_ALIGN(n) (((n) + 3U) & ~3U)

#define LINUX_NLM_F_REQUEST 0x1
#define LINUX_NLM_F_MULTI 0x2
#define LINUX_NLM_F_ACK 0x4
#define LINUX_NLM_F_CAPPED 0x100 /* of an answer */
#define LINUX_NLM_F_ROOT 0x100
#define LINUX_NLM_F_MATCH 0x200
#define LINUX_NLM_F_DUMP (LINUX_NLM_F_ROOT | LINUX_NLM_F_MATCH)

#define LINUX_NLMSG_ERROR 2
#define LINUX_NLMSG_DONE 3
#define LINUX_NLMSG_MIN_TYPE 0x10

#define LINUX_RTM_NEWLINK 16
#define LINUX_RTM_GETLINK 18
#define LINUX_RTM_NEWADDR 20
#define LINUX_RTM_GETADDR 22
#define LINUX_RTM_NEWROUTE 24
#define LINUX_RTM_GETROUTE 26
#define LINUX_RTM_NEWNEIGH 28
#define LINUX_RTM_GETNEIGH 30
#define LINUX_RTM_NEWRULE 32
#define LINUX_RTM_GETRULE 34

struct linux_ifinfomsg {
	uint8_t family;
	uint8_t pad;
	uint16_t type;
	int32_t index;
	uint32_t flags;
	uint32_t change;
};
_Static_assert(sizeof(struct linux_ifinfomsg) == 16, "ifinfomsg");

struct linux_ifaddrmsg {
	uint8_t family;
	uint8_t prefix_size;
	uint8_t flags;
	uint8_t scope;
	uint32_t index;
};
_Static_assert(sizeof(struct linux_ifaddrmsg) == 8, "ifaddrmsg");

struct linux_rtmsg {
	uint8_t family, dst_size, src_size, tos; /* sizes in bits */
	uint8_t table, protocol, scope, type;
	uint32_t flags;
};
_Static_assert(sizeof(struct linux_rtmsg) == 12, "rtmsg");

struct linux_ndmsg {
	uint8_t family, pad1;
	uint16_t pad2;
	int32_t index;
	uint16_t state;
	uint8_t flags, type;
};
_Static_assert(sizeof(struct linux_ndmsg) == 12, "ndmsg");

#define LINUX_SOCK_DIAG_BY_FAMILY 20

/* inet_diag_req_v2; the rest names one socket */
struct linux_inet_diag_req {
	uint8_t family, protocol, extensions, pad;
	uint32_t states;
	uint8_t socket[48];
};
_Static_assert(sizeof(struct linux_inet_diag_req) == 56, "inet_diag_req_v2");

struct linux_inet_diag_msg {
	uint8_t family, state, timer, retransmits;
	uint16_t source_port, destination_port; /* big endian */
	uint8_t source[16], destination[16];
	uint32_t interface;
	uint32_t cookie[2];
	uint32_t expires, receive_queue, send_queue;
	uint32_t uid, ino;
};
_Static_assert(sizeof(struct linux_inet_diag_msg) == 72, "inet_diag_msg");

struct linux_unix_diag_req {
	uint8_t family, protocol;
	uint16_t pad;
	uint32_t states, ino, show;
	uint32_t cookie[2];
};
_Static_assert(sizeof(struct linux_unix_diag_req) == 24, "unix_diag_req");

struct linux_unix_diag_msg {
	uint8_t family, type, state, pad;
	uint32_t ino;
	uint32_t cookie[2];
};
_Static_assert(sizeof(struct linux_unix_diag_msg) == 16, "unix_diag_msg");

#define LINUX_UDIAG_SHOW_NAME 0x1U
#define LINUX_UDIAG_SHOW_PEER 0x4U
#define LINUX_UDIAG_SHOW_RQLEN 0x10U
#define LINUX_UDIAG_SHOW_UID 0x40U

#define LINUX_UNIX_DIAG_NAME 0
#define LINUX_UNIX_DIAG_PEER 2
#define LINUX_UNIX_DIAG_RQLEN 4
#define LINUX_UNIX_DIAG_SHUTDOWN 6
#define LINUX_UNIX_DIAG_UID 7

#define LINUX_IFF_UP 0x1U
#define LINUX_IFF_LOWER_UP 0x10000U
#define LINUX_ARPHRD_LOOPBACK 772
#define LINUX_RT_SCOPE_HOST 254
#define LINUX_RT_SCOPE_LINK 253
#define LINUX_RT_SCOPE_SITE 200

#define LINUX_IFLA_ADDRESS 1
#define LINUX_IFLA_BROADCAST 2
#define LINUX_IFLA_IFNAME 3
#define LINUX_IFLA_MTU 4
#define LINUX_IFLA_LINK 5
#define LINUX_IFLA_QDISC 6
#define LINUX_IFLA_STATS 7
#define LINUX_IFLA_MASTER 10
#define LINUX_IFLA_TXQLEN 13
#define LINUX_IFLA_OPERSTATE 16
#define LINUX_IFLA_LINKMODE 17
#define LINUX_IFLA_LINKINFO 18
#define LINUX_IFLA_IFALIAS 20
#define LINUX_IFLA_STATS64 23
#define LINUX_IFLA_AF_SPEC 26
#define LINUX_IFLA_GROUP 27
#define LINUX_IFLA_PROMISCUITY 30
#define LINUX_IFLA_NUM_TX_QUEUES 31
#define LINUX_IFLA_NUM_RX_QUEUES 32
#define LINUX_IFLA_CARRIER 33
#define LINUX_IFLA_CARRIER_CHANGES 35
#define LINUX_IFLA_LINK_NETNSID 37
#define LINUX_IFLA_GSO_MAX_SEGS 40
#define LINUX_IFLA_GSO_MAX_SIZE 41
#define LINUX_IFLA_MIN_MTU 50
#define LINUX_IFLA_MAX_MTU 51
#define LINUX_IFLA_PROP_LIST 52
#define LINUX_IFLA_ALT_IFNAME 53

#define LINUX_IFA_ADDRESS 1
#define LINUX_IFA_LOCAL 2
#define LINUX_IFA_LABEL 3
#define LINUX_IFA_BROADCAST 4
#define LINUX_IFA_CACHEINFO 6
#define LINUX_IFA_FLAGS 8
#define LINUX_IFA_RT_PRIORITY 9
#define LINUX_IFA_PROTO 11
#define LINUX_IFA_F_PERMANENT 0x80

#define LINUX_RTA_DST 1
#define LINUX_RTA_SRC 2
#define LINUX_RTA_IIF 3
#define LINUX_RTA_OIF 4
#define LINUX_RTA_GATEWAY 5
#define LINUX_RTA_PRIORITY 6
#define LINUX_RTA_PREFSRC 7
#define LINUX_RTA_METRICS 8
#define LINUX_RTA_MULTIPATH 9
#define LINUX_RTA_FLOW 11
#define LINUX_RTA_CACHEINFO 12
#define LINUX_RTA_TABLE 15
#define LINUX_RTA_VIA 18
#define LINUX_RTA_PREF 20
#define LINUX_RTA_EXPIRES 23
#define LINUX_RT_TABLE_MAIN 254
#define LINUX_RTN_UNICAST 1
#define LINUX_NDA_DST 1
#define LINUX_NDA_LLADDR 2
#define LINUX_NDA_CACHEINFO 3
#define LINUX_NDA_PROBES 4
#define LINUX_FRA_DST 1
#define LINUX_FRA_SRC 2
#define LINUX_FRA_IIFNAME 3
#define LINUX_FRA_PRIORITY 6
#define LINUX_FRA_SUPPRESS_PREFIXLEN 14
#define LINUX_FRA_TABLE 15
#define LINUX_FRA_OIFNAME 17
#define LINUX_FRA_PROTOCOL 21
