/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a file system shows all of itself in a mount namespace already, so that one more mount of its type
 * reveals nothing (Linux's mnt_already_visible).  Only what is locked hides something: the rest may be umounted
 * by whoever asks.
 */
#include "config.h"

#include <string.h>

#include "sentry/cred/user_namespace.h"
#include "sentry/vfs/mount_tree.h"

static bool hides(const struct mount *child)
{
	return child->locked && !child->mountpoint->inode->mount_point;
}

static bool is_covered(const struct mount *m)
{
	const struct mount *child;

	list_for_each(child, &m->children, siblings) {
		if (hides(child))
			return true;
	}
	return false;
}

/* What of read-only and access times a new mount must have like @m. */
static uint32_t binding(const struct mount *m)
{
	uint32_t flags = m->locked_flags & (MOUNT_READONLY | MOUNT_ATIME_MASK);

	return m->sb->read_only ? flags | MOUNT_READONLY : flags;
}

static bool is_shown_locked(const struct mount_namespace *ns, const struct super_block *sb, uint32_t flags,
			    uint32_t *kept)
{
	const struct mount *m;

	list_for_each(m, &ns->mounts, in_namespace) {
		uint32_t has = m->sb->read_only ? m->flags | MOUNT_READONLY : m->flags;

		if (strcmp(m->sb->fs_type, sb->fs_type) != 0 || m->root != m->sb->root)
			continue;
		if ((has ^ flags) & binding(m) || is_covered(m))
			continue;
		*kept = binding(m);
		return true;
	}
	return false;
}

bool mount_is_shown(const struct mount_namespace *ns, const struct super_block *sb, uint32_t flags,
		    uint32_t *locked_flags)
{
	bool shown;

	if (!ns->user_ns->parent)
		return true;
	mount_tree_read_lock();
	shown = is_shown_locked(ns, sb, flags, locked_flags);
	mount_tree_read_unlock();
	return shown;
}
