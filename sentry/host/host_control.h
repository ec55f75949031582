/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host system calls of the sentry's control side.  Together with util/fd_pass.h and
 * fd_read_all they are, for the allow-list:
 *   accept4 recvmsg sendmsg ppoll read write fstat pread64 close
 * and eventfd2 while control_server_start runs.
 *
 * All return 0 (or a count) or a negative errno.  No locks.
 */
#pragma once

#include <poll.h>
#include <stddef.h>
#include <sys/types.h>

#include "util/compiler.h"

/* A non-blocking, close-on-exec connection from @listen_fd; the caller owns it. */
int host_control_accept(int listen_fd) MUST_CHECK;

/* One message and its FDs, as fd_pass_receive and fd_pass_send (util/fd_pass.h). */
ssize_t host_control_receive(int fd, void *data, size_t size, int *fds, size_t fd_max,
			     size_t *fd_count) MUST_CHECK;
/* The same, -EAGAIN when there is none yet. */
ssize_t host_control_receive_now(int fd, void *data, size_t size, int *fds, size_t fd_max,
				 size_t *fd_count) MUST_CHECK;
int host_control_send(int fd, const void *data, size_t size) MUST_CHECK;

/* Waits without limit; the number of ready entries.  EINTR is retried. */
int host_control_poll(struct pollfd *entries, size_t count) MUST_CHECK;

/* An event to be polled for POLLIN. */
int host_control_event_create(void) MUST_CHECK;
void host_control_event_set(int fd);
void host_control_event_clear(int fd);

/* The whole of memfd @fd, at most @max bytes (-EFBIG), in malloc'ed memory. */
int host_control_read_file(int fd, size_t max, char **data, size_t *size) MUST_CHECK;

/* -1 is a no-op. */
void host_control_close(int fd);
