/* SPDX-License-Identifier: Apache-2.0 */
/* The `gofer` file system: a host tree behind a gofer connection. */
#pragma once

#include "util/compiler.h"

struct gofer_volume_id;
struct super_block;
struct user_namespace;

enum gofer_sharing {
	/* Nobody else changes the tree (the rootfs): what was learnt stays true. */
	GOFER_EXCLUSIVE,
	/* The host may change it (bind mounts): names are asked for again at each use. */
	GOFER_SHARED,
	/* And it mounts and umounts there: what is on another mount than the top is kept no longer than it
	 * is used, for the host could not umount it. */
	GOFER_FOLLOWING,
};

/*
 * Attaches to @socket (taken over, on failure too) and makes a super block whose
 * root is the attach point: a directory, or a single file.  @source is for
 * mountinfo.  Read-only attach points give a read-only super block.  @volume: which volume is served
 * (gofer_volume.h), by somebody who can tell; NULL: nobody else's.
 */
int gofer_fs_new(int socket, enum gofer_sharing sharing, struct user_namespace *user_ns,
		 const char *source, const struct gofer_volume_id *volume,
		 struct super_block **out) MUST_CHECK;
/* Read-only from now on, in the gofer too and for good; before others use the file system. */
int gofer_fs_seal(struct super_block *sb) MUST_CHECK;
