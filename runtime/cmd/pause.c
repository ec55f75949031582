/* SPDX-License-Identifier: Apache-2.0 */
/*
 * moat pause and resume.  The sentry stops the tasks itself: the host's freezer cannot freeze a
 * process that waits in a notification, which is where guests sleep, and a frozen sentry could not
 * say what is in it.
 *
 * The state file is written before the pause and after the resume, so that a container that stands
 * still never looks as if it ran.
 */
#include <errno.h>

#include "runtime/command.h"
#include "runtime/container/container.h"
#include "runtime/control_client.h"
#include "util/cleanup.h"

static int set_status(struct container *container, enum oci_status status, struct error **err)
{
	container->status = status;
	return container_save(container, err);
}

static int pause_container(struct container *container, struct error **err)
{
	enum oci_status was = container->status;
	AUTO_CLOSE int fd = -1;
	struct error *ignored = NULL;

	if (was != OCI_RUNNING && was != OCI_CREATED)
		return error_set(err, -EINVAL, "container not running");
	if (control_connect(container, &fd, err) < 0 || set_status(container, OCI_PAUSED, err) < 0)
		return error_code(*err);
	if (control_call(container, fd, CONTROL_CALL_EMPTY(CONTROL_PAUSE), err) == 0)
		return 0;
	/* The first error is the one to tell. */
	if (set_status(container, was, &ignored) < 0)
		error_free(ignored);
	return error_code(*err);
}

static bool container_gone(int ret)
{
	return ret == -EPIPE || ret == -ECONNRESET || ret == -ECONNREFUSED || ret == -ENOENT;
}

static int resume_container(struct container *container, struct error **err)
{
	struct control_state_reply state = { 0 };
	AUTO_ERROR struct error *failure = NULL;
	AUTO_CLOSE int fd = -1;
	int ret;

	if (container->status != OCI_PAUSED)
		return error_set(err, -EINVAL, "container not paused");
	if (control_connect(container, &fd, err) < 0)
		return error_code(*err);
	ret = control_call(container, fd, CONTROL_CALL_EMPTY(CONTROL_RESUME), &failure);
	if (ret == 0)
		ret = control_state(container, &state, &failure);
	/* What it was sent while it stood still may end it before it can answer. */
	if (ret < 0 && !container_gone(ret))
		return error_set(err, ret, "%s", error_message(failure));
	/* One that was paused before its start is a created one again. */
	return set_status(container,
			  state.status == CONTROL_SANDBOX_CREATED ? OCI_CREATED : OCI_RUNNING, err);
}

static int run_pause(const struct globals *globals, void *options, int argc, char **argv,
		     struct error **err)
{
	AUTO_CONTAINER struct container *container = NULL;

	if (container_open(globals, argv[0], &container, err) < 0)
		return error_code(*err);
	return pause_container(container, err);
}

static int run_resume(const struct globals *globals, void *options, int argc, char **argv,
		      struct error **err)
{
	AUTO_CONTAINER struct container *container = NULL;

	if (container_open(globals, argv[0], &container, err) < 0)
		return error_code(*err);
	return resume_container(container, err);
}

const struct command command_pause = {
	.name = "pause",
	.summary = "pause suspends all processes inside the container",
	.usage = "<container-id>",
	.description = "   The pause command suspends all processes in the instance of the container.\n\n"
		       "   Use moat list to identify instances of containers and their current status.",
	.arguments_min = 1,
	.arguments_max = 1,
	.failure_status = 1,
	.run = run_pause,
};

const struct command command_resume = {
	.name = "resume",
	.summary = "resumes all processes that have been previously paused",
	.usage = "<container-id>",
	.description = "   The resume command resumes all processes in the instance of the container.\n\n"
		       "   Use moat list to identify instances of containers and their current status.",
	.arguments_min = 1,
	.arguments_max = 1,
	.failure_status = 1,
	.run = run_resume,
};
