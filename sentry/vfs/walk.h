/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Path walks, private to sentry/vfs.
 *
 * struct walk stands at a directory with the rest of the path to go.  Operations
 * on a name (create, unlink, open) stop before the last component: walk_parent()
 * leaves the directory in w->at and the component in w->name; walk_last() looks it
 * up under no lock, and the operation then locks the directory and looks again.
 */
#pragma once

#include "sentry/vfs/vfs.h"

enum walk_last_type {
	WALK_NORMAL,
	WALK_DOT,
	WALK_DOTDOT,
	WALK_ROOT, /* the path was only slashes, or ended in a magic link */
};

struct walk {
	const struct vfs_context *ctx;
	uint32_t flags;	  /* enum lookup_flags */
	struct path root; /* reference */
	struct path at;	  /* reference */
	struct path start; /* LOOKUP_BENEATH: not to be left; reference */
	const char *rest; /* what is to be walked still */
	char *buffer;	  /* owned: storage of rest after a symlink */
	unsigned links;
	enum walk_last_type last_type;
	bool trailing_slash;
	size_t name_size;
	char name[VFS_NAME_MAX + 1];
};

/* Checks @dirfd and the name's start; on failure there is nothing to end. */
int walk_begin(struct walk *w, const struct vfs_context *ctx, int dirfd, const char *name,
	       uint32_t flags) MUST_CHECK;
int walk_begin_at(struct walk *w, const struct vfs_context *ctx, const struct path *start,
		  const char *name, uint32_t flags) MUST_CHECK;
void walk_end(struct walk *w);

/* To the end: the result is in w->at. */
int walk_full(struct walk *w) MUST_CHECK;
/* To the directory of the last component. */
int walk_parent(struct walk *w) MUST_CHECK;
/* Whether the component that the walk is at is the last one. */
bool walk_is_last(const struct walk *w);
/* After walk_parent with WALK_NORMAL: the child, mounts crossed; -ENOENT if negative. */
int walk_last(struct walk *w, struct path *out) MUST_CHECK;
/* After walk_parent: goes on into the last component's symlink @link (reference is
 * taken over); then walk_parent again. */
int walk_into_link(struct walk *w, struct path *link) MUST_CHECK;
/* After walk_parent with another type than WALK_NORMAL: the place itself in w->at. */
int walk_special(struct walk *w) MUST_CHECK;

/*
 * The child of @dir with @dir->inode's lock held: through cache or file system.
 * A positive or (allow_negative) NULL dentry; @name is one component.
 */
int dir_lookup_locked(struct dentry *dir, const char *name, struct dentry **out) MUST_CHECK;
