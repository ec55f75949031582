/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mknod, mkdir, symlink and link: the name is looked up again under the
 * directory's lock, then made.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "sentry/abi/capability.h"
#include "sentry/abi/fs.h"
#include "sentry/cred/credentials.h"
#include "sentry/vfs/create.h"
#include "sentry/vfs/dentry_cache.h"
#include "sentry/vfs/inotify.h"
#include "sentry/vfs/mount_tree.h"
#include "sentry/vfs/permission.h"

static uint32_t current_umask(const struct vfs_context *ctx)
{
	uint32_t umask;

	mutex_lock(&ctx->fs->lock);
	umask = ctx->fs->umask;
	mutex_unlock(&ctx->fs->lock);
	return umask;
}

void prepare_create(const struct vfs_context *ctx, struct inode *dir, uint32_t mode,
		    struct inode_create *how)
{
	const uint32_t group_exec = LINUX_S_ISGID | LINUX_S_IXGRP;
	struct inode_attr attr;

	inode_attr_read(dir, &attr);
	*how = (struct inode_create){ .mode = mode, .uid = ctx->cred->fsuid, .gid = ctx->cred->fsgid };
	if (attr.mode & LINUX_S_ISGID) {
		how->gid = attr.gid;
		if ((mode & LINUX_S_IFMT) == LINUX_S_IFDIR)
			how->mode |= LINUX_S_ISGID;
		else if ((mode & group_exec) == group_exec &&
			 !credentials_in_fsgroup(ctx->cred, attr.gid) &&
			 !inode_capable(&attr, ctx->cred, LINUX_CAP_FSETID))
			how->mode &= ~LINUX_S_ISGID;
	}
	if ((mode & LINUX_S_IFMT) != LINUX_S_IFLNK)
		how->mode &= ~current_umask(ctx);
}

int create_locked(const struct path *dir, const char *name, const struct inode_create *how,
		  struct dentry **out)
{
	struct inode *parent = dir->dentry->inode, *inode = NULL;
	int rc;

	if (!parent->ops->create)
		return -EPERM;
	rc = parent->ops->create(parent, name, how, &inode);
	if (rc < 0)
		return rc;
	rc = dentry_insert(dir->dentry, name, inode, out);
	inode_put(inode);
	if (rc == 0)
		inotify_entry(parent, LINUX_IN_CREATE | (inode_type(inode) == LINUX_S_IFDIR ?
							 LINUX_IN_ISDIR : 0), name);
	return rc;
}

/*
 * Walks to the directory, checks that the name is free (Linux's filename_create:
 * EEXIST before EROFS before access), and makes it.
 */
struct make {
	const struct vfs_context *ctx;
	uint32_t mode; /* with type */
	uint64_t rdev;
	const char *symlink_target;
	struct inode *link_to; /* link(2) instead of create */
};

static bool has_name(struct inode *inode)
{
	struct inode_attr attr;

	inode_attr_read(inode, &attr);
	return attr.nlink > 0;
}

static int make_in_locked(struct walk *w, const struct make *m)
{
	struct inode *dir = w->at.dentry->inode;
	struct inode_create how;
	struct dentry *d = NULL;
	int rc = dir_lookup_locked(w->at.dentry, w->name, &d);

	if (rc == 0) {
		dentry_put(d);
		return -EEXIST;
	}
	if (rc != -ENOENT)
		return rc;
	/* a slash behind the name is for directories only */
	if (w->trailing_slash && (m->mode & LINUX_S_IFMT) != LINUX_S_IFDIR)
		return -ENOENT;
	if (path_is_read_only(&w->at))
		return -EROFS;
	rc = may_create(&w->at, m->ctx->cred);
	if (rc < 0)
		return rc;
	if (m->link_to) {
		if (!dir->ops->link)
			return -EPERM;
		if (!has_name(m->link_to) && !m->link_to->linkable)
			return -ENOENT;
		rc = dir->ops->link(dir, w->name, m->link_to);
		if (rc == 0)
			m->link_to->linkable = false;
		if (rc == 0)
			rc = dentry_insert(w->at.dentry, w->name, m->link_to, &d);
		if (rc == 0) {
			inotify_link_count(m->link_to);
			inotify_entry(dir, LINUX_IN_CREATE, w->name);
		}
	} else {
		prepare_create(m->ctx, dir, m->mode, &how);
		how.rdev = m->rdev;
		how.symlink_target = m->symlink_target;
		rc = create_locked(&w->at, w->name, &how, &d);
	}
	dentry_put(d);
	return rc;
}

static int make_name(struct walk *w, const struct make *m)
{
	struct inode *dir;
	int rc = walk_parent(w);

	if (rc < 0)
		return rc;
	if (w->last_type != WALK_NORMAL)
		return -EEXIST;
	dir = w->at.dentry->inode;
	/* walk_parent checked that it may be searched */
	mutex_lock(&dir->lock);
	rc = make_in_locked(w, m);
	mutex_unlock(&dir->lock);
	return rc;
}

static int make_at(const struct make *m, int dirfd, const char *name)
{
	struct walk w;
	int rc = walk_begin(&w, m->ctx, dirfd, name, 0);

	if (rc < 0)
		return rc;
	rc = make_name(&w, m);
	walk_end(&w);
	return rc;
}

int vfs_may_mknod(uint32_t mode)
{
	switch (mode & LINUX_S_IFMT) {
	case 0:
	case LINUX_S_IFREG:
	case LINUX_S_IFCHR:
	case LINUX_S_IFBLK:
	case LINUX_S_IFIFO:
	case LINUX_S_IFSOCK:
		return 0;
	case LINUX_S_IFDIR:
		return -EPERM;
	default:
		return -EINVAL;
	}
}

int vfs_mknod(const struct vfs_context *ctx, int dirfd, const char *name, uint32_t mode, uint64_t rdev)
{
	struct make m = { .ctx = ctx, .mode = mode, .rdev = rdev };
	uint32_t type = mode & LINUX_S_IFMT;
	int rc = vfs_may_mknod(mode);

	if (rc < 0)
		return rc;
	if (!type)
		type = LINUX_S_IFREG;
	m.mode = type | (mode & 07777);
	if (type == LINUX_S_IFCHR || type == LINUX_S_IFBLK) {
		/* a whiteout is a device that nothing can be done with */
		if (!(type == LINUX_S_IFCHR && rdev == 0) &&
		    !credentials_root_capable(ctx->cred, LINUX_CAP_MKNOD))
			return -EPERM;
	} else {
		m.rdev = 0;
	}
	return make_at(&m, dirfd, name);
}

int vfs_mkdir(const struct vfs_context *ctx, int dirfd, const char *name, uint32_t mode)
{
	struct make m = { .ctx = ctx, .mode = LINUX_S_IFDIR | (mode & 01777) };

	return make_at(&m, dirfd, name);
}

int vfs_symlink(const struct vfs_context *ctx, const char *target, int dirfd, const char *name)
{
	struct make m = { .ctx = ctx, .mode = LINUX_S_IFLNK | 0777, .symlink_target = target };

	if (!*target)
		return -ENOENT;
	return make_at(&m, dirfd, name);
}

/* fs.protected_hardlinks: one's own, or what one may read and write and is not special. */
static int may_link(const struct path *old, const struct credentials *cred)
{
	const uint32_t group_exec = LINUX_S_ISGID | LINUX_S_IXGRP;
	struct inode *inode = old->dentry->inode;
	struct inode_attr attr;

	inode_attr_read(inode, &attr);
	if (attr.uid == cred->fsuid || inode_capable(&attr, cred, LINUX_CAP_FOWNER))
		return 0;
	if (inode_type(inode) != LINUX_S_IFREG || attr.mode & LINUX_S_ISUID ||
	    (attr.mode & group_exec) == group_exec)
		return -EPERM;
	return inode_permission(inode, LINUX_MAY_READ | LINUX_MAY_WRITE, cred) < 0 ? -EPERM : 0;
}

static int link_to(const struct vfs_context *ctx, const struct path *old, bool unnamed,
		   int dirfd, const char *name)
{
	struct make m = { .ctx = ctx, .link_to = old->dentry->inode };
	struct walk w;
	struct path there;
	int rc = walk_begin(&w, ctx, dirfd, name, 0);

	if (rc < 0)
		return rc;
	rc = walk_parent(&w);
	if (rc < 0)
		goto out;
	rc = -EEXIST;
	if (w.last_type != WALK_NORMAL)
		goto out;
	rc = walk_last(&w, &there);
	if (rc == 0) {
		path_put(&there);
		rc = -EEXIST;
	}
	if (rc != -ENOENT)
		goto out;
	rc = -ENOENT;
	if (w.trailing_slash)
		goto out;
	rc = -EXDEV;
	if (w.at.mount != old->mount && !(unnamed && w.at.dentry->sb == old->dentry->sb))
		goto out;
	if (w.at.dentry->sb != old->dentry->sb)
		goto out;
	rc = may_link(old, ctx->cred);
	if (rc < 0)
		goto out;
	rc = -EPERM;
	if (inode_type(old->dentry->inode) == LINUX_S_IFDIR)
		goto out;
	mutex_lock(&w.at.dentry->inode->lock);
	rc = make_in_locked(&w, &m);
	mutex_unlock(&w.at.dentry->inode->lock);
out:
	walk_end(&w);
	return rc;
}

/* A descriptor may be given a name by who opened it, or who can read everything of the opener's namespace. */
static int may_link_descriptor(const struct vfs_context *ctx, int fd)
{
	struct file *file;
	bool may;

	if (fd == LINUX_AT_FDCWD)
		return 0;
	file = fd_table_lookup_path(ctx->fds, fd);
	if (!file)
		return -EBADF;
	may = file->cred == ctx->cred ||
	      (file->cred && credentials_ns_capable(ctx->cred, file->cred->user_ns,
						    LINUX_CAP_DAC_READ_SEARCH));
	file_put(file);
	return may ? 0 : -ENOENT;
}

int vfs_find_link_source(const struct vfs_context *ctx, int dirfd, const char *name, uint32_t flags,
			 struct path *out)
{
	uint32_t lookup = flags & LINUX_AT_SYMLINK_FOLLOW ? LOOKUP_FOLLOW : 0;
	struct path found;
	int rc;

	if (flags & LINUX_AT_EMPTY_PATH && !*name) {
		rc = may_link_descriptor(ctx, dirfd);
		if (rc < 0)
			return rc;
		lookup |= LOOKUP_EMPTY;
	}
	rc = vfs_lookup(ctx, dirfd, name, lookup, &found);
	if (rc < 0)
		return rc;
	if (out)
		*out = found;
	else
		path_put(&found);
	return 0;
}

int vfs_link(const struct vfs_context *ctx, int old_dirfd, const char *old_name, int new_dirfd,
	     const char *new_name, uint32_t flags)
{
	struct path old;
	int rc;

	if (flags & ~(uint32_t)(LINUX_AT_SYMLINK_FOLLOW | LINUX_AT_EMPTY_PATH))
		return -EINVAL;
	rc = vfs_find_link_source(ctx, old_dirfd, old_name, flags, &old);
	if (rc < 0)
		return rc;
	rc = link_to(ctx, &old, !old.dentry->hashed, new_dirfd, new_name);
	path_put(&old);
	return rc;
}
