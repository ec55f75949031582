/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attach points: the host trees a container's gofer serves, in the order that both gofer and
 * sentry number them.  0 is the root file system, the others are the bind mounts in the order
 * of config.json.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "oci/spec.h"
#include "runtime/sandbox/id_mapped.h"
#include "util/error.h"

struct attach_point {
	const char *source; /* host path, relative to the bundle if not absolute; borrowed */
	bool recursive;
	bool read_only;
	bool follows; /* what the host mounts there later appears */
	enum id_mapping id_mapping;
	int id_map_fd; /* a user namespace, owned; valid unless ID_MAPPING_NONE */
};

struct attach_list {
	struct attach_point *items;
	uint32_t count;
};

/* @write_through: what the container writes to its root reaches the host (--overlay=none). */
int attach_list_build(const struct spec *spec, bool write_through, struct attach_list *out,
		      struct error **err) MUST_CHECK;
void attach_list_free(struct attach_list *list);
