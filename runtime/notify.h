/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NOTIFY_SOCKET: where a service manager wants to hear that what it started is ready (sd_notify(3)).
 * With that variable the container gets a socket of its own, and who starts it passes on that the
 * container has said READY=1: never anything that it wrote.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <sys/types.h>

#include "runtime/container/container.h"
#include "util/error.h"
#include "util/string_list.h"

/* Is the variable set? */
bool notify_is_wanted(void);
/* Adds what init's environment has of it. */
int notify_add_env(bool wanted, struct string_list *env, struct error **err) MUST_CHECK;

/*
 * Before the container starts: has the sandbox say on *connection, the caller's, when it is ready.
 * Without the variable *connection stays what it is.
 */
int notify_watch(const struct container *container, int *connection, struct error **err) MUST_CHECK;
/*
 * Waits on notify_watch's @connection until the container is ready, and tells the service manager so and
 * that @pid is its main process; 0 also if the container ended first.
 */
int notify_relay(int connection, pid_t pid, struct error **err) MUST_CHECK;

/* notify_relay with our own pid, in a thread; what fails is logged. */
struct notify_thread {
	pthread_t thread;
	int connection; /* borrowed; -1: there is no thread */
};
/* @connection -1: does nothing, as then does notify_thread_join. */
void notify_thread_start(struct notify_thread *t, int connection);
/* When the container has ended. */
void notify_thread_join(struct notify_thread *t);
