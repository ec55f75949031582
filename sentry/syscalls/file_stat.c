/* SPDX-License-Identifier: Apache-2.0 */
/* stat, lstat, fstat, newfstatat, statx, statfs, fstatfs. */
#include "config.h"

#include <string.h>

#include "sentry/syscalls/file_call.h"

static void fill_stat(const struct task *t, const struct inode *inode, const struct inode_attr *attr,
		      struct linux_stat *st)
{
	struct user_namespace *ns = t->cred->user_ns;

	*st = (struct linux_stat){
		.dev = inode->sb->dev,
		.ino = inode->ino,
		.nlink = attr->nlink,
		.mode = attr->mode,
		.uid = uid_from_kernel(ns, attr->uid),
		.gid = gid_from_kernel(ns, attr->gid),
		.rdev = attr->rdev,
		.size = (int64_t)attr->size,
		.blksize = attr->blksize,
		.blocks = (int64_t)attr->blocks,
		.atime = (uint64_t)attr->atime.sec,
		.atime_nsec = attr->atime.nsec,
		.mtime = (uint64_t)attr->mtime.sec,
		.mtime_nsec = attr->mtime.nsec,
		.ctime = (uint64_t)attr->ctime.sec,
		.ctime_nsec = attr->ctime.nsec,
	};
}

static int64_t stat_path(struct task *t, const struct path *p, guest_addr_t out)
{
	struct inode_attr attr;
	struct linux_stat st;
	int rc = vfs_getattr(p, &attr);

	if (rc < 0)
		return rc;
	fill_stat(t, p->dentry->inode, &attr, &st);
	return copy_out(t->mm, out, &st, sizeof(st));
}

static int64_t stat_fd(struct task *t, int fd, guest_addr_t out)
{
	AUTO_FILE struct file *file = fd_table_lookup_path(t->fds, fd);
	struct path p;

	if (!file)
		return -EBADF;
	p = file_path(file);
	return stat_path(t, &p, out);
}

static int64_t stat_at(struct task *t, int dirfd, guest_addr_t name, uint32_t lookup, guest_addr_t out)
{
	AUTO_PATH struct path p = { NULL, NULL };
	int rc = call_lookup(t, dirfd, name, lookup, &p);

	return rc < 0 ? rc : stat_path(t, &p, out);
}

int64_t sys_stat(struct task *t, const struct syscall_args *a)
{
	return stat_at(t, LINUX_AT_FDCWD, arg_addr(a, 0), LOOKUP_FOLLOW, arg_addr(a, 1));
}

int64_t sys_lstat(struct task *t, const struct syscall_args *a)
{
	return stat_at(t, LINUX_AT_FDCWD, arg_addr(a, 0), 0, arg_addr(a, 1));
}

int64_t sys_fstat(struct task *t, const struct syscall_args *a)
{
	return stat_fd(t, arg_int(a, 0), arg_addr(a, 1));
}

int64_t sys_newfstatat(struct task *t, const struct syscall_args *a)
{
	const int known = LINUX_AT_SYMLINK_NOFOLLOW | LINUX_AT_NO_AUTOMOUNT | LINUX_AT_EMPTY_PATH |
			  LINUX_AT_STATX_SYNC_TYPE;
	int flags = arg_int(a, 3);

	if (flags & ~known)
		return -EINVAL;
	return stat_at(t, arg_int(a, 0), arg_addr(a, 1), call_lookup_flags(flags), arg_addr(a, 2));
}

/* --- statx --------------------------------------------------------------------------- */

static struct linux_statx_timestamp timestamp(const struct vfs_time *time)
{
	return (struct linux_statx_timestamp){ .sec = time->sec, .nsec = time->nsec };
}

static void fill_statx(const struct task *t, const struct path *p, const struct inode_attr *attr,
		       struct linux_statx *stx)
{
	const struct inode *inode = p->dentry->inode;
	struct user_namespace *ns = t->cred->user_ns;

	*stx = (struct linux_statx){
		.mask = LINUX_STATX_BASIC_STATS | LINUX_STATX_MNT_ID,
		.blksize = attr->blksize,
		.attributes_mask = LINUX_STATX_ATTR_MOUNT_ROOT,
		.nlink = attr->nlink,
		.uid = uid_from_kernel(ns, attr->uid),
		.gid = gid_from_kernel(ns, attr->gid),
		.mode = (uint16_t)attr->mode,
		.ino = inode->ino,
		.size = attr->size,
		.blocks = attr->blocks,
		.atime = timestamp(&attr->atime),
		.ctime = timestamp(&attr->ctime),
		.mtime = timestamp(&attr->mtime),
		.rdev_major = linux_dev_major(attr->rdev),
		.rdev_minor = linux_dev_minor(attr->rdev),
		.dev_major = linux_dev_major(inode->sb->dev),
		.dev_minor = linux_dev_minor(inode->sb->dev),
		.mount_id = p->mount ? (uint64_t)p->mount->id : 0,
	};
	if (attr->btime.sec || attr->btime.nsec) {
		stx->mask |= LINUX_STATX_BTIME;
		stx->btime = timestamp(&attr->btime);
	}
	if (p->mount && p->dentry == p->mount->root)
		stx->attributes |= LINUX_STATX_ATTR_MOUNT_ROOT;
}

int64_t sys_statx(struct task *t, const struct syscall_args *a)
{
	const int known = LINUX_AT_SYMLINK_NOFOLLOW | LINUX_AT_NO_AUTOMOUNT | LINUX_AT_EMPTY_PATH |
			  LINUX_AT_STATX_SYNC_TYPE;
	AUTO_PATH struct path p = { NULL, NULL };
	struct inode_attr attr;
	struct linux_statx stx;
	int flags = arg_int(a, 2), rc;

	if (arg_u32(a, 3) & LINUX_STATX_RESERVED)
		return -EINVAL;
	if (flags & ~known || (flags & LINUX_AT_STATX_SYNC_TYPE) == LINUX_AT_STATX_SYNC_TYPE)
		return -EINVAL;
	rc = call_lookup(t, arg_int(a, 0), arg_addr(a, 1), call_lookup_flags(flags), &p);
	if (rc < 0)
		return rc;
	rc = vfs_getattr(&p, &attr);
	if (rc < 0)
		return rc;
	fill_statx(t, &p, &attr, &stx);
	if (arg_u32(a, 3) & LINUX_STATX_MNT_ID_UNIQUE && p.mount) {
		stx.mask ^= LINUX_STATX_MNT_ID | LINUX_STATX_MNT_ID_UNIQUE;
		stx.mount_id = mount_unique_id(p.mount);
	}
	return copy_out(t->mm, arg_addr(a, 4), &stx, sizeof(stx));
}

/* --- statfs ---------------------------------------------------------------------------- */

static int64_t statfs_path(struct task *t, const struct path *p, guest_addr_t out)
{
	struct statfs_result r = { 0 };
	struct linux_statfs st;
	int rc = vfs_statfs(p, &r);

	if (rc < 0)
		return rc;
	st = (struct linux_statfs){
		.type = (int64_t)r.type,
		.bsize = (int64_t)r.bsize,
		.blocks = r.blocks,
		.bfree = r.bfree,
		.bavail = r.bavail,
		.files = r.files,
		.ffree = r.ffree,
		.fsid = { (int32_t)r.fsid, (int32_t)(r.fsid >> 32) },
		.namelen = (int64_t)r.namelen,
		.frsize = (int64_t)r.frsize,
		.flags = (int64_t)r.flags,
	};
	return copy_out(t->mm, out, &st, sizeof(st));
}

int64_t sys_statfs(struct task *t, const struct syscall_args *a)
{
	AUTO_PATH struct path p = { NULL, NULL };
	int rc = call_lookup(t, LINUX_AT_FDCWD, arg_addr(a, 0), LOOKUP_FOLLOW, &p);

	return rc < 0 ? rc : statfs_path(t, &p, arg_addr(a, 1));
}

int64_t sys_fstatfs(struct task *t, const struct syscall_args *a)
{
	AUTO_FILE struct file *file = fd_table_lookup_path(t->fds, arg_int(a, 0));
	struct path p;

	if (!file)
		return -EBADF;
	p = file_path(file);
	return statfs_path(t, &p, arg_addr(a, 1));
}
