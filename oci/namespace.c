/* SPDX-License-Identifier: Apache-2.0 */
/* Namespace types by name. */
#include "oci/namespace.h"

#include <sched.h>
#include <string.h>

#define CLONE_FLAG_TIME 0x80 /* CLONE_NEWTIME, for unshare(2) and clone3(2) only */

const struct oci_namespace_info oci_namespaces[OCI_NAMESPACE_COUNT] = {
	[OCI_NAMESPACE_CGROUP] = { "cgroup", "cgroup", CLONE_NEWCGROUP, true },
	[OCI_NAMESPACE_IPC] = { "ipc", "ipc", CLONE_NEWIPC, true },
	[OCI_NAMESPACE_MOUNT] = { "mount", "mnt", CLONE_NEWNS, true },
	[OCI_NAMESPACE_NETWORK] = { "network", "net", CLONE_NEWNET, true },
	[OCI_NAMESPACE_PID] = { "pid", "pid", CLONE_NEWPID, true },
	[OCI_NAMESPACE_TIME] = { "time", "time", CLONE_FLAG_TIME, true },
	[OCI_NAMESPACE_USER] = { "user", "user", CLONE_NEWUSER, true },
	[OCI_NAMESPACE_UTS] = { "uts", "uts", CLONE_NEWUTS, true },
};

int oci_namespace_number(const char *name)
{
	for (int i = 0; i < OCI_NAMESPACE_COUNT; i++)
		if (!strcmp(oci_namespaces[i].name, name))
			return i;
	return -1;
}
