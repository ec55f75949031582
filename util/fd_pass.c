/* SPDX-License-Identifier: Apache-2.0 */
/* SCM_RIGHTS, with every way a message can be cut handled. */
#include "util/fd_pass.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "util/checked.h"

union control_buffer {
	struct cmsghdr align;
	char bytes[CMSG_SPACE(sizeof(int) * FD_PASS_MAX)];
};

static ssize_t send_restarting(int socket, const struct msghdr *msg)
{
	ssize_t n;

	do {
		n = sendmsg(socket, msg, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

int fd_pass_send(int socket, const void *data, size_t size, const int *fds, size_t fd_count)
{
	union control_buffer control;
	struct iovec iov = { (void *)(uintptr_t)data, size };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd_count > FD_PASS_MAX || !size)
		return -EINVAL;
	if (fd_count) {
		struct cmsghdr *header;

		memset(&control, 0, sizeof(control));
		msg.msg_control = &control;
		msg.msg_controllen = CMSG_SPACE(sizeof(int) * fd_count);
		header = CMSG_FIRSTHDR(&msg);
		header->cmsg_level = SOL_SOCKET;
		header->cmsg_type = SCM_RIGHTS;
		header->cmsg_len = CMSG_LEN(sizeof(int) * fd_count);
		memcpy(CMSG_DATA(header), fds, sizeof(int) * fd_count);
	}
	while (iov.iov_len) {
		ssize_t n = send_restarting(socket, &msg);

		if (n < 0)
			return (int)n;
		iov.iov_base = (char *)iov.iov_base + n;
		iov.iov_len -= (size_t)n;
		msg.msg_control = NULL;
		msg.msg_controllen = 0;
	}
	return 0;
}

/* Moves the descriptors of @msg to @fds, closes those beyond @fd_max; returns how many came. */
static size_t take_descriptors(struct msghdr *msg, int *fds, size_t fd_max)
{
	size_t came = 0;

	for (struct cmsghdr *h = CMSG_FIRSTHDR(msg); h; h = CMSG_NXTHDR(msg, h)) {
		size_t count;

		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
			continue;
		count = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(h) + i * sizeof(int), sizeof(fd));
			if (came < fd_max)
				fds[came] = fd;
			else
				close(fd);
			came++;
		}
	}
	return came;
}

ssize_t fd_pass_receive(int socket, int flags, void *data, size_t size, int *fds, size_t fd_max,
			size_t *fd_count)
{
	union control_buffer control;
	struct iovec iov = { data, size };
	struct msghdr msg = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	size_t came;
	ssize_t n;

	for (size_t i = 0; i < fd_max; i++)
		fds[i] = -1;
	do {
		n = recvmsg(socket, &msg, flags | MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	came = take_descriptors(&msg, fds, fd_max);
	if (came > fd_max || (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC))) {
		for (size_t i = 0; i < MIN(came, fd_max); i++) {
			close(fds[i]);
			fds[i] = -1;
		}
		return -EMSGSIZE;
	}
	*fd_count = came;
	return n;
}
