/* SPDX-License-Identifier: Apache-2.0 */
/* What a launch in progress holds; shared by the parent's part (launch.c) and the children's. */
#pragma once

#include "runtime/cgroup/cgroup.h"
#include "runtime/sandbox/attach.h"
#include "runtime/sandbox/clone.h"
#include "runtime/sandbox/launch.h"
#include "runtime/sandbox/network.h"

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
	struct launch_network network;
	int cgroup_fd; /* the unified one, or -1 */
	int exe_fd;
	int config_fd;
	int listen_fd;
	int *gofer_sockets;  /* the gofer's ends, by attach index */
	int *sentry_sockets; /* the sentry's */

	/* Of a container that goes into a sandbox. */
	const struct container *booted_by; /* the one that booted it; else NULL */
	int control_fd;			   /* the connection of its CREATE, which the monitor keeps */
	int requests_fd;		   /* another one, for what the monitor asks */
	struct clone_result monitor;
	struct launch_pair go; /* tells the monitor what it stands for */

	struct launch_pair boot;  /* boot channel */
	struct launch_pair setup; /* to the gofer until it executes */
	struct clone_result sentry;
	struct clone_result gofer;
	/* With a user namespace: without privilege the gofer needs its own from the beginning, else it
	 * takes the trees with ours first. */
	bool gofer_born_mapped;
	bool gofer_wants_maps;
};

/* Nothing in it is made yet. */
void launch_init(struct launch *l, const struct globals *globals, const struct spec *spec,
		 struct container *container, const struct launch_options *options);
/* Kills the children and removes the cgroups. */
void launch_undo(struct launch *l);
void launch_free(struct launch *l);

/* launch.c: steps that a sandbox and a container in one have in common. */
int launch_make_pair(struct launch_pair *pair, struct error **err) MUST_CHECK;
int launch_make_attach_sockets(struct launch *l, struct error **err) MUST_CHECK;
int launch_make_cgroups(struct launch *l, struct error **err) MUST_CHECK;
/* @in_unified: the process was born there. */
int launch_add_to_cgroups(const struct launch *l, pid_t pid, bool in_unified, struct error **err) MUST_CHECK;
/* For the first of the container's processes: what systemd makes is made now. */
int launch_enter_cgroups(struct launch *l, const struct clone_result *first,
			 struct error **err) MUST_CHECK;
int launch_identify(pid_t pid, struct process_id *out, struct error **err) MUST_CHECK;
int launch_start_gofer(struct launch *l, struct error **err) MUST_CHECK;
int launch_run_early_hooks(struct launch *l, struct error **err) MUST_CHECK;
int launch_let_gofer_go(struct launch *l, struct error **err) MUST_CHECK;
int launch_wait_gofer(struct launch *l, struct error **err) MUST_CHECK;
int launch_send_boot(struct launch *l, struct error **err) MUST_CHECK;
void launch_close_fd(int *fd); /* -1 after it; no-op for -1 */

/* The children's lives between clone and execve; they report by their channel and never return. */
NORETURN void launch_sentry_child(struct launch *l);
NORETURN void launch_gofer_child(struct launch *l);
/* This one does not execute anything: it waits. */
NORETURN void launch_monitor_child(struct launch *l);

/* What the gofer says when it has entered its user namespace; not the start of any message. */
#define LAUNCH_WANT_MAPS '\1'

/* FD numbers and arguments agreed with cmd/boot.c. */
#define LAUNCH_ROOT_FD 4
