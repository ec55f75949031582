/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control groups a container sees: one group, its own, with the limits it has.
 * Nothing can be created or written.  Layout 2 is one hierarchy of cgroup v2;
 * layout 1 has a directory for each controller of cgroup v1, as runc mounts it on
 * hybrid hosts.
 */
#pragma once

#include <stdint.h>

#include "util/compiler.h"

struct credentials;
struct file;
struct kernel;
struct strbuf;

struct cgroup_config {
	int layout;		/* 1 or 2 */
	uint64_t memory_limit;	/* bytes; 0: none */
	uint64_t swap_limit;	/* memory + swap, bytes; 0: none */
	uint64_t cpu_shares;	/* 0: default */
	int64_t cpu_quota_us;	/* <= 0: none */
	uint64_t cpu_period_us; /* 0: default */
	uint64_t pids_limit;	/* 0: none */
};

/* Registers "cgroup" and "cgroup2", layout 2 with the kernel's own limits; once, at boot. */
int cgroup_init(struct kernel *k) MUST_CHECK;
/* What the container has; at boot, before anything of it is mounted, and (but for the layout) later. */
void cgroup_configure(const struct cgroup_config *config);
struct cgroup_config cgroup_current(void);
/* CLONE_INTO_CGROUP: may a process be born into the group whose directory @file is?  -EBADF: it is
 * none of cgroup2; -EACCES. */
int cgroup_may_join(struct file *file, const struct credentials *cred) MUST_CHECK;
/* /proc/PID/cgroup and /proc/cgroups. */
void cgroup_show_membership(struct strbuf *out);
void cgroup_show_controllers(struct strbuf *out);
