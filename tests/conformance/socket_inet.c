/* SPDX-License-Identifier: Apache-2.0
 *
 * TCP on the loopback interface: connections, their ends, blocking, names, errors.
 */
#include "conformance.h"
#include "socket_inet.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/uio.h>

static const int families[] = { AF_INET, AF_INET6 };

socklen_t inet_loopback(int family, union inet_name *name, int port)
{
	memset(name, 0, sizeof(*name));
	if (family == AF_INET) {
		name->in.sin_family = AF_INET;
		name->in.sin_port = htons((uint16_t)port);
		name->in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		return sizeof(name->in);
	}
	name->in6.sin6_family = AF_INET6;
	name->in6.sin6_port = htons((uint16_t)port);
	name->in6.sin6_addr = in6addr_loopback;
	return sizeof(name->in6);
}

static socklen_t size_of(const union inet_name *name)
{
	return name->any.sa_family == AF_INET ? sizeof(name->in) : sizeof(name->in6);
}

int inet_bound(int family, int type, union inet_name *name)
{
	socklen_t size = inet_loopback(family, name, 0);
	int fd = (int)MUST(socket(family, type, 0));

	MUST(bind(fd, &name->any, size));
	MUST(getsockname(fd, &name->any, &size));
	return fd;
}

int inet_listener(int family, union inet_name *name)
{
	int fd = inet_bound(family, SOCK_STREAM, name);

	MUST(listen(fd, 5));
	return fd;
}

void inet_pair(int family, int ends[2])
{
	union inet_name name;
	int listener = inet_listener(family, &name);

	ends[0] = (int)MUST(socket(family, SOCK_STREAM, 0));
	MUST(connect(ends[0], &name.any, size_of(&name)));
	ends[1] = (int)MUST(accept(listener, NULL, NULL));
	MUST(close(listener));
}

void await_input(int fd)
{
	struct pollfd entry = { .fd = fd, .events = POLLIN };

	MUST(poll(&entry, 1, 20000));
}

void show_poll(const char *label, int fd, short events)
{
	struct pollfd entry = { .fd = fd, .events = events };
	int rc = poll(&entry, 1, 20000);

	if (rc < 1)
		show(label, rc);
	else
		show_hex(label, (unsigned short)entry.revents);
}

int inet_closed_port(int family)
{
	union inet_name name;
	int fd = inet_bound(family, SOCK_STREAM, &name);

	close(fd);
	return ntohs(family == AF_INET ? name.in.sin_port : name.in6.sin6_port);
}

static void show_error(const char *label, int fd)
{
	int error = -1;
	socklen_t size = sizeof(error);

	MUST(getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size));
	show_err(label, error);
}

CASE(inet_creation)
{
	static const struct {
		const char *what;
		int family, type, protocol;
	} sockets[] = {
		{ "tcp", AF_INET, SOCK_STREAM, IPPROTO_TCP },
		{ "udp", AF_INET, SOCK_DGRAM, IPPROTO_UDP },
		{ "udp stream", AF_INET, SOCK_STREAM, IPPROTO_UDP },
		{ "tcp datagram", AF_INET6, SOCK_DGRAM, IPPROTO_TCP },
		{ "unknown protocol", AF_INET, SOCK_STREAM, 200 },
		{ "too big a protocol", AF_INET, SOCK_STREAM, 300 },
		{ "negative protocol", AF_INET, SOCK_STREAM, -1 },
		{ "seqpacket", AF_INET, SOCK_SEQPACKET, 0 },
		{ "type 9", AF_INET6, 9, 0 },
		{ "ping nobody may", AF_INET, SOCK_DGRAM, IPPROTO_ICMP },
		{ "ping6 nobody may", AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(sockets); i++)
		show_ok(sockets[i].what,
			socket(sockets[i].family, sockets[i].type, sockets[i].protocol));
}

CASE(inet_tcp_transfer)
{
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		struct iovec parts[2] = { { (char[]){ "one " }, 4 }, { (char[]){ "two" }, 3 } };
		char buffer[32];
		int ends[2], count;

		inet_pair(families[i], ends);
		show_poll("nothing yet", ends[1], POLLOUT);
		show("writev", writev(ends[0], parts, 2));
		await_input(ends[1]);
		show_poll("data", ends[1], POLLIN | POLLOUT);
		show("FIONREAD", ioctl(ends[1], FIONREAD, &count));
		show_int("count", count);
		show_data("peek", buffer, recv(ends[1], buffer, 4, MSG_PEEK));
		show_data("peek again", buffer, recv(ends[1], buffer, 32, MSG_PEEK));
		show("thrown away", recv(ends[1], NULL, 4, MSG_TRUNC));
		show_data("read", buffer, read(ends[1], buffer, sizeof(buffer)));
		show("no more", recv(ends[1], buffer, 1, MSG_DONTWAIT));
		show("bad address", read(ends[1], bad_ptr(), 0));
		show("half closed", shutdown(ends[0], SHUT_WR));
		show_poll("end", ends[1], POLLIN | POLLRDHUP);
		show("read the end", read(ends[1], buffer, 1));
		show("other way", write(ends[1], "back", 4));
		show_data("read", buffer, read(ends[0], buffer, sizeof(buffer)));
		show("write after shutdown", send(ends[0], "x", 1, MSG_NOSIGNAL));
	}
}

CASE(inet_tcp_faults)
{
	char *page = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char buffer[64];
	int ends[2];

	MUST(munmap(page + 4096, 4096));
	inet_pair(AF_INET, ends);
	show("send of nothing mapped", send(ends[0], bad_ptr(), 4, 0));
	show("send", send(ends[0], "0123456789", 10, 0));
	show_poll("there", ends[1], POLLIN);
	show("into nothing mapped", recv(ends[1], bad_ptr(), 4, 0));
	show_data("partly mapped", page + 4092, recv(ends[1], page + 4092, 10, 0));
	show_data("nothing was lost", buffer, recv(ends[1], buffer, sizeof(buffer), MSG_DONTWAIT));
	show("socket's name", getsockname(ends[1], bad_ptr(), (socklen_t *)(void *)page));
	show("option", setsockopt(ends[1], SOL_SOCKET, SO_KEEPALIVE, bad_ptr(), 4));
	show("option's size", getsockopt(ends[1], SOL_SOCKET, SO_KEEPALIVE, buffer, bad_ptr()));
	show("connect", connect(ends[1], bad_ptr(), 16));
	show("header", recvmsg(ends[1], bad_ptr(), 0));
}

CASE(inet_connect_errors)
{
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		union inet_name name, own;
		socklen_t size = inet_loopback(families[i], &name, inet_closed_port(families[i]));
		int fd = (int)MUST(socket(families[i], SOCK_STREAM, 0)), listener;

		show("nobody listens", connect(fd, &name.any, size));
		show("nor now", connect(fd, &name.any, size));
		show_error("error was taken", fd);
		show("short name", connect(fd, &name.any, 4));
		show("no name", connect(fd, &name.any, 0));
		show("negative size", connect(fd, &name.any, (socklen_t)-1));
		name.any.sa_family = AF_UNIX;
		show("unix", connect(fd, &name.any, size));
		name.any.sa_family = 77;
		show("family 77", connect(fd, &name.any, size));
		listener = inet_listener(families[i], &name);
		show("connect", connect(fd, &name.any, size));
		show("again", connect(fd, &name.any, size));
		show("listen when connected", listen(fd, 1));
		show("bind when connected", bind(fd, &name.any, size));
		show("listener connects", connect(listener, &name.any, size));
		show("accept of no listener", accept(fd, NULL, NULL));
		show("not connected", getpeername(listener, &own.any, &(socklen_t){ sizeof(own) }));
		show("send of a listener", send(listener, "x", 1, MSG_NOSIGNAL));
		show("receive of a listener", recv(listener, &own, 1, 0));
		show("shutdown how", shutdown(fd, 3));
		close(fd);
	}
}

CASE(inet_connect_without_waiting)
{
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		union inet_name name;
		socklen_t size = inet_loopback(families[i], &name, inet_closed_port(families[i]));
		int refused = (int)MUST(socket(families[i], SOCK_STREAM | SOCK_NONBLOCK, 0)), fd;

		show("to nobody", connect(refused, &name.any, size));
		show_poll("refused", refused, POLLIN | POLLOUT);
		show_error("why", refused);
		show_error("taken", refused);
		inet_listener(families[i], &name);
		fd = (int)MUST(socket(families[i], SOCK_STREAM | SOCK_NONBLOCK, 0));
		show("connect", connect(fd, &name.any, size));
		show_poll("connected", fd, POLLIN | POLLOUT);
		show_error("no error", fd);
		show("the outcome", connect(fd, &name.any, size));
		show("connected", connect(fd, &name.any, size));
	}
}

CASE(inet_bind_errors)
{
	for (size_t i = 0; i < ARRAY_SIZE(families); i++) {
		union inet_name name, other;
		socklen_t size;
		int first = inet_listener(families[i], &name), second, one = 1;

		size = size_of(&name);
		second = (int)MUST(socket(families[i], SOCK_STREAM, 0));
		show("in use", bind(second, &name.any, size));
		MUST(setsockopt(second, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)));
		show("in use by a listener", bind(second, &name.any, size));
		MUST(close(first));
		show("free again", bind(second, &name.any, size));
		show("bound already", bind(second, &name.any, size));
		first = (int)MUST(socket(families[i], SOCK_STREAM, 0));
		show("short", bind(first, &name.any, 8));
		show("empty", bind(first, &name.any, 0));
		other = name;
		other.any.sa_family = AF_UNIX;
		show("unix", bind(first, &other.any, size));
		inet_loopback(families[i], &other, 0);
		if (families[i] == AF_INET)
			other.in.sin_addr.s_addr = htonl(0xc0000263);
		else
			other.in6.sin6_addr.s6_addr[0] = 0xfd;
		show("not ours", bind(first, &other.any, size));
		inet_loopback(families[i], &other, 80);
		show("a low port", bind(first, &other.any, size));
		RUN_CHILD("as a user") {
			become_user(1000);
			first = (int)MUST(socket(families[i], SOCK_STREAM, 0));
			inet_loopback(families[i], &other, 81);
			show("a low port", bind(first, &other.any, size));
		}
	}
}

static void nothing(int signum)
{
	(void)signum;
}

CASE(inet_waiting)
{
	struct sigaction action = { .sa_handler = nothing };
	struct timeval shortly = { .tv_usec = 50000 };
	union inet_name name;
	char buffer[8];
	int listener = inet_listener(AF_INET, &name), ends[2];
	pid_t child;

	inet_pair(AF_INET, ends);
	MUST(setsockopt(ends[0], SOL_SOCKET, SO_RCVTIMEO, &shortly, sizeof(shortly)));
	MUST(setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &shortly, sizeof(shortly)));
	show("receive times out", recv(ends[0], buffer, 1, 0));
	show("accept times out", accept(listener, NULL, NULL));
	MUST(sigaction(SIGUSR1, &action, NULL));
	child = (pid_t)MUST(fork());
	if (!child) {
		wait_blocked(getppid(), getppid());
		kill(getppid(), SIGUSR1);
		_exit(0);
	}
	show("receive interrupted", recv(ends[1], buffer, 1, 0));
	show_wait("child", child);
	action.sa_flags = SA_RESTART;
	MUST(sigaction(SIGUSR1, &action, NULL));
	child = (pid_t)MUST(fork());
	if (!child) {
		wait_blocked(getppid(), getppid());
		kill(getppid(), SIGUSR1);
		wait_blocked(getppid(), getppid());
		send(ends[0], "x", 1, 0);
		_exit(0);
	}
	show("receive goes on", recv(ends[1], buffer, 1, 0));
	show_wait("child", child);
}

/* Everything comes, in order, however much more it is than buffers hold. */
CASE(inet_tcp_stream)
{
	enum { TOTAL = 3 << 20 };
	static unsigned char data[TOTAL], got[TOTAL];
	int ends[2], status;
	pid_t child;

	for (size_t i = 0; i < TOTAL; i++)
		data[i] = (unsigned char)(i * 7 + i / 251);
	inet_pair(AF_INET, ends);
	child = (pid_t)MUST(fork());
	if (!child) {
		close(ends[1]);
		_exit(write(ends[0], data, TOTAL) == TOTAL ? 0 : 1);
	}
	close(ends[0]);
	show("all at once", recv(ends[1], got, TOTAL, MSG_WAITALL));
	show_int("the same", memcmp(data, got, TOTAL) == 0);
	show("the end", recv(ends[1], got, 1, 0));
	MUST(waitpid(child, &status, 0));
	show_status("writer", status);
}

static void show_edge(const char *label, int ep, int timeout_ms)
{
	struct epoll_event event;
	int rc = epoll_wait(ep, &event, 1, timeout_ms);

	if (rc < 1)
		show(label, rc);
	else
		show_hex(label, event.events);
}

static void drain(int fd)
{
	static char block[65536];

	while (recv(fd, block, sizeof(block), MSG_DONTWAIT) > 0)
		;
}

/* What a server does that writes until a count is short and then waits for the next edge. */
static void edge_case(int family)
{
	static char big[32 << 20];
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLET };
	const struct linger at_once = { .l_onoff = 1 };
	int ep = (int)MUST(epoll_create1(0)), ends[2];
	ssize_t n;

	inet_pair(family, ends);
	MUST(fcntl(ends[0], F_SETFL, O_NONBLOCK));
	MUST(epoll_ctl(ep, EPOLL_CTL_ADD, ends[0], &event));
	show_edge("room at first", ep, 20000);
	show_edge("no other edge", ep, 0);
	n = MUST(send(ends[0], big, sizeof(big), 0));
	show("short", n > 0 && n < (ssize_t)sizeof(big));
	show_edge("no room", ep, 0);
	drain(ends[1]);
	show_edge("room again", ep, 20000);
	while (send(ends[0], big, sizeof(big), 0) > 0)
		;
	show_edge("none once more", ep, 0);
	drain(ends[1]);
	show_edge("room once more", ep, 20000);
	/* Leaves nothing in TIME_WAIT for other cases to see. */
	MUST(setsockopt(ends[0], SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)));
	MUST(close(ends[0]));
}

CASE(inet_edges_of_room)
{
	for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++)
		edge_case(families[i]);
}

/* What was sent is there for the other end when the call has returned: no edge comes later. */
CASE(inet_epoll_both_ends)
{
	struct epoll_event events[4], event = { .events = EPOLLIN | EPOLLOUT | EPOLLET };
	const struct linger at_once = { .l_onoff = 1 };
	int ep = (int)MUST(epoll_create1(0)), ends[2], count = 0, both = 0;
	char data[8];

	inet_pair(AF_INET, ends);
	for (int i = 0; i < 2; i++) {
		event.data.fd = i;
		MUST(epoll_ctl(ep, EPOLL_CTL_ADD, ends[i], &event));
	}
	show("writable", epoll_wait(ep, events, 4, 0));
	show("no more", epoll_wait(ep, events, 4, 0));
	for (int round = 0; round < 200; round++) {
		MUST(send(ends[0], "one", 3, 0));
		MUST(send(ends[1], "two", 3, 0));
		count = (int)MUST(epoll_wait(ep, events, 4, 0));
		if (count == 2 && (events[0].events & events[1].events & EPOLLIN))
			both++;
		for (int i = 0; i < 2; i++)
			MUST(recv(ends[i], data, sizeof(data), 0));
	}
	show_int("both", both);
	/* As above. */
	MUST(setsockopt(ends[0], SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once)));
	MUST(close(ends[0]));
}

CASE(inet_edge_of_connection)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLOUT | EPOLLET };
	int ep = (int)MUST(epoll_create1(0)), fd = (int)MUST(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0));
	union inet_name name;

	inet_listener(AF_INET, &name);
	MUST(epoll_ctl(ep, EPOLL_CTL_ADD, fd, &event));
	show_edge("nothing yet", ep, 20000);
	show_edge("no other edge", ep, 0);
	show("connect", connect(fd, &name.any, size_of(&name)));
	show_edge("connected", ep, 20000);
	show_edge("no other edge", ep, 0);
}

CASE(inet_tcp_resets)
{
	struct linger now = { .l_onoff = 1, .l_linger = 0 };
	char buffer[8];
	int ends[2];

	inet_pair(AF_INET, ends);
	MUST(setsockopt(ends[0], SOL_SOCKET, SO_LINGER, &now, sizeof(now)));
	MUST(close(ends[0]));
	await_input(ends[1]);
	show_poll("reset", ends[1], POLLIN | POLLOUT | POLLRDHUP);
	show("read", read(ends[1], buffer, 1));
	show("read again", read(ends[1], buffer, 1));
	show("write", send(ends[1], "x", 1, MSG_NOSIGNAL));
	RUN_CHILD("signal") {
		show("write", write(ends[1], "x", 1));
	}
	inet_pair(AF_INET, ends);
	show("unread data", send(ends[0], "x", 1, 0));
	show_poll("there", ends[1], POLLIN);
	MUST(close(ends[1]));
	show_poll("reset by it", ends[0], POLLIN);
	show_error("why", ends[0]);
	show("read", read(ends[0], buffer, 1));
}

CASE(inet_urgent)
{
	char buffer[8];
	int ends[2], mark = -1;

	inet_pair(AF_INET, ends);
	show("none yet", recv(ends[1], buffer, 1, MSG_OOB));
	show("send", send(ends[0], "ab", 2, 0));
	show("urgent", send(ends[0], "!", 1, MSG_OOB));
	show_poll("poll", ends[1], POLLPRI);
	show("mark", ioctl(ends[1], SIOCATMARK, &mark));
	show_int("at it", mark);
	show_data("urgent byte", buffer, recv(ends[1], buffer, 8, MSG_OOB));
	show_data("before it", buffer, recv(ends[1], buffer, 8, 0));
	show("mark", ioctl(ends[1], SIOCATMARK, &mark));
	show_int("at it", mark);
}
