/* SPDX-License-Identifier: Apache-2.0 */
/* sendmsg and recvmsg for the sentry's own connections. */
#include "sentry/host/host_socket.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int host_socket_send(int socket, const struct iovec *iov, size_t count)
{
	struct msghdr msg = { .msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = count };
	ssize_t n;

	do {
		n = sendmsg(socket, &msg, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

/* The one descriptor of @msg or -1; with more than one, closes all and clears *valid. */
static int take_descriptor(struct msghdr *msg, bool *valid)
{
	int taken = -1;

	for (struct cmsghdr *h = CMSG_FIRSTHDR(msg); h; h = CMSG_NXTHDR(msg, h)) {
		size_t count;

		if (h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS)
			continue;
		count = (h->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < count; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(h) + i * sizeof(int), sizeof(fd));
			if (taken >= 0) {
				close(fd);
				*valid = false;
			} else {
				taken = fd;
			}
		}
	}
	return taken;
}

ssize_t host_socket_receive(int socket, struct iovec *iov, size_t count, int *fd)
{
	/* CMSG_SPACE(4) has room for two descriptors on LP64; both are looked at. */
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr msg = {
		.msg_iov = iov,
		.msg_iovlen = count,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	bool valid = true;
	int taken;
	ssize_t n;

	do {
		n = recvmsg(socket, &msg, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	taken = take_descriptor(&msg, &valid);
	if (!valid || msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) {
		host_socket_close(taken);
		return -EMSGSIZE;
	}
	*fd = taken;
	return n;
}

void host_socket_close(int fd)
{
	if (fd >= 0)
		close(fd);
}
