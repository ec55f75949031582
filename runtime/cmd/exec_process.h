/* SPDX-License-Identifier: Apache-2.0 */
/* The process of an exec: the container's own, changed by options, or one from a file. */
#pragma once

#include <stdbool.h>

#include "runtime/container/container.h"
#include "runtime/sandbox/boot_config_build.h"
#include "util/error.h"
#include "util/string_list.h"

struct exec_process_options {
	const char *file; /* process.json */
	const char *cwd;
	const char *user;
	const char *label;
	const char *apparmor;
	struct string_list env;
	struct string_list additional_gids;
	struct string_list cap;
	bool tty;
	bool no_new_privs;
};

struct exec_terminal {
	bool wanted;
	bool has_size;
	struct spec_console_size size;
};

/* The encoded process in a memfd, and what its terminal is to be like. */
int exec_process_build(const struct container *container,
		       const struct exec_process_options *options, char **args, size_t arg_count,
		       const struct boot_extra *extra, struct exec_terminal *terminal, int *fd,
		       struct error **err) MUST_CHECK;

/* --user: "uid" or "uid:gid". */
int exec_set_user(struct spec_user *user, const char *text, struct error **err) MUST_CHECK;
