/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cmd/exec_process.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/container/check_supported.h"
#include "runtime/go_number.h"
#include "util/cleanup.h"

static int out_of_memory(struct error **err)
{
	return error_set(err, -ENOMEM, "out of memory");
}

/* One that is none, and runc would cut to 32 bits, becomes one that is refused. */
static uint32_t to_id(int64_t number)
{
	return number < 0 || number > UINT32_MAX ? UINT32_MAX : (uint32_t)number;
}

static int parse_id(const char *text, const char *what, uint32_t *out, struct error **err)
{
	int64_t number;

	if (go_parse_int("Atoi", text, &number, err) < 0)
		return error_wrap(err, "parsing %s as int for %s failed", text, what);
	*out = to_id(number);
	return 0;
}

int exec_set_user(struct spec_user *user, const char *text, struct error **err)
{
	const char *colon = strchr(text, ':');
	AUTO_FREE char *uid = colon ? strndup(text, (size_t)(colon - text)) : strdup(text);

	if (!uid)
		return out_of_memory(err);
	if (colon && parse_id(colon + 1, "gid", &user->gid, err) < 0)
		return error_code(*err);
	return parse_id(uid, "uid", &user->uid, err);
}

static int add_gids(struct spec_user *user, const struct string_list *gids, struct error **err)
{
	size_t count = user->additional_gids.count;
	uint32_t *grown;

	if (gids->count == 0)
		return 0;
	grown = realloc(user->additional_gids.items, (count + gids->count) * sizeof(*grown));
	if (!grown)
		return out_of_memory(err);
	user->additional_gids.items = grown;
	for (size_t i = 0; i < gids->count; i++) {
		int64_t number;

		if (go_parse_int("ParseInt", gids->items[i], &number, err) < 0)
			return error_code(*err);
		if (number < 0)
			return error_set(err, -EINVAL, "additional-gids must be a positive number %s",
					 gids->items[i]);
		grown[count + i] = to_id(number);
		user->additional_gids.count++;
	}
	return 0;
}

static int add_cap(struct spec_capabilities *caps, const char *name)
{
	struct string_list *const sets[] = { &caps->bounding, &caps->effective, &caps->permitted };

	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		int ret = string_list_add(sets[i], name);

		if (ret < 0)
			return ret;
	}
	/* Ambient ones need the inheritable set, which --cap does not touch. */
	return caps->inheritable.count > 0 ? string_list_add(&caps->ambient, name) : 0;
}

static int add_caps(struct spec_process *process, const struct string_list *names,
		    struct error **err)
{
	if (names->count > 0 && !process->capabilities) {
		process->capabilities = calloc(1, sizeof(*process->capabilities));
		if (!process->capabilities)
			return out_of_memory(err);
	}
	for (size_t i = 0; i < names->count; i++) {
		if (add_cap(process->capabilities, names->items[i]) < 0)
			return out_of_memory(err);
	}
	return 0;
}

static int set_string(char **field, const char *text, struct error **err)
{
	free(*field);
	*field = strdup(text);
	return *field ? 0 : out_of_memory(err);
}

static int apply_options(struct spec_process *process, const struct exec_process_options *o,
			 char **args, size_t arg_count, struct error **err)
{
	string_list_free(&process->args);
	for (size_t i = 0; i < arg_count; i++) {
		if (string_list_add(&process->args, args[i]) < 0)
			return out_of_memory(err);
	}
	if (string_list_append(&process->env, &o->env) < 0)
		return out_of_memory(err);
	process->terminal = o->tty;
	process->no_new_privileges |= o->no_new_privs;
	/* For the warnings alone; those of config.json were given when the container was made. */
	if (set_string(&process->apparmor_profile, o->apparmor ? o->apparmor : "", err) < 0 ||
	    set_string(&process->selinux_label, o->label ? o->label : "", err) < 0)
		return error_code(*err);
	if (o->cwd && *o->cwd && set_string(&process->cwd, o->cwd, err) < 0)
		return error_code(*err);
	if (o->user && *o->user && exec_set_user(&process->user, o->user, err) < 0)
		return error_code(*err);
	if (add_gids(&process->user, &o->additional_gids, err) < 0 ||
	    add_caps(process, &o->cap, err) < 0)
		return error_code(*err);
	return 0;
}

static void note_terminal(const struct spec_process *process, struct exec_terminal *out)
{
	out->wanted = process->terminal;
	out->has_size = process->console_size != NULL;
	if (out->has_size)
		out->size = *process->console_size;
}

static int build_from_file(const char *file, const struct boot_extra *extra,
			   struct exec_terminal *terminal, int *fd, struct error **err)
{
	struct spec_process *process;
	int ret;

	if (spec_load_process(file, &process, err) < 0)
		return error_code(*err);
	warn_of_process(process, "");
	note_terminal(process, terminal);
	ret = boot_process_build(process, extra, fd, err);
	spec_process_free(process);
	return ret;
}

int exec_process_build(const struct container *container, const struct exec_process_options *o,
		       char **args, size_t arg_count, const struct boot_extra *extra,
		       struct exec_terminal *terminal, int *fd, struct error **err)
{
	struct spec *spec;
	int ret;

	if (o->file && *o->file)
		return build_from_file(o->file, extra, terminal, fd, err);
	if (container_load_spec(container, &spec, err) < 0)
		return error_code(*err);
	/* The specification is ours alone, and forgotten at the end. */
	ret = apply_options(spec->process, o, args, arg_count, err);
	if (ret == 0)
		ret = spec_validate_process(spec->process, err);
	if (ret == 0) {
		warn_of_process(spec->process, "");
		note_terminal(spec->process, terminal);
		ret = boot_process_build(spec->process, extra, fd, err);
	}
	spec_free(spec);
	return ret;
}
