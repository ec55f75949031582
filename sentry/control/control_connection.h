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
	bool busy; /* a job of it is not finished: nothing more is read from it; server thread only */
};

enum control_job_state { CONTROL_JOB_WAITING, CONTROL_JOB_RUNNING, CONTROL_JOB_DONE };

/* What takes a thread of its own (control_jobs.c); part of something larger. */
struct control_job {
	struct list_node node; /* server->jobs, oldest first; protected by server->lock */
	enum control_job_state state; /* protected by server->lock */
	struct control_server *server; /* these do not change */
	uint64_t key;	  /* of those with the same at most at_once run together */
	uint32_t at_once; /* at least 1 */
	void (*run)(struct control_job *job); /* in the thread */
	/* In the server's, when it was done: frees it. */
	void (*finish)(struct control_job *job);
};

/* A process whose end, or readiness, a connection waits for. */
struct control_watch {
	struct list_node node; /* server->watches; protected by server->lock */
	uint64_t token;	       /* does not change */
	struct control_connection *connection; /* does not change */
	uint32_t container;    /* server thread, and its request's job until that is done */
	int32_t pid;	       /* the same */
	bool kill_on_close;    /* does not change: started by EXEC or CREATE */
	bool creates;	       /* by CREATE; as container */
	bool announced;	       /* its request was answered; server thread only */
	bool exited;	       /* what was waited for has happened; protected by server->lock */
	uint32_t event;	       /* CONTROL_EVENT_*, protected by server->lock, valid if exited */
	uint32_t wait_status;  /* the same */
};

struct control_server {
	const struct control_ops *ops; /* these do not change */
	void *arg;
	int listen_fd;
	int event_fd;
	pthread_t thread;
	_Atomic bool stopping;
	bool no_threads; /* jobs are done at once, by the server's thread: for tests; does not change */

	struct control_connection connections[CONTROL_MAX_CONNECTIONS]; /* server thread only */
	struct mutex lock; /* LOCK_RANK_LEAF; guards what follows */
	uint64_t last_token;
	struct list_node watches;
	struct list_node jobs; /* struct control_job */
};

/* Server thread.  Starts @job when it may; its finish() is called by control_jobs_finish. */
void control_job_add(struct control_server *server, struct control_job *job);
/* Server thread.  Finishes those that are done, and starts those that waited for them. */
void control_jobs_finish(struct control_server *server);
/* None is waiting, running, or to be finished. */
bool control_jobs_idle(struct control_server *server) MUST_CHECK;

/* Adds a watch; NULL: out of memory.  Any thread. */
struct control_watch *control_watch_add(struct control_server *server,
					struct control_connection *connection,
					bool kill_on_close);
void control_watch_remove(struct control_server *server, struct control_watch *watch);

/* What operations on the container @handle get as argument, held; false: there is none.  Any thread. */
bool control_container_get(struct control_server *server, uint32_t handle, void **out) MUST_CHECK;
void control_container_put(struct control_server *server, void *container);

/* The connection's peer is gone, or has broken the protocol.  Server thread. */
void control_connection_close(struct control_server *server, struct control_connection *connection);

/* Reads one request and answers it, or leaves it to a job.  Negative: the connection is to be closed. */
int control_request_serve(struct control_server *server, struct control_connection *connection)
	MUST_CHECK;
