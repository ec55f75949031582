/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Executing a stub template so that it is clean (design rule 8): no libc, no FDs
 * but the one it is given, no capabilities, no core dumps, no address
 * randomisation, first in line for the OOM killer.  At boot, before confinement.
 */
#pragma once

#include "util/compiler.h"

/* An executable, empty memfd.  A negative errno on failure. */
int clean_exec_memfd(const char *name) MUST_CHECK;
/* In a forked child of the still single-threaded sentry: executes @image with
 * @fd as its FD 0.  Exits with 126 or 127 when it cannot. */
NORETURN void clean_exec(int image, int fd, const char *name);
