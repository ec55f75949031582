/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line's end of the control protocol.  What the sentry answers is hostile: sizes and
 * types are checked, text is made harmless before it is used.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "runtime/container/container.h"
#include "sentry/control/protocol.h"
#include "util/error.h"

/* To the sandbox that has it.  -ECONNREFUSED or -ENOENT: it is not running. */
int control_connect(const struct container *container, int *fd, struct error **err) MUST_CHECK;

struct control_call {
	enum control_type type;
	const void *request; /* the body of the type's row */
	size_t request_size;
	const int *fds;
	size_t fd_count;
	void *reply;
	size_t reply_size;
	/* Once the request is sent, or NULL: what the sentry waits for before it answers.  A failure ends the call. */
	int (*meanwhile)(void *arg, struct error **err);
	void *meanwhile_arg;
};

/* Sends a request that concerns @container and waits for its answer, a minute at most. */
int control_call(const struct container *container, int fd, const struct control_call *call,
		 struct error **err) MUST_CHECK;

/* The same on a connection of its own. */
int control_call_once(const struct container *container, const struct control_call *call,
		      struct error **err) MUST_CHECK;

/* A call whose answer says no more than whether it worked; lives as long as the block around it. */
#define CONTROL_CALL(call_type, body)                                               \
	(&(struct control_call){ .type = (call_type),                               \
				 .request = (body),                                 \
				 .request_size = sizeof(*(body)),                   \
				 .reply = &(struct control_empty){ 0 },             \
				 .reply_size = sizeof(struct control_empty) })
#define CONTROL_CALL_EMPTY(call_type) CONTROL_CALL(call_type, &(struct control_empty){ 0 })

/* What the sandbox says of itself, on a connection of its own. */
int control_state(const struct container *container, struct control_state_reply *out,
		  struct error **err) MUST_CHECK;

/* Connects and sends a signal. */
int control_signal(const struct container *container,
		   const struct control_signal_request *request, struct error **err) MUST_CHECK;

/* Reads a CONTROL_EVENT_EXITED: 0, or negative when the connection ended without it. */
int control_read_exit(int fd, uint32_t *wait_status) MUST_CHECK;
/* After a NOTIFY: 1 when the container is ready, 0 when it has ended, negative as above. */
int control_read_ready(int fd) MUST_CHECK;
/* 0-255, 128 + n for signal n, as runc reports it. */
int control_exit_code(uint32_t wait_status);
