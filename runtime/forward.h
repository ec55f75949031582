/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Standing for a process of a container on the host: signals we get are passed to it, and its
 * status becomes ours.  With a terminal that is joined to ours, so are its bytes and its size.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "runtime/console.h"
#include "runtime/container/container.h"
#include "util/error.h"

/* Blocks all signals and returns a signalfd for those to be forwarded. */
int forward_begin(void) MUST_CHECK;
/* What is stood for. */
struct forward {
	const struct container *container;
	int signal_fd;		 /* forward_begin's */
	int requests;		 /* a connection for them; 0: one is made for each */
	int32_t pid;		 /* in the container */
	bool exec;		 /* an exec: the sentry has to be told of its terminal's size */
	bool terminal;		 /* it has one */
	struct console *console; /* the terminal, joined to ours; or NULL */
};

/* Forwards until the child behind @pidfd has ended; returns its exit status. */
int forward_wait_child(const struct forward *f, int pidfd, struct error **err) MUST_CHECK;
/* Forwards until the process of the EXEC on @connection has ended; returns its exit status. */
int forward_wait_exec(const struct forward *f, int connection) MUST_CHECK;
