/* SPDX-License-Identifier: Apache-2.0 */
/* What run and do have in common. */
#pragma once

#include <stdbool.h>

#include "runtime/command.h"
#include "runtime/container/lifecycle.h"
#include "util/error.h"

struct run_options {
	struct create_options create;
	bool detach;
	bool keep;
	bool no_subreaper;
};

/*
 * Creates and starts container @id; unless it is to be detached, stays until it has ended, and
 * deletes it.  The exit status, or a negative errno.
 */
int run_container(const struct globals *globals, const struct run_options *options, const char *id,
		  struct error **err) MUST_CHECK;
