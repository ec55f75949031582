/* SPDX-License-Identifier: Apache-2.0 */
/* What a monitor may do once the sentry can talk to it: see launch_monitor.c. */
#pragma once

#include "util/compiler.h"

/*
 * No capability, no way to get one, and of system calls only those on the files it has: no file or
 * connection more.  Whatever else it tries kills it.  Negative errno: it is not confined.
 */
int monitor_confine(void) MUST_CHECK;
