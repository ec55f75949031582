/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which host object a bind mount shows, and in which directories that is: containers of a sandbox
 * share what they have in common (sentry/fs/gofer/gofer_volume.h).
 */
#pragma once

#include <stdint.h>

#define VOLUME_WITHIN_MAX 64

/* All by inode numbers of the one host file system @dev, which is as in struct gofer_attr. */
struct volume_name {
	uint64_t dev, ino; /* 0: there is nothing */
	/* The directories it is in, nearest first, as far as mounts of the file system show them. */
	uint64_t within[VOLUME_WITHIN_MAX];
	uint32_t within_count;
};

/* What is at @source; of what cannot be found out nothing is said. */
void volume_name(const char *source, struct volume_name *out);
