/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FDs beyond the standard ones that a container's process gets: those of socket activation
 * (LISTEN_FDS, if LISTEN_PID names us), then --preserve-fds more.
 */
#pragma once

#include "util/error.h"
#include "util/string_list.h"

unsigned preserve_count(unsigned preserve_fds);
/* Checks that all are open; sets *count and adds LISTEN_FDS and LISTEN_PID to @env if they are due. */
int preserve_check(unsigned preserve_fds, unsigned *count, struct string_list *env,
		   struct error **err) MUST_CHECK;
