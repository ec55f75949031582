/* SPDX-License-Identifier: Apache-2.0 */
/* What a launch in progress holds; shared by the parent's part (launch.c) and the children's. */
#pragma once

#include "runtime/cgroup/cgroup.h"
#include "runtime/sandbox/attach.h"
#include "runtime/sandbox/clone.h"
#include "runtime/sandbox/launch.h"

/* A socketpair; each end is -1 once it is handed over or closed. */
struct launch_pair {
	int ours;
	int theirs;
};

struct launch {
	const struct globals *globals;
	const struct spec *spec;
	struct container *container;
	const struct launch_options *options;

	struct attach_list attach;
	struct cgroup_set cgroups;
	int cgroup_fd; /* the unified one, or -1 */
	int exe_fd;
	int config_fd;
	int listen_fd;
	int *gofer_sockets;  /* the gofer's ends, by attach index */
	int *sentry_sockets; /* the sentry's */

	struct launch_pair boot;  /* boot channel */
	struct launch_pair setup; /* to the gofer until it executes */
	struct clone_result sentry;
	struct clone_result gofer;
};

/* The children's lives between clone and execve; they report by their channel and never return. */
NORETURN void launch_sentry_child(struct launch *l);
NORETURN void launch_gofer_child(struct launch *l);

/* FD numbers and arguments agreed with cmd/boot.c. */
#define LAUNCH_ROOT_FD 4
