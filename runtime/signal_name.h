/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "util/compiler.h"

/* "KILL", "SIGKILL", "sigkill" or "9"; -EINVAL. */
int signal_parse(const char *text, int *out) MUST_CHECK;
