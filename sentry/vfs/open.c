/* SPDX-License-Identifier: Apache-2.0 */
/*
 * open: the flags' meaning, the last component with O_CREAT and symlinks, the
 * checks of Linux's may_open in its order, and the file system's or device's own
 * open.  Truncation comes last.
 */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "sentry/abi/fs.h"
#include "sentry/cred/credentials.h"
#include "sentry/vfs/create.h"
#include "sentry/vfs/dentry_cache.h"
#include "sentry/vfs/device.h"
#include "sentry/vfs/fifo.h"
#include "sentry/vfs/inotify.h"
#include "sentry/vfs/lease.h"
#include "sentry/vfs/mount_tree.h"
#include "sentry/vfs/permission.h"

static const struct file_ops path_file_ops;

struct opening {
	const struct vfs_context *ctx;
	uint64_t flags;
	uint32_t mode;
	bool created;
};

static int access_mask(uint64_t flags)
{
	static const int masks[] = { LINUX_MAY_READ, LINUX_MAY_WRITE, LINUX_MAY_READ | LINUX_MAY_WRITE,
				     LINUX_MAY_READ | LINUX_MAY_WRITE };
	int mask = masks[flags & LINUX_O_ACCMODE];

	return flags & LINUX_O_TRUNC ? mask | LINUX_MAY_WRITE : mask;
}

/* --- the object -------------------------------------------------------------------- */

static int check_type(const struct opening *o, const struct path *p)
{
	switch (inode_type(p->dentry->inode)) {
	case LINUX_S_IFLNK:
		return -ELOOP;
	case LINUX_S_IFDIR:
		return access_mask(o->flags) & LINUX_MAY_WRITE ? -EISDIR : 0;
	case LINUX_S_IFCHR:
	case LINUX_S_IFBLK:
		return p->mount && p->mount->flags & MOUNT_NODEV ? -EACCES : 0;
	default:
		return 0;
	}
}

static int may_open(const struct opening *o, const struct path *p)
{
	struct inode *inode = p->dentry->inode;
	int rc = check_type(o, p);

	/* What truncates asks for the right to write to the mount before all else. */
	if (o->flags & LINUX_O_TRUNC && !o->created && inode_type(inode) == LINUX_S_IFREG &&
	    path_is_read_only(p))
		return -EROFS;
	if (rc == 0)
		rc = inode_permission(inode, access_mask(o->flags), o->ctx->cred);
	if (rc < 0)
		return rc;
	if (o->flags & LINUX_O_NOATIME && !inode_owner_or_capable(inode, o->ctx->cred))
		return -EPERM;
	return 0;
}

static int call_open(struct inode *inode, struct file *file)
{
	int rc;

	switch (inode_type(inode)) {
	case LINUX_S_IFIFO:
		if (inode->ops->opens_fifos)
			break;
		return vfs_upcalls.fifo_open ? vfs_upcalls.fifo_open(inode, file) : -ENXIO;
	case LINUX_S_IFCHR:
	case LINUX_S_IFBLK:
		rc = device_open(inode, file);
		if (rc != -ENXIO || !inode->ops->open)
			return rc;
		break;
	case LINUX_S_IFSOCK:
		return -ENXIO;
	default:
		break;
	}
	return inode->ops->open ? inode->ops->open(inode, file) : -ENXIO;
}

/* What the opening has in common with others of the same file: it is counted, and breaks leases. */
static int claim_access(const struct opening *o, const struct path *p, struct file *file)
{
	struct inode *inode = file->inode;
	int rc = 0;

	if (file->can_write) {
		rc = path_is_read_only(p) ? -EROFS : inode_get_write_access(inode);
		file->write_access = rc == 0;
	} else {
		atomic_fetch_add(&inode_anchor(inode)->readers, 1);
		file->read_access = true;
	}
	if (rc == 0)
		rc = lease_break(inode, file->can_write, o->flags & LINUX_O_NONBLOCK);
	return rc;
}

static int open_object(const struct opening *o, const struct path *p, struct file **out)
{
	struct inode *inode = p->dentry->inode;
	bool regular = inode_type(inode) == LINUX_S_IFREG;
	struct file *file;
	int rc = file_new(NULL, inode, p->mount, p->dentry, (uint32_t)o->flags, o->ctx->cred, &file);

	if (rc < 0)
		return rc;
	file->created = o->created;
	file->will_truncate = regular && o->flags & LINUX_O_TRUNC && !o->created;
	if (regular)
		rc = claim_access(o, p, file);
	/* Of no use once it is open, but to the opening of a terminal. */
	file->flags |= (uint32_t)o->flags & LINUX_O_NOCTTY;
	if (rc == 0)
		rc = call_open(inode, file);
	file->flags &= ~LINUX_O_NOCTTY;
	if (rc < 0) {
		file->ops = &path_file_ops; /* nothing to release */
		file_put(file);
		return rc;
	}
	file->seekable = file->ops->llseek != NULL;
	*out = file;
	return 0;
}

static int truncate_opened(const struct opening *o, const struct path *p)
{
	int rc;

	if (!(o->flags & LINUX_O_TRUNC) || inode_type(p->dentry->inode) != LINUX_S_IFREG)
		return 0;
	if (path_is_read_only(p))
		return -EROFS;
	rc = inode_get_write_access(p->dentry->inode);
	if (rc < 0)
		return rc;
	rc = vfs_set_size(o->ctx, p->dentry->inode, 0);
	inode_put_write_access(p->dentry->inode);
	return rc;
}

static int open_as_path(const struct opening *o, const struct path *p, struct file **out)
{
	const uint64_t kept = LINUX_O_PATH | LINUX_O_DIRECTORY | LINUX_O_NOFOLLOW;

	return file_new(&path_file_ops, p->dentry->inode, p->mount, p->dentry,
			(uint32_t)(o->flags & kept), o->ctx->cred, out);
}

/* Everything after the path is known. */
static int open_place(const struct opening *o, const struct path *p, struct file **out)
{
	struct file *file;
	int rc = 0;

	if (o->flags & LINUX_O_DIRECTORY && inode_type(p->dentry->inode) != LINUX_S_IFDIR)
		return -ENOTDIR;
	if (o->flags & LINUX_O_PATH)
		return open_as_path(o, p, out);
	if (!o->created)
		rc = may_open(o, p);
	if (rc == 0)
		rc = open_object(o, p, &file);
	if (rc != 0)
		return rc;
	if (!o->created)
		rc = truncate_opened(o, p);
	if (rc < 0) {
		file_put(file);
		return rc;
	}
	inotify_object(p->dentry, LINUX_IN_OPEN);
	*out = file;
	return 0;
}

/* --- O_CREAT ------------------------------------------------------------------------- */

/* With the directory's lock held: the child, made if absent. */
static int lookup_or_create_locked(struct walk *w, struct opening *o, struct dentry **out)
{
	struct inode_create how;
	int rc = dir_lookup_locked(w->at.dentry, w->name, out);

	if (rc != -ENOENT)
		return rc;
	if (path_is_read_only(&w->at))
		return -EROFS;
	rc = may_create(&w->at, o->ctx->cred);
	if (rc < 0)
		return rc;
	prepare_create(o->ctx, w->at.dentry->inode, LINUX_S_IFREG | (o->mode & 07777), &how);
	rc = create_locked(&w->at, w->name, &how, out);
	if (rc == 0)
		o->created = true;
	if (rc != -EEXIST || o->flags & LINUX_O_EXCL)
		return rc;
	/* Another container was faster, on a volume that both have. */
	dentry_drop_name(w->at.dentry, w->name);
	return dir_lookup_locked(w->at.dentry, w->name, out);
}

/* fs.protected_regular and protected_fifos at 1: another's file in a sticky world-writable directory. */
static int may_create_in_sticky(const struct walk *w, const struct path *p)
{
	uint32_t type = inode_type(p->dentry->inode);
	struct inode_attr dir, attr;

	if (type != LINUX_S_IFREG && type != LINUX_S_IFIFO)
		return 0;
	inode_attr_read(w->at.dentry->inode, &dir);
	inode_attr_read(p->dentry->inode, &attr);
	if (!(dir.mode & LINUX_S_ISVTX) || attr.uid == dir.uid || attr.uid == w->ctx->cred->fsuid)
		return 0;
	return dir.mode & 0002 ? -EACCES : 0;
}

static int open_existing_created(struct walk *w, struct opening *o, struct path *p, struct file **out)
{
	if (!o->created) {
		int rc;

		if (o->flags & LINUX_O_EXCL)
			return -EEXIST;
		if (inode_type(p->dentry->inode) == LINUX_S_IFDIR)
			return -EISDIR;
		rc = may_create_in_sticky(w, p);
		if (rc < 0)
			return rc;
	}
	return open_place(o, p, out);
}

/* One round at the last component: 1 means that a symlink was followed, so walk on. */
static int open_create_last(struct walk *w, struct opening *o, struct file **out)
{
	struct inode *dir = w->at.dentry->inode;
	struct path p = { w->at.mount, NULL };
	int rc;

	if (w->last_type != WALK_NORMAL)
		return o->flags & LINUX_O_EXCL ? -EEXIST : -EISDIR;
	if (w->trailing_slash)
		return -EISDIR;
	mutex_lock(&dir->lock);
	rc = lookup_or_create_locked(w, o, &p.dentry);
	mutex_unlock(&dir->lock);
	if (rc < 0)
		return rc;
	if (p.mount)
		mount_get(p.mount);
	if (path_follow_mounts(&p) && w->flags & LOOKUP_NO_XDEV)
		rc = -EXDEV;
	else if (inode_type(p.dentry->inode) != LINUX_S_IFLNK || o->flags & LINUX_O_EXCL)
		rc = open_existing_created(w, o, &p, out);
	else if (o->flags & LINUX_O_NOFOLLOW)
		rc = -ELOOP;
	else
		return (rc = walk_into_link(w, &p)) < 0 ? rc : 1;
	path_put(&p);
	return rc;
}

static int open_create(struct walk *w, struct opening *o, struct file **out)
{
	int rc;

	do {
		rc = walk_parent(w);
		/* a magic link ended the path: the object is where we stand */
		if (rc == 0 && w->last_type == WALK_ROOT && w->links &&
		    inode_type(w->at.dentry->inode) != LINUX_S_IFDIR)
			return open_existing_created(w, o, &w->at, out);
		if (rc == 0)
			rc = open_create_last(w, o, out);
	} while (rc == 1);
	return rc;
}

/* --- O_TMPFILE ------------------------------------------------------------------------- */

static int open_tmpfile(struct walk *w, struct opening *o, struct file **out)
{
	struct inode_create how;
	struct path p = { NULL, NULL };
	struct inode *dir, *inode = NULL;
	char name[24] = "#";
	int rc = walk_full(w);

	if (rc < 0)
		return rc;
	dir = w->at.dentry->inode;
	if (inode_type(dir) != LINUX_S_IFDIR)
		return -ENOTDIR;
	if (path_is_read_only(&w->at))
		return -EROFS;
	rc = inode_permission(dir, LINUX_MAY_WRITE | LINUX_MAY_EXEC, o->ctx->cred);
	if (rc < 0)
		return rc;
	if (!dir->ops->tmpfile)
		return -EOPNOTSUPP;
	prepare_create(o->ctx, dir, LINUX_S_IFREG | (o->mode & 07777), &how);
	mutex_lock(&dir->lock);
	rc = dir->ops->tmpfile(dir, &how, &inode); /* also in a removed directory */
	mutex_unlock(&dir->lock);
	if (rc < 0)
		return rc;
	inode->linkable = !(o->flags & LINUX_O_EXCL);
	rc = dentry_new_unhashed(w->at.dentry, name, inode, &p.dentry);
	inode_put(inode);
	if (rc < 0)
		return rc;
	p.mount = w->at.mount ? mount_get(w->at.mount) : NULL;
	o->created = true;
	o->flags &= ~(uint64_t)LINUX_O_TMPFILE;
	rc = open_place(o, &p, out);
	if (rc == 0) {
		(*out)->flags |= LINUX_O_TMPFILE;
		(*out)->created = false; /* no name was */
	}
	path_put(&p);
	return rc;
}

/* --- entry points ----------------------------------------------------------------------- */

int vfs_open_check_flags(uint64_t flags)
{
	bool tmpfile = flags & LINUX_O_TMPFILE_BIT;

	if (flags & LINUX_O_PATH)
		return 0;
	if (tmpfile) {
		if ((flags & (LINUX_O_TMPFILE | LINUX_O_CREAT)) != LINUX_O_TMPFILE)
			return -EINVAL;
		return access_mask(flags) & LINUX_MAY_WRITE ? 0 : -EINVAL;
	}
	if ((flags & (LINUX_O_CREAT | LINUX_O_DIRECTORY)) == (LINUX_O_CREAT | LINUX_O_DIRECTORY))
		return -EINVAL;
	return 0;
}

int vfs_open(const struct vfs_context *ctx, int dirfd, const char *name, const struct open_how *how,
	     struct file **out)
{
	struct opening o = { .ctx = ctx, .flags = how->flags, .mode = how->mode };
	uint32_t lookup = how->resolve;
	struct walk w;
	int rc = vfs_open_check_flags(how->flags);

	if (rc < 0)
		return rc;
	if (o.flags & LINUX_O_PATH)
		o.flags &= LINUX_O_PATH | LINUX_O_DIRECTORY | LINUX_O_NOFOLLOW | LINUX_O_CLOEXEC;
	if (!(o.flags & LINUX_O_NOFOLLOW))
		lookup |= LOOKUP_FOLLOW;
	if (o.flags & LINUX_O_DIRECTORY)
		lookup |= LOOKUP_DIRECTORY;
	rc = walk_begin(&w, ctx, dirfd, name, lookup);
	if (rc < 0)
		return rc;
	if (o.flags & LINUX_O_TMPFILE_BIT) {
		rc = open_tmpfile(&w, &o, out);
	} else if (o.flags & LINUX_O_CREAT) {
		rc = open_create(&w, &o, out);
	} else {
		rc = walk_full(&w);
		if (rc == 0)
			rc = open_place(&o, &w.at, out);
	}
	walk_end(&w);
	return rc;
}

int vfs_open_path(const struct vfs_context *ctx, const struct path *p, uint32_t flags,
		  struct file **out)
{
	struct opening o = { .ctx = ctx, .flags = flags };

	return open_place(&o, p, out);
}

int vfs_open_root(const struct vfs_context *ctx, const struct path *p, uint32_t flags,
		  struct file **out)
{
	struct opening o = { .ctx = ctx, .flags = flags };
	struct walk w;
	int rc = vfs_open_check_flags(flags);

	if (rc < 0)
		return rc;
	if (flags & LINUX_O_PATH)
		o.flags &= LINUX_O_PATH | LINUX_O_DIRECTORY | LINUX_O_NOFOLLOW;
	else if (inode_type(p->dentry->inode) == LINUX_S_IFLNK)
		return -ELOOP;
	if (o.flags & LINUX_O_TMPFILE_BIT) {
		rc = walk_begin_at(&w, ctx, p, "", LOOKUP_EMPTY);
		if (rc < 0)
			return rc;
		rc = open_tmpfile(&w, &o, out);
		walk_end(&w);
		return rc;
	}
	if (o.flags & LINUX_O_CREAT && o.flags & LINUX_O_EXCL)
		return -EEXIST;
	if (o.flags & LINUX_O_CREAT && inode_type(p->dentry->inode) == LINUX_S_IFDIR)
		return -EISDIR;
	return open_place(&o, p, out);
}
