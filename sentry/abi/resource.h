/* SPDX-License-Identifier: Apache-2.0 */
/* Resource limits and usage, sysinfo, utsname. */
#pragma once

#include <stdint.h>

#include "sentry/abi/time.h"

#define LINUX_RLIM_INFINITY UINT64_MAX
#define LINUX_RLIM_NLIMITS 16

struct linux_rlimit {
	uint64_t cur, max;
};

#define LINUX_RUSAGE_SELF 0
#define LINUX_RUSAGE_CHILDREN (-1)
#define LINUX_RUSAGE_THREAD 1

struct linux_rusage {
	struct linux_timeval utime, stime;
	int64_t maxrss, ixrss, idrss, isrss, minflt, majflt, nswap, inblock, oublock, msgsnd,
		msgrcv, nsignals, nvcsw, nivcsw;
};
_Static_assert(sizeof(struct linux_rusage) == 144, "rusage");

struct linux_sysinfo {
	int64_t uptime;
	uint64_t loads[3];
	uint64_t totalram, freeram, sharedram, bufferram, totalswap, freeswap;
	uint16_t procs, pad;
	uint64_t totalhigh, freehigh;
	uint32_t mem_unit;
	uint32_t pad2;
};
_Static_assert(sizeof(struct linux_sysinfo) == 112, "sysinfo");

#define LINUX_UTSNAME_SIZE 65
struct linux_utsname {
	char sysname[LINUX_UTSNAME_SIZE], nodename[LINUX_UTSNAME_SIZE],
		release[LINUX_UTSNAME_SIZE], version[LINUX_UTSNAME_SIZE],
		machine[LINUX_UTSNAME_SIZE], domainname[LINUX_UTSNAME_SIZE];
};
