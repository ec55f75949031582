/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line: global options, a command, its options and arguments.  This is the only
 * place that prints errors: to the log, and when the log is a file, to standard error too.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/command.h"
#include "runtime/help.h"
#include "runtime/standard_fds.h"
#include "util/cleanup.h"
#include "util/log.h"

static int fail(int status, const struct error *err)
{
	log_error("%s", error_message(err));
	if (globals_log_fd() >= 0)
		fprintf(stderr, "%s\n", error_message(err));
	return status;
}

static bool wants_help(const char *word)
{
	return !strcmp(word, "--help") || !strcmp(word, "-help") || !strcmp(word, "-h") ||
	       !strcmp(word, "--h");
}

/* runc prints the command's help before it complains about its use; of an option it says twice what is wrong. */
static int misuse(const struct command *command, bool option, const struct error *err)
{
	if (option)
		printf("Incorrect Usage: %s\n\n", error_message(err));
	else
		puts("Incorrect Usage.\n");
	help_print_command(command, stdout);
	fflush(stdout);
	return fail(1, err);
}

static int misuse_global(const struct error *err)
{
	printf("Incorrect Usage. %s\n\n", error_message(err));
	help_print(stdout);
	fflush(stdout);
	return fail(1, err);
}

static int no_such_command(const char *name)
{
	AUTO_ERROR struct error *err = NULL;

	/* runc ends it so. */
	error_set(&err, -EINVAL, "No help topic for '%s'\n", name);
	return fail(3, err);
}

static int check_arguments(const struct command *c, int count, struct error **err)
{
	if (c->arguments_min == c->arguments_max && count != c->arguments_min)
		return error_set(err, -EINVAL, "moat: \"%s\" requires exactly %d argument(s)",
				 c->name, c->arguments_min);
	if (count < c->arguments_min)
		return error_set(err, -EINVAL, "moat: \"%s\" requires a minimum of %d argument(s)",
				 c->name, c->arguments_min);
	if (c->arguments_max != ARGUMENTS_ANY && count > c->arguments_max)
		return error_set(err, -EINVAL, "moat: \"%s\" requires a maximum of %d argument(s)",
				 c->name, c->arguments_max);
	return 0;
}

/* argv[0] is the command's name. */
static int run_command(const struct globals *globals, const struct command *command, int argc,
		       char **argv)
{
	AUTO_ERROR struct error *err = NULL;
	AUTO_FREE void *options = calloc(1, command->options_size + 1); /* some have no options */
	bool option_error;
	int used;
	int status;

	if (!options) {
		error_set(&err, -ENOMEM, "out of memory");
		return fail(1, err);
	}
	if (argc > 1 && wants_help(argv[1])) {
		help_print_command(command, stdout);
		return 0;
	}
	options_init(&command->options, options);
	if (!command->keep_order)
		options_reorder(&command->options, argc, argv);
	option_error = options_parse(&command->options, options, argc, argv, &used, &err) < 0;
	if (option_error || check_arguments(command, argc - used, &err) < 0) {
		options_free(&command->options, options);
		return misuse(command, option_error, err);
	}
	status = command->run(globals, options, argc - used, argv + used, &err);
	options_free(&command->options, options);
	return status < 0 ? fail(command->failure_status, err) : status;
}

static int show_help(int argc, char **argv)
{
	const struct command *command = argc > 1 ? command_find(argv[1]) : NULL;

	if (argc > 1 && !command)
		return no_such_command(argv[1]);
	if (command)
		help_print_command(command, stdout);
	else
		help_print(stdout);
	return 0;
}

int main(int argc, char **argv)
{
	AUTO_ERROR struct error *err = NULL;
	struct globals globals = { 0 };
	const struct command *command;
	int used;

	if (argc < 1 || standard_fds_open() < 0)
		return 1;
	options_init(&globals_table, &globals);
	if (options_parse(&globals_table, &globals, argc, argv, &used, &err) < 0)
		return misuse_global(err);
	if (globals_apply(&globals, &err) < 0)
		return fail(1, err);
	if (globals.version) {
		version_print(stdout);
		return 0;
	}
	argc -= used;
	argv += used;
	if (globals.help || argc == 0) {
		help_print(stdout);
		return 0;
	}
	if (!strcmp(argv[0], "help") || !strcmp(argv[0], "h"))
		return show_help(argc, argv);
	command = command_find(argv[0]);
	if (!command)
		return no_such_command(argv[0]);
	return run_command(&globals, command, argc, argv);
}
