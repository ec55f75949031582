/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Volumes: host trees that several gofer file systems of the sandbox serve, each by a gofer and with
 * options of its own.  Their data and names are the host's and so the same; what a kernel keeps beside
 * (pipes, sockets, locks, leases, watches, futexes) hangs on anchors (inode_anchor), one for each host
 * file of a volume.
 *
 * Which volume a file system serves is said by the command line, which looked at the directory itself.
 * A gofer says which of its volume's files an inode is: one that lies reaches what was shared with it.
 */
#pragma once

#include <stdint.h>

#include "util/compiler.h"

struct gofer_attr;
struct inode;
struct super_block;
struct user_namespace;

/* The host's numbers of the directory or file at the top; dev as in struct gofer_attr. */
struct gofer_volume_id {
	uint64_t dev, ino;
};

/* The super block of the volume's anchors, made if there is none: a reference.  Its dev is the volume's. */
int gofer_volume_get(const struct gofer_volume_id *id, struct user_namespace *user_ns,
		     struct super_block **out) MUST_CHECK;
/* The anchor of the host's file of @attr in @volume: a reference. */
int gofer_volume_anchor(struct super_block *volume, const struct gofer_attr *attr,
			struct inode **out) MUST_CHECK;
/* The host's file of @anchor is gone and its number may come again.  NULL is a no-op. */
void gofer_volume_forget(struct inode *anchor);
/* For tests: how many there are. */
uint32_t gofer_volume_count(void);
