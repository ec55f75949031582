/* SPDX-License-Identifier: Apache-2.0 */
/* See tree_fs.h.  The tree does not change once mounted, so it has no lock. */
#include "sentry/fs/sysfs/tree_fs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/fs.h"
#include "sentry/mm/usercopy.h"
#include "sentry/vfs/dir_emit.h"
#include "sentry/vfs/vfs.h"
#include "util/checked.h"
#include "util/strbuf.h"

struct tree_node {
	struct list_node siblings, children;
	struct tree_node *root;
	char *name, *text; /* owned; text: contents or target */
	uint32_t mode;
	uint64_t rdev, ino;
	tree_show_fn show;
	bool mount_point;
	/* of the root only */
	bool failed;
	uint64_t next_ino;
	char *options; /* owned or NULL */
};

static const struct inode_ops tree_dir_ops, tree_file_ops, tree_link_ops, tree_device_ops;

/* --- building ------------------------------------------------------------------------- */

static struct tree_node *node_new(struct tree_node *parent, const char *name, uint32_t mode,
				  const char *text)
{
	struct tree_node *n = calloc(1, sizeof(*n));

	if (n) {
		n->name = strdup(name);
		n->text = text ? strdup(text) : NULL;
	}
	if (!n || !n->name || (text && !n->text)) {
		if (n) {
			free(n->name);
			free(n->text);
		}
		free(n);
		if (parent)
			parent->root->failed = true;
		return NULL;
	}
	n->mode = mode;
	list_init(&n->children);
	n->root = parent ? parent->root : n;
	n->ino = ++n->root->next_ino;
	if (parent)
		list_add_tail(&parent->children, &n->siblings);
	return n;
}

struct tree_node *tree_new(uint32_t root_mode)
{
	return node_new(NULL, "", LINUX_S_IFDIR | root_mode, NULL);
}

void tree_free(struct tree_node *n)
{
	struct tree_node *child;

	if (!n)
		return;
	while ((child = list_first(&n->children, struct tree_node, siblings))) {
		list_remove(&child->siblings);
		tree_free(child);
	}
	free(n->name);
	free(n->text);
	free(n->options);
	free(n);
}

struct tree_node *tree_dir(struct tree_node *parent, const char *name)
{
	return parent ? node_new(parent, name, LINUX_S_IFDIR | 0755, NULL) : NULL;
}

struct tree_node *tree_mount_point(struct tree_node *parent, const char *name)
{
	struct tree_node *n = tree_dir(parent, name);

	if (n)
		n->mount_point = true;
	return n;
}

struct tree_node *tree_text(struct tree_node *parent, const char *name, uint32_t mode,
			    const char *text)
{
	return parent ? node_new(parent, name, LINUX_S_IFREG | mode, text) : NULL;
}

struct tree_node *tree_file(struct tree_node *parent, const char *name, uint32_t mode,
			    tree_show_fn show)
{
	struct tree_node *n = parent ? node_new(parent, name, LINUX_S_IFREG | mode, NULL) : NULL;

	if (n)
		n->show = show;
	return n;
}

struct tree_node *tree_link(struct tree_node *parent, const char *name, const char *target)
{
	return parent ? node_new(parent, name, LINUX_S_IFLNK | 0777, target) : NULL;
}

struct tree_node *tree_device(struct tree_node *parent, const char *name, uint32_t mode,
			      uint64_t rdev)
{
	struct tree_node *n = parent ? node_new(parent, name, mode, NULL) : NULL;

	if (n)
		n->rdev = rdev;
	return n;
}

/* --- files ------------------------------------------------------------------------------ */

static ssize_t tree_read(struct file *file, struct io_iter *to, uint64_t *pos)
{
	const struct tree_node *n = file->inode->private_data;
	AUTO_STRBUF struct strbuf buf = STRBUF_INIT;
	ssize_t done;

	if (n->show)
		n->show(&buf);
	else
		strbuf_add(&buf, n->text);
	if (buf.failed)
		return -ENOMEM;
	if (*pos >= buf.length || !to->count)
		return 0;
	done = io_iter_copy_to(to, buf.data + *pos, MIN(to->count, buf.length - *pos));
	if (done > 0)
		*pos += (uint64_t)done;
	return done;
}

/* Nothing can be changed from inside. */
static ssize_t tree_write(struct file *file, struct io_iter *from, uint64_t *pos)
{
	return -EPERM;
}

static int64_t tree_llseek(struct file *file, int64_t offset, int whence)
{
	return vfs_llseek_size(file, offset, whence, file->inode->attr.size, INT32_MAX);
}

static const struct file_ops tree_text_file_ops = {
	.read = tree_read,
	.write = tree_write,
	.llseek = tree_llseek,
	.unlocked_position = true,
	.no_pwrite = true,
};

static int tree_file_open(struct inode *inode, struct file *file)
{
	file->ops = &tree_text_file_ops;
	return 0;
}

static int tree_readlink(struct inode *inode, char **out)
{
	const struct tree_node *n = inode->private_data;

	*out = strdup(n->text);
	return *out ? 0 : -ENOMEM;
}

static int tree_setattr(struct inode *inode, const struct setattr *attr)
{
	return attr->mask & (SETATTR_MODE | SETATTR_UID | SETATTR_GID) ? -EPERM : 0;
}

/* --- directories ---------------------------------------------------------------------------- */

static const struct inode_ops *ops_of(uint32_t mode)
{
	switch (mode & LINUX_S_IFMT) {
	case LINUX_S_IFDIR:
		return &tree_dir_ops;
	case LINUX_S_IFLNK:
		return &tree_link_ops;
	case LINUX_S_IFREG:
		return &tree_file_ops;
	default:
		return &tree_device_ops;
	}
}

static int tree_inode(struct super_block *sb, struct tree_node *n, struct inode **out)
{
	const struct tree_node *child;
	int rc = inode_new(sb, ops_of(n->mode), n->ino, n->mode, out);

	if (rc < 0)
		return rc;
	(*out)->private_data = n;
	(*out)->attr.rdev = n->rdev;
	(*out)->mount_point = n->mount_point;
	if ((n->mode & LINUX_S_IFMT) == LINUX_S_IFREG)
		(*out)->attr.size = GUEST_PAGE_SIZE;
	if ((n->mode & LINUX_S_IFMT) == LINUX_S_IFDIR) {
		(*out)->attr.nlink = 2;
		list_for_each(child, &n->children, siblings)
			(*out)->attr.nlink += (child->mode & LINUX_S_IFMT) == LINUX_S_IFDIR;
	}
	return 0;
}

static int tree_lookup(struct inode *dir, const char *name, struct inode **out)
{
	struct tree_node *n = dir->private_data, *child;

	list_for_each(child, &n->children, siblings) {
		if (!strcmp(child->name, name))
			return tree_inode(dir->sb, child, out);
	}
	return -ENOENT;
}

static int tree_create(struct inode *dir, const char *name, const struct inode_create *how,
		       struct inode **out)
{
	return (how->mode & LINUX_S_IFMT) == LINUX_S_IFREG ? -EACCES : -EPERM;
}

static int tree_iterate(struct file *file, struct dir_context *ctx)
{
	struct tree_node *n = file->inode->private_data;
	const struct tree_node *child;
	uint64_t cookie = DIR_EMIT_FIRST;

	if (!dir_emit_dots(file, ctx))
		return 0;
	list_for_each(child, &n->children, siblings) {
		if (cookie++ < ctx->pos)
			continue;
		if (!dir_emit(ctx, child->name, strlen(child->name), cookie, child->ino,
			      LINUX_DT(child->mode)))
			break;
	}
	return 0;
}

static const struct file_ops tree_dir_file_ops = {
	.llseek = vfs_llseek_cookie,
	.iterate = tree_iterate,
};

static int tree_dir_open(struct inode *inode, struct file *file)
{
	file->ops = &tree_dir_file_ops;
	return 0;
}

static const struct inode_ops tree_dir_ops = {
	.lookup = tree_lookup, .create = tree_create, .setattr = tree_setattr, .open = tree_dir_open,
};
static const struct inode_ops tree_file_ops = { .setattr = tree_setattr, .open = tree_file_open };
static const struct inode_ops tree_link_ops = { .setattr = tree_setattr, .readlink = tree_readlink };

/* The drivers' own open is all there is. */
static const struct inode_ops tree_device_ops = { .setattr = tree_setattr };

/* --- super blocks ------------------------------------------------------------------------------ */

static void tree_show_options(struct super_block *sb, char *buf, size_t size)
{
	const struct tree_node *root = sb->private_data;

	snprintf(buf, size, "%s", root->options ? root->options : "");
}

static void tree_destroy(struct super_block *sb)
{
	tree_free(sb->private_data);
}

static const struct super_block_ops tree_super_ops = {
	.show_options = tree_show_options,
	.destroy = tree_destroy,
};

int tree_fs_finish(struct tree_node *root, const struct tree_fs_config *config,
		   struct super_block **out)
{
	struct super_block *sb;
	struct inode *inode;
	int rc = !root || root->failed ? -ENOMEM : 0;

	if (rc == 0)
		rc = super_block_new(&tree_super_ops, config->type, config->magic, config->user_ns,
				     &sb);
	if (rc < 0) {
		tree_free(root);
		return rc;
	}
	root->options = config->options ? strdup(config->options) : NULL;
	sb->private_data = root;
	sb->next_ino = root->next_ino + 1;
	rc = tree_inode(sb, root, &inode);
	if (rc == 0)
		rc = super_block_set_root(sb, inode);
	if (rc < 0) {
		super_block_put(sb);
		return rc;
	}
	*out = sb;
	return 0;
}
