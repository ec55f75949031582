/* SPDX-License-Identifier: Apache-2.0 */
/* Finding a name in the two layers of a directory. */
#include "config.h"

#include <errno.h>

#include "sentry/abi/fs.h"
#include "sentry/fs/overlay/overlay_private.h"

static bool is_directory(const struct inode *inode)
{
	return inode_type(inode) == LINUX_S_IFDIR;
}

int overlay_layer_lookup(struct inode *dir, const char *name, struct inode **out)
{
	int rc;

	mutex_lock(&dir->lock);
	rc = dir->ops->lookup(dir, name, out);
	mutex_unlock(&dir->lock);
	return rc;
}

static bool is_opaque(struct inode *upper)
{
	return upper->ops->getxattr(upper, OVERLAY_XATTR_OPAQUE, NULL, 0) > 0;
}

int overlay_set_opaque(struct inode *upper)
{
	return upper->ops->setxattr(upper, OVERLAY_XATTR_OPAQUE, "y", 1, 0);
}

int overlay_lower_has(struct inode *dir, const char *name)
{
	struct inode *lower = overlay_node(dir)->lower, *found = NULL;
	int rc;

	if (!lower)
		return 0;
	rc = overlay_layer_lookup(lower, name, &found);
	inode_put(found);
	return rc == 0 ? 1 : rc == -ENOENT ? 0 : rc;
}

/* An optional layer: absent is no error. */
static int optional_lookup(struct inode *dir, const char *name, struct inode **out)
{
	int rc;

	if (!dir)
		return 0;
	rc = overlay_layer_lookup(dir, name, out);
	return rc == -ENOENT ? 0 : rc;
}

int overlay_lookup(struct inode *dir, const char *name, struct inode **out)
{
	struct inode *upper = NULL, *lower = NULL;
	bool hidden;
	int rc = optional_lookup(overlay_upper(dir), name, &upper);

	if (rc < 0)
		return rc;
	/* whatever is not a directory that lets the lower one show through hides it */
	hidden = upper && (!is_directory(upper) || is_opaque(upper));
	if (!hidden)
		rc = optional_lookup(overlay_node(dir)->lower, name, &lower);
	if (rc == 0 && upper && lower && !is_directory(lower)) {
		inode_put(lower);
		lower = NULL;
	}
	if (rc == 0 && ((!upper && !lower) || (upper && overlay_is_whiteout(upper))))
		rc = -ENOENT;
	if (rc < 0) {
		inode_put(upper);
		inode_put(lower);
		return rc;
	}
	return overlay_inode_get(dir->sb, upper, lower, dir, name, out);
}
