/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What lies below internet sockets.  A network namespace has one provider, which does
 * not change: loopback (inet/), sockets of the host (hostinet/), later a TCP/IP stack.
 *
 * The layer above (inet_family.c, netlink/route.c, netdevice.c, /proc/net) checks what
 * a guest asks for and turns tables into messages, requests and text; a provider makes
 * sockets and says what its network looks like.
 */
#pragma once

#include <stdint.h>

#include "util/compiler.h"

struct net_namespace;
struct socket;
struct strbuf;

/*
 * The tables of a network.  One is a row of records in rtnetlink's own form: a struct
 * linux_nlmsghdr (flags, sequence and pid zero) with the structure of its type and
 * attributes behind it, each record padded to four bytes.
 */
enum net_table {
	NET_LINKS,	/* RTM_NEWLINK, struct linux_ifinfomsg */
	NET_ADDRESSES,	/* RTM_NEWADDR, struct linux_ifaddrmsg */
	NET_ROUTES,	/* RTM_NEWROUTE, struct linux_rtmsg */
	NET_NEIGHBOURS, /* RTM_NEWNEIGH, struct linux_ndmsg */
	NET_RULES,	/* RTM_NEWRULE, struct linux_rtmsg */
	NET_TABLE_COUNT,
};

/* One internet socket, for /proc/net and sock_diag. */
struct net_socket_entry {
	uint8_t family;	  /* LINUX_AF_INET or LINUX_AF_INET6 */
	uint8_t protocol; /* LINUX_IPPROTO_* */
	uint8_t state;	  /* LINUX_TCP_ESTABLISHED ... */
	uint8_t timer;	  /* kind of timer that runs; 0: none */
	uint8_t local[16], remote[16]; /* network order; IPv4 in the first four bytes */
	uint16_t local_port, remote_port; /* host order */
	uint32_t send_queue, receive_queue;
	uint32_t expires_ms, retransmits;
	uint32_t uid;	  /* of the kernel's, that is not yet of a user namespace */
	uint64_t ino;	  /* 0: no file */
};

typedef void net_socket_visit(void *arg, const struct net_socket_entry *entry);

struct inet_provider {
	const char *name;
	/*
	 * What a raw socket is refused with, when the caller has CAP_NET_RAW: -EPERM where it has no say
	 * over the network's packets, so that programs try a ping socket.
	 */
	int refuse_raw;
	/*
	 * A socket of a type and protocol that fit each other and that the caller may have: TCP,
	 * UDP, or datagrams of ICMP.  The socket's own table of operations does the rest.
	 */
	int (*create)(struct net_namespace *net, int family, int type, int protocol,
		      struct socket **out);
	/* Appends the records of @table; @family: LINUX_AF_* or 0 for all.  -ENOMEM, -EIO. */
	int (*dump)(struct net_namespace *net, enum net_table table, uint8_t family,
		    struct strbuf *out);
	/*
	 * Which way to an address: one record of NET_ROUTES.  @size 4 or 16.  -ENETUNREACH and
	 * what else Linux answers.
	 */
	int (*route)(struct net_namespace *net, uint8_t family, const void *address, uint32_t size,
		     struct strbuf *out);
	/* Calls @visit for each socket of @family and @protocol (TCP, UDP). */
	int (*sockets)(struct net_namespace *net, uint8_t family, uint8_t protocol,
		       net_socket_visit *visit, void *arg);
	/*
	 * The text of a file of /proc/net that has counters of the whole network ("snmp", "netstat",
	 * "sockstat", ...).  -ENOENT: the provider counts nothing.
	 */
	int (*counters)(struct net_namespace *net, const char *file, struct strbuf *out);
};

/* struct inet_provider.sockets by what the sentry's own sockets say of themselves.  -ENOMEM. */
int net_visit_sockets(struct net_namespace *net, uint8_t family, uint8_t protocol,
		      net_socket_visit *visit, void *arg) MUST_CHECK;

extern const struct inet_provider loopback_provider; /* inet/loopback.c */
extern const struct inet_provider host_provider;     /* hostinet/hostinet_tables.c */
