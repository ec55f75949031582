/* SPDX-License-Identifier: Apache-2.0 */
/* The file system: its root directory and the ptmx node.  Names come and go in devpts_node.c. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/fs.h"
#include "sentry/cred/credentials.h"
#include "sentry/fs/devpts/devpts_private.h"
#include "sentry/fs/tty/tty.h"
#include "sentry/kernel/task.h"
#include "sentry/vfs/dir_emit.h"
#include "sentry/vfs/fs_config.h"
#include "util/cleanup.h"
#include "util/parse.h"

#define PTMX_MAJOR 5
#define PTMX_MINOR 2

static struct devpts *devpts_of(const struct inode *inode)
{
	return inode->sb->private_data;
}

int devpts_setattr(struct inode *inode, const struct setattr *attr)
{
	if (attr->mask & SETATTR_SIZE)
		return -EINVAL;
	inode_attr_apply(inode, attr);
	return 0;
}

/* --- the root directory ------------------------------------------------------------------- */

/* The number that @name is in its one spelling. */
static bool parse_name(const char *name, uint32_t *index)
{
	return (name[0] != '0' || !name[1]) && parse_u32(name, index) == 0;
}

static struct inode *node_locked(struct devpts *d, const char *name)
{
	uint32_t index;

	if (!parse_name(name, &index) || index >= d->slot_count || !d->slots[index].pty)
		return NULL;
	return d->slots[index].pty->inode;
}

static void own_by_root(struct inode *inode, const struct super_block *sb)
{
	uint32_t uid = uid_to_kernel(sb->user_ns, 0);
	uint32_t gid = gid_to_kernel(sb->user_ns, 0);

	inode->attr.uid = uid == ID_INVALID ? 0 : uid;
	inode->attr.gid = gid == ID_INVALID ? 0 : gid;
}

static int ptmx_inode(struct devpts *d, struct inode **out)
{
	static const struct inode_ops ptmx_ops = { .setattr = devpts_setattr };
	int rc = inode_new(d->sb, &ptmx_ops, DEVPTS_PTMX_INO, LINUX_S_IFCHR | d->options.ptmx_mode,
			   out);

	if (!rc) {
		(*out)->attr.rdev = linux_makedev(PTMX_MAJOR, PTMX_MINOR);
		own_by_root(*out, d->sb);
	}
	return rc;
}

static int root_lookup(struct inode *dir, const char *name, struct inode **out)
{
	struct devpts *d = devpts_of(dir);
	struct inode *inode;

	if (!strcmp(name, "ptmx"))
		return ptmx_inode(d, out);
	mutex_lock(&d->lock);
	inode = node_locked(d, name);
	if (inode)
		*out = inode_get(inode);
	mutex_unlock(&d->lock);
	return inode ? 0 : -ENOENT;
}

static int root_revalidate(struct inode *dir, const char *name, struct inode *inode)
{
	struct devpts *d = devpts_of(dir);
	bool same;

	if (!strcmp(name, "ptmx"))
		return 1;
	mutex_lock(&d->lock);
	same = node_locked(d, name) == inode;
	mutex_unlock(&d->lock);
	return same;
}

static int root_create(struct inode *dir, const char *name, const struct inode_create *how,
		       struct inode **out)
{
	return (how->mode & LINUX_S_IFMT) == LINUX_S_IFREG ? -EACCES : -EPERM;
}

static bool has_name(struct devpts *d, uint32_t index, bool *end)
{
	bool named;

	mutex_lock(&d->lock);
	*end = index >= d->slot_count;
	named = !*end && d->slots[index].pty;
	mutex_unlock(&d->lock);
	return named;
}

static int root_iterate(struct file *file, struct dir_context *ctx)
{
	struct devpts *d = devpts_of(file->inode);
	bool end = false;

	if (!dir_emit_dots(file, ctx))
		return 0;
	if (ctx->pos == DIR_EMIT_FIRST &&
	    !dir_emit(ctx, "ptmx", 4, DIR_EMIT_FIRST + 1, DEVPTS_PTMX_INO, LINUX_DT(LINUX_S_IFCHR)))
		return 0;
	while (!end) {
		uint32_t index = (uint32_t)(ctx->pos - DIR_EMIT_FIRST - 1);
		char name[16];
		int size = snprintf(name, sizeof(name), "%u", index);

		if (!has_name(d, index, &end)) {
			ctx->pos += !end;
			continue;
		}
		if (!dir_emit(ctx, name, (size_t)size, ctx->pos + 1, DEVPTS_FIRST_INO + index,
			      LINUX_DT(LINUX_S_IFCHR)))
			break;
	}
	return 0;
}

static const struct file_ops root_file_ops = {
	.llseek = vfs_llseek_cookie,
	.iterate = root_iterate,
};

static int root_open(struct inode *inode, struct file *file)
{
	file->ops = &root_file_ops;
	return 0;
}

static const struct inode_ops root_ops = {
	.lookup = root_lookup,
	.revalidate = root_revalidate,
	.create = root_create,
	.setattr = devpts_setattr,
	.open = root_open,
};

/* --- super blocks ----------------------------------------------------------------------------- */

static void devpts_show_options(struct super_block *sb, char *buf, size_t size)
{
	struct devpts *d = sb->private_data;
	struct devpts_options options;

	mutex_lock(&d->lock);
	options = d->options;
	mutex_unlock(&d->lock);
	devpts_format_options(&options, buf, size);
}

/* For pairs to come; the ptmx node keeps its mode until it is looked up anew. */
static int devpts_reconfigure(struct fs_config *c)
{
	struct devpts *d = c->sb->private_data;
	const struct devpts_options *options = c->options;

	mutex_lock(&d->lock);
	d->options = *options;
	mutex_unlock(&d->lock);
	return 0;
}

static void devpts_destroy(struct super_block *sb)
{
	struct devpts *d = sb->private_data;

	mutex_destroy(&d->lock);
	free(d->slots);
	free(d);
}

static const struct super_block_ops devpts_super_ops = {
	.show_options = devpts_show_options,
	.destroy = devpts_destroy,
};

static int set_root(struct super_block *sb)
{
	struct inode *inode;
	int rc = inode_new(sb, &root_ops, DEVPTS_ROOT_INO, LINUX_S_IFDIR | 0755, &inode);

	if (rc < 0)
		return rc;
	inode->attr.nlink = 2;
	own_by_root(inode, sb);
	return super_block_set_root(sb, inode);
}

static int devpts_create(struct fs_config *c, struct super_block **out)
{
	const struct devpts_options *options = c->options;
	struct devpts *d = calloc(1, sizeof(*d));
	struct super_block *sb;
	int rc = d ? super_block_new(&devpts_super_ops, "devpts", DEVPTS_MAGIC, c->user_ns, &sb) : -ENOMEM;

	if (rc) {
		free(d);
		return rc;
	}
	d->options = *options;
	mutex_init(&d->lock, LOCK_RANK_FS_PRIVATE);
	d->sb = sb;
	sb->private_data = d;
	sb->revalidate = true;
	rc = set_root(sb);
	if (rc < 0) {
		super_block_put(sb);
		return rc;
	}
	*out = sb;
	return 0;
}

static const struct file_system_type devpts_type = {
	.name = "devpts",
	.user_mountable = true,
	.options = devpts_option_table,
	.option_count = DEVPTS_OPTION_COUNT,
	.begin = devpts_begin,
	.set = devpts_set,
	.create = devpts_create,
	.reconfigure = devpts_reconfigure,
	.end = devpts_end,
};

int devpts_init(struct kernel *k)
{
	int rc = file_system_register(&devpts_type);

	return rc ? rc : tty_init(k);
}
