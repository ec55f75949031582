/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rename.  Everything is copied up first; then one rename in the upper, which
 * leaves a whiteout where the lower has the old name.  The overlay's rename lock
 * keeps other renames between directories out, so two upper locks may be taken
 * in any order.
 */
#include "config.h"

#include <errno.h>

#include "sentry/abi/fs.h"
#include "sentry/fs/overlay/overlay_private.h"

struct moving {
	struct inode *old_dir, *source, *new_dir, *target; /* overlay inodes; target may be NULL */
	const char *old_name, *new_name;
	bool exchange;
	bool old_covers, new_covers; /* the lower has the name */
};

static bool is_directory(const struct inode *inode)
{
	return inode_type(inode) == LINUX_S_IFDIR;
}

/* Its lower part could not follow. */
static bool is_immovable(const struct inode *inode)
{
	return is_directory(inode) && overlay_node(inode)->lower;
}

static int prepare(struct moving *m)
{
	int rc = 0;

	if (is_immovable(m->source) || (m->exchange && is_immovable(m->target)))
		return -EXDEV;
	if (m->target && !m->exchange && is_directory(m->target))
		rc = overlay_make_empty(m->target);
	if (rc == 0)
		rc = overlay_copy_up(m->old_dir, true);
	if (rc == 0)
		rc = overlay_copy_up(m->new_dir, true);
	if (rc == 0)
		rc = overlay_copy_up(m->source, true);
	if (rc == 0 && m->exchange)
		rc = overlay_copy_up(m->target, true);
	if (rc < 0)
		return rc;
	rc = overlay_lower_has(m->old_dir, m->old_name);
	if (rc < 0)
		return rc;
	m->old_covers = rc;
	rc = overlay_lower_has(m->new_dir, m->new_name);
	if (rc < 0)
		return rc;
	m->new_covers = rc;
	return 0;
}

/* Directories that come to lie over something of the lower must hide it. */
static int make_opaque(const struct moving *m)
{
	int rc = 0;

	if (m->new_covers && is_directory(m->source))
		rc = overlay_set_opaque(overlay_upper(m->source));
	if (rc == 0 && m->exchange && m->old_covers && is_directory(m->target))
		rc = overlay_set_opaque(overlay_upper(m->target));
	return rc;
}

static int rename_locked(const struct moving *m, struct inode *old_dir, struct inode *new_dir)
{
	struct inode *there = NULL;
	uint32_t flags = m->exchange ? LINUX_RENAME_EXCHANGE : m->old_covers ? LINUX_RENAME_WHITEOUT : 0;
	int rc = new_dir->ops->lookup(new_dir, m->new_name, &there);

	if (rc < 0 && rc != -ENOENT)
		return rc;
	rc = old_dir->ops->rename(old_dir, m->old_name, overlay_upper(m->source), new_dir, m->new_name,
				  there, flags);
	inode_put(there);
	return rc;
}

static int rename_upper(const struct moving *m) NO_LOCK_ANALYSIS
{
	struct inode *old_dir = overlay_upper(m->old_dir), *new_dir = overlay_upper(m->new_dir);
	int rc;

	mutex_lock(&old_dir->lock);
	if (new_dir != old_dir)
		mutex_lock_nested(&new_dir->lock);
	rc = rename_locked(m, old_dir, new_dir);
	if (new_dir != old_dir)
		mutex_unlock(&new_dir->lock);
	mutex_unlock(&old_dir->lock);
	return rc;
}

static void count_links(const struct moving *m)
{
	int source = is_directory(m->source), target = m->target && is_directory(m->target);

	if (m->exchange) {
		overlay_change_links(m->old_dir, target - source);
		overlay_change_links(m->new_dir, source - target);
		return;
	}
	if (source)
		overlay_change_links(m->old_dir, -1);
	overlay_change_links(m->new_dir, source - target);
}

int overlay_rename(struct inode *old_dir, const char *old_name, struct inode *source,
		   struct inode *new_dir, const char *new_name, struct inode *target,
		   uint32_t flags)
{
	struct moving m = { old_dir, source, new_dir, target, old_name, new_name,
			    flags & LINUX_RENAME_EXCHANGE, false, false };
	int rc;

	if (flags & LINUX_RENAME_WHITEOUT)
		return -EINVAL;
	rc = prepare(&m);
	if (rc == 0)
		rc = make_opaque(&m);
	if (rc == 0)
		rc = rename_upper(&m);
	if (rc < 0)
		return rc;
	if (target && !m.exchange)
		overlay_set_unlinked(target);
	count_links(&m);
	/* the rename is done; stale copies of attributes are no reason to say otherwise */
	(void)!overlay_refresh(old_dir);
	(void)!overlay_refresh(new_dir);
	(void)!overlay_refresh(source);
	if (target)
		(void)!overlay_refresh(target);
	return 0;
}
