/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control server's thread: accepts connections, serves requests or has them served
 * (control_jobs.c), and reports the end of watched processes.
 *
 * A watch is created before the operation that may complete it is called, and is reported
 * only after that request was answered, so an exit can neither be lost nor overtake the answer.
 * Only the server thread frees watches; others just mark them under the lock.
 */
#include "sentry/control/control_server.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "sentry/control/control_connection.h"
#include "sentry/host/host_control.h"

enum { POLL_EVENT, POLL_LISTEN, POLL_FIXED };

struct control_watch *control_watch_add(struct control_server *server,
					struct control_connection *connection,
					bool kill_on_close)
{
	struct control_watch *watch = calloc(1, sizeof(*watch));

	if (!watch)
		return NULL;
	watch->connection = connection;
	watch->kill_on_close = kill_on_close;
	mutex_lock(&server->lock);
	watch->token = ++server->last_token;
	list_add_tail(&server->watches, &watch->node);
	mutex_unlock(&server->lock);
	return watch;
}

void control_watch_remove(struct control_server *server, struct control_watch *watch)
{
	mutex_lock(&server->lock);
	list_remove(&watch->node);
	mutex_unlock(&server->lock);
	free(watch);
}

static void watch_happened(struct control_server *server, uint64_t token, uint32_t event,
			   uint32_t wait_status)
{
	struct control_watch *watch;
	bool found = false;

	mutex_lock(&server->lock);
	list_for_each(watch, &server->watches, node) {
		if (watch->token != token || watch->exited)
			continue;
		watch->exited = true;
		watch->event = event;
		watch->wait_status = wait_status;
		found = true;
	}
	mutex_unlock(&server->lock);
	if (found)
		host_control_event_set(server->event_fd);
}

void control_server_process_exited(struct control_server *server, uint64_t token,
				   uint32_t wait_status)
{
	watch_happened(server, token, CONTROL_EVENT_EXITED, wait_status);
}

void control_server_ready(struct control_server *server, uint64_t token)
{
	watch_happened(server, token, CONTROL_EVENT_READY, 0);
}

/* The first watch that is to be reported, or NULL. */
static struct control_watch *next_exited(struct control_server *server)
{
	struct control_watch *watch, *found = NULL;

	mutex_lock(&server->lock);
	list_for_each(watch, &server->watches, node) {
		if (watch->exited && watch->announced) {
			found = watch;
			break;
		}
	}
	mutex_unlock(&server->lock);
	return found;
}

static void report_exits(struct control_server *server)
{
	struct control_watch *watch;

	while ((watch = next_exited(server)) != NULL) {
		struct {
			struct control_reply_header header;
			struct control_exited body;
		} event = {
			.header = { .magic = CONTROL_MAGIC, .type = watch->event },
			.body = { watch->pid, watch->wait_status },
		};
		int ret = host_control_send(watch->connection->fd, &event, sizeof(event));

		/* A peer that is gone is noticed by the poll on its connection. */
		(void)ret;
		control_watch_remove(server, watch);
	}
}

static struct control_watch *next_of_connection(struct control_server *server,
						const struct control_connection *connection)
{
	struct control_watch *watch, *found = NULL;

	mutex_lock(&server->lock);
	list_for_each(watch, &server->watches, node) {
		if (watch->connection == connection) {
			found = watch;
			break;
		}
	}
	mutex_unlock(&server->lock);
	return found;
}

struct abandoned {
	struct control_job job;
	uint32_t container;
};

static void abandon(struct control_server *server, uint32_t handle)
{
	void *container;

	if (!server->ops->abandoned || !control_container_get(server, handle, &container))
		return;
	server->ops->abandoned(container);
	control_container_put(server, container);
}

static void abandoned_run(struct control_job *job)
{
	abandon(job->server, container_of(job, struct abandoned, job)->container);
}

static void abandoned_finish(struct control_job *job)
{
	free(container_of(job, struct abandoned, job));
}

/* Its end may take long; without memory for that all wait for it. */
static void abandon_container(struct control_server *server, uint32_t handle)
{
	struct abandoned *a = calloc(1, sizeof(*a));

	if (!a) {
		abandon(server, handle);
		return;
	}
	a->container = handle;
	a->job = (struct control_job){
		.key = handle, .at_once = 1, .run = abandoned_run, .finish = abandoned_finish
	};
	control_job_add(server, &a->job);
}

static void watch_abandon(struct control_server *server, struct control_watch *watch)
{
	struct control_signal_request kill = { .pid = watch->pid, .signal = SIGKILL };
	struct control_failure why;
	void *container;
	bool exited;

	mutex_lock(&server->lock);
	exited = watch->exited;
	mutex_unlock(&server->lock);
	if (watch->creates) {
		abandon_container(server, watch->container);
	} else if (watch->kill_on_close && !exited && server->ops->signal &&
		   control_container_get(server, watch->container, &container)) {
		server->ops->signal(container, &kill, &why);
		control_container_put(server, container);
	}
	control_watch_remove(server, watch);
}

void control_connection_close(struct control_server *server, struct control_connection *connection)
{
	struct control_watch *watch;

	while ((watch = next_of_connection(server, connection)) != NULL)
		watch_abandon(server, watch);
	host_control_close(connection->fd);
	connection->fd = -1;
}

static void connection_accept(struct control_server *server)
{
	int fd = host_control_accept(server->listen_fd);

	if (fd < 0)
		return;
	for (size_t i = 0; i < CONTROL_MAX_CONNECTIONS; i++) {
		if (server->connections[i].fd < 0) {
			server->connections[i].fd = fd;
			return;
		}
	}
	host_control_close(fd);
}

/*
 * Entries of free and busy connections have fd -1, which poll ignores.  How many there are up to the
 * last one in use: poll takes no more of them than the process may have descriptors.
 */
static size_t poll_prepare(struct control_server *server, struct pollfd *entries)
{
	size_t count = POLL_FIXED;

	entries[POLL_EVENT] = (struct pollfd){ .fd = server->event_fd, .events = POLLIN };
	entries[POLL_LISTEN] = (struct pollfd){ .fd = server->listen_fd, .events = POLLIN };
	for (size_t i = 0; i < CONTROL_MAX_CONNECTIONS; i++) {
		const struct control_connection *connection = &server->connections[i];

		entries[POLL_FIXED + i] = (struct pollfd){
			.fd = connection->busy ? -1 : connection->fd, .events = POLLIN
		};
		if (entries[POLL_FIXED + i].fd >= 0)
			count = POLL_FIXED + i + 1;
	}
	return count;
}

static void *server_run(void *arg)
{
	struct control_server *server = arg;
	struct pollfd entries[POLL_FIXED + CONTROL_MAX_CONNECTIONS];

	while (!server->stopping) {
		if (host_control_poll(entries, poll_prepare(server, entries)) < 0)
			break;
		if (entries[POLL_EVENT].revents)
			host_control_event_clear(server->event_fd);
		for (size_t i = 0; i < CONTROL_MAX_CONNECTIONS; i++) {
			struct control_connection *connection = &server->connections[i];

			if (entries[POLL_FIXED + i].revents &&
			    control_request_serve(server, connection) < 0)
				control_connection_close(server, connection);
		}
		control_jobs_finish(server);
		report_exits(server);
		if (entries[POLL_LISTEN].revents)
			connection_accept(server);
	}
	control_jobs_finish(server);
	report_exits(server);
	return NULL;
}

static void server_free(struct control_server *server)
{
	struct control_watch *watch, *next;

	for (size_t i = 0; i < CONTROL_MAX_CONNECTIONS; i++)
		host_control_close(server->connections[i].fd);
	list_for_each_safe(watch, next, &server->watches, node) {
		list_remove(&watch->node);
		free(watch);
	}
	host_control_close(server->event_fd);
	host_control_close(server->listen_fd);
	mutex_destroy(&server->lock);
	free(server);
}

int control_server_start(int listen_fd, const struct control_ops *ops, void *arg,
			 struct control_server **out)
{
	struct control_server *server = calloc(1, sizeof(*server));
	int ret;

	if (!server) {
		host_control_close(listen_fd);
		return -ENOMEM;
	}
	server->ops = ops;
	server->arg = arg;
	server->listen_fd = listen_fd;
	for (size_t i = 0; i < CONTROL_MAX_CONNECTIONS; i++)
		server->connections[i].fd = -1;
	mutex_init(&server->lock, LOCK_RANK_LEAF);
	list_init(&server->watches);
	list_init(&server->jobs);
	server->event_fd = host_control_event_create();
	ret = server->event_fd < 0 ? server->event_fd
				   : -pthread_create(&server->thread, NULL, server_run, server);
	if (ret < 0) {
		server_free(server);
		return ret;
	}
	*out = server;
	return 0;
}

void control_server_stop(struct control_server *server)
{
	if (!server)
		return;
	server->stopping = true;
	host_control_event_set(server->event_fd);
	pthread_join(server->thread, NULL);
	/* A thread that still waits for a gofer uses it, and ends with the process. */
	if (control_jobs_idle(server))
		server_free(server);
}
