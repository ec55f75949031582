/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets: families, options, flags and structures of x86-64 Linux. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define LINUX_AF_UNSPEC 0
#define LINUX_AF_UNIX 1
#define LINUX_AF_INET 2
#define LINUX_AF_INET6 10
#define LINUX_AF_NETLINK 16
#define LINUX_AF_PACKET 17
#define LINUX_AF_MAX 46

#define LINUX_SOCK_STREAM 1
#define LINUX_SOCK_DGRAM 2
#define LINUX_SOCK_RAW 3
#define LINUX_SOCK_PACKET 10 /* obsolete way to say AF_PACKET */
#define LINUX_SOCK_RDM 4
#define LINUX_SOCK_SEQPACKET 5
#define LINUX_SOCK_MAX 11
#define LINUX_SOCK_TYPE_MASK 0xf
#define LINUX_SOCK_CLOEXEC 02000000
#define LINUX_SOCK_NONBLOCK 04000

#define LINUX_IPPROTO_IP 0
#define LINUX_IPPROTO_ICMP 1
#define LINUX_IPPROTO_TCP 6
#define LINUX_IPPROTO_UDP 17
#define LINUX_IPPROTO_IPV6 41
#define LINUX_IPPROTO_ICMPV6 58
#define LINUX_IPPROTO_MAX 263

#define LINUX_SOL_SOCKET 1
#define LINUX_SOL_IP 0
#define LINUX_SOL_TCP 6
#define LINUX_SOL_UDP 17
#define LINUX_SOL_IPV6 41
#define LINUX_SOL_NETLINK 270

#define LINUX_SO_DEBUG 1
#define LINUX_SO_REUSEADDR 2
#define LINUX_SO_TYPE 3
#define LINUX_SO_ERROR 4
#define LINUX_SO_DONTROUTE 5
#define LINUX_SO_BROADCAST 6
#define LINUX_SO_SNDBUF 7
#define LINUX_SO_RCVBUF 8
#define LINUX_SO_KEEPALIVE 9
#define LINUX_SO_OOBINLINE 10
#define LINUX_SO_NO_CHECK 11
#define LINUX_SO_PRIORITY 12
#define LINUX_SO_LINGER 13
#define LINUX_SO_BSDCOMPAT 14
#define LINUX_SO_REUSEPORT 15
#define LINUX_SO_PASSCRED 16
#define LINUX_SO_PEERCRED 17
#define LINUX_SO_RCVLOWAT 18
#define LINUX_SO_SNDLOWAT 19
#define LINUX_SO_RCVTIMEO 20
#define LINUX_SO_SNDTIMEO 21
#define LINUX_SO_BINDTODEVICE 25
#define LINUX_SO_PEERNAME 28
#define LINUX_SO_TIMESTAMP 29
#define LINUX_SO_ACCEPTCONN 30
#define LINUX_SO_PEERSEC 31
#define LINUX_SO_SNDBUFFORCE 32
#define LINUX_SO_RCVBUFFORCE 33
#define LINUX_SO_PASSSEC 34
#define LINUX_SO_MARK 36
#define LINUX_SO_TIMESTAMPNS 35
#define LINUX_SO_TIMESTAMPING 37
#define LINUX_SO_PROTOCOL 38
#define LINUX_SO_DOMAIN 39
#define LINUX_SO_RXQ_OVFL 40
#define LINUX_SO_COOKIE 57
#define LINUX_SO_PEERGROUPS 59
#define LINUX_SO_TIMESTAMP_NEW 63
#define LINUX_SO_TIMESTAMPNS_NEW 64
#define LINUX_SO_TIMESTAMPING_NEW 65
#define LINUX_SO_RCVTIMEO_NEW 66
#define LINUX_SO_SNDTIMEO_NEW 67
#define LINUX_SO_NETNS_COOKIE 71
#define LINUX_SO_PASSPIDFD 76
#define LINUX_SO_PEERPIDFD 77

#define LINUX_SOMAXCONN 4096 /* net.core.somaxconn */

#define LINUX_MSG_OOB 0x01U
#define LINUX_MSG_PEEK 0x02U
#define LINUX_MSG_DONTROUTE 0x04U
#define LINUX_MSG_CTRUNC 0x08U
#define LINUX_MSG_TRUNC 0x20U
#define LINUX_MSG_DONTWAIT 0x40U
#define LINUX_MSG_EOR 0x80U
#define LINUX_MSG_WAITALL 0x100U
#define LINUX_MSG_CONFIRM 0x800U
#define LINUX_MSG_ERRQUEUE 0x2000U
#define LINUX_MSG_NOSIGNAL 0x4000U
#define LINUX_MSG_MORE 0x8000U
#define LINUX_MSG_WAITFORONE 0x10000U
#define LINUX_MSG_FASTOPEN 0x20000000U
#define LINUX_MSG_CMSG_CLOEXEC 0x40000000U
#define LINUX_MSG_CMSG_COMPAT 0x80000000U

#define LINUX_SCM_RIGHTS 1
#define LINUX_SCM_CREDENTIALS 2
#define LINUX_SCM_PIDFD 4
#define LINUX_SCM_MAX_FD 253

#define LINUX_SHUT_RD 0
#define LINUX_SHUT_WR 1
#define LINUX_SHUT_RDWR 2

#define LINUX_SOCKADDR_MAX 128 /* sizeof(struct sockaddr_storage) */
#define LINUX_UNIX_PATH_MAX 108
#define LINUX_UIO_MAXIOV 1024
#define LINUX_IFNAMSIZ 16

struct linux_sockaddr_un {
	uint16_t family;
	char path[LINUX_UNIX_PATH_MAX];
};
_Static_assert(sizeof(struct linux_sockaddr_un) == 110, "sockaddr_un");

struct linux_sockaddr_in {
	uint16_t family;
	uint16_t port; /* big endian */
	uint32_t addr; /* big endian */
	uint8_t zero[8];
};
_Static_assert(sizeof(struct linux_sockaddr_in) == 16, "sockaddr_in");

struct linux_sockaddr_in6 {
	uint16_t family;
	uint16_t port; /* big endian */
	uint32_t flowinfo;
	uint8_t addr[16];
	uint32_t scope_id;
};
_Static_assert(sizeof(struct linux_sockaddr_in6) == 28, "sockaddr_in6");

struct linux_msghdr {
	uint64_t name;
	int32_t name_size;
	uint32_t pad0;
	uint64_t iov;
	uint64_t iov_count;
	uint64_t control;
	uint64_t control_size;
	uint32_t flags;
	uint32_t pad1;
};
_Static_assert(sizeof(struct linux_msghdr) == 56, "user_msghdr");

struct linux_mmsghdr {
	struct linux_msghdr header;
	uint32_t size;
	uint32_t pad;
};
_Static_assert(sizeof(struct linux_mmsghdr) == 64, "mmsghdr");

struct linux_cmsghdr {
	uint64_t size; /* of header and data */
	int32_t level;
	int32_t type;
};
_Static_assert(sizeof(struct linux_cmsghdr) == 16, "cmsghdr");
#define LINUX_CMSG_ALIGN(n) (((n) + 7) & ~7ULL)

struct linux_ucred {
	int32_t pid;
	uint32_t uid;
	uint32_t gid;
};
struct linux_linger {
	int32_t on;
	int32_t seconds;
};

/* states of a TCP socket */
#define LINUX_TCP_ESTABLISHED 1
#define LINUX_TCP_CLOSE 7
#define LINUX_TCP_LISTEN 10

#define LINUX_TCP_NODELAY 1
#define LINUX_TCP_MAXSEG 2
#define LINUX_TCP_CORK 3
#define LINUX_TCP_KEEPIDLE 4
#define LINUX_TCP_KEEPINTVL 5
#define LINUX_TCP_KEEPCNT 6
#define LINUX_TCP_SYNCNT 7
#define LINUX_TCP_LINGER2 8
#define LINUX_TCP_DEFER_ACCEPT 9
#define LINUX_TCP_INFO 11
#define LINUX_TCP_QUICKACK 12
#define LINUX_TCP_CONGESTION 13
#define LINUX_TCP_USER_TIMEOUT 18
#define LINUX_TCP_FASTOPEN 23
#define LINUX_TCP_INQ 36

#define LINUX_UDP_SEGMENT 103
#define LINUX_UDP_GRO 104

#define LINUX_IP_TOS 1
#define LINUX_IP_TTL 2
#define LINUX_IP_PKTINFO 8
#define LINUX_IP_MTU_DISCOVER 10
#define LINUX_IP_RECVERR 11
#define LINUX_IP_RECVTTL 12
#define LINUX_IP_RECVTOS 13
#define LINUX_IP_RECVORIGDSTADDR 20
#define LINUX_IP_BIND_ADDRESS_NO_PORT 24
#define LINUX_IP_MULTICAST_IF 32
#define LINUX_IP_MULTICAST_TTL 33
#define LINUX_IP_MULTICAST_LOOP 34
#define LINUX_IPV6_UNICAST_HOPS 16
#define LINUX_IPV6_MULTICAST_IF 17
#define LINUX_IPV6_MULTICAST_HOPS 18
#define LINUX_IPV6_MULTICAST_LOOP 19
#define LINUX_IPV6_MTU_DISCOVER 23
#define LINUX_IPV6_RECVERR 25
#define LINUX_IPV6_V6ONLY 26
#define LINUX_IPV6_RECVPKTINFO 49
#define LINUX_IPV6_PKTINFO 50
#define LINUX_IPV6_HOPLIMIT 52
#define LINUX_IPV6_DONTFRAG 62
#define LINUX_IPV6_TCLASS 67
#define LINUX_IPV6_RECVORIGDSTADDR 74
