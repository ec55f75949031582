/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The provider of `--network=host`: a guest's internet socket is a host socket in the network
 * namespace that the sentry is in, and that namespace's tables are the guest's.
 *
 * A host socket never blocks.  An operation that would have to wait gives -EAGAIN, and
 * the guest waits in the socket's queue, which the poller of host descriptors wakes.
 * Nothing of a guest reaches the host as is: addresses, flags, options and control messages
 * are copies that were checked against a list.
 */
#pragma once

#include "sentry/net/inet/provider.h"
#include "sentry/net/socket.h"
#include "sentry/wait/host_poller.h"

struct hostinet_socket {
	struct socket base; /* first */
	/* Owned.  Changes once, to -1, under base.lock, when the file is gone: operations on
	 * the file use it without. */
	int fd;
	struct host_poll_entry poll;
	/*
	 * Somebody waited; something can happen at all.  Only then it is registered: nothing comes to a
	 * stream that neither connects nor listens, but its first report would come at any time.
	 */
	_Atomic bool watched, live;
	_Atomic bool connect_waits; /* a blocking connect found it under way */
	bool end_reported; /* that no more will come; the poller's lock */
	/* Bytes of a stream that were read and the guest's memory refused; base.lock. */
	char *leftover;
	size_t leftover_size;
};

static inline struct hostinet_socket *hostinet_of(struct socket *s)
{
	return container_of(s, struct hostinet_socket, base);
}

extern const struct socket_ops hostinet_socket_ops; /* hostinet_socket.c */

/* hostinet_socket.c: a socket for @fd, which is taken, on failure too. */
int hostinet_new(struct net_namespace *net, int family, int type, int protocol, int fd,
		    struct socket **out) MUST_CHECK;
/* Who waits in the queue hears when there is room to send, and so do files with O_ASYNC. */
void hostinet_want_space(struct hostinet_socket *h);

/* hostinet_message.c: struct socket_ops.sendmsg, recvmsg. */
ssize_t hostinet_send(struct socket *s, struct socket_message *m);
ssize_t hostinet_receive(struct socket *s, struct socket_message *m);

/* hostinet_control.c */
/* struct socket_ops.check_control */
int hostinet_check_control(struct socket *s, const struct linux_cmsghdr *header, const void *data);
/* Keeps what a guest may see of control messages from the host: @size becomes what is left. */
void hostinet_control_filter(uint8_t *rows, size_t *size);

/* hostinet_option.c */
int hostinet_setsockopt(struct socket *s, int level, int name, const void *value, uint32_t size);
int hostinet_getsockopt(struct socket *s, int level, int name, void *value, uint32_t *size);
