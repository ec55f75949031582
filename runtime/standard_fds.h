/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "util/compiler.h"

/*
 * Opens /dev/null for each of FDs 0 to 2 that is closed, so that no file opened later takes
 * the place of a standard one.  0 or a negative errno.
 */
int standard_fds_open(void) MUST_CHECK;
