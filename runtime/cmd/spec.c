/* SPDX-License-Identifier: Apache-2.0 */
/* moat spec: a config.json to start from. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "oci/spec.h"
#include "runtime/command.h"
#include "util/cleanup.h"
#include "util/file.h"

struct options {
	const char *bundle;
	bool rootless;
};

static const struct option_row rows[] = {
	{ "bundle", "b", OPTION_STRING, offsetof(struct options, bundle),
	  "path to the root of the bundle directory" },
	{ "rootless", NULL, OPTION_BOOL, offsetof(struct options, rootless),
	  "generate a configuration for a rootless container" },
};

static int run(const struct globals *globals, void *options, int argc, char **argv,
	       struct error **err)
{
	const struct options *o = options;
	AUTO_FREE char *text = spec_default_json(o->rootless, geteuid(), getegid());
	AUTO_CLOSE int fd = -1;
	int ret;

	if (!text)
		return error_set(err, -ENOMEM, "out of memory");
	if (o->bundle && *o->bundle && chdir(o->bundle) < 0)
		return error_set_errno(err, -errno, "chdir %s", o->bundle);
	fd = open("config.json", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0 && errno == EEXIST)
		return error_set(err, -EEXIST, "File config.json exists. Remove it first");
	ret = fd < 0 ? -errno : fd_write_all(fd, text, strlen(text));
	return ret < 0 ? error_set_errno(err, ret, "write config.json") : 0;
}

const struct command command_spec = {
	.name = "spec",
	.summary = "create a new specification file",
	.usage = "",
	.description =
		"   The spec command creates the new specification file named \"config.json\" for\n"
		"the bundle. It is a starter file: edit the args parameter of its process to choose\n"
		"the command that runs.",
	.options = OPTION_TABLE(rows),
	.options_size = sizeof(struct options),
	.arguments_min = 0,
	.arguments_max = 0,
	.failure_status = 1,
	.run = run,
};
