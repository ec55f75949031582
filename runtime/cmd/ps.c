/* SPDX-License-Identifier: Apache-2.0 */
/*
 * moat ps: the processes of a container.  Without ps options the table is our own, in the form of
 * `ps -ef`, of what the sentry knows; with options the host's ps is run, and its lines are filtered
 * by host pid as runc does, so it shows the processes that hold the guest's memory.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cmd/ps_list.h"
#include "runtime/cmd/ps_table.h"
#include "runtime/command.h"
#include "runtime/json_print.h"
#include "util/cleanup.h"

struct options {
	const char *format;
};

static const struct option_row rows[] = {
	{ "format", "f", OPTION_STRING, offsetof(struct options, format),
	  "select one of: table or json", "table" },
};

static int print_json(const struct ps_list *list, struct error **err)
{
	struct json_writer w;

	json_writer_init(&w, NULL);
	json_write_array_begin(&w);
	for (size_t i = 0; i < list->count; i++)
		json_write_int(&w, list->items[i].host_pid);
	json_write_array_end(&w);
	return json_print(&w, err);
}

static int run(const struct globals *globals, void *options, int argc, char **argv,
	       struct error **err)
{
	const struct options *o = options;
	AUTO_CONTAINER struct container *container = NULL;
	struct ps_list list = { 0 };
	int ret;

	if (strcmp(o->format, "table") != 0 && strcmp(o->format, "json") != 0)
		return error_set(err, -EINVAL, "invalid format option");
	if (container_peek(globals, argv[0], &container, err) < 0 ||
	    ps_list_read(container, &list, err) < 0)
		return error_code(*err);
	if (!strcmp(o->format, "json"))
		ret = print_json(&list, err);
	else if (argc > 1)
		ret = ps_table_host(&list, argv + 1, err);
	else
		ret = ps_table_print(&list, err);
	ps_list_free(&list);
	return ret;
}

const struct command command_ps = {
	.name = "ps",
	.summary = "ps displays the processes running inside a container",
	.usage = "<container-id> [ps options]",
	.options = OPTION_TABLE(rows),
	.options_size = sizeof(struct options),
	.arguments_min = 1,
	.arguments_max = ARGUMENTS_ANY,
	.failure_status = 1,
	.keep_order = true,
	.run = run,
};
