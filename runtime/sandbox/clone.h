/* SPDX-License-Identifier: Apache-2.0 */
/* Starting our own binary again in new namespaces. */
#pragma once

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/compiler.h"
#include "util/error.h"

struct clone_result {
	pid_t pid; /* 0 in the child */
	int pidfd;
	bool in_cgroup; /* was born in the cgroup asked for */
};

/*
 * Forks with clone3 @flags (namespaces) into the v2 cgroup @cgroup_fd (-1: ours; also where the
 * kernel refuses).  The caller has one thread.
 */
int clone_process(uint64_t flags, int cgroup_fd, struct clone_result *out) MUST_CHECK;

/*
 * The same, in the network namespace @netns, which the caller itself does not enter; @child is
 * called in the child, with @arg.
 */
int clone_process_in(int netns, uint64_t flags, int cgroup_fd, void (*child)(void *arg), void *arg,
		     struct clone_result *out) MUST_CHECK;

/*
 * A sealed copy of our own binary (what is loaded of it) in a memfd, so that nobody who reaches
 * a process's /proc/PID/exe can change the installed one.  The FD is owned by the caller.
 */
int clone_copy_exe(int *out, struct error **err) MUST_CHECK;

/*
 * In a child: makes FDs 0-2 /dev/null, all others close-on-exec but those of @keep (-1 entries are
 * skipped), and executes @exe_fd.  Returns a negative errno.
 */
int clone_exec(int exe_fd, char *const argv[], const int *keep, size_t keep_count) MUST_CHECK;
