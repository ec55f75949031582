/* SPDX-License-Identifier: Apache-2.0 */
/*
 * exec --cgroup: the cgroups of a process, below those of its container.  The process's stubs are forked of
 * a template of their own, which the sentry names before it forks one, and which is put there.
 */
#pragma once

#include <stdbool.h>

#include "runtime/cgroup/cgroup.h"
#include "runtime/container/container.h"
#include "util/error.h"
#include "util/string_list.h"

struct exec_cgroup {
	const struct globals *globals;
	const struct container *container; /* both borrowed */
	struct cgroup_set dirs;
	struct string_list inside; /* boot_process.cgroups */
	bool wanted;		   /* any of them is below the container's own */
	int ours, theirs;	   /* a pair of sockets; theirs goes with the EXEC; or -1 */
};

#define EXEC_CGROUP_INIT { .ours = -1, .theirs = -1 }

/* @args: "path", or any number of "controller[,controller]:path". */
int exec_cgroup_prepare(struct exec_cgroup *e, const struct globals *globals,
			const struct container *container, const struct string_list *args,
			struct error **err) MUST_CHECK;
/* control_call's meanwhile; @arg: a struct exec_cgroup that is wanted. */
int exec_cgroup_place(void *arg, struct error **err) MUST_CHECK;
void exec_cgroup_free(struct exec_cgroup *e);
