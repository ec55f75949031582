/* SPDX-License-Identifier: Apache-2.0 */
/*
 * startContainer hooks: unlike all others they are programs of the container.  Each is a guest
 * process beside the init that waits for its start, with the identity of config.json's process.
 */
#pragma once

#include "oci/spec.h"
#include "runtime/container/container.h"
#include "util/error.h"

/* As hooks_run: one after the other until one fails.  A hook out of time is killed. */
int start_hooks_run(const struct spec *spec, const struct container *container,
		    struct error **err) MUST_CHECK;
