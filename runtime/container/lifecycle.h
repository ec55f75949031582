/* SPDX-License-Identifier: Apache-2.0 */
/* What create, run, start and delete have in common. */
#pragma once

#include "oci/spec.h"
#include "runtime/command.h"
#include "runtime/console.h"
#include "runtime/container/container.h"
#include "util/error.h"

/* The options that create and run share; NULL where not given. */
struct create_options {
	const char *bundle;
	const char *config; /* the text of config.json; NULL: the bundle's is read */
	const char *console_socket;
	const char *pid_file;
	bool no_pivot;
	bool no_new_keyring;
	unsigned preserve_fds;
	bool detach; /* nobody stays with the container */
	bool throw_away; /* root may change every file, as nothing reaches the host (memory overlay) */
};

/*
 * Creates container @id from the bundle, up to OCI_CREATED: *out is locked, *pidfd its sentry's.
 * Changes into the bundle's directory.  With a terminal *console (CONSOLE_INIT) is its host end,
 * or was sent to the console socket.
 */
int lifecycle_create(const struct globals *globals, const char *id,
		     const struct create_options *options, struct spec **spec,
		     struct container **out, int *pidfd, struct console *console,
		     struct error **err) MUST_CHECK;
/* Lets the created container run, and runs the poststart hooks. */
int lifecycle_start(struct container *container, const struct spec *spec,
		    struct error **err) MUST_CHECK;
/* Kills what is left of the container, runs the poststop hooks, removes everything. */
int lifecycle_destroy(struct container *container, struct error **err) MUST_CHECK;
