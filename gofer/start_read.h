/* SPDX-License-Identifier: Apache-2.0 */
/* The start message as the gofer holds it. */
#pragma once

#include "gofer/start.h"
#include "util/error.h"

struct gofer_start_message {
	struct gofer_start header;
	struct gofer_start_mount mounts[GOFER_START_MOUNTS_MAX];
};

/* Reads @fd to its end and checks everything, also that each FD named is open and named once. */
int gofer_start_read(int fd, struct gofer_start_message *start, struct error **err) MUST_CHECK;
