/* SPDX-License-Identifier: Apache-2.0 */
/* Scheduling policies and classes by name (sched_setattr(2), ioprio_set(2)). */
#include "oci/schedule.h"

#include <string.h>

#include "util/compiler.h"

struct name {
	const char *name;
	int number;
};

static const struct name policies[] = {
	{ "SCHED_OTHER", 0 }, { "SCHED_FIFO", 1 }, { "SCHED_RR", 2 },	    { "SCHED_BATCH", 3 },
	{ "SCHED_ISO", 4 },   { "SCHED_IDLE", 5 }, { "SCHED_DEADLINE", 6 },
};

static const struct name flags[] = {
	{ "SCHED_FLAG_RESET_ON_FORK", 0x01 },  { "SCHED_FLAG_RECLAIM", 0x02 },
	{ "SCHED_FLAG_DL_OVERRUN", 0x04 },     { "SCHED_FLAG_KEEP_POLICY", 0x08 },
	{ "SCHED_FLAG_KEEP_PARAMS", 0x10 },    { "SCHED_FLAG_UTIL_CLAMP_MIN", 0x20 },
	{ "SCHED_FLAG_UTIL_CLAMP_MAX", 0x40 },
};

static const struct name io_classes[] = {
	{ "IOPRIO_CLASS_RT", 1 }, { "IOPRIO_CLASS_BE", 2 }, { "IOPRIO_CLASS_IDLE", 3 },
};

static int find(const struct name *table, size_t count, const char *name)
{
	for (size_t i = 0; name && i < count; i++) {
		if (!strcmp(table[i].name, name))
			return table[i].number;
	}
	return -1;
}

int oci_scheduler_policy(const char *name)
{
	return find(policies, ARRAY_SIZE(policies), name);
}

uint64_t oci_scheduler_flag(const char *name)
{
	int number = find(flags, ARRAY_SIZE(flags), name);

	return number < 0 ? 0 : (uint64_t)number;
}

int oci_io_class(const char *name)
{
	return find(io_classes, ARRAY_SIZE(io_classes), name);
}
