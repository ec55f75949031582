/* SPDX-License-Identifier: Apache-2.0
 *
 * Internet sockets on the loopback interface: what the cases of several files need.
 */
#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

union inet_name {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

/* The loopback address of @family; the size of it. */
socklen_t inet_loopback(int family, union inet_name *name, int port);
/* A socket bound to a free port of the loopback address, whose name is stored. */
int inet_bound(int family, int type, union inet_name *name);
int inet_listener(int family, union inet_name *name);
/* ends[0]: who connected, ends[1]: who accepted. */
void inet_pair(int family, int ends[2]);
/* Until something is to be read. */
void await_input(int fd);
/* Shows the first events that are there. */
void show_poll(const char *label, int fd, short events);
/* A port of which nobody listens. */
int inet_closed_port(int family);
