/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sentry's end of the control protocol: one thread that accepts connections,
 * checks requests and calls the operations its owner supplied.  It knows nothing of
 * the kernel.
 *
 * Locks: one mutex of rank LOCK_RANK_LEAF around the table of watched processes.
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
	bool ignore_paused;
};

/*
 * All are called from the server's thread, one at a time; they may block for as long
 * as the CLI may wait.  They return 0 or a negative errno; *why may be filled on failure
 * (PRINTF_LIKE helper: control_failure_set).  A NULL operation answers -ENOSYS.
 */
struct control_ops {
	/* Lets the created init run.  -EINVAL when it is running already. */
	int (*start)(void *arg, struct control_failure *why);
	/* Starts a process beside init; on success sets *pid (container's PID namespace). */
	int (*exec)(void *arg, struct control_exec *exec, int32_t *pid,
		    struct control_failure *why);
	/* Asks for control_server_process_exited(token) when @pid has ended. -ESRCH: no such process. */
	int (*wait)(void *arg, int32_t pid, uint64_t token, struct control_failure *why);
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
	int (*attack)(void *arg, const struct control_attack_request *request,
		      struct control_attack_reply *out, struct control_failure *why);
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

/* Sends what is queued, ends the thread, frees.  Not from an operation.  NULL is a no-op. */
void control_server_stop(struct control_server *server);
