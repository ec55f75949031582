/* SPDX-License-Identifier: Apache-2.0 */
/* What the cgroups of a container have used, in the form of `runc events`. */
#pragma once

#include <stdint.h>

#include "oci/json_write.h"
#include "runtime/cgroup/cgroup.h"

/*
 * Writes the "data" object of a stats event.  A file that does not exist, or cannot be read, counts
 * as 0.  @tasks and their limit (0: none) are the guest's,
 * for "pids"; the host's cgroup counts the sandbox's own threads.
 */
void cgroup_stats_write(const struct cgroup_set *set, uint64_t tasks, uint64_t limit,
			struct json_writer *w);
