/* SPDX-License-Identifier: Apache-2.0 */
/* moat state: the state of a container as JSON. */
#include <errno.h>
#include <stdio.h>

#include "runtime/command.h"
#include "runtime/container/container.h"
#include "util/cleanup.h"

static int run(const struct globals *globals, void *options, int argc, char **argv,
	       struct error **err)
{
	AUTO_CONTAINER struct container *container = NULL;
	AUTO_FREE char *text = NULL;
	struct json_writer w;

	if (container_peek(globals, argv[0], &container, err) < 0)
		return error_code(*err);
	json_writer_init(&w, "  ");
	container_write_state(container, "", &w);
	text = json_writer_finish(&w);
	if (!text)
		return error_set(err, -ENOMEM, "out of memory");
	fputs(text, stdout);
	return 0;
}

const struct command command_state = {
	.name = "state",
	.summary = "output the state of a container",
	.usage = "<container-id>",
	.description = "   The state command outputs current state information for the\n"
		       "instance of a container.",
	.arguments_min = 1,
	.arguments_max = 1,
	.failure_status = 1,
	.run = run,
};
