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
struct task_cgroup;

/* Registers "cgroup" and "cgroup2", with layout 2; once, at boot. */
int cgroup_init(struct kernel *k) MUST_CHECK;
/* At boot, before anything is mounted: 1 or 2. */
void cgroup_set_layout(int layout);
/* CLONE_INTO_CGROUP: may a process be born into the group whose directory @file is?  -EBADF: it is
 * none of cgroup2; -EACCES. */
int cgroup_may_join(struct file *file, const struct credentials *cred) MUST_CHECK;
/* /proc/PID/cgroup and /proc/PID/cpuset of who is in @cgroup (NULL: the container's own), and /proc/cgroups. */
void cgroup_show_membership(const struct task_cgroup *cgroup, struct strbuf *out);
void cgroup_show_cpuset(const struct task_cgroup *cgroup, struct strbuf *out);
void cgroup_show_controllers(struct strbuf *out);
