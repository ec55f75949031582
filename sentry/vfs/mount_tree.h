/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The trees of mounts, private to sentry/vfs.  One reader-writer lock
 * (LOCK_RANK_MOUNT) guards parents, mountpoints, child lists and namespaces'
 * lists of every namespace; path walks take it only where something is mounted.
 * A mount in a namespace is kept by the namespace's list; a child keeps its parent.
 */
#pragma once

#include "sentry/vfs/vfs.h"

void mount_tree_read_lock(void);
void mount_tree_read_unlock(void);
void mount_tree_write_lock(void);
void mount_tree_write_unlock(void);

/* What is mounted on (@m, @d), with a reference; NULL: nothing. */
struct mount *mount_lookup_child(struct mount *m, struct dentry *d) MUST_CHECK;
/* Where @m is mounted, with references; false at the top of a tree. */
bool mount_parent(struct mount *m, struct path *out) MUST_CHECK;
/* Crosses into what is mounted on @p, repeatedly; true when it moved. */
bool path_follow_mounts(struct path *p);

/* A mount in no tree, of @root (a reference is taken). */
int mount_new(struct super_block *sb, struct dentry *root, uint32_t flags, struct mount **out) MUST_CHECK;
/* Links @m (its list reference is handed over) below @at.  Write lock held. */
void mount_attach_locked(struct mount *m, const struct path *at, struct mount_namespace *ns);
/* Unlinks from parent and namespace; references to put later are queued on @dead. */
void mount_detach_locked(struct mount *m, struct list_node *dead);
/* The same for @m and everything below. */
void mount_detach_tree_locked(struct mount *m, struct list_node *dead);
/* Puts what the detach functions queued.  No lock held. */
void mount_put_dead(struct list_node *dead);
void mount_namespace_changed(struct mount_namespace *ns);
/* Copies of @from and, with @recursive, of what is mounted below @root of it, linked to
 * each other but in no namespace.  @map, when given, is told of each pair.  Lock held. */
int mount_copy_tree_locked(struct mount *from, struct dentry *root, bool recursive,
			   struct mount **out) MUST_CHECK;
/* Writes through @p are refused. */
bool path_is_read_only(const struct path *p);
