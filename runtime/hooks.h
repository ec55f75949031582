/* SPDX-License-Identifier: Apache-2.0 */
/* Hooks of config.json: programs of the host, given the container's state on stdin. */
#pragma once

#include "oci/spec.h"
#include "runtime/container/container.h"
#include "util/error.h"

/*
 * Runs @hooks one after the other until one fails: exit status other than 0, or its timeout is
 * over, at which it is killed.  @kind is for messages.  Waits for each; the caller has one thread.
 */
int hooks_run(const struct spec_hook_list *hooks, const char *kind,
	      const struct container *container, struct error **err) MUST_CHECK;
/* The same, but one that fails is no more than a warning in the log, and the others run. */
void hooks_run_all(const struct spec_hook_list *hooks, const char *kind, const struct container *container);

/* What a hook reads on stdin, with @pid as the container's.  The caller frees it; NULL: no memory. */
char *hook_state(const struct container *container, pid_t pid) MUST_CHECK;
/* A memfd of @text, to be read from its beginning: 0 or a negative errno. */
int hook_text_fd(const char *text, int *fd) MUST_CHECK;
