/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file system: a directory of queues.  An IPC namespace has one, made when it is first
 * needed; every mount of the type in that namespace shows it.  It outlives the namespace while it is
 * mounted or a queue is open, but makes no more queues then.
 *
 * A name holds a reference on its queue; the root directory's end drops them all.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/capability.h"
#include "sentry/abi/fs.h"
#include "sentry/cred/credentials.h"
#include "sentry/fs/mqueue/mqueue_private.h"
#include "sentry/kernel/kernel.h"
#include "sentry/kernel/task.h"
#include "sentry/vfs/create.h"
#include "sentry/vfs/dir_emit.h"
#include "sentry/vfs/fs_config.h"
#include "sentry/vfs/permission.h"

static struct mqueue_fs *fs_of(const struct super_block *sb)
{
	return sb->private_data;
}

static int mqueue_setattr(struct inode *inode, const struct setattr *attr)
{
	if (attr->mask & SETATTR_SIZE) {
		mutex_lock(&inode->attr_lock);
		inode->attr.size = attr->size;
		mutex_unlock(&inode->attr_lock);
	}
	inode_attr_apply(inode, attr);
	return 0;
}

/* --- queues as inodes ---------------------------------------------------------------------- */

static void queue_evict(struct inode *inode)
{
	if (inode->private_data)
		mqueue_queue_free(fs_of(inode->sb), mqueue_of(inode));
	inode->private_data = NULL;
}

static int queue_open(struct inode *inode, struct file *file)
{
	file->ops = &mqueue_file_ops;
	file->seekable = true;
	return 0;
}

static const struct inode_ops queue_ops = {
	.setattr = mqueue_setattr,
	.open = queue_open,
	.evict = queue_evict,
};

static int queue_inode(struct super_block *sb, const struct inode_create *how,
		       const struct linux_mq_attr *attr, struct inode **out)
{
	struct message_queue_posix *q;
	struct inode *inode;
	int rc = mqueue_queue_new(fs_of(sb), attr, &q);

	if (rc)
		return rc;
	rc = inode_new(sb, &queue_ops, 0, LINUX_S_IFREG | (how->mode & 07777), &inode);
	if (rc) {
		mqueue_queue_free(fs_of(sb), q);
		return rc;
	}
	inode->attr.uid = how->uid;
	inode->attr.gid = how->gid;
	inode->attr.size = MQUEUE_FILE_SIZE;
	inode->private_data = q;
	*out = inode;
	return 0;
}

/* --- names: changed under the root directory's lock and the file system's, read under either -- */

static struct mqueue_entry *find_entry(struct inode *dir, const char *name)
{
	struct mqueue_entry *e;

	list_for_each(e, &fs_of(dir->sb)->entries, node)
		if (!strcmp(e->name, name))
			return e;
	return NULL;
}

static void directory_changed(struct inode *dir, int entries)
{
	mutex_lock(&dir->attr_lock);
	dir->attr.size = (uint64_t)((int64_t)dir->attr.size + entries * MQUEUE_DIRENT_SIZE);
	mutex_unlock(&dir->attr_lock);
	mqueue_touch(dir);
}

static int create_queue(struct inode *dir, const char *name, const struct inode_create *how,
			const struct linux_mq_attr *attr, struct inode **out)
{
	struct mqueue_fs *fs = fs_of(dir->sb);
	size_t size = strlen(name) + 1;
	struct mqueue_entry *e = calloc(1, sizeof(*e) + size);
	struct inode *inode;
	int rc = e ? queue_inode(dir->sb, how, attr, &inode) : -ENOMEM;

	if (rc) {
		free(e);
		return rc;
	}
	memcpy(e->name, name, size);
	e->inode = inode_get(inode);
	e->cookie = fs->next_cookie++;
	mutex_lock(&fs->lock);
	list_add_tail(&fs->entries, &e->node);
	mutex_unlock(&fs->lock);
	directory_changed(dir, 1);
	*out = inode;
	return 0;
}

static int root_create(struct inode *dir, const char *name, const struct inode_create *how,
		       struct inode **out)
{
	if ((how->mode & LINUX_S_IFMT) != LINUX_S_IFREG)
		return -EPERM;
	return create_queue(dir, name, how, NULL, out);
}

static int root_lookup(struct inode *dir, const char *name, struct inode **out)
{
	struct mqueue_entry *e = find_entry(dir, name);

	if (!e)
		return -ENOENT;
	*out = inode_get(e->inode);
	return 0;
}

/* mq_open and mq_unlink change names behind the cache.  Called with and without the directory's lock. */
static int root_revalidate(struct inode *dir, const char *name, struct inode *inode)
{
	struct mqueue_fs *fs = fs_of(dir->sb);
	struct mqueue_entry *e;
	bool same;

	mutex_lock(&fs->lock);
	e = find_entry(dir, name);
	same = (e ? e->inode : NULL) == inode;
	mutex_unlock(&fs->lock);
	return same;
}

static int root_unlink(struct inode *dir, const char *name, struct inode *target)
{
	struct mqueue_entry *e = find_entry(dir, name);

	if (!e)
		return -ENOENT;
	mutex_lock(&fs_of(dir->sb)->lock);
	list_remove(&e->node);
	mutex_unlock(&fs_of(dir->sb)->lock);
	mutex_lock(&e->inode->attr_lock);
	e->inode->attr.nlink = 0;
	e->inode->attr.ctime = vfs_now();
	mutex_unlock(&e->inode->attr_lock);
	directory_changed(dir, -1);
	inode_put(e->inode);
	free(e);
	return 0;
}

static void root_evict(struct inode *dir)
{
	struct mqueue_entry *e, *next;

	list_for_each_safe(e, next, &fs_of(dir->sb)->entries, node) {
		list_remove(&e->node);
		inode_put(e->inode);
		free(e);
	}
}

/* A copy of the first entry at @cookie or behind. */
static bool entry_at(struct inode *dir, uint64_t cookie, char name[VFS_NAME_MAX + 1], uint64_t *at,
		     uint64_t *ino)
{
	struct mqueue_entry *e;
	bool found = false;

	mutex_lock(&dir->lock);
	list_for_each(e, &fs_of(dir->sb)->entries, node) {
		if (e->cookie < cookie)
			continue;
		memcpy(name, e->name, strlen(e->name) + 1);
		*at = e->cookie;
		*ino = e->inode->ino;
		found = true;
		break;
	}
	mutex_unlock(&dir->lock);
	return found;
}

static int root_iterate(struct file *file, struct dir_context *ctx)
{
	char name[VFS_NAME_MAX + 1];
	uint64_t at, ino;

	if (!dir_emit_dots(file, ctx))
		return 0;
	while (entry_at(file->inode, ctx->pos, name, &at, &ino))
		if (!dir_emit(ctx, name, strlen(name), at + 1, ino, LINUX_DT(LINUX_S_IFREG)))
			break;
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
	.unlink = root_unlink,
	.setattr = mqueue_setattr,
	.open = root_open,
	.evict = root_evict,
};

/* --- super blocks ----------------------------------------------------------------------------- */

static void mqueue_destroy(struct super_block *sb)
{
	struct mqueue_fs *fs = fs_of(sb);

	mutex_destroy(&fs->lock);
	free(fs);
}

static const struct super_block_ops super_ops = { .destroy = mqueue_destroy };

/* The maker's, or before the first task the owner's of the namespace. */
static int set_root(struct super_block *sb)
{
	struct task *t = task_current();
	struct inode *inode;
	int rc = inode_new(sb, &root_ops, 0, LINUX_S_IFDIR | 01777, &inode);

	if (rc)
		return rc;
	inode->attr.nlink = 2;
	inode->attr.size = 2 * MQUEUE_DIRENT_SIZE;
	inode->attr.uid = t ? t->cred->fsuid : uid_to_kernel(sb->user_ns, 0);
	inode->attr.gid = t ? t->cred->fsgid : gid_to_kernel(sb->user_ns, 0);
	return super_block_set_root(sb, inode);
}

static int super_new(struct ipc_namespace *ns, struct super_block **out)
{
	struct mqueue_fs *fs = calloc(1, sizeof(*fs));
	struct super_block *sb;
	int rc = fs ? super_block_new(&super_ops, "mqueue", MQUEUE_MAGIC, ns->user_ns, &sb) : -ENOMEM;

	if (rc) {
		free(fs);
		return rc;
	}
	mutex_init(&fs->lock, LOCK_RANK_FS_PRIVATE);
	list_init(&fs->entries);
	fs->next_cookie = DIR_EMIT_FIRST;
	fs->ns = ns;
	sb->private_data = fs;
	sb->source = strdup("mqueue");
	sb->revalidate = true;
	rc = sb->source ? set_root(sb) : -ENOMEM;
	if (rc) {
		super_block_put(sb);
		return rc;
	}
	*out = sb;
	return 0;
}

/* The namespace's file system, with a reference. */
static int super_of(struct ipc_namespace *ns, struct super_block **out)
{
	struct super_block *fresh = NULL;
	int rc = 0;

	mutex_lock(&ns->lock);
	*out = ns->mqueue ? super_block_get(ns->mqueue) : NULL;
	mutex_unlock(&ns->lock);
	if (*out)
		return 0;
	rc = super_new(ns, &fresh);
	if (rc)
		return rc;
	mutex_lock(&ns->lock);
	if (!ns->mqueue) {
		ns->mqueue = fresh;
		fresh = NULL;
	}
	*out = super_block_get(ns->mqueue);
	mutex_unlock(&ns->lock);
	super_block_put(fresh);
	return 0;
}

/* The namespace is gone; nobody else has its pointer. */
static void namespace_ended(struct super_block *sb)
{
	struct mqueue_fs *fs = fs_of(sb);

	mutex_lock(&fs->lock);
	fs->ns = NULL;
	mutex_unlock(&fs->lock);
	super_block_put(sb);
}

/* Of the namespace that who began it is in. */
static int mqueue_begin(struct fs_config *c)
{
	struct task *t = task_current();
	struct ipc_namespace *ns = t ? ipc_namespace_of(t) : kernel_built_ipc();

	c->options = ipc_namespace_get(ns);
	user_namespace_put(c->user_ns);
	c->user_ns = user_namespace_get(ns->user_ns);
	return 0;
}

static int mqueue_create(struct fs_config *c, struct super_block **out)
{
	return super_of(c->options, out);
}

static void mqueue_end(struct fs_config *c)
{
	ipc_namespace_put(c->options);
}

static const struct file_system_type mqueue_type = {
	.name = "mqueue",
	.user_mountable = true,
	.shared = true,
	.begin = mqueue_begin,
	.create = mqueue_create,
	.end = mqueue_end,
};

int mqueue_init(struct kernel *k)
{
	ipc_namespace_on_end(namespace_ended);
	return file_system_register(&mqueue_type);
}

/* --- mq_open, mq_unlink ----------------------------------------------------------------------- */

static int check_name(const char *name)
{
	if (!*name)
		return -ENOENT;
	if (!strcmp(name, ".") || !strcmp(name, "..") || strchr(name, '/'))
		return -EACCES;
	return strlen(name) > VFS_NAME_MAX ? -ENAMETOOLONG : 0;
}

static int open_existing(const struct vfs_context *ctx, struct inode *inode, uint32_t flags)
{
	static const int masks[] = { LINUX_MAY_READ, LINUX_MAY_WRITE, LINUX_MAY_READ | LINUX_MAY_WRITE };

	if (flags & LINUX_O_CREAT && flags & LINUX_O_EXCL)
		return -EEXIST;
	if ((flags & LINUX_O_ACCMODE) == LINUX_O_ACCMODE)
		return -EINVAL;
	return inode_permission(inode, masks[flags & LINUX_O_ACCMODE], ctx->cred);
}

/* With the root directory's lock. */
static int open_or_create(const struct vfs_context *ctx, struct dentry *root, const char *name,
			  uint32_t flags, uint32_t mode, const struct linux_mq_attr *attr,
			  struct inode **out)
{
	struct mqueue_entry *e = find_entry(root->inode, name);
	struct path dir = { NULL, root };
	struct inode_create how;
	int rc;

	if (e) {
		rc = open_existing(ctx, e->inode, flags);
		if (!rc)
			*out = inode_get(e->inode);
		return rc;
	}
	if (!(flags & LINUX_O_CREAT))
		return -ENOENT;
	rc = may_create(&dir, ctx->cred);
	if (rc)
		return rc;
	prepare_create(ctx, root->inode, LINUX_S_IFREG | (mode & 07777), &how);
	return create_queue(root->inode, name, &how, attr, out);
}

int mqueue_open(struct task *t, const char *name, uint32_t flags, uint32_t mode,
		const struct linux_mq_attr *attr, struct file **out)
{
	struct vfs_context ctx = task_vfs_context(t);
	struct super_block *sb;
	struct inode *inode;
	int rc = check_name(name);

	if (rc)
		return rc;
	rc = super_of(ipc_namespace_of(t), &sb);
	if (rc)
		return rc;
	mutex_lock(&sb->root->inode->lock);
	rc = open_or_create(&ctx, sb->root, name, flags, mode, attr, &inode);
	mutex_unlock(&sb->root->inode->lock);
	if (!rc) {
		rc = file_new(&mqueue_file_ops, inode, NULL, NULL, flags, ctx.cred, out);
		inode_put(inode);
	}
	super_block_put(sb);
	return rc;
}

int mqueue_unlink(struct task *t, const char *name)
{
	struct inode *inode = NULL;
	struct super_block *sb;
	struct mqueue_entry *e;
	struct path dir;
	int rc = check_name(name);

	if (rc)
		return rc;
	rc = super_of(ipc_namespace_of(t), &sb);
	if (rc)
		return rc;
	dir = (struct path){ NULL, sb->root };
	mutex_lock(&sb->root->inode->lock);
	e = find_entry(sb->root->inode, name);
	rc = e ? may_delete(&dir, e->inode, false, t->cred) : -ENOENT;
	if (!rc) {
		inode = inode_get(e->inode); /* its end is not for the lock */
		rc = root_unlink(sb->root->inode, name, inode);
	}
	mutex_unlock(&sb->root->inode->lock);
	if (inode)
		inode_put(inode);
	super_block_put(sb);
	return rc;
}
