/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <sys/types.h>

#include "util/error.h"

/* Writes @pid to a temporary file and renames it to @path; NULL or "" is a no-op. */
int pid_file_write(const char *path, pid_t pid, struct error **err) MUST_CHECK;
