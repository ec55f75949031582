/* SPDX-License-Identifier: Apache-2.0 */
/*
 * struct task_cgroup: a control group below the container's own on the host.  Processes get into one
 * from outside alone (exec), and their children with them.  It has stubs of its own, whose template was
 * put into it; they last as long as a process lives in it, so that an empty group can be removed.
 */
#pragma once

#include <stdint.h>

#include "util/compiler.h"

struct kernel;
struct task_container;
struct stub_family;
struct task_cgroup;
struct thread_group;

/*
 * @places: @count pairs of a controller, as the host names it, or "" for all that are not named, and the
 * path below the container's group, which begins with a slash.  Copied.  The caller lives in it: see
 * task_cgroup_leave.  May sleep.  -EOPNOTSUPP: the platform has no host processes.
 */
int task_cgroup_new(struct kernel *k, char *const *places, uint32_t count,
		    struct task_cgroup **out) MUST_CHECK;
/* What its stubs are forked of; borrowed, as long as the caller's process lives in it. */
struct stub_family *task_cgroup_stubs(const struct task_cgroup *c);

/* One more lives in it, who can name one that does.  NULL is a no-op, and the result. */
struct task_cgroup *task_cgroup_enter(struct task_cgroup *c);
/*
 * One less: with the last one its stubs go.  The reference stays.  May sleep; no lock held.  NULL is a
 * no-op.
 */
void task_cgroup_leave(struct task_cgroup *c);
/* Gives the reference back.  NULL is a no-op. */
void task_cgroup_put(struct task_cgroup *c);

/* The path for @controllers, one or several with commas ("": v2), below the container's group; borrowed. */
const char *task_cgroup_path(const struct task_cgroup *c, const char *controllers);

/* What new address spaces of @g are forked of; NULL: the platform's first ones. */
struct stub_family *thread_group_stubs(const struct thread_group *g);
