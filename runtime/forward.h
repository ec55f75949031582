/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Standing for a process of a container on the host: signals we get are passed to it, and its
 * status becomes ours.
 */
#pragma once

#include <stdint.h>

#include "runtime/container/container.h"
#include "util/error.h"

/* Blocks all signals and returns a signalfd for those to be forwarded. */
int forward_begin(void) MUST_CHECK;
/* Reads one signal from @signal_fd and passes it to @pid of the container. */
void forward_signal(const struct container *container, int signal_fd, int32_t pid);

/* Forwards until the child behind @pidfd has ended; returns its exit status. */
int forward_wait_child(const struct container *container, int signal_fd, int pidfd,
		       struct error **err) MUST_CHECK;
/* Forwards until the process of the EXEC on @connection has ended; returns its exit status. */
int forward_wait_exec(const struct container *container, int signal_fd, int connection,
		      int32_t pid) MUST_CHECK;
