/* SPDX-License-Identifier: Apache-2.0 */
/* What the socket system calls share: FDs, addresses, messages. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sentry/net/socket.h"
#include "sentry/syscalls/syscall.h"

struct file;

/* The socket behind @fd; the file's reference is the caller's.  -EBADF, -ENOTSOCK. */
int socket_lookup(struct task *t, int fd, struct file **file, struct socket **out) MUST_CHECK;
/* -EINVAL, -EFAULT. */
int address_copy_in(struct task *t, guest_addr_t addr, int32_t size, struct socket_address *out) MUST_CHECK;
/* Stores the name at @addr (as far as it fits) and its real size at @size_addr. */
int address_copy_out(struct task *t, const struct socket_address *name, guest_addr_t addr,
		     guest_addr_t size_addr) MUST_CHECK;
bool socket_nonblocking(const struct file *file, uint32_t flags);

/* --- ancillary data (socket_control.c) ---------------------------------------------- */

/* Parses the control messages of a sendmsg.  -EINVAL, -EBADF, -EPERM, ... */
int control_copy_in(struct task *t, struct socket *s, guest_addr_t addr, uint64_t size,
		    struct ancillary *out) MUST_CHECK;
/*
 * Writes what arrived; FDs are installed.  *size: room at @addr, becomes what was
 * used.  MSG_CTRUNC goes to *out_flags.  Releases @control.
 */
int control_copy_out(struct task *t, struct ancillary *control, guest_addr_t addr, uint64_t *size,
		     uint32_t flags, uint32_t *out_flags) MUST_CHECK;

/* --- one message (socket_msg.c), also for sendmmsg and recvmmsg ------------------------ */

int64_t socket_send_header(struct task *t, struct file *file, struct socket *s, guest_addr_t header,
			   uint32_t flags) MUST_CHECK;
int64_t socket_receive_header(struct task *t, struct file *file, struct socket *s,
			      guest_addr_t header, uint32_t flags) MUST_CHECK;
/* Raises SIGPIPE where Linux does; returns @result. */
int64_t socket_send_result(struct task *t, const struct socket *s, uint32_t flags, int64_t result);
