/* SPDX-License-Identifier: Apache-2.0 */
/* Overlay inodes: identity, attributes, xattrs, symlinks. */
#include "config.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/fs.h"
#include "sentry/fs/overlay/overlay_dir.h"
#include "sentry/fs/overlay/overlay_private.h"
#include "sentry/vfs/attr.h"
#include "util/cleanup.h"
#include "util/hash.h"
#include "util/log.h"

/* --- identity ------------------------------------------------------------------------ */

static uint64_t table_hash(const struct inode *upper)
{
	return hash_u64((uintptr_t)upper);
}

static struct inode *table_find(struct overlay_super *os, const struct inode *upper)
{
	struct hash_node *at;
	struct inode *found = NULL;

	mutex_lock(&os->table_lock);
	hash_table_for_each_hash(at, &os->by_upper, table_hash(upper))
	{
		struct overlay_node *node = container_of(at, struct overlay_node, table_node);

		/* one that is dying is passed over */
		if (node->upper == upper && refcount_get_unless_zero(&node->inode->refs)) {
			found = node->inode;
			break;
		}
	}
	mutex_unlock(&os->table_lock);
	return found;
}

void overlay_table_add(struct overlay_node *node)
{
	struct overlay_super *os = overlay_super(node->inode->sb);

	mutex_lock(&os->table_lock);
	hash_table_insert(&os->by_upper, &node->table_node, table_hash(node->upper));
	mutex_unlock(&os->table_lock);
}

bool overlay_is_whiteout(const struct inode *inode)
{
	return inode_type(inode) == LINUX_S_IFCHR && inode->attr.rdev == 0;
}

uint64_t overlay_upper_ino(struct inode *upper)
{
	uint64_t ino;

	if (upper->ops->getxattr(upper, OVERLAY_XATTR_INO, &ino, sizeof(ino)) == (ssize_t)sizeof(ino))
		return ino;
	return OVERLAY_UPPER_INO | upper->ino;
}

static const struct inode_ops *ops_of(const struct inode *real)
{
	return inode_type(real) == LINUX_S_IFDIR ? &overlay_dir_ops : &overlay_file_inode_ops;
}

static void load_links(struct overlay_node *node, struct inode *upper)
{
	int32_t delta;

	if (upper->ops->getxattr(upper, OVERLAY_XATTR_LINKS, &delta, sizeof(delta)) == (ssize_t)sizeof(delta))
		node->link_delta = delta;
}

static int node_new(struct inode *upper, struct inode *lower, struct inode *parent, const char *name,
		    struct overlay_node **out)
{
	struct overlay_node *node = calloc(1, sizeof(*node));

	if (!node)
		return -ENOMEM;
	node->name = name ? strdup(name) : NULL;
	if (name && !node->name) {
		free(node);
		return -ENOMEM;
	}
	node->lower = lower;
	node->upper = upper;
	node->parent = parent ? inode_get(parent) : NULL;
	mutex_init(&node->copy_up_lock, LOCK_RANK_OVERLAY);
	if (upper && lower)
		load_links(node, upper);
	*out = node;
	return 0;
}

static int overlay_inode_new(struct super_block *sb, struct inode *upper, struct inode *lower,
			     struct inode *parent, const char *name, struct inode **out)
{
	struct inode *real = upper ? upper : lower, *inode;
	uint64_t ino = lower ? lower->ino : overlay_upper_ino(upper);
	struct overlay_node *node;
	int rc = inode_new(sb, ops_of(real), ino, inode_type(real), &inode);

	if (rc < 0)
		goto fail;
	rc = node_new(upper, lower, parent, name, &node);
	if (rc < 0) {
		inode->ops = NULL; /* nothing to evict yet */
		inode_put(inode);
		goto fail;
	}
	node->inode = inode;
	inode->private_data = node;
	if (upper)
		overlay_table_add(node);
	rc = overlay_refresh(inode);
	if (rc < 0) {
		inode_put(inode);
		return rc;
	}
	*out = inode;
	return 0;
fail:
	inode_put(upper);
	inode_put(lower);
	return rc;
}

int overlay_inode_get(struct super_block *sb, struct inode *upper, struct inode *lower,
		      struct inode *parent, const char *name, struct inode **out)
{
	struct inode *found = upper ? table_find(overlay_super(sb), upper) : NULL;

	ASSERT(upper || lower);
	if (!found)
		return overlay_inode_new(sb, upper, lower, parent, name, out);
	inode_put(upper);
	inode_put(lower);
	*out = found;
	return 0;
}

static void overlay_evict(struct inode *inode)
{
	struct overlay_super *os = overlay_super(inode->sb);
	struct overlay_node *node = overlay_node(inode);

	if (node->upper) {
		mutex_lock(&os->table_lock);
		hash_table_remove(&os->by_upper, &node->table_node);
		mutex_unlock(&os->table_lock);
	}
	inode_put(node->upper);
	inode_put(node->lower);
	inode_put(node->parent);
	mutex_destroy(&node->copy_up_lock);
	free(node->name);
	free(node);
}

/* --- attributes ---------------------------------------------------------------------------- */

int overlay_real_getattr(struct inode *real, struct inode_attr *out)
{
	return inode_getattr(real, out);
}

int overlay_getattr(struct inode *inode, struct inode_attr *out)
{
	struct overlay_node *node = overlay_node(inode);
	struct inode *upper = overlay_upper(inode);
	struct inode_attr lower;
	int rc = inode_getattr(upper ? upper : node->lower, out);

	if (rc < 0)
		return rc;
	if (node->unlinked && !upper && out->nlink)
		out->nlink--;
	if (upper && node->lower && inode_type(inode) == LINUX_S_IFDIR && !inode->dead) {
		rc = inode_getattr(node->lower, &lower);
		if (rc < 0)
			return rc;
		out->nlink = (uint32_t)((int32_t)lower.nlink + node->link_delta);
	}
	return 0;
}

/* The type of the mode never changes, so this may run beside readers. */
int overlay_refresh(struct inode *inode)
{
	struct inode_attr attr;
	int rc = overlay_getattr(inode, &attr);

	if (rc < 0)
		return rc;
	mutex_lock(&inode->attr_lock);
	inode->attr = attr;
	mutex_unlock(&inode->attr_lock);
	return 0;
}

void overlay_change_links(struct inode *dir, int delta)
{
	struct overlay_node *node = overlay_node(dir);
	struct inode *upper = overlay_upper(dir);
	int32_t links;

	if (!node->lower || !upper)
		return;
	links = atomic_fetch_add(&node->link_delta, delta) + delta;
	/* without memory for it the count is forgotten with the inode, no more */
	if (upper->ops->setxattr(upper, OVERLAY_XATTR_LINKS, &links, sizeof(links), 0) < 0)
		return;
}

int overlay_setattr(struct inode *inode, const struct setattr *set)
{
	bool emptied = set->mask & SETATTR_SIZE && set->size == 0;
	struct inode *upper;
	int rc = overlay_copy_up(inode, !emptied);

	if (rc < 0)
		return rc;
	upper = overlay_upper(inode);
	rc = upper->ops->setattr(upper, set);
	return rc < 0 ? rc : overlay_refresh(inode);
}

static int overlay_readlink(struct inode *inode, char **out)
{
	struct inode *real = overlay_real(inode);

	return real->ops->readlink ? real->ops->readlink(real, out) : -EINVAL;
}

/* --- xattrs ----------------------------------------------------------------------------------- */

static bool is_private(const char *name)
{
	return !strncmp(name, OVERLAY_XATTR, strlen(OVERLAY_XATTR));
}

static ssize_t overlay_getxattr(struct inode *inode, const char *name, void *value, size_t size)
{
	struct inode *real = overlay_real(inode);

	if (is_private(name))
		return -ENODATA;
	return real->ops->getxattr ? real->ops->getxattr(real, name, value, size) : -EOPNOTSUPP;
}

static int overlay_setxattr(struct inode *inode, const char *name, const void *value, size_t size, int flags)
{
	struct inode *upper;
	int rc;

	if (is_private(name))
		return -EPERM;
	rc = overlay_copy_up(inode, true);
	if (rc < 0)
		return rc;
	upper = overlay_upper(inode);
	return upper->ops->setxattr(upper, name, value, size, flags);
}

static int overlay_removexattr(struct inode *inode, const char *name)
{
	struct inode *upper;
	ssize_t rc = overlay_getxattr(inode, name, NULL, 0);

	if (rc < 0)
		return (int)rc;
	rc = overlay_copy_up(inode, true);
	if (rc < 0)
		return (int)rc;
	upper = overlay_upper(inode);
	return upper->ops->removexattr(upper, name);
}

static size_t drop_private(char *list, size_t size)
{
	size_t kept = 0;

	for (size_t at = 0; at < size;) {
		size_t name_size = strnlen(list + at, size - at) + 1;

		if (name_size > size - at)
			break;
		if (!is_private(list + at)) {
			memmove(list + kept, list + at, name_size);
			kept += name_size;
		}
		at += name_size;
	}
	return kept;
}

/* Always through a buffer of our own: sizes must not count what is hidden. */
static ssize_t overlay_listxattr(struct inode *inode, char *list, size_t size)
{
	struct inode *real = overlay_real(inode);
	AUTO_FREE char *all = NULL;
	ssize_t n;

	if (!real->ops->listxattr)
		return 0;
	n = real->ops->listxattr(real, NULL, 0);
	if (n <= 0)
		return n;
	all = malloc((size_t)n);
	if (!all)
		return -ENOMEM;
	n = real->ops->listxattr(real, all, (size_t)n);
	if (n <= 0)
		return n;
	n = (ssize_t)drop_private(all, (size_t)n);
	if (size && (size_t)n > size)
		return -ERANGE;
	if (size)
		memcpy(list, all, (size_t)n);
	return n;
}

#define COMMON_OPS                                                                 \
	.getattr = overlay_getattr, .setattr = overlay_setattr,                    \
	.getxattr = overlay_getxattr, .setxattr = overlay_setxattr,                \
	.listxattr = overlay_listxattr, .removexattr = overlay_removexattr,        \
	.evict = overlay_evict

const struct inode_ops overlay_file_inode_ops = {
	COMMON_OPS,
	.open = overlay_open,
	.readlink = overlay_readlink,
};

const struct inode_ops overlay_dir_ops = {
	COMMON_OPS,
	.lookup = overlay_lookup,
	.create = overlay_create,
	.link = overlay_link,
	.unlink = overlay_unlink,
	.rmdir = overlay_rmdir,
	.rename = overlay_rename,
	.tmpfile = overlay_tmpfile,
	.open = overlay_open_dir,
};
