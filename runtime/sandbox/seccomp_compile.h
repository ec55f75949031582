/* SPDX-License-Identifier: Apache-2.0 */
/* linux.seccomp of config.json as a program for the sentry's interpreter. */
#pragma once

#include "runtime/sandbox/boot_arena.h"

/*
 * Fills out->seccomp, seccomp_count and seccomp_log; @from was validated.  Nothing of the host
 * is filtered by it.
 */
int seccomp_compile(struct boot_arena *arena, const struct spec_seccomp *from,
		    struct boot_config *out, struct error **err) MUST_CHECK;
