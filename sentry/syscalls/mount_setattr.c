/* SPDX-License-Identifier: Apache-2.0 */
/* mount_setattr.  No file system here can be mounted with mapped ids. */
#include "config.h"

#include "sentry/fs/proc/nsfs.h"
#include "sentry/mm/copy_struct.h"
#include "sentry/syscalls/mount_call.h"

#define PROPAGATION (LINUX_MS_SHARED | LINUX_MS_PRIVATE | LINUX_MS_SLAVE | LINUX_MS_UNBINDABLE)
#define KNOWN_ATTRIBUTES                                                                        \
	((uint64_t)(LINUX_MOUNT_ATTR_RDONLY | LINUX_MOUNT_ATTR_NOSUID | LINUX_MOUNT_ATTR_NODEV | \
		    LINUX_MOUNT_ATTR_NOEXEC | LINUX_MOUNT_ATTR_ATIME | LINUX_MOUNT_ATTR_NODIRATIME | \
		    LINUX_MOUNT_ATTR_NOSYMFOLLOW | LINUX_MOUNT_ATTR_IDMAP))

/* One of several: all of them are cleared, or nothing is said. */
static int decode_access_times(const struct linux_mount_attr *attr, struct mount_change *out)
{
	uint64_t set = attr->attr_set & LINUX_MOUNT_ATTR_ATIME, clear = attr->attr_clr & LINUX_MOUNT_ATTR_ATIME;
	uint32_t flags;
	int rc;

	if (!clear)
		return set ? -EINVAL : 0;
	if (clear != LINUX_MOUNT_ATTR_ATIME)
		return -EINVAL;
	rc = mount_flags_from_access_time(set, &flags);
	if (rc < 0)
		return rc;
	out->clear |= MOUNT_RELATIME | MOUNT_NOATIME;
	out->set |= flags;
	return 0;
}

static int check_id_map(struct task *t, const struct linux_mount_attr *attr)
{
	AUTO_FILE struct file *file = NULL;
	struct namespace_ref ref;

	if (!((attr->attr_set | attr->attr_clr) & LINUX_MOUNT_ATTR_IDMAP))
		return 0;
	if (attr->attr_clr & LINUX_MOUNT_ATTR_IDMAP || attr->userns_fd > INT32_MAX)
		return -EINVAL;
	file = call_file(t, (int)attr->userns_fd);
	if (!file)
		return -EBADF;
	if (nsfs_from_file(file, &ref) || ref.kind != NAMESPACE_USER)
		return -EINVAL;
	if (!credentials_ns_capable(t->cred, ref.ns, LINUX_CAP_SYS_ADMIN))
		return -EPERM;
	return 0;
}

static int decode(struct task *t, const struct linux_mount_attr *attr, struct mount_change *out)
{
	int rc;

	if (attr->propagation & ~PROPAGATION || attr->propagation & (attr->propagation - 1))
		return -EINVAL;
	if ((attr->attr_set | attr->attr_clr) & ~KNOWN_ATTRIBUTES)
		return -EINVAL;
	out->propagation = attr->propagation;
	out->set = mount_flags_from_attributes(attr->attr_set);
	out->clear = mount_flags_from_attributes(attr->attr_clr);
	rc = decode_access_times(attr, out);
	return rc < 0 ? rc : check_id_map(t, attr);
}

int64_t sys_mount_setattr(struct task *t, const struct syscall_args *a)
{
	const uint32_t at_flags = LINUX_AT_EMPTY_PATH | LINUX_AT_NO_AUTOMOUNT | LINUX_AT_SYMLINK_NOFOLLOW;
	uint32_t flags = arg_u32(a, 2);
	struct mount_change change = { .recursive = flags & LINUX_AT_RECURSIVE };
	AUTO_PATH struct path at = { NULL, NULL };
	struct linux_mount_attr attr;
	int rc;

	if (flags & ~(at_flags | LINUX_AT_RECURSIVE))
		return -EINVAL;
	if (a->v[4] > GUEST_PAGE_SIZE)
		return -E2BIG;
	if (a->v[4] < LINUX_MOUNT_ATTR_SIZE_VER0)
		return -EINVAL;
	if (!may_mount(t))
		return -EPERM;
	rc = copy_in_struct(t->mm, &attr, sizeof(attr), LINUX_MOUNT_ATTR_SIZE_VER0, arg_addr(a, 3), a->v[4]);
	if (rc < 0 || (!attr.attr_set && !attr.attr_clr && !attr.propagation))
		return rc;
	rc = decode(t, &attr, &change);
	if (rc == 0)
		rc = call_lookup_named(t, arg_int(a, 0), arg_addr(a, 1), flags & at_flags, &at);
	if (rc < 0)
		return rc;
	/* Of a file system that cannot. */
	if (attr.attr_set & LINUX_MOUNT_ATTR_IDMAP)
		return -EINVAL;
	return vfs_change_mount(t->namespaces->mount, &at, &change);
}
