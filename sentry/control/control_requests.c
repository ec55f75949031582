/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Decoding of control requests and their dispatch to the owner's operations.  Every row of
 * CONTROL_REQUESTS has a handler here; a message that fits no row ends its connection.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/control/control_connection.h"
#include "sentry/host/host_control.h"

union request_body {
#define X(NAME, name, request, reply, fds) struct request name;
	CONTROL_REQUESTS(X)
#undef X
};

struct request_message {
	struct control_header header;
	union request_body body;
};

/* Header and body are adjacent: one message of exactly the row's size. */
struct reply_message {
	struct control_reply_header header;
	union {
#define X(NAME, name, request, reply, fds) struct reply name;
		CONTROL_REQUESTS(X)
#undef X
	} body;
};

struct request_context {
	struct control_server *server;
	struct control_connection *connection;
	void *container; /* the operation's argument */
	uint32_t handle;
	const union request_body *body;
	int *fds;
	size_t fd_count;
	struct reply_message *reply;
	struct control_failure why;
	struct control_watch *watch; /* to be announced once the answer is sent */
};

#define CALL(context, op, ...)                                                         \
	((context)->server->ops->op                                                    \
		 ? (context)->server->ops->op((context)->container, ##__VA_ARGS__,   \
					      &(context)->why)                         \
		 : -ENOSYS)

void control_failure_set(struct control_failure *why, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(why->message, sizeof(why->message), fmt, args);
	va_end(args);
}

static int serve_start(struct request_context *c)
{
	return CALL(c, start);
}

bool control_container_get(struct control_server *server, uint32_t handle, void **out)
{
	if (!server->ops->container_get) {
		*out = server->arg;
		return handle == 0;
	}
	*out = server->ops->container_get(server->arg, handle);
	return *out != NULL;
}

void control_container_put(struct control_server *server, void *container)
{
	if (server->ops->container_put)
		server->ops->container_put(container);
}

static bool add_watch(struct request_context *c, bool kill_on_close)
{
	c->watch = control_watch_add(c->server, c->connection, kill_on_close);
	if (c->watch)
		c->watch->container = c->handle;
	return c->watch != NULL;
}

static int exec_decoded(struct request_context *c, const struct boot_process *process)
{
	struct control_exec exec = {
		.process = process,
		.fds = c->fds + 1,
		.fd_count = c->fd_count - 1 - c->body->exec.place,
		.place_fd = c->body->exec.place ? c->fds[c->fd_count - 1] : -1,
		.ignore_paused = c->body->exec.ignore_paused != 0,
	};
	int32_t pid;
	int ret;

	if (exec.fd_count != CONTROL_EXEC_FIXED_FDS - 1 + (size_t)process->extra_fd_count)
		return -EPROTO;
	if (!add_watch(c, true))
		return -ENOMEM;
	exec.token = c->watch->token;
	ret = CALL(c, exec, &exec, &pid);
	if (ret < 0)
		return ret;
	c->watch->pid = pid;
	c->reply->body.exec.pid = pid;
	return 0;
}

static int serve_exec(struct request_context *c)
{
	struct boot_process process;
	void *blob;
	int ret;

	if (c->body->exec.place > 1 || c->fd_count < CONTROL_EXEC_FIXED_FDS + c->body->exec.place ||
	    c->body->exec.fd_count != c->fd_count)
		return -EPROTO;
	ret = boot_process_read(c->fds[0], &process, &blob);
	if (ret < 0)
		return ret;
	ret = exec_decoded(c, &process);
	free(blob);
	return ret;
}

static int serve_wait(struct request_context *c)
{
	int32_t pid = c->body->wait.pid;

	if (pid < 0)
		return -EINVAL;
	if (!add_watch(c, false))
		return -ENOMEM;
	c->watch->pid = pid;
	return CALL(c, wait, pid, c->watch->token);
}

static int serve_notify(struct request_context *c)
{
	if (!add_watch(c, false))
		return -ENOMEM;
	c->watch->pid = CONTROL_PID_INIT;
	return CALL(c, notify, c->watch->token);
}

static int serve_signal(struct request_context *c)
{
	const struct control_signal_request *request = &c->body->signal;

	if (request->signal < 0 || request->signal > 64 || (!request->all && request->pid < 0))
		return -EINVAL;
	return CALL(c, signal, request);
}

static int serve_pause(struct request_context *c)
{
	return CALL(c, pause);
}

static int serve_resume(struct request_context *c)
{
	return CALL(c, resume);
}

static int serve_update(struct request_context *c)
{
	if (c->body->update.fields & ~(uint64_t)CONTROL_UPDATE_ALL)
		return -EINVAL;
	return CALL(c, update, &c->body->update);
}

static int serve_resize(struct request_context *c)
{
	if (c->body->resize.pid < 0)
		return -EINVAL;
	return CALL(c, resize, c->body->resize.pid);
}

static int serve_state(struct request_context *c)
{
	return CALL(c, state, &c->reply->body.state);
}

static int serve_ps(struct request_context *c)
{
	if (c->body->ps.after < 0)
		return -EINVAL;
	return CALL(c, ps, c->body->ps.after, &c->reply->body.ps);
}

static int serve_tasks(struct request_context *c)
{
	const struct control_tasks_request *request = &c->body->tasks;

	if (request->after_pid < 0 || request->after_tid < 0)
		return -EINVAL;
	return CALL(c, tasks, request, &c->reply->body.tasks);
}

static int serve_strace(struct request_context *c)
{
	if (c->body->strace.on > 1)
		return -EINVAL;
	return CALL(c, strace, c->body->strace.on != 0);
}

static int serve_attack(struct request_context *c)
{
	return CALL(c, attack, &c->body->attack, &c->reply->body.attack);
}

static int serve_shutdown(struct request_context *c)
{
	return CALL(c, shutdown);
}

static int serve_create(struct request_context *c)
{
	struct control_create create = { .request = &c->body->create };
	int ret;

	if (c->fd_count != 1 || c->handle != 0 ||
	    create.request->pid_namespace > CONTROL_PID_NAMESPACE_JOIN)
		return -EINVAL;
	create.channel = c->fds[0];
	if (!add_watch(c, true))
		return -ENOMEM;
	c->watch->creates = true;
	create.token = c->watch->token;
	ret = CALL(c, create, &create, &c->reply->body.create);
	if (ret == 0)
		c->watch->container = c->reply->body.create.handle;
	return ret;
}

static int serve_destroy(struct request_context *c)
{
	return c->handle == 0 ? -EINVAL : CALL(c, destroy);
}

struct request_row {
	int (*serve)(struct request_context *context);
	size_t request_size;
	size_t reply_size;
	size_t fd_max;
};

static const struct request_row request_rows[CONTROL_TYPE_COUNT] = {
#define X(NAME, name, request, reply, fds) \
	[CONTROL_##NAME] = { serve_##name, sizeof(struct request), sizeof(struct reply), fds },
	CONTROL_REQUESTS(X)
#undef X
};

/* The row of a well-formed request, else NULL. */
static const struct request_row *request_check(const struct request_message *message, size_t size,
					       size_t fd_count)
{
	const struct control_header *header = &message->header;
	const struct request_row *row;

	if (size < sizeof(*header) || header->magic != CONTROL_MAGIC ||
	    header->version != CONTROL_VERSION || header->type >= CONTROL_TYPE_COUNT)
		return NULL;
	row = &request_rows[header->type];
	if (!row->serve || size != sizeof(*header) + row->request_size || fd_count > row->fd_max)
		return NULL;
	return row;
}

static int reply_send(struct request_context *c, uint32_t type, int status, size_t body_size)
{
	struct control_reply_header *header = &c->reply->header;
	size_t size = sizeof(*header) + (status < 0 ? 0 : body_size);
	int ret;

	*header = (struct control_reply_header){
		.magic = CONTROL_MAGIC, .type = type, .status = status
	};
	if (status < 0)
		memcpy(header->message, c->why.message, sizeof(header->message));
	ret = host_control_send(c->connection->fd, c->reply, size);
	if (c->watch && status < 0)
		control_watch_remove(c->server, c->watch);
	else if (c->watch)
		c->watch->announced = true;
	return ret;
}

static int row_serve(struct request_context *c, const struct request_row *row)
{
	int status;

	if (!control_container_get(c->server, c->handle, &c->container)) {
		control_failure_set(&c->why, "the sandbox has no such container");
		return -ESRCH;
	}
	status = row->serve(c);
	control_container_put(c->server, c->container);
	return status;
}

static void close_fds(struct request_context *c)
{
	for (size_t i = 0; i < c->fd_count; i++)
		host_control_close(c->fds[i]);
}

/* --- requests that may wait for a gofer --------------------------------------------------- */

/* Beyond that a CREATE waits for another one's end: each may have a gofer that hangs. */
#define CREATES_AT_ONCE 16
#define KEY_CREATE (UINT64_C(1) << 32) /* no handle */

struct request_job {
	struct control_job job;
	struct request_context context;
	struct request_message message;
	struct reply_message reply;
	int fds[CONTROL_MAX_FDS];
	const struct request_row *row;
	int status;
};

/* By then an earlier one may have destroyed the container. */
static void request_run(struct control_job *job)
{
	struct request_job *r = container_of(job, struct request_job, job);

	r->status = row_serve(&r->context, r->row);
	close_fds(&r->context);
}

/* Who asked may be gone: then what was made goes, too. */
static void request_finish(struct control_job *job)
{
	struct request_job *r = container_of(job, struct request_job, job);
	struct request_context *c = &r->context;

	c->connection->busy = false;
	if (reply_send(c, r->message.header.type, r->status, r->row->reply_size) < 0)
		control_connection_close(c->server, c->connection);
	free(r);
}

/* Takes over the descriptors on success. */
static int request_defer(const struct request_context *c, const struct request_row *row,
			 const struct request_message *message)
{
	bool creates = message->header.type == CONTROL_CREATE;
	struct request_job *r = calloc(1, sizeof(*r));

	if (!r)
		return -ENOMEM;
	r->job = (struct control_job){
		.key = creates ? KEY_CREATE : c->handle,
		.at_once = creates ? CREATES_AT_ONCE : 1,
		.run = request_run,
		.finish = request_finish,
	};
	r->message = *message;
	r->row = row;
	r->context = *c;
	r->context.body = &r->message.body;
	r->context.reply = &r->reply;
	r->context.fds = r->fds;
	memcpy(r->fds, c->fds, c->fd_count * sizeof(*c->fds));
	c->connection->busy = true;
	control_job_add(c->server, &r->job);
	return 0;
}

static bool may_wait(uint32_t type)
{
	return type == CONTROL_START || type == CONTROL_EXEC || type == CONTROL_CREATE ||
	       type == CONTROL_DESTROY;
}

/* --- dispatch ------------------------------------------------------------------------------ */

static int request_dispatch(struct request_context *c, const struct request_message *message,
			    size_t size)
{
	const struct request_row *row = request_check(message, size, c->fd_count);
	int status = -EPROTO;

	if (!row) {
		close_fds(c);
		return status;
	}
	c->body = &message->body;
	c->handle = message->header.container;
	if (may_wait(message->header.type)) {
		status = request_defer(c, row, message);
		if (status == 0)
			return 0;
	}
	memset(c->reply, 0, sizeof(*c->reply));
	if (!may_wait(message->header.type))
		status = row_serve(c, row);
	close_fds(c);
	return reply_send(c, message->header.type, status, row->reply_size);
}

int control_request_serve(struct control_server *server, struct control_connection *connection)
{
	struct reply_message reply;
	struct request_context context = { .server = server, .connection = connection, .reply = &reply };
	struct request_message message;
	int fds[CONTROL_MAX_FDS];
	ssize_t size;

	size = host_control_receive(connection->fd, &message, sizeof(message), fds,
				    CONTROL_MAX_FDS, &context.fd_count);
	if (size == -EAGAIN)
		return 0;
	if (size <= 0)
		return size < 0 ? (int)size : -EPIPE;
	context.fds = fds;
	return request_dispatch(&context, &message, (size_t)size);
}
