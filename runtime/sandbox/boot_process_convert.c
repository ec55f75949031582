/* SPDX-License-Identifier: Apache-2.0 */
/* config.json's process object to struct boot_process. */
#include <errno.h>
#include <string.h>

#include "oci/capability.h"
#include "oci/rlimit.h"
#include "runtime/sandbox/boot_arena.h"

#define DEFAULT_UMASK 0022u

static void convert_capabilities(const struct spec_capabilities *from, uint64_t *to)
{
	if (!from)
		return;
	to[BOOT_CAP_BOUNDING] = oci_capability_set(&from->bounding, NULL);
	to[BOOT_CAP_EFFECTIVE] = oci_capability_set(&from->effective, NULL);
	to[BOOT_CAP_INHERITABLE] = oci_capability_set(&from->inheritable, NULL);
	to[BOOT_CAP_PERMITTED] = oci_capability_set(&from->permitted, NULL);
	to[BOOT_CAP_AMBIENT] = oci_capability_set(&from->ambient, NULL);
}

static int convert_rlimits(struct boot_arena *arena, const struct spec_process *from,
			   struct boot_process *to, struct error **err)
{
	to->rlimits = arena_array(arena, from->rlimits.count, sizeof(*to->rlimits));
	for (size_t i = 0; to->rlimits && i < from->rlimits.count; i++) {
		const struct spec_rlimit *limit = &from->rlimits.items[i];
		int number = oci_rlimit_number(limit->type);

		if (number < 0)
			return error_set(err, -EINVAL, "process.rlimits[%zu].type: unknown \"%s\"",
					 i, limit->type);
		to->rlimits[to->rlimit_count++] =
			(struct boot_rlimit){ (uint32_t)number, limit->soft, limit->hard };
	}
	return 0;
}

static void convert_user(struct boot_arena *arena, const struct spec_user *from,
			 struct boot_process *to)
{
	size_t count = from->additional_gids.count;

	to->uid = from->uid;
	to->gid = from->gid;
	to->umask = from->umask.set ? from->umask.value & 0777 : DEFAULT_UMASK;
	to->additional_gids = arena_array(arena, count, sizeof(uint32_t));
	if (to->additional_gids) {
		memcpy(to->additional_gids, from->additional_gids.items, count * sizeof(uint32_t));
		to->additional_gid_count = (uint32_t)count;
	}
}

int arena_process(struct boot_arena *arena, const struct spec_process *process,
		  const struct boot_extra *extra, struct boot_process *out, struct error **err)
{
	if (process->args.count == 0)
		return error_set(err, -EINVAL, "process.args: must not be empty");
	out->program = arena_text(arena, extra->program ? extra->program : "");
	out->args = arena_strings(arena, &process->args, NULL);
	out->env = arena_strings(arena, &process->env, extra->env);
	out->cwd = arena_text(arena, process->cwd ? process->cwd : "/");
	convert_user(arena, &process->user, out);
	convert_capabilities(process->capabilities, out->capabilities);
	out->has_oom_score_adj = process->oom_score_adj.set;
	out->oom_score_adj = process->oom_score_adj.value;
	out->no_new_privileges = process->no_new_privileges;
	out->exact_env = extra->exact_env;
	out->extra_fd_count = extra->fd_count;
	out->terminal = process->terminal;
	out->terminal_plain = process->terminal && extra->terminal_plain;
	return convert_rlimits(arena, process, out, err);
}
