/* SPDX-License-Identifier: Apache-2.0 */
/* moat checkpoint and restore: runc's options are known, and the answer is always the same. */
#include <errno.h>

#include "runtime/command.h"
#include "runtime/container/container.h"

struct options {
	bool flags[9];
	const char *texts[8];
	struct string_list list;
};

#define ROW(name, alias, kind, member) \
	{ name, alias, OPTION_##kind, offsetof(struct options, member), "as with runc" }
#define FLAG(index, name) ROW(name, NULL, BOOL, flags[index])
#define TEXT(index, name) ROW(name, NULL, STRING, texts[index])

#define CRIU_ROWS                                                                           \
	TEXT(0, "image-path"), TEXT(1, "work-path"), TEXT(2, "manage-cgroups-mode"),        \
		FLAG(0, "tcp-established"), FLAG(1, "ext-unix-sk"), FLAG(2, "shell-job"),   \
		FLAG(3, "file-locks"), FLAG(4, "auto-dedup"), FLAG(5, "lazy-pages"),        \
		ROW("empty-ns", NULL, STRINGS, list)

static const struct option_row checkpoint_rows[] = {
	CRIU_ROWS,
	TEXT(3, "parent-path"),
	TEXT(4, "status-fd"),
	TEXT(5, "page-server"),
	FLAG(6, "leave-running"),
	FLAG(7, "pre-dump"),
};

static const struct option_row restore_rows[] = {
	CRIU_ROWS,
	ROW("bundle", "b", STRING, texts[3]),
	TEXT(4, "console-socket"),
	TEXT(5, "pid-file"),
	TEXT(6, "lsm-profile"),
	TEXT(7, "lsm-mount-context"),
	ROW("detach", "d", BOOL, flags[6]),
	FLAG(7, "no-subreaper"),
	FLAG(8, "no-pivot"),
};

static int run_checkpoint(const struct globals *globals, void *options, int argc, char **argv,
			  struct error **err)
{
	AUTO_CONTAINER struct container *container = NULL;

	if (container_peek(globals, argv[0], &container, err) < 0)
		return error_code(*err);
	return error_set(err, -EOPNOTSUPP, "checkpoint is not supported yet");
}

static int run_restore(const struct globals *globals, void *options, int argc, char **argv,
		       struct error **err)
{
	return error_set(err, -EOPNOTSUPP, "restore is not supported yet");
}

const struct command command_checkpoint = {
	.name = "checkpoint",
	.summary = "checkpoint a running container (not supported yet)",
	.usage = "<container-id>",
	.options = OPTION_TABLE(checkpoint_rows),
	.options_size = sizeof(struct options),
	.arguments_min = 1,
	.arguments_max = 1,
	.failure_status = 1,
	.run = run_checkpoint,
};

const struct command command_restore = {
	.name = "restore",
	.summary = "restore a container from a previous checkpoint (not supported yet)",
	.usage = "<container-id>",
	.options = OPTION_TABLE(restore_rows),
	.options_size = sizeof(struct options),
	.arguments_min = 1,
	.arguments_max = 1,
	.failure_status = 1,
	.run = run_restore,
};
