/* SPDX-License-Identifier: Apache-2.0 */
/* The host machine as a whole.  Host calls: sysinfo; before confinement getpriority. */
#pragma once

#include <stdint.h>

struct host_system {
	uint64_t uptime_s;
	uint64_t loads[3]; /* fixed point: 16 bits of fraction */
	uint64_t total_bytes, free_bytes, shared_bytes, buffer_bytes, total_swap_bytes,
		free_swap_bytes;
};
void host_system_read(struct host_system *out);
/* Before confinement: the nice value of the sentry, which its stubs inherit. */
int host_system_nice(void);
