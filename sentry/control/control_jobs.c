/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Work that may wait for long (for a gofer that hangs) is done by a thread of its own, so that requests
 * about other containers go on.  The server's thread adds a job, and finishes it when it was done: only
 * run() is called elsewhere.  Of jobs with one key no more run at once than they allow; the rest wait in
 * their order.  There are never more than connections, each of which waits for its one.
 */
#include <pthread.h>

#include "sentry/control/control_connection.h"
#include "sentry/host/host_control.h"

static bool may_start_locked(struct control_server *server, const struct control_job *job)
	REQUIRES(server->lock)
{
	const struct control_job *other;
	uint32_t before = 0;

	list_for_each(other, &server->jobs, node) {
		if (other == job)
			break;
		if (other->key == job->key && other->state != CONTROL_JOB_DONE)
			before++;
	}
	return before < job->at_once;
}

/* The oldest that may start, which is then taken for running; or NULL. */
static struct control_job *next_to_start(struct control_server *server)
{
	struct control_job *job, *found = NULL;

	mutex_lock(&server->lock);
	list_for_each(job, &server->jobs, node) {
		if (job->state == CONTROL_JOB_WAITING && may_start_locked(server, job)) {
			job->state = CONTROL_JOB_RUNNING;
			found = job;
			break;
		}
	}
	mutex_unlock(&server->lock);
	return found;
}

static void *run(void *arg)
{
	struct control_job *job = arg;
	struct control_server *server = job->server;

	job->run(job);
	/* The event under the lock: the server, which may free itself, waits for it. */
	mutex_lock(&server->lock);
	job->state = CONTROL_JOB_DONE;
	host_control_event_set(server->event_fd);
	mutex_unlock(&server->lock);
	return NULL;
}

/* Without a thread for it all others wait, as they did for whatever was asked before. */
static void start(struct control_job *job)
{
	pthread_attr_t attr;
	pthread_t thread;
	bool started = false;

	if (!job->server->no_threads && pthread_attr_init(&attr) == 0) {
		started = pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED) == 0 &&
			  pthread_create(&thread, &attr, run, job) == 0;
		pthread_attr_destroy(&attr);
	}
	if (!started)
		run(job);
}

void control_job_add(struct control_server *server, struct control_job *job)
{
	job->server = server;
	job->state = CONTROL_JOB_WAITING;
	mutex_lock(&server->lock);
	list_add_tail(&server->jobs, &job->node);
	mutex_unlock(&server->lock);
	while ((job = next_to_start(server)) != NULL)
		start(job);
}

static struct control_job *take_done(struct control_server *server)
{
	struct control_job *job, *found = NULL;

	mutex_lock(&server->lock);
	list_for_each(job, &server->jobs, node) {
		if (job->state == CONTROL_JOB_DONE) {
			found = job;
			list_remove(&job->node);
			break;
		}
	}
	mutex_unlock(&server->lock);
	return found;
}

void control_jobs_finish(struct control_server *server)
{
	struct control_job *job;

	while ((job = take_done(server)) != NULL)
		job->finish(job);
	while ((job = next_to_start(server)) != NULL)
		start(job);
}

bool control_jobs_idle(struct control_server *server)
{
	bool idle;

	mutex_lock(&server->lock);
	idle = list_empty(&server->jobs);
	mutex_unlock(&server->lock);
	return idle;
}
