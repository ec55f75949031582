/* SPDX-License-Identifier: Apache-2.0 */
/* The state of a container as the specification defines it: what hooks read on stdin. */
#pragma once

#include <sys/types.h>

#include "oci/spec.h"
#include "util/compiler.h"

#define OCI_VERSION "1.0.2-dev" /* what `spec` writes and `state` shows, as runc 1.1 does */

enum oci_status { OCI_CREATING, OCI_CREATED, OCI_RUNNING, OCI_PAUSED, OCI_STOPPED };

/* "creating", ... */
const char *oci_status_name(enum oci_status status);

/* Everything is borrowed. */
struct oci_state {
	const char *oci_version;
	const char *id;
	enum oci_status status;
	pid_t pid; /* 0 (and not written) when stopped */
	const char *bundle;
	const struct string_map *annotations; /* may be NULL */
};

/* On one line, without a newline.  The caller frees it; NULL: out of memory. */
char *oci_state_json(const struct oci_state *state) MUST_CHECK;
