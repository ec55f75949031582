/* SPDX-License-Identifier: Apache-2.0 */
/* See host_system.h. */
#include "sentry/host/host_system.h"

#include <errno.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>

void host_system_read(struct host_system *out)
{
	struct sysinfo si;
	uint64_t unit;

	*out = (struct host_system){ 0 };
	if (sysinfo(&si) < 0)
		return;
	unit = si.mem_unit ? si.mem_unit : 1;
	out->uptime_s = (uint64_t)si.uptime;
	for (unsigned i = 0; i < 3; i++)
		out->loads[i] = si.loads[i];
	out->total_bytes = si.totalram * unit;
	out->free_bytes = si.freeram * unit;
	out->shared_bytes = si.sharedram * unit;
	out->buffer_bytes = si.bufferram * unit;
	out->total_swap_bytes = si.totalswap * unit;
	out->free_swap_bytes = si.freeswap * unit;
}

int host_system_nice(void)
{
	int value;

	errno = 0;
	value = getpriority(PRIO_PROCESS, 0);
	return errno ? 0 : value;
}
