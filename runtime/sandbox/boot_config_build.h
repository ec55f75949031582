/* SPDX-License-Identifier: Apache-2.0 */
/* From config.json to what the sentry is told (sentry/control/boot_config.h). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "oci/mount_option.h"
#include "oci/spec.h"
#include "runtime/command.h"
#include "util/error.h"

/* What the command line adds to config.json; @env may be NULL. */
struct boot_extra {
	unsigned fd_count; /* preserved FDs */
	const struct string_list *env;
	const struct string_list *cgroups; /* boot_process.cgroups, or NULL */
	bool exact_env; /* no HOME is added */
	const char *program; /* the file to execute, where that is not args[0]; or NULL */
	bool in_sandbox; /* of another container: network, IPC, UTS and PID namespaces are its affair */
	bool terminal_plain; /* boot_process.terminal_plain, if there is a terminal */
	bool notify; /* init gets a notify socket */
	bool unmapped; /* inside there is no user namespace, whatever config.json has for the host */
};

/* The encoded configuration in a memfd. */
int boot_config_build(const struct globals *globals, const struct spec *spec, const char *id,
		      const struct boot_extra *extra, int *fd, struct error **err) MUST_CHECK;
/* The same for the process of an exec. */
int boot_process_build(const struct spec_process *process, const struct boot_extra *extra,
		       int *fd, struct error **err) MUST_CHECK;

bool mount_is_read_only(const struct mount_flags *flags);
