/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The epoll instance through which the readiness of host FDs comes in.  Host
 * system calls, for the allow-list:
 *   epoll_ctl epoll_wait poll close
 * and epoll_create1, rt_sigaction (SIGPIPE ignored) while host_epoll_new runs.
 */
#pragma once

#include <stdint.h>

#include "util/compiler.h"

struct host_epoll_event {
	uint32_t events; /* EPOLL*: the numbers are Linux's, so the guest's too */
	uint64_t id;
};

/* A new instance; the process ignores SIGPIPE from here on. */
int host_epoll_new(void) MUST_CHECK;
/* What to hear of: edge-triggered always. */
#define HOST_EPOLL_INPUT 0x2003U /* EPOLLIN | EPOLLPRI | EPOLLRDHUP */
#define HOST_EPOLL_ALL 0x2007U	 /* EPOLLOUT too */

/* -EPERM: this kind of file is always ready. */
int host_epoll_add(int epoll_fd, int fd, uint64_t id, uint32_t events) MUST_CHECK;
/* Other @events; what of them is true already is heard of. */
int host_epoll_change(int epoll_fd, int fd, uint64_t id, uint32_t events) MUST_CHECK;
void host_epoll_remove(int epoll_fd, int fd);
/* Sleeps until there are events, or others have taken them meanwhile.  EINTR is retried. */
int host_epoll_await(int epoll_fd) MUST_CHECK;
/* Takes what there is: the number of events, at most 32. */
int host_epoll_take(int epoll_fd, struct host_epoll_event *events, int max) MUST_CHECK;
