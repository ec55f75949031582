/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Volumes: host trees that several gofer file systems of the sandbox serve, each by a gofer and with
 * options of its own.  Their data and names are the host's and so the same; what a kernel keeps beside
 * (pipes, sockets, locks, leases, watches, futexes) hangs on anchors (inode_anchor), one for each host
 * file of a volume.
 *
 * Which volume a file system serves is said by the command line, which looked at the directory itself.
 * One that is within another's belongs to the same volume: there the one file has one anchor.  Two that are
 * within a third do not know of each other until that is there: the first of them alone is then its.
 * A gofer says which of its volume's files an inode is: one that lies reaches what is kept of the volume,
 * also of what is around its own part.
 */
#pragma once

#include <stdint.h>

#include "util/compiler.h"
#include "util/list.h"

struct gofer_attr;
struct inode;
struct super_block;
struct user_namespace;

/* The host's numbers of the directory or file at the top; dev as in struct gofer_attr. */
struct gofer_volume_id {
	uint64_t dev, ino;
	const uint64_t *within; /* the directories it is in, on the same device; borrowed */
	uint32_t within_count;
};

/* A file system's part in a volume. */
struct gofer_volume_member {
	struct list_node node;	   /* of the volume's; NULL links: in none */
	struct gofer_volume_id id; /* owns within */
};

/*
 * Joins the volume to which what @id names belongs, which is made if there is none: the super block of
 * its anchors, a reference.  Its dev is the volume's.  @member is to leave before that is put.
 */
int gofer_volume_join(const struct gofer_volume_id *id, struct user_namespace *user_ns,
		      struct gofer_volume_member *member, struct super_block **out) MUST_CHECK;
/* One that has joined none is a no-op. */
void gofer_volume_leave(struct gofer_volume_member *member);
/* The anchor of the host's file of @attr in @volume: a reference. */
int gofer_volume_anchor(struct super_block *volume, const struct gofer_attr *attr,
			struct inode **out) MUST_CHECK;
/* The host's file of @anchor is gone and its number may come again.  NULL is a no-op. */
void gofer_volume_forget(struct inode *anchor);
/* For tests: how many there are. */
uint32_t gofer_volume_count(void);
