/* SPDX-License-Identifier: Apache-2.0 */
/* Netlink and rtnetlink: the messages about links, addresses and routes. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define LINUX_NETLINK_ROUTE 0
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

#define LINUX_ARPHRD_LOOPBACK 772
#define LINUX_RT_SCOPE_HOST 254

#define LINUX_IFLA_ADDRESS 1
#define LINUX_IFLA_BROADCAST 2
#define LINUX_IFLA_IFNAME 3
#define LINUX_IFLA_MTU 4
#define LINUX_IFLA_QDISC 6
#define LINUX_IFLA_STATS 7
#define LINUX_IFLA_TXQLEN 13
#define LINUX_IFLA_OPERSTATE 16
#define LINUX_IFLA_LINKMODE 17
#define LINUX_IFLA_STATS64 23
#define LINUX_IFLA_GROUP 27
#define LINUX_IFLA_NUM_TX_QUEUES 31
#define LINUX_IFLA_NUM_RX_QUEUES 32
#define LINUX_IFLA_CARRIER 33

#define LINUX_IFA_ADDRESS 1
#define LINUX_IFA_LOCAL 2
#define LINUX_IFA_LABEL 3
#define LINUX_IFA_CACHEINFO 6
#define LINUX_IFA_FLAGS 8
#define LINUX_IFA_F_PERMANENT 0x80
