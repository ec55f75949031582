/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sentry's end of the control protocol: one thread that accepts connections,
 * checks requests and calls the operations its owner supplied, or has a thread of its own call one
 * that may wait for a gofer.  It knows nothing of the kernel.
 *
 * Locks: one mutex of rank LOCK_RANK_LEAF around watched processes and jobs.
 * No operation is called with it held.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sentry/control/boot_config.h"
#include "sentry/control/protocol.h"
#include "util/compiler.h"

struct control_server;

/* The text of a failure, shown to the user as it is; empty: the errno's own text. */
struct control_failure {
	char message[CONTROL_MESSAGE_SIZE];
};

/* What an EXEC brings; @fds are stdin, stdout, stderr and process->extra_fd_count more. */
struct control_exec {
	const struct boot_process *process; /* borrowed for the call */
	int *fds;			    /* taken: set those kept to -1, the rest is closed */
	size_t fd_count;
	uint64_t token; /* to name the process to control_server_process_exited */
	int place_fd; /* borrowed, or -1: see control_place */
	bool ignore_paused;
};

/* What a CREATE brings. */
struct control_create {
	const struct control_create_request *request; /* borrowed for the call */
	int channel;				      /* borrowed */
	uint64_t token; /* to name its init to control_server_process_exited */
};

/*
 * START, EXEC, DESTROY and `abandoned` are called one at a time for a container, CREATE several at a
 * time, each in a thread of its own, in which they may block.  All others are called from the server's
 * thread, one at a time, beside those.  They return 0 or a negative errno; *why may be filled on failure
 * (PRINTF_LIKE helper: control_failure_set).  A NULL operation answers -ENOSYS.  @pid may be CONTROL_PID_INIT.
 */
struct control_ops {
	/*
	 * The container that the operations below get as @arg, a reference, or NULL: there is none.  Without
	 * this operation there is container 0 only, which is @arg itself.  Any thread, as its counterpart.
	 */
	void *(*container_get)(void *arg, uint32_t handle);
	void (*container_put)(void *container);
	/* Lets the created init run.  -EINVAL when it is running already. */
	int (*start)(void *arg, struct control_failure *why);
	/* Starts a process beside init; on success sets *pid (container's PID namespace). */
	int (*exec)(void *arg, struct control_exec *exec, int32_t *pid,
		    struct control_failure *why);
	/* Asks for control_server_process_exited(token) when @pid has ended. -ESRCH: no such process. */
	int (*wait)(void *arg, int32_t pid, uint64_t token, struct control_failure *why);
	/*
	 * Asks for control_server_ready(token) when the container says that it is ready, or
	 * control_server_process_exited(token) when it ends first.  -ENOENT: it has nothing to say it to.
	 */
	int (*notify)(void *arg, uint64_t token, struct control_failure *why);
	int (*signal)(void *arg, const struct control_signal_request *request,
		      struct control_failure *why);
	/* -EBUSY: a task does not stop. */
	int (*pause)(void *arg, struct control_failure *why);
	int (*resume)(void *arg, struct control_failure *why);
	/* @request has known fields only. */
	int (*update)(void *arg, const struct control_update_request *request,
		      struct control_failure *why);
	/* -ESRCH: no exec with a terminal. */
	int (*resize)(void *arg, int32_t pid, struct control_failure *why);
	int (*state)(void *arg, struct control_state_reply *out, struct control_failure *why);
	/*
	 * Fills @out with up to CONTROL_PS_PAGE processes of pid > @after in ascending order; @out comes
	 * zeroed.  No zombies but those whose thread group leader alone has ended.
	 */
	int (*ps)(void *arg, int32_t after, struct control_ps_reply *out,
		  struct control_failure *why);
	/*
	 * Fills @out (zeroed) with up to CONTROL_TASKS_PAGE threads behind the one that the request
	 * names, in ascending order of pid and tid.
	 */
	int (*tasks)(void *arg, const struct control_tasks_request *request,
		     struct control_tasks_reply *out, struct control_failure *why);
	/* -ENOENT: there is no log to write to. */
	int (*strace)(void *arg, bool on, struct control_failure *why);
	int (*attack)(void *arg, const struct control_attack_request *request,
		      struct control_attack_reply *out, struct control_failure *why);
	/* One more container. */
	int (*create)(void *arg, struct control_create *create, struct control_create_reply *out,
		      struct control_failure *why);
	/* Nobody stands for the container of a CREATE any more; one that never started is to be forgotten. */
	void (*abandoned)(void *arg);
	/* Ends and forgets the container.  -EBUSY: something of it does not end. */
	int (*destroy)(void *arg, struct control_failure *why);
	/* Kills everything; the sentry ends soon after. */
	int (*shutdown)(void *arg, struct control_failure *why);
};

void control_failure_set(struct control_failure *why, const char *fmt, ...) PRINTF_LIKE(2, 3);

/*
 * Starts the thread.  Takes @listen_fd (closed on failure too).  Borrows @ops and @arg until
 * control_server_stop.
 */
int control_server_start(int listen_fd, const struct control_ops *ops, void *arg,
			 struct control_server **out) MUST_CHECK;

/*
 * A process started or waited for with @token has ended.  Any thread, takes only a leaf lock;
 * an unknown token (its connection is gone) is no error.  May be called before the exec or wait
 * operation has returned.
 */
void control_server_process_exited(struct control_server *server, uint64_t token,
				   uint32_t wait_status);
/* The container asked about with @token (notify) is ready.  The same holds. */
void control_server_ready(struct control_server *server, uint64_t token);

/* Sends what is queued, ends the thread, frees unless an operation still runs.  Not from an operation.  NULL is a no-op. */
void control_server_stop(struct control_server *server);
