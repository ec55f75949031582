/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Propagation, private to sentry/vfs: Linux's shared subtrees.  What is mounted on or umounted from a
 * member of a peer group is so on every other one, and on every slave of the group; not the other way.
 * Linux has a slave follow a mount, and hands it to that one's peer or master when it leaves; with
 * the group as the master the same comes by itself.
 *
 * The namespace lock (mount_tree.h) guards all of it, for writing where something changes.
 */
#pragma once

#include "sentry/vfs/vfs.h"

/* Lives as long as it has members.  All of them have the same master. */
struct peer_group {
	int id;			  /* mountinfo; does not change */
	bool fresh;		  /* made for a change that may still fail */
	struct list_node members; /* struct mount by in_group */
	struct list_node slaves;  /* struct mount by in_slaves */

	/* While something is propagated: */
	struct list_node visited;
	struct mount *copy; /* what its slaves' copies follow; borrowed */
	bool has_copy;	    /* that is a member's own, not one of a master's */
};

/* @m, which is not shared, becomes the only member of a new group. */
int mount_share_locked(struct mount *m) MUST_CHECK;
/* The same for what is not shared of @top and, with @recursive, the tree below it.  Whatever it returns,
 * mount_share_settle_locked is to say whether it stays so. */
int mount_share_tree_locked(struct mount *top, bool recursive) MUST_CHECK;
void mount_share_settle_locked(struct mount *top, bool keep);
/* @m, in no group and with no master, becomes what @of is. */
void mount_follow_locked(struct mount *m, const struct mount *of);
/* @m, with no master, becomes a slave of @group. */
void mount_enslave_locked(struct mount *m, struct peer_group *group);
/* A slave of its peers if there are any; else it stays a slave, or is private. */
void mount_make_slave_locked(struct mount *m);
/* It neither gives nor takes any more. */
void mount_make_private_locked(struct mount *m);
/* The group nearest to @m among its masters' that has a member in @ns below @root; its id, or 0. */
int mount_dominating_locked(const struct mount *m, const struct mount_namespace *ns,
			    const struct path *root) MUST_CHECK;

/*
 * What goes with mounting the tree @m on @at: the tree is shared if @at's mount is, and copies of it, one
 * for each mount to which that is propagated, are queued on @copies, seen by nobody.  On failure all is
 * as it was and what is to be put is on @dead.  -ENOSPC, -ENOMEM.
 */
int mount_propagate_locked(struct mount *m, const struct path *at, struct list_node *copies,
			   struct list_node *dead) MUST_CHECK;
/* The copies, of a mount by who is in @user_ns, go where they belong, below what is mounted there already. */
void mount_commit_copies_locked(struct list_node *copies, const struct user_namespace *user_ns);
