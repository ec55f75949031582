/* SPDX-License-Identifier: Apache-2.0
 *
 * Descriptors and credentials passed over AF_UNIX sockets.
 */
#include "conformance.h"

#include <sys/socket.h>

static ssize_t send_fds(int socket, const int *fds, size_t count, const char *data)
{
	char control[CMSG_SPACE(sizeof(int) * 8)] = { 0 };
	struct iovec iov = { (void *)(uintptr_t)data, strlen(data) };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = CMSG_SPACE(sizeof(int) * count) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);

	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_RIGHTS;
	header->cmsg_len = CMSG_LEN(sizeof(int) * count);
	memcpy(CMSG_DATA(header), fds, sizeof(int) * count);
	return sendmsg(socket, &message, 0);
}

static void receive(int socket, size_t control_size, int flags)
{
	char control[256] __attribute__((aligned(8))) = { 0 }, data[16] = "";
	struct iovec iov = { data, sizeof(data) };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = control_size };

	show_data("received", data, recvmsg(socket, &message, flags));
	note("flags 0x%x controllen %zu", (unsigned int)message.msg_flags, message.msg_controllen);
	for (struct cmsghdr *header = CMSG_FIRSTHDR(&message); header != NULL;
	     header = CMSG_NXTHDR(&message, header)) {
		note("  level %d type %d length %zu", header->cmsg_level, header->cmsg_type,
		     header->cmsg_len);
		if (header->cmsg_type == SCM_RIGHTS)
			for (size_t i = 0; i < (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
			     i++) {
				int fd;
				memcpy(&fd, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
				note("  fd %d cloexec %d", fd, fcntl(fd, F_GETFD));
				close(fd);
			}
		if (header->cmsg_type == SCM_CREDENTIALS) {
			struct ucred cred;
			memcpy(&cred, CMSG_DATA(header), sizeof(cred));
			note("  pid ok %d uid %u gid %u", cred.pid == getpid(), cred.uid, cred.gid);
		}
	}
}

CASE(socket_scm_rights)
{
	int ends[2], fds[2], bad = 99;

	write_file("f", "passed", 0600);
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	fds[0] = (int)MUST(open("f", O_RDONLY));
	fds[1] = ends[0];
	show("send two", send_fds(ends[0], fds, 2, "ab"));
	receive(ends[1], 256, 0);
	show("send one", send_fds(ends[0], fds, 1, "cd"));
	show("send plain", send(ends[0], "ef", 2, 0));
	receive(ends[1], 256, MSG_CMSG_CLOEXEC);
	receive(ends[1], 256, 0);
	show("send two", send_fds(ends[0], fds, 2, "gh"));
	note("room for one:");
	receive(ends[1], CMSG_SPACE(sizeof(int)) - 4, 0);
	show("send one", send_fds(ends[0], fds, 1, "ij"));
	note("no room:");
	receive(ends[1], 0, 0);
	show("bad fd", send_fds(ends[0], &bad, 1, "k"));
	show("send", send_fds(ends[0], fds, 1, "l"));
	note("peek takes a copy:");
	receive(ends[1], 256, MSG_PEEK);
	receive(ends[1], 256, 0);
}

CASE(socket_scm_rights_lifetime)
{
	int ends[2], pipe_ends[2];
	char byte;

	MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends));
	MUST(pipe(pipe_ends));
	show("send", send_fds(ends[0], &pipe_ends[1], 1, "x"));
	close(pipe_ends[1]);
	MUST(fcntl(pipe_ends[0], F_SETFL, O_NONBLOCK));
	show("kept alive in flight", read(pipe_ends[0], &byte, 1));
	close(ends[1]);
	close(ends[0]);
	show("gone with the socket", read(pipe_ends[0], &byte, 1));
}

CASE(socket_credentials)
{
	int ends[2], on = 1;
	struct ucred cred = { getpid(), 0, 0 };
	socklen_t size = sizeof(cred);

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	show("SO_PEERCRED", getsockopt(ends[0], SOL_SOCKET, SO_PEERCRED, &cred, &size));
	note("pid ok %d uid %u gid %u size %u", cred.pid == getpid(), cred.uid, cred.gid, size);
	show("SO_PASSCRED", setsockopt(ends[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)));
	MUST(write(ends[0], "x", 1));
	receive(ends[1], 256, 0);
	char control[CMSG_SPACE(sizeof(cred))] __attribute__((aligned(8))) = { 0 };
	struct iovec iov = { &on, 1 };
	struct msghdr message = { .msg_iov = &iov,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	header->cmsg_level = SOL_SOCKET;
	header->cmsg_type = SCM_CREDENTIALS;
	header->cmsg_len = CMSG_LEN(sizeof(cred));
	cred = (struct ucred){ getpid(), 1000, 1000 };
	memcpy(CMSG_DATA(header), &cred, sizeof(cred));
	show("as another user", sendmsg(ends[0], &message, 0));
	receive(ends[1], 256, 0);
	cred.pid = 1;
	memcpy(CMSG_DATA(header), &cred, sizeof(cred));
	RUN_CHILD("user")
	{
		become_user(1000);
		show("another pid", sendmsg(ends[0], &message, 0));
	}
}
