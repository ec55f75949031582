/* SPDX-License-Identifier: Apache-2.0 */
/* What runc refuses to mount in /proc. */
#pragma once

#include "sentry/boot/sandbox.h"

/*
 * A bind mount at @destination: -EPERM, *why is set, if by its text it is in /proc and not at one of the
 * files that lxcfs stands in for.  /proc itself is the command line's to check, which knows the source.
 */
int boot_check_proc_bind(const char *destination, struct boot_failure *why) MUST_CHECK;
/* The same for where it leads to. */
int boot_check_proc_target(struct sandbox_container *c, const struct path *at,
			   struct boot_failure *why) MUST_CHECK;
/* proc or sysfs at @destination: -ENOTDIR, *why is set, if something is there that is no directory, or a link. */
int boot_check_ordinary(struct sandbox_container *c, const char *type, const char *destination,
			struct boot_failure *why) MUST_CHECK;
