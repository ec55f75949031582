/* SPDX-License-Identifier: Apache-2.0 */
/*
 * moat do: a command of the host in a sandbox of its own, without a bundle.  It sees the host's files
 * as they are and changes its own copy of them in memory, which is gone when it ends.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "oci/capability.h"
#include "oci/spec_types.h"
#include "runtime/cmd/exec_process.h"
#include "runtime/cmd/run.h"
#include "runtime/command.h"
#include "util/cleanup.h"

struct options {
	const char *root;
	const char *cwd;
	const char *user;
	struct string_list env;
};

#define AT(name) offsetof(struct options, name)

static const struct option_row rows[] = {
	{ "root", NULL, OPTION_STRING, AT(root),
	  "the directory that is the root of the command's files", "/" },
	{ "cwd", NULL, OPTION_STRING, AT(cwd),
	  "the command's working directory (default: the current one, or / with --root)" },
	{ "env", "e", OPTION_STRINGS, AT(env), "set environment variables" },
	{ "user", "u", OPTION_STRING, AT(user), "UID (format: <uid>[:<gid>])" },
};

static void spec_cleanup(struct spec **spec)
{
	spec_free(*spec);
}

static int out_of_memory(struct error **err)
{
	return error_set(err, -ENOMEM, "out of memory");
}

static int replace(char **text, const char *with)
{
	free(*text);
	*text = with ? strdup(with) : NULL;
	return *text ? 0 : -ENOMEM;
}

static int give_all_capabilities(struct spec_capabilities *caps)
{
	struct string_list *const sets[] = { &caps->bounding, &caps->effective, &caps->permitted };
	int ret = 0;

	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		string_list_free(sets[i]);
		for (unsigned c = 0; ret == 0 && c < OCI_CAPABILITY_COUNT; c++)
			ret = string_list_add(sets[i], oci_capability_name(c));
	}
	return ret;
}

static int copy_environment(struct string_list *env, const struct string_list *more)
{
	int ret = 0;

	string_list_free(env);
	for (char **e = environ; ret == 0 && *e; e++)
		ret = string_list_add(env, *e);
	return ret == 0 ? string_list_append(env, more) : ret;
}

static int set_process(struct spec_process *p, const struct options *o, char **argv,
		       struct error **err)
{
	bool whole = !strcmp(o->root, "/");
	AUTO_FREE char *here = whole && !o->cwd ? getcwd(NULL, 0) : NULL;
	int ret = replace(&p->cwd, o->cwd ? o->cwd : here ? here : "/");

	string_list_free(&p->args);
	for (; ret == 0 && *argv; argv++)
		ret = string_list_add(&p->args, *argv);
	if (ret == 0)
		ret = copy_environment(&p->env, &o->env);
	if (ret == 0)
		ret = give_all_capabilities(p->capabilities);
	if (ret < 0)
		return out_of_memory(err);
	p->terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && isatty(STDERR_FILENO);
	p->no_new_privileges = false;
	/* The caller's own limits. */
	for (size_t i = 0; i < p->rlimits.count; i++)
		free(p->rlimits.items[i].type);
	p->rlimits.count = 0;
	return o->user ? exec_set_user(&p->user, o->user, err) : 0;
}

static int set_spec(struct spec *spec, const struct options *o, char **argv, struct error **err)
{
	AUTO_FREE char *root = realpath(o->root, NULL);
	char name[65] = "moat";

	if (!root)
		return error_set_errno(err, -errno, "--root %s", o->root);
	if (gethostname(name, sizeof(name) - 1) < 0)
		return error_set_errno(err, -errno, "gethostname");
	if (replace(&spec->root->path, root) < 0 || replace(&spec->hostname, name) < 0)
		return out_of_memory(err);
	spec->root->readonly = false;
	return set_process(spec->process, o, argv, err);
}

/* What `moat spec` writes, changed. */
static int make_config(const struct options *o, char **argv, char **out, struct error **err)
{
	AUTO_FREE char *text = spec_default_json(geteuid() != 0, geteuid(), getegid());
	CLEANUP(spec_cleanup) struct spec *spec = NULL;
	struct json_writer w;

	if (!text)
		return out_of_memory(err);
	if (spec_parse(text, strlen(text), "config.json", &spec, err) < 0 ||
	    set_spec(spec, o, argv, err) < 0)
		return error_code(*err);
	json_writer_init(&w, NULL);
	json_write_object(&w, &spec_type, spec);
	*out = json_writer_finish(&w);
	return *out ? 0 : out_of_memory(err);
}

static int make_id(char *id, size_t size, struct error **err)
{
	uint64_t number;

	if (getrandom(&number, sizeof(number), 0) != sizeof(number))
		return error_set_errno(err, -errno, "getrandom");
	snprintf(id, size, "do-%d-%016lx", getpid(), (unsigned long)number);
	return 0;
}

static int run(const struct globals *globals, void *options, int argc, char **argv,
	       struct error **err)
{
	const struct options *o = options;
	AUTO_FREE char *config = NULL;
	struct run_options run = { 0 };
	char id[64];
	int status;

	(void)argc;
	if (strcmp(globals->overlay, "memory") != 0)
		return error_set(err, -EINVAL, "moat do: --overlay=%s would change the host's files",
				 globals->overlay);
	if (make_config(o, argv, &config, err) < 0 || make_id(id, sizeof(id), err) < 0)
		return error_code(*err);
	run.create.config = config;
	run.create.throw_away = true;
	status = run_container(globals, &run, id, err);
	return status < 0 ? error_wrap(err, "moat do failed") : status;
}

const struct command command_do = {
	.name = "do",
	.summary = "run a command of the host in a sandbox that is thrown away",
	.usage = "<command> [arguments...]",
	.description =
		"   The command sees the host's files, and changes a copy of them in memory that is gone\n"
		"when it ends. It has the caller's environment and working directory, a loopback\n"
		"interface, and the processes of its sandbox alone.",
	.options = OPTION_TABLE(rows),
	.options_size = sizeof(struct options),
	.arguments_min = 1,
	.arguments_max = ARGUMENTS_ANY,
	.failure_status = 1,
	.keep_order = true,
	.run = run,
};
