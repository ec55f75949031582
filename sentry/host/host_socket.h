/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packets over a connected socket, gathered and scattered, with at most one file
 * descriptor.  For the allow-list: sendmsg, recvmsg, close.  All return 0 (or
 * a count) or a negative errno; EINTR is retried.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>
#include <sys/uio.h>

#include "util/compiler.h"

/* One packet; never raises SIGPIPE. */
int host_socket_send(int socket, const struct iovec *iov, size_t count) MUST_CHECK;
/*
 * One packet; its size, or 0 when the peer has closed.  *fd is the descriptor
 * that came along (owned, close-on-exec) or -1.  A packet that does not fit, or
 * with more than one descriptor, is -EMSGSIZE and nothing of it is kept.
 */
ssize_t host_socket_receive(int socket, struct iovec *iov, size_t count, int *fd) MUST_CHECK;
/* -1 is a no-op. */
void host_socket_close(int fd);
