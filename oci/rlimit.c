/* SPDX-License-Identifier: Apache-2.0 */
/* The names of Linux's resource limits, in their numbers' order. */
#include "oci/rlimit.h"

#include <string.h>

#include "util/compiler.h"

static const char *const names[] = {
	"RLIMIT_CPU",	     "RLIMIT_FSIZE",  "RLIMIT_DATA",   "RLIMIT_STACK",
	"RLIMIT_CORE",	     "RLIMIT_RSS",    "RLIMIT_NPROC",  "RLIMIT_NOFILE",
	"RLIMIT_MEMLOCK",    "RLIMIT_AS",     "RLIMIT_LOCKS",  "RLIMIT_SIGPENDING",
	"RLIMIT_MSGQUEUE",   "RLIMIT_NICE",   "RLIMIT_RTPRIO", "RLIMIT_RTTIME",
};
_Static_assert(ARRAY_SIZE(names) == OCI_RLIMIT_COUNT, "one name for each limit");

const char *oci_rlimit_name(unsigned number)
{
	return number < ARRAY_SIZE(names) ? names[number] : NULL;
}

int oci_rlimit_number(const char *name)
{
	for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
		if (!strcmp(names[i], name))
			return (int)i;
	return -1;
}
