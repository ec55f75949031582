/* SPDX-License-Identifier: Apache-2.0 */
/* config.json's process object to struct boot_process. */
#include <errno.h>
#include <linux/ioprio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "oci/capability.h"
#include "oci/rlimit.h"
#include "oci/schedule.h"
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

static void convert_scheduling(const struct spec_process *from, struct boot_process *to)
{
	const struct spec_scheduler *s = from->scheduler;
	const struct spec_io_priority *io = from->io_priority;

	to->schedule.policy = -1;
	if (s) {
		to->schedule = (struct boot_schedule){
			.policy = oci_scheduler_policy(s->policy),
			.nice = s->nice,
			.priority = (uint32_t)s->priority,
			.runtime = s->runtime,
			.deadline = s->deadline,
			.period = s->period,
		};
		for (size_t i = 0; i < s->flags.count; i++)
			to->schedule.flags |= oci_scheduler_flag(s->flags.items[i]);
	}
	if (io)
		to->io_priority = (uint32_t)oci_io_class(io->class) << IOPRIO_CLASS_SHIFT |
				  (uint32_t)io->priority;
}

/* Without privilege they stay what they are, as with runc: most have no name in the container. */
static void keep_own_groups(struct boot_arena *arena, struct boot_process *to)
{
	int count = getgroups(0, NULL);
	gid_t *groups = count > 0 ? arena_array(arena, (size_t)count, sizeof(*groups)) : NULL;

	if (!groups)
		return;
	count = getgroups(count, groups);
	to->additional_gids = groups;
	to->additional_gid_count = count > 0 ? (uint32_t)count : 0;
	to->gids_of_host = true;
}

static int compare_gids(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Each once, as with runc, and in Linux's order. */
static void unique_groups(struct boot_process *to, size_t count)
{
	uint32_t *gids = to->additional_gids, kept = 0;

	qsort(gids, count, sizeof(*gids), compare_gids);
	for (size_t i = 0; i < count; i++) {
		if (kept == 0 || gids[kept - 1] != gids[i])
			gids[kept++] = gids[i];
	}
	to->additional_gid_count = kept;
}

static void convert_user(struct boot_arena *arena, const struct spec_user *from,
			 struct boot_process *to)
{
	size_t count = from->additional_gids.count;

	to->uid = from->uid;
	to->gid = from->gid;
	to->umask = from->umask.set ? from->umask.value & 0777 : DEFAULT_UMASK;
	if (geteuid() != 0) {
		keep_own_groups(arena, to);
		return;
	}
	to->additional_gids = arena_array(arena, count, sizeof(uint32_t));
	if (!to->additional_gids)
		return;
	memcpy(to->additional_gids, from->additional_gids.items, count * sizeof(uint32_t));
	unique_groups(to, count);
}

int arena_process(struct boot_arena *arena, const struct spec_process *process,
		  const struct boot_extra *extra, struct boot_process *out, struct error **err)
{
	const struct string_list none = STRING_LIST_INIT;

	if (process->args.count == 0)
		return error_set(err, -EINVAL, "process.args: must not be empty");
	/* As runc: it could not be done there, and would promise rights that nobody has. */
	if (geteuid() != 0 && process->user.additional_gids.count > 0)
		return error_set(err, -EPERM, "unable to setup user: cannot set any additional groups "
					      "in a rootless container");
	out->program = arena_text(arena, extra->program ? extra->program : "");
	out->args = arena_strings(arena, &process->args);
	out->env = arena_environment(arena, &process->env, extra->env);
	out->cgroups = arena_strings(arena, extra->cgroups ? extra->cgroups : &none);
	out->cwd = arena_text(arena, process->cwd ? process->cwd : "/");
	convert_user(arena, &process->user, out);
	convert_capabilities(process->capabilities, out->capabilities);
	convert_scheduling(process, out);
	out->has_oom_score_adj = process->oom_score_adj.set;
	out->oom_score_adj = process->oom_score_adj.value;
	out->no_new_privileges = process->no_new_privileges;
	out->exact_env = extra->exact_env;
	out->extra_fd_count = extra->fd_count;
	out->terminal = process->terminal;
	out->terminal_plain = process->terminal && extra->terminal_plain;
	return convert_rlimits(arena, process, out, err);
}
