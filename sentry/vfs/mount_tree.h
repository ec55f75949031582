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

/* The same under the lock, without a reference. */
struct mount *mount_child_locked(struct mount *m, struct dentry *d) MUST_CHECK;
/* The mount after @m of the tree @top, parents before children; NULL at its end.  Trees are as deep as
 * a guest likes: walked by this, never by recursion. */
struct mount *mount_next_locked(const struct mount *m, const struct mount *top) MUST_CHECK;
/* The one after @m and all below it. */
struct mount *mount_next_sibling_locked(const struct mount *m, const struct mount *top) MUST_CHECK;
/* @p is the root of a mount. */
bool mount_is_root(const struct path *p) MUST_CHECK;
/* @p is @root or below it, over mounts. */
bool mount_reachable_locked(const struct path *p, const struct path *root) MUST_CHECK;

/* A mount in no tree, of @root (a reference is taken). */
int mount_new(struct super_block *sb, struct dentry *root, uint32_t flags, struct mount **out) MUST_CHECK;
/* Links @m (its list reference is handed over) below @at.  Write lock held. */
void mount_attach_locked(struct mount *m, const struct path *at, struct mount_namespace *ns);
/* The same where m->parent and m->mountpoint say. */
void mount_link_locked(struct mount *m);
/* Takes @m from its place, which it goes on naming; no-op for one that is on nothing. */
void mount_unlink_locked(struct mount *m);
/* Moves @m, which has a parent, to @place in @parent. */
void mount_reparent_locked(struct mount *m, struct mount *parent, struct dentry *place);
/* Changes the place of @m, to none for NULL; the old one's references are handed out. */
struct path mount_move_locked(struct mount *m, const struct path *to) MUST_CHECK;
/* Gives every mount of the tree @top to @ns. */
void mount_adopt_tree_locked(struct mount *top, struct mount_namespace *ns);
/* Takes them out of the one they are in, to be given to another. */
void mount_disown_tree_locked(struct mount *top);
/* Room for @count more mounts, or -ENOSPC. */
int mount_namespace_reserve_locked(struct mount_namespace *ns, uint32_t count) MUST_CHECK;
/* Unlinks from parent and namespace; references to put later are queued on @dead. */
void mount_detach_locked(struct mount *m, struct list_node *dead);
/* The same for @m and everything below. */
void mount_detach_tree_locked(struct mount *m, struct list_node *dead);
/* @m leaves its namespace and its peers, and waits on @gone where it is. */
void mount_leave_locked(struct mount *m, struct list_node *gone);
/* Detaches all of @gone.  Of a @lazy umount, what is locked stays on what goes with it, unseen but by who
 * is in there, who so sees no more than before: it belongs to its parent and goes when that is freed. */
void mount_disconnect_locked(struct list_node *gone, bool lazy, struct list_node *dead);
/* Puts what the detach functions queued.  No lock held. */
void mount_put_dead(struct list_node *dead);
void mount_namespace_changed(struct mount_namespace *ns);
/* @root may be mounted on @at: only a directory on a directory, and only in a live tree. */
int mount_check_place_locked(const struct dentry *root, const struct path *at) MUST_CHECK;
/* Where a new mount goes: on top of what is there already.  Borrowed. */
struct path mount_top_locked(const struct path *at) MUST_CHECK;
/* @type: MS_SLAVE, MS_PRIVATE or MS_UNBINDABLE. */
void mount_change_propagation_locked(struct mount *m, uint64_t type);
/* @ns is @own, or a detached tree that is a copy of something in it or of nothing. */
bool mount_is_usable_locked(const struct mount *m, const struct mount_namespace *own) MUST_CHECK;
/* @m is all of a detached tree. */
bool mount_is_detached_root_locked(const struct mount *m) MUST_CHECK;
/* Of @user_ns, counted for @kuid, with nothing in it. */
int mount_namespace_new_anonymous(struct user_namespace *user_ns, uint32_t kuid, uint64_t origin,
				  struct mount_namespace **out) MUST_CHECK;
enum mount_copying {
	MOUNT_COPY_RECURSIVE = 1 << 0,	/* with what is mounted below */
	MOUNT_COPY_UNBINDABLE = 1 << 1, /* and what cannot be bound of it */
	MOUNT_COPY_SLAVE = 1 << 2,	/* of a shared mount: a slave, not a peer */
	MOUNT_COPY_SHARED = 1 << 3,	/* with peers of its own */
	MOUNT_COPY_NAMESPACES = 1 << 4, /* and the files that stand for mount namespaces */
};
/* A copy of @from with the root @root, and as @how says of its tree, in no namespace.  *out may be set
 * on failure, too: what there is, to be detached.  Lock held. */
int mount_copy_tree_locked(struct mount *from, struct dentry *root, uint32_t how,
			   struct mount **out) MUST_CHECK;
/* What a bind mount of @from is, in no namespace: where it may be made from is the caller's to check.  *out as
 * above.  Lock held. */
int mount_copy_for_bind_locked(const struct path *from, bool recursive, struct mount **out) MUST_CHECK;
/* @d is of a file system whose files can be bound though it is mounted nowhere. */
bool dentry_is_bindable(const struct dentry *d) MUST_CHECK;
/* What @root stands for, borrowed; NULL: no mount namespace. */
const struct mount_namespace *mount_namespace_behind(const struct dentry *root) MUST_CHECK;
/*
 * A mount of a file that stands for a mount namespace keeps that one, so a mount is only in namespaces that are
 * older than what it stands for: then none keeps itself.  @root must not be mounted in @ns.
 */
bool mount_namespace_would_loop(const struct mount_namespace *ns, const struct dentry *root) MUST_CHECK;
/* The same for all roots of the tree @top. */
bool mount_tree_would_loop_locked(const struct mount_namespace *ns, struct mount *top) MUST_CHECK;
/* The tree @top comes to other users: what is below stays where it is, flags stay as they are. */
void mount_lock_tree_locked(struct mount *top);
/* Something below @d in @m is hidden by what must not be left out of a copy. */
bool mount_has_locked_child_locked(const struct mount *m, struct dentry *d) MUST_CHECK;
/* Writes through @p are refused. */
bool path_is_read_only(const struct path *p);
