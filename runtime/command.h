/* SPDX-License-Identifier: Apache-2.0 */
/* Commands: one row each in commands.c, one file each in cmd/; and the global options. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "runtime/options.h"
#include "util/compiler.h"
#include "util/error.h"

/* The options before the command; strings are borrowed from argv or static. */
struct globals {
	bool debug;
	const char *log; /* NULL: standard error */
	const char *log_format;
	const char *root;
	const char *criu;
	bool systemd_cgroup;
	const char *rootless; /* "true", "false", "auto" */
	const char *platform; /* NULL: whichever can start */
	bool strict_memory;
	const char *overlay;
	const char *network;
	bool strace;
	const char *debug_log;
	bool help;
	bool version;
};

extern const struct option_table globals_table;

/* Checks the values, sets the state directory and opens the log. */
int globals_apply(struct globals *globals, struct error **err) MUST_CHECK;
/* Whether cgroup permission errors are to be ignored. */
bool globals_rootless(const struct globals *globals);
/* FDs of --log and --debug-log, -1 where not given; borrowed, open until exit. */
int globals_log_fd(void);
int globals_debug_log_fd(void);

#define ARGUMENTS_ANY (-1)

struct command {
	const char *name;
	const char *summary;
	const char *usage; /* after "moat NAME [command options]" */
	const char *description; /* or NULL */
	const struct option_table options;
	size_t options_size; /* of the structure the table describes */
	int arguments_min;
	int arguments_max; /* or ARGUMENTS_ANY */
	int failure_status; /* exit status of a failure; runc's is 1, but 255 for exec */
	bool hidden;
	bool keep_order; /* options come first, as the rest may be a command line */
	/*
	 * @argv[0 .. argc) are the arguments after the options, NULL-terminated.  Returns the exit
	 * status, or a negative errno with *err set.
	 */
	int (*run)(const struct globals *globals, void *options, int argc, char **argv,
		   struct error **err);
};

extern const struct command *const commands[];
extern const size_t command_count;

const struct command *command_find(const char *name);

extern const struct command command_boot;
extern const struct command command_checkpoint;
extern const struct command command_create;
extern const struct command command_debug;
extern const struct command command_delete;
extern const struct command command_do;
extern const struct command command_events;
extern const struct command command_exec;
extern const struct command command_features;
extern const struct command command_gofer;
extern const struct command command_kill;
extern const struct command command_list;
extern const struct command command_list_syscalls;
extern const struct command command_pause;
extern const struct command command_ps;
extern const struct command command_restore;
extern const struct command command_resume;
extern const struct command command_run;
extern const struct command command_spec;
extern const struct command command_start;
extern const struct command command_state;
extern const struct command command_update;
extern const struct command command_usage;
extern const struct command command_wait;
