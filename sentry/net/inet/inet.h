/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AF_INET and AF_INET6 for a network that has only the loopback interface: TCP
 * and UDP between sockets of one network namespace, without packets.  The
 * transport is that of unix sockets (sentry/net/unix); here are names, ports and
 * options.  It is the provider of a network that has nothing else (provider.h).
 *
 * Own fields are protected by local.base.lock; ports by net->lock, taken first.
 */
#pragma once

#include "sentry/net/unix/unix.h"

#define INET_OPTIONS 128

/* IPv6 form; IPv4 as ::ffff:a.b.c.d. */
struct inet_name {
	uint8_t addr[16];
	uint16_t port; /* host order; 0: none */
};

struct inet_socket {
	struct unix_socket local; /* first */
	struct inet_name own, remote;
	bool bound;
	bool connecting; /* a non-blocking connect was answered EINPROGRESS */
	bool v6_only;
	struct hash_node port_node; /* in net->ports while bound; net->lock */
	/* Values of IP and TCP options that nothing looks at; kept for getsockopt. */
	int32_t ip_options[INET_OPTIONS], tcp_options[INET_OPTIONS];
};

static inline struct inet_socket *inet_of(struct socket *s)
{
	return container_of(unix_socket_of(s), struct inet_socket, local);
}

extern const struct socket_family_ops inet_family, inet6_family;
extern const struct unix_variant inet_variant;
extern const struct socket_ops inet_stream_ops, inet_datagram_ops;

/* inet.c */
/* struct inet_provider.create of loopback. */
int loopback_create(struct net_namespace *net, int family, int type, int protocol, struct socket **out);
int inet_socket_new(struct net_namespace *net, int family, int type, int protocol,
		    const struct socket_ops *ops, struct inet_socket **out) MUST_CHECK;
/* struct socket_ops.describe */
void inet_describe(struct socket *s, struct net_socket_entry *e);
int inet_name_op(struct socket *s, bool peer, struct socket_address *out);

/* inet_address.c */
/* -EINVAL, -EAFNOSUPPORT. */
int inet_name_from(const struct socket *s, const struct socket_address *addr, struct inet_name *out) MUST_CHECK;
void inet_name_to(const struct socket *s, const struct inet_name *name, struct socket_address *out);
bool inet_is_v4(const struct inet_name *name);
bool inet_is_any(const struct inet_name *name);
bool inet_is_loopback(const struct inet_name *name);
/* ANY becomes the loopback address of the same version; -ENETUNREACH for any other. */
int inet_route(struct inet_name *name) MUST_CHECK;

/* inet_port.c */
int inet_bind(struct socket *s, const struct socket_address *addr);
/* Binds to a free port, if not bound. */
int inet_autobind(struct inet_socket *i, const struct inet_name *remote) MUST_CHECK;
int inet_listen_bound(struct inet_socket *i, int backlog) MUST_CHECK;
/* A reference on the socket that receives what is sent to @name, or NULL. */
struct inet_socket *inet_find(struct net_namespace *net, int protocol, const struct inet_name *name,
			      bool listening) MUST_CHECK;
void inet_unbind(struct unix_socket *u);

/* inet_option.c */
int inet_setsockopt(struct socket *s, int level, int name, const void *value, uint32_t size);
int inet_getsockopt(struct socket *s, int level, int name, void *value, uint32_t *size);
