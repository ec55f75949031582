/* SPDX-License-Identifier: Apache-2.0 */
/* Host epoll calls; see the header.  Stateless, so no locks. */
#include "sentry/host/host_epoll.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/epoll.h>

#define EVENTS_MAX 32

int host_epoll_new(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };
	int fd;

	if (sigaction(SIGPIPE, &ignore, NULL) < 0)
		return -errno;
	fd = epoll_create1(EPOLL_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

_Static_assert(HOST_EPOLL_ALL == (EPOLLIN | EPOLLOUT | EPOLLPRI | EPOLLRDHUP), "the host's numbers");
_Static_assert(HOST_EPOLL_INPUT == (HOST_EPOLL_ALL & ~EPOLLOUT), "the host's numbers");

static int control(int epoll_fd, int operation, int fd, uint64_t id, uint32_t events)
{
	struct epoll_event event = { .events = events | EPOLLET, .data.u64 = id };

	return epoll_ctl(epoll_fd, operation, fd, &event) < 0 ? -errno : 0;
}

int host_epoll_add(int epoll_fd, int fd, uint64_t id, uint32_t events)
{
	return control(epoll_fd, EPOLL_CTL_ADD, fd, id, events);
}

int host_epoll_change(int epoll_fd, int fd, uint64_t id, uint32_t events)
{
	return control(epoll_fd, EPOLL_CTL_MOD, fd, id, events);
}

void host_epoll_remove(int epoll_fd, int fd)
{
	/* Fails only for an FD that is not registered. */
	(void)epoll_ctl(epoll_fd, EPOLL_CTL_DEL, fd, NULL);
}

int host_epoll_await(int epoll_fd)
{
	struct pollfd wanted = { .fd = epoll_fd, .events = POLLIN };
	int rc;

	do
		rc = poll(&wanted, 1, -1);
	while (rc < 0 && errno == EINTR);
	return rc < 0 ? -errno : 0;
}

int host_epoll_take(int epoll_fd, struct host_epoll_event *events, int max)
{
	struct epoll_event host[EVENTS_MAX];
	int count;

	do
		count = epoll_wait(epoll_fd, host, max < EVENTS_MAX ? max : EVENTS_MAX, 0);
	while (count < 0 && errno == EINTR);
	if (count < 0)
		return -errno;
	for (int i = 0; i < count; i++) {
		events[i].events = host[i].events;
		events[i].id = host[i].data.u64;
	}
	return count;
}
