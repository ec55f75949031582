/* SPDX-License-Identifier: Apache-2.0 */
/* Notifications that the host's OOM killer was at work in a container's memory cgroup. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "runtime/cgroup/cgroup.h"
#include "util/error.h"

struct oom_watch {
	int fd;		/* readable when there may have been a kill */
	int control_fd; /* v1: of the file, -1 in v2 */
	char *file;	/* v1: memory.oom_control; v2: memory.events */
	bool unified;
	uint64_t kills; /* v2: seen so far */
};

/* -ENOENT: the container has no memory cgroup.  oom_watch_end in any case. */
int oom_watch_begin(struct oom_watch *watch, const struct cgroup_set *set, struct error **err) MUST_CHECK;
/* After fd was readable: whether there was a kill since the last call.  -errno: no more will come. */
int oom_watch_take(struct oom_watch *watch) MUST_CHECK;
void oom_watch_end(struct oom_watch *watch);
