/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making and removing names.  The VFS holds the overlay directory's lock.  Where
 * the lower has the name, an upper object takes the whiteout's place, and a
 * whiteout takes the upper object's, by one rename under the upper directory's
 * lock: never is the lower's entry uncovered for a moment, nor after a failure.
 */
#include "config.h"

#include <errno.h>

#include "sentry/abi/fs.h"
#include "sentry/fs/overlay/overlay_dir.h"
#include "sentry/fs/overlay/overlay_private.h"

static bool is_directory(const struct inode *inode)
{
	return inode_type(inode) == LINUX_S_IFDIR;
}

int overlay_install_locked(struct inode *dir, struct inode *fresh, const char *name)
{
	struct inode *there = NULL;
	int rc = dir->ops->lookup(dir, name, &there);

	if (rc < 0 && rc != -ENOENT)
		return rc;
	rc = dir->ops->rename(dir, OVERLAY_TEMPORARY, fresh, dir, name, there, 0);
	inode_put(there);
	return rc;
}

/* --- making -------------------------------------------------------------------------- */

/* Removes the temporary name after a failure. */
static void undo_temporary_locked(struct inode *dir, struct inode *fresh)
{
	if (is_directory(fresh))
		(void)!dir->ops->rmdir(dir, OVERLAY_TEMPORARY, fresh);
	else
		(void)!dir->ops->unlink(dir, OVERLAY_TEMPORARY, fresh);
}

/* Makes or links (@link_to) @name in the upper directory; what the lower has there is covered. */
static int make_locked(struct inode *dir, const char *name, const struct inode_create *how,
		       struct inode *link_to, bool covers, struct inode **out)
{
	struct inode *fresh = link_to;
	int rc;

	if (link_to)
		rc = dir->ops->link(dir, OVERLAY_TEMPORARY, link_to);
	else
		rc = dir->ops->create(dir, OVERLAY_TEMPORARY, how, &fresh);
	if (rc < 0)
		return rc;
	if (covers && is_directory(fresh))
		rc = overlay_set_opaque(fresh);
	if (rc == 0)
		rc = overlay_install_locked(dir, fresh, name);
	if (rc < 0) {
		undo_temporary_locked(dir, fresh);
		if (!link_to)
			inode_put(fresh);
		return rc;
	}
	if (!link_to)
		*out = fresh;
	return 0;
}

static int make(struct inode *dir, const char *name, const struct inode_create *how,
		struct inode *link_to, struct inode **out)
{
	struct inode *upper_dir;
	int rc = overlay_copy_up(dir, true), covers;

	if (rc < 0)
		return rc;
	covers = overlay_lower_has(dir, name);
	if (covers < 0)
		return covers;
	upper_dir = overlay_upper(dir);
	mutex_lock(&upper_dir->lock);
	rc = make_locked(upper_dir, name, how, link_to, covers, out);
	mutex_unlock(&upper_dir->lock);
	return rc < 0 ? rc : overlay_refresh(dir);
}

int overlay_create(struct inode *dir, const char *name, const struct inode_create *how,
		   struct inode **out)
{
	struct inode *upper = NULL;
	int rc;

	if ((how->mode & LINUX_S_IFMT) == LINUX_S_IFCHR && how->rdev == 0)
		return -EPERM;
	rc = make(dir, name, how, NULL, &upper);
	if (rc < 0)
		return rc;
	if (is_directory(upper))
		overlay_change_links(dir, 1);
	return overlay_inode_get(dir->sb, upper, NULL, dir, name, out);
}

int overlay_tmpfile(struct inode *dir, const struct inode_create *how, struct inode **out)
{
	struct inode *upper_dir, *upper = NULL;
	int rc = overlay_copy_up(dir, true);

	if (rc < 0)
		return rc;
	upper_dir = overlay_upper(dir);
	mutex_lock(&upper_dir->lock);
	rc = upper_dir->ops->tmpfile(upper_dir, how, &upper);
	mutex_unlock(&upper_dir->lock);
	return rc < 0 ? rc : overlay_inode_get(dir->sb, upper, NULL, dir, NULL, out);
}

int overlay_link(struct inode *dir, const char *name, struct inode *target)
{
	struct inode *unused = NULL;
	int rc = overlay_copy_up(target, true);

	if (rc == 0)
		rc = make(dir, name, NULL, overlay_upper(target), &unused);
	return rc < 0 ? rc : overlay_refresh(target);
}

/* --- removing -------------------------------------------------------------------------- */

void overlay_set_unlinked(struct inode *inode)
{
	struct overlay_node *node = overlay_node(inode);

	mutex_lock(&node->copy_up_lock);
	node->unlinked = true;
	mutex_unlock(&node->copy_up_lock);
}

/* A whiteout in the place of @name, which may or may not have an upper. */
static int whiteout_locked(struct inode *dir, const char *name)
{
	static const struct inode_create how = { .mode = LINUX_S_IFCHR };
	struct inode *whiteout;
	int rc = dir->ops->create(dir, OVERLAY_TEMPORARY, &how, &whiteout);

	if (rc < 0)
		return rc;
	rc = overlay_install_locked(dir, whiteout, name);
	if (rc < 0)
		undo_temporary_locked(dir, whiteout);
	inode_put(whiteout);
	return rc;
}

static int remove_locked(struct inode *dir, const char *name, struct inode *upper, bool covers)
{
	if (covers)
		return whiteout_locked(dir, name);
	if (is_directory(upper))
		return dir->ops->rmdir(dir, name, upper);
	return dir->ops->unlink(dir, name, upper);
}

static int remove_name(struct inode *dir, const char *name, struct inode *target)
{
	struct inode *upper_dir;
	int rc = overlay_copy_up(dir, true), covers;

	if (rc < 0)
		return rc;
	covers = overlay_lower_has(dir, name);
	if (covers < 0)
		return covers;
	overlay_set_unlinked(target); /* from here on a copy-up makes no name */
	upper_dir = overlay_upper(dir);
	mutex_lock(&upper_dir->lock);
	rc = remove_locked(upper_dir, name, overlay_upper(target), covers);
	mutex_unlock(&upper_dir->lock);
	if (rc < 0) {
		struct overlay_node *node = overlay_node(target);

		mutex_lock(&node->copy_up_lock);
		node->unlinked = false;
		mutex_unlock(&node->copy_up_lock);
		return rc;
	}
	rc = overlay_refresh(target);
	return rc < 0 ? rc : overlay_refresh(dir);
}

int overlay_unlink(struct inode *dir, const char *name, struct inode *target)
{
	return remove_name(dir, name, target);
}

/* The whiteouts go one by one; what is left after a failure still hides the lower's entries. */
static int drop_whiteouts(struct inode *upper, const struct overlay_listing *l)
{
	int rc = 0;

	mutex_lock(&upper->lock);
	for (const struct overlay_entry *e = l->first; e && rc == 0; e = e->next) {
		struct inode *whiteout = NULL;

		if (!e->whiteout)
			continue;
		rc = upper->ops->lookup(upper, e->name, &whiteout);
		if (rc == 0)
			rc = upper->ops->unlink(upper, e->name, whiteout);
		inode_put(whiteout);
	}
	mutex_unlock(&upper->lock);
	return rc;
}

int overlay_make_empty(struct inode *dir)
{
	struct inode *upper = overlay_upper(dir);
	struct overlay_listing *l;
	int rc = overlay_list(dir, &l);

	if (rc < 0)
		return rc;
	for (const struct overlay_entry *e = l->first; e && rc == 0; e = e->next)
		rc = e->whiteout ? 0 : -ENOTEMPTY;
	/* first it must stop to let the lower's entries show through */
	if (rc == 0 && upper && overlay_node(dir)->lower)
		rc = overlay_set_opaque(upper);
	if (rc == 0 && upper)
		rc = drop_whiteouts(upper, l);
	overlay_listing_free(l);
	return rc;
}

int overlay_rmdir(struct inode *dir, const char *name, struct inode *target)
{
	int rc = overlay_make_empty(target);

	if (rc == 0)
		rc = remove_name(dir, name, target);
	if (rc == 0)
		overlay_change_links(dir, -1);
	return rc;
}
