/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The maps of user namespaces that we make for our processes.  Ids of "ours" are those of the user
 * namespace that the command line itself is in.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "oci/spec.h"
#include "util/compiler.h"
#include "util/error.h"

/*
 * The sentry's: its root is nobody of ours, who owns nothing, or where that id is not ours to give
 * away, we ourselves.
 */
int id_maps_write_sentry(pid_t pid, struct error **err) MUST_CHECK;

/*
 * The gofer's: exactly the ids of ours that config.json maps, each under its own number.  So a
 * file's owner reads the same for gofer, sentry and us; one that is not mapped reads as nobody, and
 * the host lets nobody become it.  By newuidmap and newgidmap where we have not the right.
 */
int id_maps_write_gofer(pid_t pid, const struct spec *spec, struct error **err) MUST_CHECK;

/*
 * In the gofer's process, once its maps are written: becomes the container's root, with the
 * capabilities of the user namespace kept over the execve.  0 or negative errno.
 */
int id_maps_become_root(const struct spec *spec) MUST_CHECK;

/* Is setgroups(2) refused in the container's namespace?  The price of a map without privilege. */
bool id_maps_deny_setgroups(const struct spec *spec);

/* Has the container a user namespace of its own? */
bool id_maps_wanted(const struct spec *spec);
