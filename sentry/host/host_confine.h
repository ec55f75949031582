/* SPDX-License-Identifier: Apache-2.0 */
/* The sentry's own confinement, in two steps of its boot. */
#pragma once

#include <stdbool.h>

#include "util/compiler.h"

/*
 * Gives up every capability but CAP_SYS_PTRACE in the sentry's own user namespace
 * (it names the memory of its stubs), and core dumps.  Capabilities belong to
 * threads: called while there is only one.
 */
int host_drop_privileges(void) MUST_CHECK;
/*
 * Installs the allow-list on all threads.  @ptrace: with what the ptrace platform needs; @inet:
 * with what internet sockets of the host do.
 */
int host_confine(bool ptrace, bool inet) MUST_CHECK;
