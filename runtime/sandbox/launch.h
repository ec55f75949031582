/* SPDX-License-Identifier: Apache-2.0 */
/* Starting a container's sentry and gofer, up to the point where START may be sent. */
#pragma once

#include <stdbool.h>

#include "oci/spec.h"
#include "runtime/command.h"
#include "runtime/container/container.h"
#include "util/error.h"

struct launch_options {
	unsigned preserve_fds; /* of ours, from 3 on */
	int terminal;	       /* what init gets in place of our standard files; or -1 */
	bool terminal_plain;   /* boot_process.terminal_plain */
	bool throw_away;       /* boot_extra.unmapped */
	bool notify;	       /* boot_extra.notify */
};

/*
 * Called in the bundle's directory, with @container locked and new.  On success it is
 * OCI_CREATED, *pidfd is the sentry's, and both processes are our children.  On failure nothing is
 * left but the container's directory.  The caller has one thread.
 */
int sandbox_launch(const struct globals *globals, const struct spec *spec,
		   struct container *container, const struct launch_options *options, int *pidfd,
		   struct error **err) MUST_CHECK;

/*
 * The same for a container that goes into the sandbox of @booted_by, which runs; @container->sandbox
 * and sentry name it already.  *pidfd is the monitor's, which is our child as the gofer is.
 */
int subcontainer_launch(const struct globals *globals, const struct spec *spec,
			struct container *container, const struct container *booted_by,
			const struct launch_options *options, int *pidfd,
			struct error **err) MUST_CHECK;
/*
 * Has the sentry end and forget such a container.  0 also if the sandbox, or the container in it, is
 * gone; -EBUSY: a process of it does not end.
 */
int subcontainer_end(const struct container *container);
