/* SPDX-License-Identifier: Apache-2.0
 *
 * AF_UNIX sockets: stream, datagram, seqpacket, names, options, errors.
 */
#include "conformance.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

static socklen_t name_of(struct sockaddr_un *addr, const char *path)
{
	memset(addr, 0, sizeof(*addr));
	addr->sun_family = AF_UNIX;
	if (path[0] == '@') {
		memcpy(addr->sun_path + 1, path + 1, strlen(path + 1));
		return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path));
	}
	snprintf(addr->sun_path, sizeof(addr->sun_path), "%s", path);
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path) + 1);
}

static int bind_to(int fd, const char *path)
{
	struct sockaddr_un addr;
	socklen_t size = name_of(&addr, path);

	return bind(fd, (struct sockaddr *)&addr, size);
}

static int connect_to(int fd, const char *path)
{
	struct sockaddr_un addr;
	socklen_t size = name_of(&addr, path);

	return connect(fd, (struct sockaddr *)&addr, size);
}

static int listener(const char *path, int type)
{
	int fd = (int)MUST(socket(AF_UNIX, type, 0));

	MUST(bind_to(fd, path));
	MUST(listen(fd, 5));
	return fd;
}

CASE(socketpair_types)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
	char buffer[16];

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		int ends[2], value;
		socklen_t size = sizeof(value);
		show("socketpair",
		     socketpair(AF_UNIX, types[i] | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends));
		show("cloexec", fcntl(ends[0], F_GETFD));
		MUST(getsockopt(ends[0], SOL_SOCKET, SO_TYPE, &value, &size));
		show_int("type", value);
		MUST(write(ends[0], "one", 3));
		MUST(write(ends[0], "two", 3));
		show_data("read", buffer, read(ends[1], buffer, 2));
		show_data("read", buffer, read(ends[1], buffer, 16));
		show_data("read", buffer, read(ends[1], buffer, 16));
		close(ends[0]);
		show("peer closed", read(ends[1], buffer, 16));
		signal(SIGPIPE, SIG_IGN);
		show("write to the closed", write(ends[1], "x", 1));
	}
}

CASE(socket_creation_errors)
{
	int ends[2];

	show("family", socket(77, SOCK_STREAM, 0));
	show("type", socket(AF_UNIX, 77, 0));
	show("protocol", socket(AF_UNIX, SOCK_STREAM, 5));
	show("protocol 1", socket(AF_UNIX, SOCK_STREAM, 1));
	show("flags", socket(AF_UNIX, SOCK_STREAM | 0x100, 0));
	show("raw is datagram", socket(AF_UNIX, SOCK_RAW, 0));
	show("pair family", socketpair(AF_INET, SOCK_STREAM, 0, ends));
	show("pair pointer", socketpair(AF_UNIX, SOCK_STREAM, 0, bad_ptr()));
	show("not a socket", listen(0, 1));
	show("bad fd", listen(99, 1));
	show("accept not a socket", accept(0, NULL, NULL));
}

CASE(socket_creation_rights)
{
	show("raw without protocol", socket(AF_INET, SOCK_RAW, 0));
	show("ping", socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP));
	show("ping 6", socket(AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6));
	RUN_CHILD("user")
	{
		become_user(1000);
		show("raw", socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
		show("raw without protocol", socket(AF_INET, SOCK_RAW, 0));
		show("raw 6", socket(AF_INET6, SOCK_RAW, IPPROTO_UDP));
		show("raw 6 without protocol", socket(AF_INET6, SOCK_RAW, 0));
		show("ping", socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMP));
		show("ping 6", socket(AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6));
		show("the other's ping", socket(AF_INET, SOCK_DGRAM, IPPROTO_ICMPV6));
		show("packet", socket(AF_PACKET, SOCK_RAW, 0));
		show("packet of a bad type", socket(AF_PACKET, SOCK_STREAM, 0));
		show("old packet", socket(AF_INET, SOCK_PACKET, 0));
		show("old packet 6", socket(AF_INET6, SOCK_PACKET, 0));
	}
}

CASE(socket_stream_path)
{
	char buffer[16];
	struct sockaddr_un addr = { 0 };
	socklen_t size = sizeof(addr);
	int server = listener("s", SOCK_STREAM),
	    client = (int)MUST(socket(AF_UNIX, SOCK_STREAM, 0));

	show_stat("s", "s");
	show("connect", connect_to(client, "s"));
	show("connect again", connect_to(client, "s"));
	int peer = accept4(server, (struct sockaddr *)&addr, &size, SOCK_CLOEXEC);
	show_ok("accept", peer);
	note("client's name: size %u", size);
	size = sizeof(addr);
	MUST(getpeername(client, (struct sockaddr *)&addr, &size));
	note("server's name: size %u path %s", size, addr.sun_path);
	size = 4;
	MUST(getsockname(server, (struct sockaddr *)&addr, &size));
	show_int("truncated name tells its size", size);
	show("send", send(client, "hello", 5, 0));
	show_data("peek", buffer, recv(peer, buffer, 16, MSG_PEEK));
	show_data("recv", buffer, recv(peer, buffer, 16, 0));
	show("dontwait", recv(peer, buffer, 16, MSG_DONTWAIT));
	show("shutdown", shutdown(client, SHUT_WR));
	show("end", recv(peer, buffer, 16, 0));
	show("send after shutdown", send(client, "x", 1, MSG_NOSIGNAL));
	show("other way", send(peer, "back", 4, 0));
	show_data("recv", buffer, recv(client, buffer, 16, 0));
	close(server);
	MUST(unlink("s"));
}

CASE(socket_names)
{
	struct sockaddr_un addr;
	socklen_t size = sizeof(addr);
	int one = (int)MUST(socket(AF_UNIX, SOCK_STREAM, 0)),
	    two = (int)MUST(socket(AF_UNIX, SOCK_STREAM, 0));

	show("unbound", getsockname(one, (struct sockaddr *)&addr, &size));
	note("size %u", size);
	show("peer of unconnected", getpeername(one, (struct sockaddr *)&addr, &size));
	show("bind", bind_to(one, "name"));
	show("bind twice", bind_to(one, "other"));
	show("in use", bind_to(two, "name"));
	show("missing directory", bind_to(two, "no/where"));
	show("abstract", bind_to(two, "@conformance-abstract"));
	int three = (int)MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	show("abstract in use", bind_to(three, "@conformance-abstract"));
	close(two);
	show("free after close", bind_to(three, "@conformance-abstract"));
	size = sizeof(addr);
	MUST(getsockname(three, (struct sockaddr *)&addr, &size));
	note("size %u first byte %d rest %.20s", size, addr.sun_path[0], addr.sun_path + 1);
	int four = (int)MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	addr = (struct sockaddr_un){ .sun_family = AF_UNIX };
	show("autobind", bind(four, (struct sockaddr *)&addr, sizeof(sa_family_t)));
	size = sizeof(addr);
	MUST(getsockname(four, (struct sockaddr *)&addr, &size));
	note("size %u", size);
	addr.sun_family = AF_INET;
	show("wrong family", bind((int)MUST(socket(AF_UNIX, SOCK_STREAM, 0)),
				  (struct sockaddr *)&addr, sizeof(addr)));
	show("too long", bind(two = (int)MUST(socket(AF_UNIX, SOCK_STREAM, 0)),
			      (struct sockaddr *)&addr, sizeof(addr) + 1));
	show("too short", bind(two, (struct sockaddr *)&addr, 1));
}

CASE(socket_connect_errors)
{
	int fd = (int)MUST(socket(AF_UNIX, SOCK_STREAM, 0)),
	    bound = (int)MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	char byte;

	write_file("f", "", 0600);
	MUST(bind_to(bound, "bound"));
	show("missing", connect_to(fd, "missing"));
	show("regular file", connect_to(fd, "f"));
	show("not listening", connect_to(fd, "bound"));
	show("missing abstract", connect_to(fd, "@conformance-missing"));
	show("accept not listening", accept(bound, NULL, NULL));
	show("listen unbound", listen(fd, 1));
	show("recv unconnected", recv(bound, &byte, 1, 0));
	show("send unconnected", send(bound, "x", 1, MSG_NOSIGNAL));
	show("shutdown unconnected", shutdown(bound, SHUT_RD));
	int server = listener("server", SOCK_SEQPACKET);
	show("wrong type", connect_to(fd, "server"));
	show("nonblocking accept",
	     (fcntl(server, F_SETFL, O_NONBLOCK), accept(server, NULL, NULL)));
	show("accept flags", accept4(server, NULL, NULL, 0x10));
	MUST(chmod("server", 0600));
	RUN_CHILD("user")
	{
		become_user(1000);
		show("no permission",
		     connect_to((int)MUST(socket(AF_UNIX, SOCK_SEQPACKET, 0)), "server"));
	}
}

CASE(socket_backlog)
{
	int server = (int)MUST(socket(AF_UNIX, SOCK_STREAM, 0)), count = 0, fd;

	MUST(bind_to(server, "s"));
	MUST(listen(server, 2));
	for (;;) {
		fd = (int)MUST(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0));
		if (connect_to(fd, "s") == -1)
			break;
		count++;
	}
	show("connect", -1);
	show_int("connected", count);
	struct pollfd pfd = { server, POLLIN, 0 };
	poll(&pfd, 1, 0);
	show_hex("poll", (unsigned int)pfd.revents);
	show_ok("accept", accept(server, NULL, NULL));
	show("one more fits", connect_to(fd, "s"));
}

CASE(socket_datagram)
{
	int one = (int)MUST(socket(AF_UNIX, SOCK_DGRAM, 0)),
	    two = (int)MUST(socket(AF_UNIX, SOCK_DGRAM, 0));
	struct sockaddr_un addr;
	char buffer[16];

	MUST(bind_to(one, "one"));
	MUST(bind_to(two, "two"));
	socklen_t size = name_of(&addr, "one");
	show("sendto", sendto(two, "first", 5, 0, (struct sockaddr *)&addr, size));
	show("empty", sendto(two, "", 0, 0, (struct sockaddr *)&addr, size));
	show("third", sendto(two, "long message", 12, 0, (struct sockaddr *)&addr, size));
	int waiting;
	show("FIONREAD", ioctl(one, FIONREAD, &waiting));
	show_int("waiting", waiting);
	size = sizeof(addr);
	show_data("recvfrom", buffer,
		  recvfrom(one, buffer, 16, 0, (struct sockaddr *)&addr, &size));
	note("from %s size %u", addr.sun_path, size);
	show("empty", recv(one, buffer, 16, 0));
	show("truncated, real size", recv(one, buffer, 4, MSG_TRUNC));
	show("none left", recv(one, buffer, 4, MSG_DONTWAIT));
	show("not connected", send(two, "x", 1, 0));
	show("connect", connect_to(two, "one"));
	show("send", send(two, "connected", 9, 0));
	MUST(connect_to(one, "two"));
	int third = (int)MUST(socket(AF_UNIX, SOCK_DGRAM, 0));
	size = name_of(&addr, "one");
	show("a stranger", sendto(third, "x", 1, 0, (struct sockaddr *)&addr, size));
	close(one);
	show("peer gone", send(two, "x", 1, 0));
	addr.sun_family = AF_UNSPEC;
	show("disconnect", connect(two, (struct sockaddr *)&addr, sizeof(addr)));
	static char big[300000];
	int ends[2];
	MUST(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends));
	show("too big", send(ends[0], big, sizeof(big), 0));
}

CASE(socket_options)
{
	int ends[2], value = 0;
	socklen_t size = sizeof(value);
	struct timeval timeout = { 0, 20000 };
	char byte;

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	show("domain", getsockopt(ends[0], SOL_SOCKET, SO_DOMAIN, &value, &size));
	show_int("value", value);
	show("protocol", getsockopt(ends[0], SOL_SOCKET, SO_PROTOCOL, &value, &size));
	show("acceptconn", getsockopt(ends[0], SOL_SOCKET, SO_ACCEPTCONN, &value, &size));
	show_int("value", value);
	show("error", getsockopt(ends[0], SOL_SOCKET, SO_ERROR, &value, &size));
	show_int("value", value);
	value = 10000;
	show("sndbuf", setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &value, sizeof(value)));
	MUST(getsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &value, &size));
	show_int("doubled", value);
	show("rcvtimeo", setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout)));
	show("recv", recv(ends[0], &byte, 1, 0));
	show("unknown", setsockopt(ends[0], SOL_SOCKET, 9999, &value, sizeof(value)));
	show("unknown level", setsockopt(ends[0], 9999, 1, &value, sizeof(value)));
	show("small", setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, &value, 2));
	show("bad pointer", setsockopt(ends[0], SOL_SOCKET, SO_SNDBUF, bad_ptr(), 4));
	show("get bad pointer", getsockopt(ends[0], SOL_SOCKET, SO_TYPE, bad_ptr(), &size));
}

CASE(socket_poll)
{
	int ends[2];

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	struct pollfd pfd = { ends[0], POLLIN | POLLOUT | POLLRDHUP, 0 };
	poll(&pfd, 1, 0);
	show_hex("fresh", (unsigned int)pfd.revents);
	MUST(write(ends[1], "x", 1));
	poll(&pfd, 1, 0);
	show_hex("data", (unsigned int)pfd.revents);
	MUST(shutdown(ends[1], SHUT_WR));
	poll(&pfd, 1, 0);
	show_hex("peer shut down", (unsigned int)pfd.revents);
	close(ends[1]);
	poll(&pfd, 1, 0);
	show_hex("peer closed", (unsigned int)pfd.revents);
	int fd = (int)MUST(socket(AF_UNIX, SOCK_STREAM, 0));
	pfd.fd = fd;
	poll(&pfd, 1, 0);
	show_hex("unconnected", (unsigned int)pfd.revents);
}

CASE(socket_blocking_transfer)
{
	int ends[2];
	static char data[1 << 19];
	size_t total = 0;

	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	pid_t pid = (pid_t)MUST(fork());
	if (pid == 0) {
		close(ends[1]);
		for (size_t i = 0; i < sizeof(data); i++)
			data[i] = (char)(i * 13);
		_exit(write(ends[0], data, sizeof(data)) != sizeof(data));
	}
	close(ends[0]);
	int wrong = 0;
	for (ssize_t size; (size = read(ends[1], data, 3001)) > 0;)
		for (ssize_t i = 0; i < size; i++)
			wrong += data[i] != (char)(total++ * 13);
	show_wait("writer", pid);
	note("total %zu wrong %d", total, wrong);
}

CASE(socket_mmsg_and_waitall)
{
	int ends[2];
	char a[8] = "", b[8] = "";
	struct iovec iov[2] = { { a, 8 }, { b, 8 } };
	struct mmsghdr messages[2] = { { { .msg_iov = &iov[0], .msg_iovlen = 1 }, 0 },
				       { { .msg_iov = &iov[1], .msg_iovlen = 1 }, 0 } };

	MUST(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends));
	MUST(write(ends[0], "one", 3));
	MUST(write(ends[0], "three", 5));
	show("recvmmsg", recvmmsg(ends[1], messages, 2, MSG_DONTWAIT, NULL));
	note("%u %s, %u %s", messages[0].msg_len, a, messages[1].msg_len, b);
	show("sendmmsg", sendmmsg(ends[0], messages, 2, 0));
	show("first", read(ends[1], a, 8));
	MUST(socketpair(AF_UNIX, SOCK_STREAM, 0, ends));
	MUST(write(ends[0], "abc", 3));
	close(ends[0]);
	show("MSG_WAITALL to the end", recv(ends[1], a, 8, MSG_WAITALL));
	show("recvmmsg bad", syscall(SYS_recvmmsg, ends[1], bad_ptr(), 1, 0, NULL));
}
