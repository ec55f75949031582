/* SPDX-License-Identifier: Apache-2.0 */
/*
 * moat gofer (hidden): the file server of a container.  Enters the empty root that was prepared
 * for it (sandbox/launch_gofer.c); what it serves it has as FDs.
 */
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>

#include "gofer/start.h"
#include "runtime/command.h"
#include "runtime/sandbox/tree.h"

struct options {
	unsigned root_fd;
	unsigned start_fd;
};

static const struct option_row rows[] = {
	{ "root-fd", NULL, OPTION_COUNT, offsetof(struct options, root_fd), NULL, "0" },
	{ "start-fd", NULL, OPTION_COUNT, offsetof(struct options, start_fd), NULL, "0" },
};

static int run(const struct globals *globals, void *options, int argc, char **argv,
	       struct error **err)
{
	const struct options *o = options;
	char *const words[] = { (char[]){ "gofer" }, (char[]){ "--start-fd" } };
	char start_text[16];
	struct stat st;
	int ret;

	if (o->root_fd == 0 || o->start_fd == 0 || fstat((int)o->root_fd, &st) < 0 ||
	    !S_ISDIR(st.st_mode))
		return error_set(err, -EINVAL, "gofer: not to be started by hand");
	ret = tree_enter((int)o->root_fd);
	if (ret < 0)
		return error_set_errno(err, ret, "gofer: enter its root");
	snprintf(start_text, sizeof(start_text), "%u", o->start_fd);
	return gofer_main(3, (char *[]){ words[0], words[1], start_text, NULL });
}

const struct command command_gofer = {
	.name = "gofer",
	.summary = "serve files to a sandbox (used by moat itself)",
	.usage = "",
	.options = OPTION_TABLE(rows),
	.options_size = sizeof(struct options),
	.arguments_min = 0,
	.arguments_max = 0,
	.failure_status = 1,
	.hidden = true,
	.run = run,
};
