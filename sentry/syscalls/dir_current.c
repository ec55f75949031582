/* SPDX-License-Identifier: Apache-2.0 */
/* getcwd, chdir, fchdir, chroot, umask. */
#include "config.h"

#include <string.h>

#include "sentry/abi/capability.h"
#include "sentry/syscalls/file_call.h"

/* A place in the fs context, with references. */
static struct path current(struct fs_context *fs, const struct path *which)
{
	struct path p;

	mutex_lock(&fs->lock);
	p = path_get(which);
	mutex_unlock(&fs->lock);
	return p;
}

static void replace(struct fs_context *fs, struct path *which, const struct path *with)
{
	struct path fresh = path_get(with), old;

	mutex_lock(&fs->lock);
	old = *which;
	*which = fresh;
	mutex_unlock(&fs->lock);
	path_put(&old);
}

int64_t sys_getcwd(struct task *t, const struct syscall_args *a)
{
	static const char unreachable[] = "(unreachable)";
	AUTO_PATH struct path root = current(t->fs, &t->fs->root), cwd = current(t->fs, &t->fs->cwd);
	char buf[VFS_PATH_MAX + sizeof(unreachable)], *at;
	bool reached;
	size_t size;
	int rc;

	/* a removed directory has no path; the root of a mount always has one */
	if (!cwd.dentry->hashed && cwd.dentry->parent != cwd.dentry)
		return -ENOENT;
	rc = vfs_path_string_reached(&cwd, &root, buf + sizeof(unreachable), VFS_PATH_MAX, &at, &reached);
	if (rc < 0)
		return rc;
	if (!reached) {
		at -= sizeof(unreachable) - 1;
		memcpy(at, unreachable, sizeof(unreachable) - 1);
	}
	size = strlen(at) + 1;
	if (size > a->v[1])
		return -ERANGE;
	rc = copy_out(t->mm, arg_addr(a, 0), at, size);
	return rc < 0 ? rc : (int64_t)size;
}

int64_t sys_chdir(struct task *t, const struct syscall_args *a)
{
	AUTO_PATH struct path p = { NULL, NULL };
	int rc = call_lookup(t, LINUX_AT_FDCWD, arg_addr(a, 0), LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &p);

	if (rc == 0)
		rc = path_permission(&p, LINUX_MAY_EXEC, t->cred);
	if (rc == 0)
		replace(t->fs, &t->fs->cwd, &p);
	return rc;
}

int64_t sys_fchdir(struct task *t, const struct syscall_args *a)
{
	AUTO_FILE struct file *file = fd_table_lookup_path(t->fds, arg_int(a, 0));
	struct path p;
	int rc;

	if (!file)
		return -EBADF;
	if (inode_type(file->inode) != LINUX_S_IFDIR)
		return -ENOTDIR;
	p = file_path(file);
	rc = path_permission(&p, LINUX_MAY_EXEC, t->cred);
	if (rc == 0)
		replace(t->fs, &t->fs->cwd, &p);
	return rc;
}

int64_t sys_chroot(struct task *t, const struct syscall_args *a)
{
	AUTO_PATH struct path p = { NULL, NULL };
	int rc = call_lookup(t, LINUX_AT_FDCWD, arg_addr(a, 0), LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &p);

	if (rc == 0)
		rc = path_permission(&p, LINUX_MAY_EXEC, t->cred);
	if (rc == 0 && !credentials_capable(t->cred, LINUX_CAP_SYS_CHROOT))
		rc = -EPERM;
	if (rc == 0)
		replace(t->fs, &t->fs->root, &p);
	return rc;
}

int64_t sys_umask(struct task *t, const struct syscall_args *a)
{
	uint32_t old;

	mutex_lock(&t->fs->lock);
	old = t->fs->umask;
	t->fs->umask = arg_u32(a, 0) & 0777;
	mutex_unlock(&t->fs->lock);
	return old;
}
