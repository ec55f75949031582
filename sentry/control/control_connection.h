/* SPDX-License-Identifier: Apache-2.0 */
/* Inside of the control server: connections, watched processes, dispatch. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sentry/control/control_server.h"
#include "util/list.h"
#include "util/lock.h"

#define CONTROL_MAX_CONNECTIONS 256

struct control_connection {
	int fd; /* -1: the slot is free; server thread only */
};

/* A process whose end a connection waits for. */
struct control_watch {
	struct list_node node; /* server->watches; protected by server->lock */
	uint64_t token;	       /* does not change */
	struct control_connection *connection; /* does not change */
	int32_t pid;	       /* server thread only */
	bool kill_on_close;    /* does not change: started by EXEC */
	bool announced;	       /* its request was answered; server thread only */
	bool exited;	       /* protected by server->lock */
	uint32_t wait_status;  /* protected by server->lock, valid if exited */
};

struct control_server {
	const struct control_ops *ops; /* these do not change */
	void *arg;
	int listen_fd;
	int event_fd;
	pthread_t thread;
	_Atomic bool stopping;

	struct control_connection connections[CONTROL_MAX_CONNECTIONS]; /* server thread only */
	uint64_t last_token;						/* server thread only */

	struct mutex lock; /* LOCK_RANK_LEAF */
	struct list_node watches;
};

/* Adds a watch; NULL: out of memory. */
struct control_watch *control_watch_add(struct control_server *server,
					struct control_connection *connection,
					bool kill_on_close);
void control_watch_remove(struct control_server *server, struct control_watch *watch);

/* Reads one request and answers it.  Negative: the connection is to be closed. */
int control_request_serve(struct control_server *server, struct control_connection *connection)
	MUST_CHECK;
