/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages with file descriptors over a connected unix socket (SCM_RIGHTS).
 * Received descriptors are close-on-exec; a message that was cut, in data or in
 * descriptors, is refused and everything received with it is closed.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

#include "util/compiler.h"

#define FD_PASS_MAX 253 /* the kernel's SCM_MAX_FD */

/*
 * Sends @size bytes (at least one) and @fd_count borrowed descriptors; never
 * raises SIGPIPE.  On a stream socket all bytes are sent, the descriptors with
 * the first.  Returns 0 or a negative errno.
 */
int fd_pass_send(int socket, const void *data, size_t size, const int *fds,
		 size_t fd_count) MUST_CHECK;
/*
 * Receives one message of at most @size bytes and @fd_max descriptors, which
 * the caller owns; entries of @fds beyond *fd_count are set to -1.  @flags goes to
 * recvmsg(2) (MSG_DONTWAIT).  Returns the bytes received, 0 when the peer has
 * closed, -EMSGSIZE for a message that does not fit, or another negative errno.
 */
ssize_t fd_pass_receive(int socket, int flags, void *data, size_t size, int *fds, size_t fd_max,
			size_t *fd_count) MUST_CHECK;
