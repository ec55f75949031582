/* SPDX-License-Identifier: Apache-2.0 */
/* chmod and chown families, access checks. */
#include "config.h"

#include "sentry/abi/capability.h"
#include "sentry/syscalls/file_call.h"

#define SECURE_NO_SETUID_FIXUP 4U

/* --- chmod ----------------------------------------------------------------------------- */

static int64_t chmod_path(struct task *t, const struct path *p, uint32_t mode)
{
	struct vfs_context ctx = task_vfs_context(t);
	struct setattr set = { .mask = SETATTR_MODE, .mode = mode & 07777 };

	/* no file system here keeps modes of symlinks */
	if (inode_type(p->dentry->inode) == LINUX_S_IFLNK)
		return -EOPNOTSUPP;
	return vfs_setattr(&ctx, p, &set);
}

static int64_t chmod_at(struct task *t, int dirfd, guest_addr_t name, uint32_t mode, int flags)
{
	AUTO_PATH struct path p = { NULL, NULL };
	int rc;

	if (flags & ~(LINUX_AT_SYMLINK_NOFOLLOW | LINUX_AT_EMPTY_PATH))
		return -EINVAL;
	rc = call_lookup(t, dirfd, name, call_lookup_flags(flags), &p);
	return rc < 0 ? rc : chmod_path(t, &p, mode);
}

int64_t sys_chmod(struct task *t, const struct syscall_args *a)
{
	return chmod_at(t, LINUX_AT_FDCWD, arg_addr(a, 0), arg_u32(a, 1), 0);
}

int64_t sys_fchmodat(struct task *t, const struct syscall_args *a)
{
	return chmod_at(t, arg_int(a, 0), arg_addr(a, 1), arg_u32(a, 2), 0);
}

int64_t sys_fchmodat2(struct task *t, const struct syscall_args *a)
{
	return chmod_at(t, arg_int(a, 0), arg_addr(a, 1), arg_u32(a, 2), arg_int(a, 3));
}

int64_t sys_fchmod(struct task *t, const struct syscall_args *a)
{
	AUTO_FILE struct file *file = call_file(t, arg_int(a, 0));
	struct path p;

	if (!file)
		return -EBADF;
	p = file_path(file);
	return chmod_path(t, &p, arg_u32(a, 1));
}

/* --- chown ------------------------------------------------------------------------------- */

static int64_t chown_path(struct task *t, const struct path *p, uint32_t uid, uint32_t gid)
{
	struct vfs_context ctx = task_vfs_context(t);
	struct setattr set = { .mask = SETATTR_CHOWN };

	if (uid != ID_INVALID) {
		set.mask |= SETATTR_UID;
		set.uid = uid_to_kernel(t->cred->user_ns, uid);
		if (set.uid == ID_INVALID)
			return -EINVAL;
	}
	if (gid != ID_INVALID) {
		set.mask |= SETATTR_GID;
		set.gid = gid_to_kernel(t->cred->user_ns, gid);
		if (set.gid == ID_INVALID)
			return -EINVAL;
	}
	return vfs_setattr(&ctx, p, &set);
}

static int64_t chown_at(struct task *t, int dirfd, guest_addr_t name, uint32_t uid, uint32_t gid,
			int flags)
{
	AUTO_PATH struct path p = { NULL, NULL };
	int rc;

	if (flags & ~(LINUX_AT_SYMLINK_NOFOLLOW | LINUX_AT_EMPTY_PATH))
		return -EINVAL;
	rc = call_lookup(t, dirfd, name, call_lookup_flags(flags), &p);
	return rc < 0 ? rc : chown_path(t, &p, uid, gid);
}

int64_t sys_chown(struct task *t, const struct syscall_args *a)
{
	return chown_at(t, LINUX_AT_FDCWD, arg_addr(a, 0), arg_u32(a, 1), arg_u32(a, 2), 0);
}

int64_t sys_lchown(struct task *t, const struct syscall_args *a)
{
	return chown_at(t, LINUX_AT_FDCWD, arg_addr(a, 0), arg_u32(a, 1), arg_u32(a, 2),
			LINUX_AT_SYMLINK_NOFOLLOW);
}

int64_t sys_fchownat(struct task *t, const struct syscall_args *a)
{
	return chown_at(t, arg_int(a, 0), arg_addr(a, 1), arg_u32(a, 2), arg_u32(a, 3), arg_int(a, 4));
}

int64_t sys_fchown(struct task *t, const struct syscall_args *a)
{
	AUTO_FILE struct file *file = call_file(t, arg_int(a, 0));
	struct path p;

	if (!file)
		return -EBADF;
	p = file_path(file);
	return chown_path(t, &p, arg_u32(a, 1), arg_u32(a, 2));
}

/* --- access -------------------------------------------------------------------------------- */

/*
 * The credentials access(2) asks with: real ids; and where ids and capabilities
 * go together, those of the real uid.  A reference.
 */
static const struct credentials *access_credentials(struct task *t, int flags)
{
	struct credentials *own;

	if (flags & LINUX_AT_EACCESS)
		return credentials_get(t->cred);
	own = credentials_copy(t->cred);
	if (!own)
		return NULL;
	own->fsuid = own->uid;
	own->fsgid = own->gid;
	if (!(own->securebits & SECURE_NO_SETUID_FIXUP))
		own->effective = uid_from_kernel(own->user_ns, own->uid) == 0 ? own->permitted : 0;
	return own;
}

static int64_t check_access(const struct path *p, int mode, const struct credentials *cred)
{
	/* writing to a read-only file system is refused last, and not for special files */
	if (inode_type(p->dentry->inode) == LINUX_S_IFREG && mode & LINUX_X_OK && p->mount &&
	    p->mount->flags & MOUNT_NOEXEC)
		return -EACCES;
	return path_permission(p, mode, cred);
}

static int64_t access_at(struct task *t, int dirfd, guest_addr_t name, int mode, int flags)
{
	struct vfs_context ctx = task_vfs_context(t);
	AUTO_PATH struct path p = { NULL, NULL };
	AUTO_FREE char *path = NULL;
	const struct credentials *cred;
	int64_t rc;

	if (mode & ~(LINUX_R_OK | LINUX_W_OK | LINUX_X_OK))
		return -EINVAL;
	if (flags & ~(LINUX_AT_EACCESS | LINUX_AT_SYMLINK_NOFOLLOW | LINUX_AT_EMPTY_PATH))
		return -EINVAL;
	if (!(flags & LINUX_AT_EMPTY_PATH && guest_is_null(name))) {
		rc = copy_in_path(t->mm, name, &path);
		if (rc < 0)
			return rc;
	}
	cred = access_credentials(t, flags);
	if (!cred)
		return -ENOMEM;
	ctx.cred = cred;
	rc = vfs_lookup(&ctx, dirfd, path ? path : "", call_lookup_flags(flags), &p);
	if (rc == 0 && mode)
		rc = check_access(&p, mode, cred);
	credentials_put(cred);
	return rc;
}

int64_t sys_access(struct task *t, const struct syscall_args *a)
{
	return access_at(t, LINUX_AT_FDCWD, arg_addr(a, 0), arg_int(a, 1), 0);
}

int64_t sys_faccessat(struct task *t, const struct syscall_args *a)
{
	return access_at(t, arg_int(a, 0), arg_addr(a, 1), arg_int(a, 2), 0);
}

int64_t sys_faccessat2(struct task *t, const struct syscall_args *a)
{
	return access_at(t, arg_int(a, 0), arg_addr(a, 1), arg_int(a, 2), arg_int(a, 3));
}
