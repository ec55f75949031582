/* SPDX-License-Identifier: Apache-2.0 */
/* Who may have a port that others have, and who of them receives. */
#include "conformance.h"
#include "socket_inet.h"

#include <arpa/inet.h>

static const struct place {
	const char *label, *addr;
	int family, only6;
} places[] = {
	{ "4 any", "0.0.0.0", AF_INET, 0 },
	{ "4 local", "127.0.0.1", AF_INET, 0 },
	{ "4 other", "127.0.0.2", AF_INET, 0 },
	{ "6 any", "::", AF_INET6, 0 },
	{ "6 any only", "::", AF_INET6, 1 },
	{ "6 local", "::1", AF_INET6, 0 },
	{ "6 mapped any", "::ffff:0.0.0.0", AF_INET6, 0 },
	{ "6 mapped", "::ffff:127.0.0.1", AF_INET6, 0 },
};

static socklen_t name_of(const struct place *p, union inet_name *name, int port)
{
	memset(name, 0, sizeof(*name));
	if (p->family == AF_INET) {
		name->in.sin_family = AF_INET;
		name->in.sin_port = htons((uint16_t)port);
		inet_pton(AF_INET, p->addr, &name->in.sin_addr);
		return sizeof(name->in);
	}
	name->in6.sin6_family = AF_INET6;
	name->in6.sin6_port = htons((uint16_t)port);
	inet_pton(AF_INET6, p->addr, &name->in6.sin6_addr);
	return sizeof(name->in6);
}

static int open_with(const struct place *p, int type, int reuse)
{
	int fd = (int)MUST(socket(p->family, type, 0)), on = 1;

	if (reuse)
		MUST(setsockopt(fd, SOL_SOCKET, reuse, &on, sizeof(on)));
	if (p->family == AF_INET6)
		MUST(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &p->only6, sizeof(on)));
	return fd;
}

static int bind_to(const struct place *p, int fd, int port)
{
	union inet_name name;
	socklen_t size = name_of(p, &name, port);

	return bind(fd, &name.any, size);
}

static int port_of(int fd)
{
	union inet_name name = { 0 };
	socklen_t size = sizeof(name);

	MUST(getsockname(fd, &name.any, &size));
	return ntohs(name.in.sin_port);
}

static char mark(int rc)
{
	return rc == 0 ? '+' : errno == EADDRINUSE ? '-' : '?';
}

static void show_pairs(int type, int reuse)
{
	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		char row[ARRAY_SIZE(places) + 1] = "";

		for (size_t j = 0; j < ARRAY_SIZE(places); j++) {
			int first = open_with(&places[i], type, reuse),
			    second = open_with(&places[j], type, reuse);

			MUST(bind_to(&places[i], first, 0));
			row[j] = mark(bind_to(&places[j], second, port_of(first)));
			close(first);
			close(second);
		}
		note("  %s: %s", places[i].label, row);
	}
}

CASE(inet_port_pairs)
{
	static const struct {
		int type, reuse;
		const char *label;
	} kinds[] = {
		{ SOCK_STREAM, 0, "TCP" },
		{ SOCK_STREAM, SO_REUSEADDR, "TCP, SO_REUSEADDR" },
		{ SOCK_STREAM, SO_REUSEPORT, "TCP, SO_REUSEPORT" },
		{ SOCK_DGRAM, 0, "UDP" },
		{ SOCK_DGRAM, SO_REUSEADDR, "UDP, SO_REUSEADDR" },
		{ SOCK_DGRAM, SO_REUSEPORT, "UDP, SO_REUSEPORT" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		note("%s", kinds[i].label);
		show_pairs(kinds[i].type, kinds[i].reuse);
	}
}

CASE(inet_port_listening)
{
	static const int reuse[] = { SO_REUSEADDR, SO_REUSEPORT };

	for (size_t i = 0; i < ARRAY_SIZE(reuse); i++) {
		int first = open_with(&places[1], SOCK_STREAM, reuse[i]),
		    second = open_with(&places[1], SOCK_STREAM, reuse[i]);
		int third = open_with(&places[0], SOCK_STREAM, reuse[i]);

		note("%s", i ? "SO_REUSEPORT" : "SO_REUSEADDR");
		MUST(bind_to(&places[1], first, 0));
		show("second", bind_to(&places[1], second, port_of(first)));
		show("listen", listen(first, 1));
		show("again", listen(first, 2));
		show("second listens", listen(second, 1));
		show("third", bind_to(&places[0], third, port_of(first)));
		close(first);
		show("second listens", listen(second, 1));
		close(second);
		close(third);
	}
}

CASE(inet_port_mapped_only)
{
	int fd = (int)MUST(socket(AF_INET6, SOCK_STREAM, 0)), on = 1;

	MUST(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on)));
	show("bind", bind_to(&places[7], fd, 0));
	show("bind", bind_to(&places[6], fd, 0));
	show("bind", bind_to(&places[3], fd, 0));
}

/* A port that others have may be shared only by who is the same user. */
CASE(inet_port_users)
{
	int first = open_with(&places[1], SOCK_DGRAM, SO_REUSEPORT), port;

	MUST(bind_to(&places[1], first, 0));
	port = port_of(first);
	show("same user",
	     bind_to(&places[1], open_with(&places[1], SOCK_DGRAM, SO_REUSEPORT), port));
	RUN_CHILD("another")
	{
		become_user(1000);
		show("SO_REUSEPORT",
		     bind_to(&places[1], open_with(&places[1], SOCK_DGRAM, SO_REUSEPORT), port));
	}
}

static void show_receiver(int type, int reuse, size_t first, size_t second, size_t to)
{
	struct pollfd fds[2];
	int client = open_with(&places[to], type, 0), port;
	union inet_name name;
	socklen_t size;

	fds[0] = (struct pollfd){ open_with(&places[first], type, reuse), POLLIN, 0 };
	fds[1] = (struct pollfd){ open_with(&places[second], type, reuse), POLLIN, 0 };
	MUST(bind_to(&places[first], fds[0].fd, 0));
	port = port_of(fds[0].fd);
	MUST(bind_to(&places[second], fds[1].fd, port));
	if (type == SOCK_STREAM) {
		MUST(listen(fds[0].fd, 1));
		MUST(listen(fds[1].fd, 1));
	}
	size = name_of(&places[to], &name, port);
	MUST(connect(client, &name.any, size));
	if (type == SOCK_DGRAM)
		MUST(send(client, "x", 1, 0));
	MUST(poll(fds, 2, 5000));
	note("%s and %s, to %s: %s", places[first].label, places[second].label, places[to].label,
	     fds[0].revents   ? "the first"
	     : fds[1].revents ? "the second"
			      : "nobody");
	close(fds[0].fd);
	close(fds[1].fd);
	close(client);
}

CASE(inet_port_receivers)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM };

	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		note("%s", i ? "UDP" : "TCP");
		show_receiver(types[i], SO_REUSEPORT, 0, 3, 1);
		show_receiver(types[i], SO_REUSEPORT, 3, 0, 1);
		show_receiver(types[i], SO_REUSEPORT, 0, 3, 5);
		show_receiver(types[i], SO_REUSEPORT, 3, 0, 5);
		show_receiver(types[i], SO_REUSEPORT, 0, 1, 1);
		show_receiver(types[i], SO_REUSEPORT, 1, 0, 1);
		show_receiver(types[i], SO_REUSEPORT, 1, 0, 2);
		show_receiver(types[i], SO_REUSEPORT, 3, 7, 1);
		show_receiver(types[i], SO_REUSEPORT, 0, 7, 1);
		show_receiver(types[i], SO_REUSEPORT, 7, 1, 1);
		show_receiver(types[i], SO_REUSEPORT, 6, 0, 1);
		show_receiver(types[i], 0, 1, 2, 2);
		show_receiver(types[i], 0, 0, 4, 1);
	}
}
