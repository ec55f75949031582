/* SPDX-License-Identifier: Apache-2.0 */
/* The user namespace of a pod: its containers have that of their sandbox. */
#pragma once

#include "oci/spec.h"
#include "runtime/command.h"
#include "runtime/container/container.h"
#include "util/error.h"

/*
 * Makes the user namespace of @spec, a container that goes into @sandbox, that one's: if that has one,
 * @spec has one without a path, and the maps of the sandbox; else none.  -EOPNOTSUPP: it is to have one
 * of its own, or somebody else's.  -EINVAL: it names other maps.
 */
int pod_share_user(const struct globals *globals, const struct container *sandbox, struct spec *spec,
		   struct error **err) MUST_CHECK;
