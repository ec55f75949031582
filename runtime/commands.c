/* SPDX-License-Identifier: Apache-2.0 */
/* The table of commands, in the order of `moat --help`. */
#include <string.h>

#include "runtime/command.h"

const struct command *const commands[] = {
	&command_checkpoint,
	&command_create,
	&command_delete,
	&command_events,
	&command_exec,
	&command_kill,
	&command_list,
	&command_pause,
	&command_ps,
	&command_restore,
	&command_resume,
	&command_run,
	&command_spec,
	&command_start,
	&command_state,
	&command_update,
	&command_features,
	&command_debug,
	&command_do,
	&command_list_syscalls,
	&command_usage,
	&command_wait,
	&command_boot,
	&command_gofer,
};
const size_t command_count = ARRAY_SIZE(commands);

const struct command *command_find(const char *name)
{
	for (size_t i = 0; i < command_count; i++) {
		if (!strcmp(commands[i]->name, name))
			return commands[i];
	}
	return NULL;
}
