/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The socket on which a container says that it is ready (sd_notify(3)).  It is the sentry's own and has
 * no file: nobody reads it, each datagram is looked at as it is sent.  Of all that a guest can send only
 * one thing is understood, a line READY=1, and only that it came is told outside.
 */
#pragma once

#include <stdint.h>

#include "sentry/boot/sandbox.h"

/*
 * Makes the socket and mounts the directory that has it in the container's tree.  It belongs to the
 * container, whose sandbox outlives it.
 */
int notify_socket_open(struct sandbox_container *c, struct notify_socket **out) MUST_CHECK;
/* NULL is a no-op.  Senders that are just at it may hold it for a moment more. */
void notify_socket_close(struct notify_socket *n);
/*
 * The control server hears of @token once, when the container says that it is ready or has ended, at
 * once if that was before.
 */
int notify_socket_watch(struct notify_socket *n, uint64_t token) MUST_CHECK;
/* The container's init has ended with @wait_status.  No locks held. */
void notify_socket_ended(struct notify_socket *n, uint32_t wait_status);
