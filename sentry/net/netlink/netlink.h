/* SPDX-License-Identifier: Apache-2.0 */
/* AF_NETLINK: NETLINK_ROUTE answers questions about the loopback interface. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "sentry/net/socket.h"
#include "util/strbuf.h"

extern const struct socket_family_ops netlink_family;

struct file;

/* The socket of an open file, with a reference.  -ENOTSOCK, -EINVAL when it is not of this family,
 * -EAGAIN when nothing more fits into it. */
int netlink_socket_of(struct file *file, struct socket **out) MUST_CHECK;
/* A datagram from the kernel, dropped when there is no room or memory. */
void netlink_deliver(struct socket *s, const void *data, size_t size);

/* Appends the answers to the requests in @data to @out, as one datagram for port @pid. */
void route_answer(const void *data, size_t size, uint32_t pid, bool may_change, struct strbuf *out);
