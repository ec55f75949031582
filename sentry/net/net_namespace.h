/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Network namespaces: what names a socket can be found by (abstract unix names,
 * ports), and the numbers of the loopback interface.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sentry/cred/namespace_count.h"
#include "util/compiler.h"
#include "util/hash_table.h"
#include "util/lock.h"
#include "util/refcount.h"

struct kernel;
struct user_namespace;

struct net_namespace {
	struct refcount refs;
	struct user_namespace *user_ns; /* reference; does not change */
	uint64_t ino;
	struct namespace_count count;
	struct mutex lock;		/* LOCK_RANK_GOFER: below every socket's lock */
	struct hash_table abstract_names; /* unix_address.node; protected by lock */
	uint32_t next_autobind;		/* protected by lock */
	struct hash_table ports;	/* inet_binding.node; protected by lock */
	uint32_t next_port;		/* protected by lock */
};

int net_namespace_new(struct user_namespace *user_ns, struct net_namespace **out) MUST_CHECK;
struct net_namespace *net_namespace_get(struct net_namespace *ns);
void net_namespace_put(struct net_namespace *ns);
/* Whether the current task has @capability over @ns. */
bool net_namespace_capable(const struct net_namespace *ns, int capability);

/* Makes the kernel's root network namespace and registers clone's hooks and the
 * socket families.  Boot, once, after vfs_init. */
int net_init(struct kernel *kernel) MUST_CHECK;
