/* SPDX-License-Identifier: Apache-2.0 */
/* moat delete: removes a container, and with --force whatever is left of it. */
#include <errno.h>

#include "runtime/command.h"
#include "runtime/container/lifecycle.h"
#include "util/cleanup.h"
#include "util/log.h"

#define KILL_TIMEOUT_MS 10000

struct options {
	bool force;
};

static const struct option_row rows[] = {
	{ "force", "f", OPTION_BOOL, offsetof(struct options, force),
	  "Forcibly deletes the container if it is still running (uses SIGKILL)" },
};

/*
 * The lock may be held by a command that waits for something inside the sandbox, such as a hook that
 * never ends: without the sandbox, or the container, it goes on and gives the lock back.
 */
static void end_sandbox(const struct globals *globals, const char *id)
{
	AUTO_CONTAINER struct container *container = NULL;
	AUTO_ERROR struct error *err = NULL;

	if (container_peek(globals, id, &container, &err) < 0)
		log_debug("%s: %s", id, error_message(err));
	else if (container->status != OCI_CREATING && container->status != OCI_STOPPED &&
		 process_kill(container_process(container), KILL_TIMEOUT_MS) < 0)
		log_debug("%s: what stands for it did not end", id);
}

static int run(const struct globals *globals, void *options, int argc, char **argv,
	       struct error **err)
{
	const struct options *o = options;
	AUTO_CONTAINER struct container *container = NULL;
	int ret;

	if (o->force)
		end_sandbox(globals, argv[0]);
	ret = container_open(globals, argv[0], &container, err);
	if (ret == -ENOENT && o->force) {
		error_free(*err);
		*err = NULL;
		return 0;
	}
	if (ret < 0)
		return ret;
	/* The lock is ours: one that is still being created has lost its creator. */
	if (!o->force && (container->status == OCI_RUNNING || container->status == OCI_PAUSED))
		return error_set(err, -EBUSY, "cannot delete container %s that is not stopped: %s",
				 container->id, oci_status_name(container->status));
	return lifecycle_destroy(container, err);
}

const struct command command_delete = {
	.name = "delete",
	.summary = "delete any resources held by the container often used with detached container",
	.usage = "<container-id>",
	.options = OPTION_TABLE(rows),
	.options_size = sizeof(struct options),
	.arguments_min = 1,
	.arguments_max = 1,
	.failure_status = 1,
	.run = run,
};
