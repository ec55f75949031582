/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network namespaces: who provides the network, and what names a socket of the sentry's
 * own can be found by (abstract unix names, ports of loopback).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sentry/cred/namespace_count.h"
#include "util/compiler.h"
#include "util/hash_table.h"
#include "util/list.h"
#include "util/lock.h"
#include "util/refcount.h"

struct inet_provider;
struct kernel;
struct user_namespace;

struct net_namespace {
	struct refcount refs;
	struct user_namespace *user_ns; /* reference; does not change */
	uint64_t ino;
	struct namespace_count count;
	const struct inet_provider *provider; /* does not change */
	_Atomic uint32_t first_free_port; /* net.ipv4.ip_unprivileged_port_start */
	_Atomic uint64_t ping_groups;	/* net.ipv4.ping_group_range: first | last << 32 */
	struct mutex sockets_lock;	/* LOCK_RANK_LEAF */
	struct list_node sockets;	/* socket.net_node; protected by sockets_lock */
	struct mutex lock;		/* LOCK_RANK_GOFER: below every socket's lock */
	struct hash_table abstract_names; /* unix_address.node; protected by lock */
	uint32_t next_autobind;		/* protected by lock */
	struct hash_table ports;	/* inet_binding.node; protected by lock */
	uint32_t next_port;		/* protected by lock */
};

int net_namespace_new(struct user_namespace *user_ns, const struct inet_provider *provider,
		      struct net_namespace **out) MUST_CHECK;
struct net_namespace *net_namespace_get(struct net_namespace *ns);
void net_namespace_put(struct net_namespace *ns);
/* Whether the current task has @capability over @ns. */
bool net_namespace_capable(const struct net_namespace *ns, int capability);

/* May the current task bind to @port; may it have ping sockets? */
bool net_namespace_may_bind(const struct net_namespace *ns, uint16_t port);
bool net_namespace_may_ping(const struct net_namespace *ns);

/*
 * The provider of the root network namespace, which has loopback unless this was called; every other
 * namespace has loopback.  Boot, before net_init.
 */
void net_set_root_provider(const struct inet_provider *provider);

/* Makes the kernel's root network namespace and registers clone's hooks and the
 * socket families.  Boot, once, after vfs_init. */
int net_init(struct kernel *kernel) MUST_CHECK;
