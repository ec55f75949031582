/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many namespaces of each kind a user has in a user namespace: the limits of
 * /proc/sys/user/max_*_namespaces.  A namespace counts for its maker in the user
 * namespace that owns it, and for the makers of that and of its ancestors in theirs.
 */
#pragma once

#include <stdint.h>

#include "util/compiler.h"

struct user_namespace;

enum namespace_kind {
	NAMESPACE_CGROUP, NAMESPACE_IPC, NAMESPACE_MOUNT, NAMESPACE_NET, NAMESPACE_PID,
	NAMESPACE_TIME, NAMESPACE_USER, NAMESPACE_UTS, NAMESPACE_KIND_COUNT,
};

/* In each namespace object: what it counts against.  Zero: nothing. */
struct namespace_count {
	struct user_namespace *user_ns; /* borrowed: the object holds it */
	uint32_t kuid;
	enum namespace_kind kind;
};

/* Counts one for @kuid in @user_ns.  -ENOSPC at a limit, -ENOMEM. */
int namespace_count_add(struct namespace_count *count, struct user_namespace *user_ns,
			uint32_t kuid, enum namespace_kind kind) MUST_CHECK;
void namespace_count_drop(struct namespace_count *count);

/* The limit that @user_ns sets; 0..INT32_MAX. */
int64_t namespace_limit(struct user_namespace *user_ns, enum namespace_kind kind);
void namespace_limit_set(struct user_namespace *user_ns, enum namespace_kind kind, int64_t limit);
/* A new namespace's inode number, different for all of them. */
uint64_t namespace_number(void);
