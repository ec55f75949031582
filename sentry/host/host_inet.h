/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Internet sockets of the sentry's own network namespace, for `--network=host`.  None of
 * the calls waits: the sockets do not block.  For the allow-list, only with that network:
 *   socket bind connect listen accept4 getsockname getpeername shutdown sendmsg recvmsg
 *   setsockopt getsockopt poll close ioctl(FIONREAD TIOCOUTQ SIOCOUTQNSD SIOCATMARK)
 *
 * Families, types, levels, flags and addresses have one form in the host's and the
 * guest's Linux and pass unchanged; the caller has checked them.  All return 0, a count,
 * or a negative errno; EINTR is retried.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/compiler.h"

/* The new socket, close-on-exec and not blocking; owned by the caller (host_socket_close). */
int host_inet_socket(int family, int type, int protocol) MUST_CHECK;
int host_inet_accept(int fd) MUST_CHECK;
int host_inet_bind(int fd, const void *address, uint32_t size) MUST_CHECK;
/* -EINPROGRESS, -EALREADY: it goes on. */
int host_inet_connect(int fd, const void *address, uint32_t size) MUST_CHECK;
int host_inet_listen(int fd, int backlog) MUST_CHECK;
int host_inet_shutdown(int fd, int how) MUST_CHECK;
/* *size: room at @address, becomes what was stored. */
int host_inet_name(int fd, bool peer, void *address, uint32_t *size) MUST_CHECK;

struct host_inet_message {
	void *address;
	uint32_t address_size; /* receive: room, then what was stored */
	void *data;
	size_t size;
	void *control;
	size_t control_size; /* receive: room, then what was stored */
	uint32_t flags;	     /* MSG_*; MSG_DONTWAIT and MSG_NOSIGNAL are added */
	uint32_t out_flags;  /* receive */
};

ssize_t host_inet_send(int fd, struct host_inet_message *m) MUST_CHECK;
ssize_t host_inet_receive(int fd, struct host_inet_message *m) MUST_CHECK;

/* What the table of host_inet_option.h has, and with its sizes. */
int host_inet_set_option(int fd, int level, int name, const void *value, uint32_t size) MUST_CHECK;
int host_inet_get_option(int fd, int level, int name, void *value, uint32_t *size) MUST_CHECK;

enum host_inet_count {
	HOST_INET_READABLE, /* bytes that can be read */
	HOST_INET_UNACKED,  /* written and not acknowledged */
	HOST_INET_UNSENT,   /* written and not sent yet */
	HOST_INET_AT_MARK,  /* 1: the next byte follows urgent data */
};
int host_inet_count(int fd, enum host_inet_count what, int *out) MUST_CHECK;
/* POLL* bits ready now. */
uint32_t host_inet_poll(int fd);
