/* SPDX-License-Identifier: Apache-2.0 */
/* open_tree, move_mount. */
#include "config.h"

#include "sentry/syscalls/mount_call.h"

static int open_tree(struct task *t, const struct path *p, uint32_t flags, struct file **out)
{
	struct vfs_context ctx = task_vfs_context(t);

	if (flags & LINUX_OPEN_TREE_CLONE)
		return vfs_open_detached(&ctx, t->namespaces->mount, p, flags & LINUX_AT_RECURSIVE, out);
	return vfs_open_path(&ctx, p, LINUX_O_PATH, out);
}

int64_t sys_open_tree(struct task *t, const struct syscall_args *a)
{
	const uint32_t at_flags = LINUX_AT_EMPTY_PATH | LINUX_AT_NO_AUTOMOUNT | LINUX_AT_SYMLINK_NOFOLLOW;
	uint32_t flags = arg_u32(a, 2);
	AUTO_PATH struct path p = { NULL, NULL };
	AUTO_FILE struct file *file = NULL;
	int rc;

	if (flags & ~(at_flags | LINUX_AT_RECURSIVE | LINUX_OPEN_TREE_CLONE | LINUX_OPEN_TREE_CLOEXEC))
		return -EINVAL;
	if ((flags & (LINUX_AT_RECURSIVE | LINUX_OPEN_TREE_CLONE)) == LINUX_AT_RECURSIVE)
		return -EINVAL;
	if (flags & LINUX_OPEN_TREE_CLONE && !may_mount(t))
		return -EPERM;
	rc = call_lookup_named(t, arg_int(a, 0), arg_addr(a, 1), flags & at_flags, &p);
	if (rc == 0)
		rc = open_tree(t, &p, flags, &file);
	return rc < 0 ? rc : fd_table_install(t->fds, file, 0, task_rlimit(t, RLIM_NOFILE),
					      flags & LINUX_OPEN_TREE_CLOEXEC);
}

static uint32_t lookup_flags(bool follow, bool empty)
{
	return (follow ? LOOKUP_FOLLOW : 0) | (empty ? LOOKUP_EMPTY : 0);
}

static int find_source(struct task *t, const struct syscall_args *a, uint32_t flags, struct path *out)
{
	return call_lookup(t, arg_int(a, 0), arg_addr(a, 1),
			   lookup_flags(flags & LINUX_MOVE_MOUNT_F_SYMLINKS, flags & LINUX_MOVE_MOUNT_F_EMPTY_PATH),
			   out);
}

static int find_target(struct task *t, const struct syscall_args *a, uint32_t flags, struct path *out)
{
	return call_lookup(t, arg_int(a, 2), arg_addr(a, 3),
			   lookup_flags(flags & LINUX_MOVE_MOUNT_T_SYMLINKS, flags & LINUX_MOVE_MOUNT_T_EMPTY_PATH),
			   out);
}

int64_t sys_move_mount(struct task *t, const struct syscall_args *a)
{
	const uint32_t either = LINUX_MOVE_MOUNT_SET_GROUP | LINUX_MOVE_MOUNT_BENEATH;
	AUTO_PATH struct path from = { NULL, NULL }, to = { NULL, NULL };
	struct vfs_context ctx = task_vfs_context(t);
	uint32_t flags = arg_u32(a, 4);
	int rc;

	if (!may_mount(t))
		return -EPERM;
	if (flags & ~LINUX_MOVE_MOUNT_MASK || (flags & either) == either)
		return -EINVAL;
	rc = find_target(t, a, flags, &to);
	if (rc == 0)
		rc = find_source(t, a, flags, &from);
	if (rc < 0)
		return rc;
	if (flags & LINUX_MOVE_MOUNT_SET_GROUP)
		return vfs_set_mount_group(t->cred, &from, &to);
	return vfs_move_mount(&ctx, t->namespaces->mount, &from, &to, flags & LINUX_MOVE_MOUNT_BENEATH);
}
