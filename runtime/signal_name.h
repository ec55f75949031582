/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "util/compiler.h"

/* "KILL", "SIGKILL", "sigkill" or "9"; -EINVAL, or -ERANGE for a number that no signal has. */
int signal_parse(const char *text, int *out) MUST_CHECK;
