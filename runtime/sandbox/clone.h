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
 * Writes the ID maps of a child's new user namespace: its root is @uid:@gid of ours.  Without
 * privilege only our own ids can be mapped, and setgroups is given up.
 */
int clone_map_ids(pid_t pid, uid_t uid, gid_t gid, struct error **err) MUST_CHECK;

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
