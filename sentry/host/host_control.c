/* SPDX-License-Identifier: Apache-2.0 */
/* Host system calls of the control side; see the header.  Stateless, so no locks. */
#include "sentry/host/host_control.h"

#include <errno.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "util/fd_pass.h"
#include "util/file.h"

int host_control_accept(int listen_fd)
{
	int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	return fd < 0 ? -errno : fd;
}

ssize_t host_control_receive(int fd, void *data, size_t size, int *fds, size_t fd_max,
			     size_t *fd_count)
{
	return fd_pass_receive(fd, 0, data, size, fds, fd_max, fd_count);
}

ssize_t host_control_receive_now(int fd, void *data, size_t size, int *fds, size_t fd_max,
				 size_t *fd_count)
{
	return fd_pass_receive(fd, MSG_DONTWAIT, data, size, fds, fd_max, fd_count);
}

int host_control_send(int fd, const void *data, size_t size)
{
	return fd_pass_send(fd, data, size, NULL, 0);
}

int host_control_poll(struct pollfd *entries, size_t count)
{
	int ready;

	do
		ready = ppoll(entries, count, NULL, NULL);
	while (ready < 0 && errno == EINTR);
	return ready < 0 ? -errno : ready;
}

int host_control_event_create(void)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	return fd < 0 ? -errno : fd;
}

void host_control_event_set(int fd)
{
	uint64_t one = 1;
	ssize_t done = write(fd, &one, sizeof(one));

	/* EAGAIN means the counter is at its top: the event is set. */
	(void)done;
}

void host_control_event_clear(int fd)
{
	uint64_t count;
	ssize_t done = read(fd, &count, sizeof(count));

	/* EAGAIN means that it was clear. */
	(void)done;
}

int host_control_read_file(int fd, size_t max, char **data, size_t *size)
{
	return fd_read_all(fd, max, data, size);
}

void host_control_close(int fd)
{
	if (fd >= 0)
		close(fd);
}
