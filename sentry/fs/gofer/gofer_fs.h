/* SPDX-License-Identifier: Apache-2.0 */
/* The `gofer` file system: a host tree behind a gofer connection. */
#pragma once

#include "util/compiler.h"

struct super_block;
struct user_namespace;

enum gofer_sharing {
	/* Nobody else changes the tree (the rootfs): what was learnt stays true. */
	GOFER_EXCLUSIVE,
	/* The host may change it (bind mounts): names are asked for again at each use. */
	GOFER_SHARED,
};

/*
 * Attaches to @socket (taken over, on failure too) and makes a super block whose
 * root is the attach point: a directory, or a single file.  @source is for
 * mountinfo.  Read-only attach points give a read-only super block.
 */
int gofer_fs_new(int socket, enum gofer_sharing sharing, struct user_namespace *user_ns,
		 const char *source, struct super_block **out) MUST_CHECK;
