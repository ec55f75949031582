/* SPDX-License-Identifier: Apache-2.0 */
/* The namespace types of config.json. */
#pragma once

#include <stdbool.h>

enum oci_namespace {
	OCI_NAMESPACE_CGROUP,
	OCI_NAMESPACE_IPC,
	OCI_NAMESPACE_MOUNT,
	OCI_NAMESPACE_NETWORK,
	OCI_NAMESPACE_PID,
	OCI_NAMESPACE_TIME,
	OCI_NAMESPACE_USER,
	OCI_NAMESPACE_UTS,
	OCI_NAMESPACE_COUNT,
};

struct oci_namespace_info {
	const char *name;
	const char *proc_name; /* under /proc/<pid>/ns */
	int clone_flag;
	bool honoured; /* not only parsed */
};

extern const struct oci_namespace_info oci_namespaces[OCI_NAMESPACE_COUNT];

/* -1 when unknown. */
int oci_namespace_number(const char *name);
