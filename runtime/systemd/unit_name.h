/* SPDX-License-Identifier: Apache-2.0 */
/* What systemd calls the cgroup of a container: a unit, in a slice. */
#pragma once

#include <stdbool.h>

#include "util/error.h"

struct unit_name {
	char *slice; /* "system.slice" */
	char *name;  /* the container's part of it */
	char *unit;  /* "runc-NAME.scope" */
};

/*
 * linux.cgroupsPath is "slice:prefix:name"; NULL or empty: the slice is the default one, the prefix
 * "runc", the name @id.  @user: of a user's systemd.  Fails with *out empty.
 */
int unit_name_parse(const char *cgroups_path, const char *id, bool user, struct unit_name *out,
		    struct error **err) MUST_CHECK;
void unit_name_free(struct unit_name *unit);

bool unit_name_is_slice(const char *unit);
/* "a-b.slice" is in "/a.slice/a-b.slice", "-.slice" in ""; malloc'ed. */
int unit_slice_expand(const char *slice, char **out, struct error **err) MUST_CHECK;
