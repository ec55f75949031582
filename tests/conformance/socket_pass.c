/* SPDX-License-Identifier: Apache-2.0
 *
 * Descriptors and credentials passed over AF_UNIX sockets.
 */
#include "conformance.h"

#include <sys/socket.h>
#include <sys/un.h>

#define NETNS_COOKIE 71
#define PASSPIDFD 76
#define PEERPIDFD 77
#define SCM_PIDFD_TYPE 4

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

/* A received pidfd: whose it is, and that exec closes it. */
static void show_pidfd(const char *label, int fd, pid_t pid)
{
	char name[64], text[512] = "", *at;
	int info, number = 0;

	show_ok(label, fd);
	if (fd < 0)
		return;
	snprintf(name, sizeof(name), "/proc/self/fdinfo/%d", fd);
	info = (int)MUST(open(name, O_RDONLY));
	MUST(read(info, text, sizeof(text) - 1));
	close(info);
	at = strstr(text, "Pid:");
	if (at)
		number = (int)strtol(at + 4, NULL, 10);
	show("  the sender", number == pid);
	show("  flags", fcntl(fd, F_GETFD));
	close(fd);
}

static void receive_sender(int fd, size_t room, pid_t pid)
{
	char control[256] __attribute__((aligned(8))) = { 0 }, data[16];
	struct iovec iov = { data, sizeof(data) };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = room };

	show("received", recvmsg(fd, &message, 0));
	note("  flags %#x control %zu", message.msg_flags, message.msg_controllen);
	for (struct cmsghdr *h = CMSG_FIRSTHDR(&message); h; h = CMSG_NXTHDR(&message, h)) {
		int passed;

		note("  type %d size %zu", h->cmsg_type, h->cmsg_len);
		if (h->cmsg_type != SCM_PIDFD_TYPE || h->cmsg_len < CMSG_LEN(sizeof(passed)))
			continue;
		memcpy(&passed, CMSG_DATA(h), sizeof(passed));
		show_pidfd("  pidfd", passed, pid);
	}
}

static void pass_pidfd(int type)
{
	int ends[2], on = 1, off = 0;
	socklen_t size = sizeof(on);

	MUST(socketpair(AF_UNIX, type, 0, ends));
	show("set", setsockopt(ends[1], SOL_SOCKET, PASSPIDFD, &on, sizeof(on)));
	show("get", getsockopt(ends[1], SOL_SOCKET, PASSPIDFD, &off, &size));
	show_int("value", off);
	MUST(send(ends[0], "abc", 3, 0));
	receive_sender(ends[1], 256, getpid());
	for (size_t room = 0; room <= 24; room += 4) {
		MUST(send(ends[0], "abc", 3, 0));
		receive_sender(ends[1], room, getpid());
	}
	show("both", setsockopt(ends[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)));
	MUST(send(ends[0], "abc", 3, 0));
	receive_sender(ends[1], 256, getpid());
	show("credentials alone", setsockopt(ends[1], SOL_SOCKET, PASSPIDFD, &(int){ 0 }, sizeof(on)));
	MUST(send(ends[0], "abc", 3, 0));
	receive_sender(ends[1], 256, getpid());
	show("no more", fcntl(ends[1] + 1, F_GETFD));
}

CASE(socket_passpidfd)
{
	note("stream");
	pass_pidfd(SOCK_STREAM);
	note("datagram");
	pass_pidfd(SOCK_DGRAM);
}

/* Another process sends; who listens passes the option on to what it accepts. */
CASE(socket_passpidfd_accepted)
{
	struct sockaddr_un name = { AF_UNIX, "s" };
	int listener = (int)MUST(socket(AF_UNIX, SOCK_STREAM, 0)), on = 1, fd;
	pid_t pid;

	MUST(setsockopt(listener, SOL_SOCKET, PASSPIDFD, &on, sizeof(on)));
	MUST(bind(listener, (struct sockaddr *)&name, sizeof(name)));
	MUST(listen(listener, 1));
	pid = (pid_t)MUST(fork());
	if (pid == 0) {
		char byte;
		int s = socket(AF_UNIX, SOCK_STREAM, 0);

		if (connect(s, (struct sockaddr *)&name, sizeof(name)) == -1 || write(s, "x", 1) != 1)
			_exit(1);
		_exit(read(s, &byte, 1) != 1);
	}
	fd = (int)MUST(accept(listener, NULL, NULL));
	receive_sender(fd, 256, pid);
	on = -1;
	show("peer", getsockopt(fd, SOL_SOCKET, PEERPIDFD, &on, &(socklen_t){ sizeof(on) }));
	show_pidfd("  pidfd", on, pid);
	MUST(write(fd, "x", 1));
	show_wait("sender", pid);
}

CASE(socket_peerpidfd)
{
	int ends[2], udp = (int)MUST(socket(AF_INET, SOCK_DGRAM, 0)), fd = -1;
	struct { int fd; socklen_t size; } got;

	MUST(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends));
	for (socklen_t size = 0; size <= 8; size += 2) {
		got.fd = -1;
		got.size = size;
		show("get", getsockopt(ends[0], SOL_SOCKET, PEERPIDFD, &got.fd, &got.size));
		note("  of %u: %u", size, got.size);
		if (size >= sizeof(int))
			show_pidfd("  pidfd", got.fd, getpid());
	}
	show("nowhere", getsockopt(ends[0], SOL_SOCKET, PEERPIDFD, bad_ptr(), &(socklen_t){ sizeof(fd) }));
	show("set", setsockopt(ends[0], SOL_SOCKET, PEERPIDFD, &fd, sizeof(fd)));
	got.size = sizeof(fd);
	show("not connected", getsockopt((int)MUST(socket(AF_UNIX, SOCK_STREAM, 0)), SOL_SOCKET, PEERPIDFD, &fd, &got.size));
	show("UDP", getsockopt(udp, SOL_SOCKET, PEERPIDFD, &fd, &got.size));
	show("UDP passes", setsockopt(udp, SOL_SOCKET, PASSPIDFD, &fd, sizeof(fd)));
	show("UDP asks", getsockopt(udp, SOL_SOCKET, PASSPIDFD, &fd, &got.size));
	show("next descriptor", dup(0) - udp);
}

CASE(socket_netns_cookie)
{
	int ends[2];
	uint64_t one = 0, two = 0, other = 0;
	socklen_t size = sizeof(one);

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	show("get", getsockopt(ends[0], SOL_SOCKET, NETNS_COOKIE, &one, &size));
	show_int("size", size);
	MUST(getsockopt(ends[1], SOL_SOCKET, NETNS_COOKIE, &two, &size));
	show("same", one && one == two);
	show("UDP", getsockopt((int)MUST(socket(AF_INET, SOCK_DGRAM, 0)), SOL_SOCKET, NETNS_COOKIE, &two, &size));
	show("same", one == two);
	size = 4;
	show("short", getsockopt(ends[0], SOL_SOCKET, NETNS_COOKIE, &one, &size));
	size = 16;
	show("long", getsockopt(ends[0], SOL_SOCKET, NETNS_COOKIE, &(uint64_t[2]){ 0 }, &size));
	show_int("size", size);
	show("set", setsockopt(ends[0], SOL_SOCKET, NETNS_COOKIE, &one, sizeof(one)));
	RUN_CHILD("other") {
		MUST(unshare(CLONE_NEWUSER | CLONE_NEWNET));
		size = sizeof(other);
		MUST(getsockopt((int)MUST(socket(AF_UNIX, SOCK_DGRAM, 0)), SOL_SOCKET, NETNS_COOKIE, &other, &size));
		show("same", one == other);
	}
}
