/* SPDX-License-Identifier: Apache-2.0 */
/* moat wait: until a container, or one process of it, has ended; prints how. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>

#include "runtime/command.h"
#include "runtime/container/container.h"
#include "runtime/control_client.h"
#include "runtime/json_print.h"
#include "util/cleanup.h"

#define LOST_STATUS (128 + SIGKILL) /* the sandbox went away, and its processes with it */

struct options {
	unsigned pid;
	unsigned root_pid;
};

static const struct option_row rows[] = {
	{ "pid", NULL, OPTION_COUNT, offsetof(struct options, pid),
	  "wait for this process, of the container's PID namespace, instead of its first" },
	{ "rootpid", NULL, OPTION_COUNT, offsetof(struct options, root_pid),
	  "wait for this process, of the sandbox's PID namespace" },
};

static int ask(const struct container *c, int connection, int32_t pid, struct error **err)
{
	const struct control_wait_request request = { .pid = pid };
	struct control_empty reply;

	return control_call(c, connection,
			    &(struct control_call){ .type = CONTROL_WAIT,
						    .request = &request,
						    .request_size = sizeof(request),
						    .reply = &reply,
						    .reply_size = sizeof(reply) },
			    err);
}

static int wait_exit(int connection)
{
	struct pollfd entry = { .fd = connection, .events = POLLIN };
	uint32_t status;

	/* The connection's own time limit is for answers, and this may take for ever. */
	while (poll(&entry, 1, -1) < 0 && errno == EINTR)
		;
	return control_read_exit(connection, &status) < 0 ? LOST_STATUS : control_exit_code(status);
}

static int print(const char *id, int status, struct error **err)
{
	struct json_writer w;

	json_writer_init(&w, NULL);
	json_write_object_begin(&w);
	json_put_string(&w, "id", id);
	json_put_int(&w, "exitStatus", status);
	json_write_object_end(&w);
	return json_print(&w, err);
}

static int run(const struct globals *globals, void *options, int argc, char **argv,
	       struct error **err)
{
	const struct options *o = options;
	AUTO_CONTAINER struct container *container = NULL;
	AUTO_CLOSE int connection = -1;
	unsigned pid = o->pid ? o->pid : o->root_pid;

	if (o->pid && o->root_pid)
		return error_set(err, -EINVAL, "only one of --pid and --rootpid can be set");
	if (container_peek(globals, argv[0], &container, err) < 0)
		return error_code(*err);
	if (container_check_alive(container, err) < 0)
		return error_code(*err);
	/* The sandbox's first namespace is that of the container which booted it. */
	if (o->root_pid)
		container->handle = 0;
	if (control_connect(container, &connection, err) < 0 ||
	    ask(container, connection, pid ? (int32_t)pid : CONTROL_PID_INIT, err) < 0)
		return error_code(*err);
	/* Others change it meanwhile: one that is created has yet to be started. */
	container_unlock(container);
	return print(container->id, wait_exit(connection), err);
}

const struct command command_wait = {
	.name = "wait",
	.summary = "wait until a container has ended",
	.usage = "<container-id>",
	.description =
		"   The wait command ends when the container, or the process that is named, has ended,\n"
		"and prints its exit status as JSON. A created container can be waited for, too.",
	.options = OPTION_TABLE(rows),
	.options_size = sizeof(struct options),
	.arguments_min = 1,
	.arguments_max = 1,
	.failure_status = 1,
	.run = run,
};
