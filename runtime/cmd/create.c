/* SPDX-License-Identifier: Apache-2.0 */
/* moat create: everything but running the user's process. */
#include "oci/spec.h"
#include "runtime/cmd/create_rows.h"
#include "runtime/command.h"
#include "util/cleanup.h"

struct options {
	struct create_options create;
};

static const struct option_row rows[] = { CREATE_ROWS(struct options) };

static int run(const struct globals *globals, void *options, int argc, char **argv,
	       struct error **err)
{
	const struct options *o = options;
	AUTO_CONTAINER struct container *container = NULL;
	AUTO_CLOSE int pidfd = -1;
	AUTO_CONSOLE struct console console = CONSOLE_INIT;
	struct create_options create = o->create;
	struct spec *spec = NULL;

	create.detach = true;
	if (lifecycle_create(globals, argv[0], &create, &spec, &container, &pidfd, &console, err) < 0)
		return error_wrap(err, "moat create failed");
	spec_free(spec);
	return 0;
}

const struct command command_create = {
	.name = "create",
	.summary = "create a container",
	.usage = "<container-id>",
	.description =
		"   The create command creates an instance of a container for a bundle. The bundle\n"
		"is a directory with a specification file named \"config.json\" and a root\n"
		"filesystem. The process it names is loaded, and waits for \"moat start\".",
	.options = OPTION_TABLE(rows),
	.options_size = sizeof(struct options),
	.arguments_min = 1,
	.arguments_max = 1,
	.failure_status = 1,
	.run = run,
};
