/* SPDX-License-Identifier: Apache-2.0 */
/* mount, umount2, pivot_root.  A path can lead to another namespace's mounts, which are not to be changed. */
#include "config.h"

#include <string.h>

#include "sentry/syscalls/mount_call.h"
#include "sentry/vfs/fs_config.h"

#define PROPAGATION (LINUX_MS_SHARED | LINUX_MS_PRIVATE | LINUX_MS_SLAVE | LINUX_MS_UNBINDABLE)

/* A NULL pointer is no string. */
static int copy_in_optional(struct task *t, guest_addr_t from, char **out)
{
	return guest_is_null(from) ? 0 : copy_in_path(t->mm, from, out);
}

static int make_super(struct task *t, uint64_t ms, const char *source, const char *options, struct fs_config *c)
{
	const struct fs_parameter p = { "source", FS_VALUE_STRING, source };
	int rc;

	c->monolithic = true;
	c->flags = (uint32_t)ms & (LINUX_MS_RDONLY | LINUX_MS_SYNCHRONOUS | LINUX_MS_MANDLOCK | LINUX_MS_DIRSYNC |
				   LINUX_MS_LAZYTIME);
	rc = source ? fs_config_set(c, t->cred, &p) : 0;
	if (rc == 0)
		rc = fs_config_set_all(c, t->cred, options);
	if (rc == 0)
		rc = fs_config_may_create(c, t->cred);
	return rc < 0 ? rc : fs_config_create(c, false);
}

static int mount_super(struct task *t, const struct fs_config *c, const struct path *at, uint32_t flags)
{
	if (!is_ours(t, at))
		return -EINVAL;
	if (c->type->revealing)
		return vfs_mount_revealing(t->namespaces->mount, c->sb, at, flags);
	return vfs_mount_sb(c->sb, NULL, at, flags);
}

static int new_mount(struct task *t, const struct path *at, uint64_t ms, const char *source,
		     const char *type_name, const char *options)
{
	const struct file_system_type *type;
	struct fs_config config;
	int rc;

	if (!type_name)
		return -EINVAL;
	type = file_system_find(type_name);
	if (!type)
		return -ENODEV;
	rc = fs_config_begin(type, t->cred, &config);
	if (rc < 0)
		return rc;
	rc = make_super(t, ms, source, options, &config);
	if (rc == 0)
		rc = mount_super(t, &config, at, mount_flags_from_ms(ms));
	fs_config_end(&config);
	return rc;
}

static int bind_or_move(struct task *t, const struct path *at, uint64_t ms, const char *source)
{
	struct vfs_context ctx = task_vfs_context(t);
	AUTO_PATH struct path from = { NULL, NULL };
	int rc;

	if (!source || !*source)
		return -EINVAL;
	rc = vfs_lookup(&ctx, LINUX_AT_FDCWD, source, LOOKUP_FOLLOW, &from);
	if (rc < 0)
		return rc;
	if (!(ms & LINUX_MS_BIND))
		return vfs_move_mount(&ctx, t->namespaces->mount, &from, at, false);
	if (!is_ours(t, at) || !path_is_usable(&from, t->namespaces->mount))
		return -EINVAL;
	return vfs_bind_mount(&from, at, ms & LINUX_MS_REC, 0);
}

/* The flags of one change of propagation, alone with MS_REC and MS_SILENT. */
static int change_propagation(const struct task *t, const struct path *at, uint64_t ms)
{
	uint64_t type = ms & PROPAGATION;

	if (ms & ~(PROPAGATION | LINUX_MS_REC | LINUX_MS_SILENT) || type & (type - 1))
		return -EINVAL;
	return vfs_change_propagation(t->cred, at, type, ms & LINUX_MS_REC);
}

/* Access times stay as they are unless something is said of them. */
static int remount(struct task *t, const struct path *at, uint64_t ms, const char *options)
{
	const uint64_t atime = LINUX_MS_NOATIME | LINUX_MS_NODIRATIME | LINUX_MS_RELATIME |
			       LINUX_MS_STRICTATIME;
	uint32_t flags = mount_flags_from_ms(ms);

	if (!is_ours(t, at))
		return -EINVAL;
	if (!(ms & atime))
		flags = (flags & ~(uint32_t)MOUNT_ATIME_MASK) | (at->mount->flags & MOUNT_ATIME_MASK);
	return vfs_remount(t->cred, at, flags, ms & LINUX_MS_BIND, ms, options);
}

static int do_mount(struct task *t, const struct path *at, uint64_t ms, const char *source,
		    const char *type, const char *options)
{
	if (!may_mount(t))
		return -EPERM;
	if (ms & LINUX_MS_REMOUNT)
		return remount(t, at, ms, options);
	if (ms & LINUX_MS_BIND)
		return bind_or_move(t, at, ms, source);
	if (ms & PROPAGATION)
		return change_propagation(t, at, ms);
	if (ms & LINUX_MS_MOVE)
		return bind_or_move(t, at, ms, source);
	return new_mount(t, at, ms, source, type, options);
}

int64_t sys_mount(struct task *t, const struct syscall_args *a)
{
	AUTO_FREE char *source = NULL, *type = NULL, *options = NULL;
	AUTO_PATH struct path at = { NULL, NULL };
	uint64_t ms = a->v[3];
	int rc;

	if ((ms & LINUX_MS_MGC_MSK) == LINUX_MS_MGC_VAL)
		ms &= ~LINUX_MS_MGC_MSK;
	rc = copy_in_optional(t, arg_addr(a, 2), &type);
	if (rc == 0)
		rc = copy_in_optional(t, arg_addr(a, 0), &source);
	if (rc == 0)
		rc = copy_in_optional(t, arg_addr(a, 4), &options);
	if (rc == 0)
		rc = call_lookup(t, LINUX_AT_FDCWD, arg_addr(a, 1), LOOKUP_FOLLOW, &at);
	return rc ? rc : do_mount(t, &at, ms, source, type, options);
}

int64_t sys_umount2(struct task *t, const struct syscall_args *a)
{
	const int known = LINUX_MNT_FORCE | LINUX_MNT_DETACH | LINUX_MNT_EXPIRE | LINUX_UMOUNT_NOFOLLOW;
	AUTO_PATH struct path at = { NULL, NULL };
	int flags = arg_int(a, 1), rc;

	if (flags & ~known)
		return -EINVAL;
	rc = call_lookup(t, LINUX_AT_FDCWD, arg_addr(a, 0),
			 flags & LINUX_UMOUNT_NOFOLLOW ? 0 : LOOKUP_FOLLOW, &at);
	if (rc < 0)
		return rc;
	if (!may_mount(t))
		return -EPERM;
	if (flags & LINUX_MNT_EXPIRE && flags & (LINUX_MNT_FORCE | LINUX_MNT_DETACH))
		return -EINVAL;
	return is_ours(t, &at) ? vfs_umount(&at, flags) : -EINVAL;
}

int64_t sys_pivot_root(struct task *t, const struct syscall_args *a)
{
	struct vfs_context ctx = task_vfs_context(t);
	AUTO_PATH struct path new_root = { NULL, NULL }, put_old = { NULL, NULL };
	const uint32_t lookup = LOOKUP_FOLLOW | LOOKUP_DIRECTORY;
	int rc;

	if (!may_mount(t))
		return -EPERM;
	rc = call_lookup(t, LINUX_AT_FDCWD, arg_addr(a, 0), lookup, &new_root);
	if (rc == 0)
		rc = call_lookup(t, LINUX_AT_FDCWD, arg_addr(a, 1), lookup, &put_old);
	if (rc == 0 && (!is_ours(t, &new_root) || !is_ours(t, &put_old)))
		rc = -EINVAL;
	return rc < 0 ? rc : vfs_pivot_root(&ctx, &new_root, &put_old);
}
