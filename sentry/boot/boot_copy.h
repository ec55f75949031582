/* SPDX-License-Identifier: Apache-2.0 */
/* tmpcopyup: a new file system begins with what it will hide. */
#pragma once

#include "sentry/boot/sandbox.h"

/*
 * Copies what is below the directory @from into the root of @to, which nobody can reach yet: files,
 * directories, links, devices and FIFOs with owners and modes, as the container's root.  Mounts below
 * @from are not looked into.  -EPERM for what that root may not make, -ENOSPC, -ELOOP beyond 64 levels.
 */
int boot_copy_tree(struct sandbox_container *container, const struct path *from,
		   struct super_block *to) MUST_CHECK;
