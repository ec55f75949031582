/* SPDX-License-Identifier: Apache-2.0 */
/* AF_NETLINK: questions about the network (NETLINK_ROUTE) and its sockets (NETLINK_SOCK_DIAG). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "sentry/net/socket.h"
#include "util/strbuf.h"

extern const struct socket_family_ops netlink_family;

struct file;
struct linux_nlmsghdr;
struct record;

/* The socket of an open file, with a reference.  -ENOTSOCK, -EINVAL when it is not of this family,
 * -EAGAIN when nothing more fits into it. */
int netlink_socket_of(struct file *file, struct socket **out) MUST_CHECK;
/* A datagram from the kernel, dropped when there is no room or memory. */
void netlink_deliver(struct socket *s, const void *data, size_t size);

/* Appends the end of a dump that @request asked for. */
void netlink_add_done(struct strbuf *out, const struct linux_nlmsghdr *request, uint32_t pid);

/*
 * Append the messages that answer one request, for port @pid.  A negative errno: the answer is
 * that error; nothing was appended.
 */
int sock_diag_answer(struct net_namespace *net, const struct record *request, uint32_t pid,
		     struct strbuf *out) MUST_CHECK;
/* Of AF_UNIX, to be called by sock_diag_answer. */
int unix_diag_answer(struct net_namespace *net, const struct record *request, uint32_t pid,
		     struct strbuf *out) MUST_CHECK;
int route_answer(struct net_namespace *net, const struct record *request, uint32_t pid, bool may_change,
		 struct strbuf *out) MUST_CHECK;
