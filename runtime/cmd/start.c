/* SPDX-License-Identifier: Apache-2.0 */
/* moat start: lets a created container run. */
#include <errno.h>

#include "runtime/command.h"
#include "runtime/container/lifecycle.h"
#include "runtime/notify.h"
#include "util/cleanup.h"

static int start(struct container *container, struct error **err)
{
	AUTO_CLOSE int notify = -1;
	struct spec *spec = NULL;
	int ret;

	switch (container->status) {
	case OCI_CREATED:
		break;
	case OCI_STOPPED:
		return error_set(err, -EINVAL, "cannot start a container that has stopped");
	case OCI_RUNNING:
		return error_set(err, -EINVAL, "cannot start an already running container");
	default:
		return error_set(err, -EINVAL, "cannot start a container in the %s state",
				 oci_status_name(container->status));
	}
	if (container_load_spec(container, &spec, err) < 0)
		return error_code(*err);
	ret = notify_watch(container, &notify, err);
	if (ret == 0)
		ret = lifecycle_start(container, spec, err);
	spec_free(spec);
	if (ret < 0 || notify < 0)
		return ret;
	/* Others may use it while it gets ready. */
	container_unlock(container);
	return notify_relay(notify, container_pid(container), err);
}

static int run(const struct globals *globals, void *options, int argc, char **argv,
	       struct error **err)
{
	AUTO_CONTAINER struct container *container = NULL;

	if (container_open(globals, argv[0], &container, err) < 0)
		return error_code(*err);
	return start(container, err);
}

const struct command command_start = {
	.name = "start",
	.summary = "executes the user defined process in a created container",
	.usage = "<container-id>",
	.description =
		"   The start command executes the user defined process in a created container.",
	.arguments_min = 1,
	.arguments_max = 1,
	.failure_status = 1,
	.run = run,
};
