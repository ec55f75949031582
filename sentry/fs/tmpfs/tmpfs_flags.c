/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inode flags of chattr(1) on tmpfs: NODUMP and NOATIME are kept, reported and inherited, as on Linux.
 * IMMUTABLE and APPEND would have to be held everywhere and are refused to who may ask for them.
 */
#include <errno.h>

#include "sentry/abi/capability.h"
#include "sentry/abi/ioctl.h"
#include "sentry/fs/tmpfs/tmpfs_private.h"
#include "sentry/kernel/task.h"
#include "sentry/mm/usercopy.h"
#include "sentry/vfs/file.h"
#include "sentry/vfs/mount_tree.h"
#include "sentry/vfs/permission.h"

/* Of an overlay's file that is the upper one. */
static struct inode *inode_of(const struct file *file)
{
	return file->private_data;
}

static uint32_t read_flags(struct inode *inode)
{
	uint32_t flags;

	mutex_lock(&inode->attr_lock);
	flags = tmpfs_node(inode)->flags;
	mutex_unlock(&inode->attr_lock);
	return flags;
}

static void apply_flags(struct inode *inode, uint32_t flags)
{
	mutex_lock(&inode->attr_lock);
	tmpfs_node(inode)->flags = flags;
	inode->no_atime = flags & LINUX_FS_NOATIME_FL;
	mutex_unlock(&inode->attr_lock);
}

static int may_change(const struct file *file)
{
	const struct path p = { file->mount, file->dentry };

	if (p.mount && path_is_read_only(&p))
		return -EROFS;
	return inode_owner_or_capable(inode_of(file), task_current()->cred) ? 0 : -EPERM;
}

static int change_flags(struct file *file, uint32_t flags)
{
	const uint32_t guarded = LINUX_FS_IMMUTABLE_FL | LINUX_FS_APPEND_FL;
	int rc = may_change(file);

	if (rc)
		return rc;
	if (flags & guarded && !credentials_root_capable(task_current()->cred, LINUX_CAP_LINUX_IMMUTABLE))
		return -EPERM;
	if (flags & ~TMPFS_FLAGS)
		return -EOPNOTSUPP;
	apply_flags(inode_of(file), flags);
	inode_touch(inode_of(file), SETATTR_CTIME);
	return 0;
}

static int64_t set_flags(struct file *file, struct mm *mm, guest_addr_t arg)
{
	uint32_t flags;
	int rc = copy_in_u32(mm, &flags, arg);

	return rc ? rc : change_flags(file, flags);
}

/* --- the same under xfs's names --------------------------------------------------------------- */

static const struct {
	uint32_t flag, extended;
} names[] = {
	{ LINUX_FS_IMMUTABLE_FL, LINUX_FS_XFLAG_IMMUTABLE },
	{ LINUX_FS_APPEND_FL, LINUX_FS_XFLAG_APPEND },
	{ LINUX_FS_NOATIME_FL, LINUX_FS_XFLAG_NOATIME },
	{ LINUX_FS_NODUMP_FL, LINUX_FS_XFLAG_NODUMP },
};

static int64_t get_extended(struct file *file, struct mm *mm, guest_addr_t arg)
{
	uint32_t flags = read_flags(inode_of(file));
	struct linux_fsxattr x = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (flags & names[i].flag)
			x.xflags |= names[i].extended;
	return copy_out(mm, arg, &x, sizeof(x));
}

static int64_t set_extended(struct file *file, struct mm *mm, guest_addr_t arg)
{
	struct linux_fsxattr x;
	uint32_t flags = 0;
	int rc = copy_in(mm, &x, arg, sizeof(x));

	if (rc)
		return rc;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (x.xflags & names[i].extended)
			flags |= names[i].flag;
		x.xflags &= ~names[i].extended;
	}
	x.xflags &= ~LINUX_FS_XFLAG_READ_ONLY; /* passed over */
	if (x.xflags || x.extent_size || x.project || x.cow_extent_size) {
		rc = may_change(file);
		return rc ? rc : -EOPNOTSUPP;
	}
	return change_flags(file, flags);
}

int64_t tmpfs_ioctl(struct file *file, struct mm *mm, uint32_t cmd, uint64_t arg)
{
	switch (cmd) {
	case LINUX_FS_IOC_GETFLAGS:
		return copy_out_u32(mm, guest_addr(arg), read_flags(inode_of(file)));
	case LINUX_FS_IOC_SETFLAGS:
		return set_flags(file, mm, guest_addr(arg));
	case LINUX_FS_IOC_FSGETXATTR:
		return get_extended(file, mm, guest_addr(arg));
	case LINUX_FS_IOC_FSSETXATTR:
		return set_extended(file, mm, guest_addr(arg));
	default:
		return -ENOTTY;
	}
}

void tmpfs_inherit_flags(struct inode *dir, struct inode *inode)
{
	apply_flags(inode, read_flags(dir));
}
