/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What linux.namespaces asks for of the host's, and a sandbox cannot or can only by half give.
 *
 *   a path to a user namespace    one of our own gets the same maps
 *   a path to a UTS namespace,    the names there at this moment
 *     or none to give names to
 *   a path to the host's own,     a namespace of the sandbox's own, and a warning: the host's
 *     or no pid or IPC one          processes and objects cannot be seen
 *   a path to another's           refused, as what was to be shared could not be; unless its network
 *                                 is shared, too: then into its sandbox (pod.h)
 *
 * Network namespaces are entered: sandbox/network.h.
 */
#pragma once

#include "oci/spec.h"
#include "runtime/command.h"
#include "util/error.h"

/* A new UTS namespace begins with the host's names, where @spec has none. */
int namespaces_take_names(struct spec *spec, struct error **err) MUST_CHECK;

/* Of namespaces_resolve the user namespace alone. */
int namespaces_resolve_user(const struct globals *globals, struct spec *spec,
			    struct error **err) MUST_CHECK;
/* @spec has a user namespace, and no path of one, or none. */
int namespaces_set_user(struct spec *spec, bool has_one, struct error **err) MUST_CHECK;
/* Changes @spec to what the sandbox will do; says the rest in the log. */
int namespaces_resolve(const struct globals *globals, struct spec *spec, struct error **err) MUST_CHECK;
