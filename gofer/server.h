/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The server's side of one attach point.  A connection belongs to one thread at
 * a time and shares nothing with others but the FD budget, so there are no locks.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "gofer/node_table.h"
#include "gofer/protocol.h"
#include "util/compiler.h"

/* What all connections of the process share. */
struct gofer_server {
	int proc_fd; /* directory /proc/self/fd; does not change */
	bool debug; /* honour DEBUG_ATTACK; does not change */
	uint32_t node_limit; /* per connection; does not change */
	_Atomic int64_t fd_budget; /* nodes that may still be made */
};

/* The directory being listed, kept open between batches. */
struct gofer_listing {
	int fd; /* -1: none */
	uint64_t node;
	uint64_t cookie; /* where the FD stands */
};

struct gofer_connection {
	struct gofer_server *server; /* borrowed */
	int socket; /* owned */
	int root; /* O_PATH, owned until ATTACH makes it a node */
	uint32_t index; /* of the attach point, for the log */
	_Atomic bool read_only; /* never false again */
	uint64_t root_node; /* 0 until ATTACH */
	struct gofer_node_table nodes;
	struct gofer_listing listing;
};

/* Buffers of one serving thread; large, so the untouched part costs nothing when mapped. */
struct gofer_buffers {
	uint8_t request[GOFER_MESSAGE_MAX] ALIGNED(8);
	uint8_t reply[GOFER_MESSAGE_MAX] ALIGNED(8);
	uint8_t scratch[32 * 1024] ALIGNED(8);
};

/* One request while it is served. */
struct gofer_call {
	struct gofer_connection *connection;
	const void *request; /* private copy, at least the message's fixed struct */
	const uint8_t *tail; /* what follows the fixed struct, not yet taken */
	uint32_t tail_size;
	void *reply; /* fixed struct zeroed */
	uint32_t reply_size; /* starts as that of the fixed struct */
	uint8_t *scratch;
	uint32_t scratch_size;
	int fd; /* to donate; owned by the call; -1: none */
};

/* A handler's answer to a malformed request: the connection ends. */
#define GOFER_VIOLATION 1

/* One row of the message table. */
struct gofer_message_info {
	const char *name;
	int (*serve)(struct gofer_call *call); /* 0, negative errno or GOFER_VIOLATION */
	uint32_t request_size;
	uint32_t reply_size;
	enum { GOFER_KIND_QUERY, GOFER_KIND_MODIFY, GOFER_KIND_DEBUG } kind;
};

/* NULL for a number without a message. */
const struct gofer_message_info *gofer_message_info(uint32_t type);

/* Fills @server; @proc_fd is borrowed.  The budget follows from RLIMIT_NOFILE. */
void gofer_server_init(struct gofer_server *server, int proc_fd, bool debug);

/* Takes over both FDs, on failure too. */
int gofer_connection_new(struct gofer_server *server, uint32_t index, int root_fd, int socket_fd,
			 bool read_only, struct gofer_connection **out) MUST_CHECK;
/* NULL is a no-op. */
void gofer_connection_free(struct gofer_connection *connection);
/*
 * Receives, serves and answers one request.  Returns 0, -EPIPE when the peer
 * has closed, -EPROTO on a violation (logged), or another negative errno; after any
 * error the connection is to be freed.
 */
int gofer_connection_serve(struct gofer_connection *connection,
			   struct gofer_buffers *buffers) MUST_CHECK;
/* The same without the socket, for tests: answers @size bytes of buffers->request. */
int gofer_connection_answer(struct gofer_connection *connection, struct gofer_buffers *buffers,
			    uint32_t size, int *fd) MUST_CHECK;

#define GOFER_DECLARE_HANDLER(number, NAME, name, kind) \
	int gofer_serve_##name(struct gofer_call *call) MUST_CHECK;
GOFER_MESSAGES(GOFER_DECLARE_HANDLER)
#undef GOFER_DECLARE_HANDLER
