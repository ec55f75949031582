/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nsfs: an inode of an internal super block for a namespace, made when it is asked
 * for.  The inode number is the namespace's own, which is what programs compare.
 */
#include "sentry/fs/proc/nsfs.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "sentry/abi/seccomp.h"
#include "sentry/fs/proc/proc_internal.h"
#include "sentry/vfs/permission.h"

#define NSFS_MAGIC 0x6e736673

#define NS_GET_USERNS 0xb701U
#define NS_GET_PARENT 0xb702U
#define NS_GET_NSTYPE 0xb703U
#define NS_GET_OWNER_UID 0xb704U
#define NS_GET_MNTNS_ID 0x8008b705U
#define NS_GET_PID_FROM_PIDNS 0x8004b706U
#define NS_GET_TGID_FROM_PIDNS 0x8004b707U
#define NS_GET_PID_IN_PIDNS 0x8004b708U
#define NS_GET_TGID_IN_PIDNS 0x8004b709U
#define NS_GET_ID 0x8008b70dU
/* These have the size of what the caller knows of the structure in them. */
#define NS_MNT_GET_INFO 0x8000b70aU
#define NS_MNT_GET_NEXT 0x8000b70bU
#define NS_MNT_GET_PREV 0x8000b70cU

struct linux_mnt_ns_info {
	uint32_t size, nr_mounts;
	uint64_t mnt_ns_id;
};
static_assert(sizeof(struct linux_mnt_ns_info) == 16, "mnt_ns_info");

static struct super_block *nsfs_sb; /* written at boot */

static const struct {
	enum namespace_kind kind;
	bool for_children;
} types[NSFS_TYPE_COUNT] = {
	[NSFS_CGROUP] = { NAMESPACE_CGROUP, false },
	[NSFS_IPC] = { NAMESPACE_IPC, false },
	[NSFS_MNT] = { NAMESPACE_MOUNT, false },
	[NSFS_NET] = { NAMESPACE_NET, false },
	[NSFS_PID] = { NAMESPACE_PID, false },
	[NSFS_PID_FOR_CHILDREN] = { NAMESPACE_PID, true },
	[NSFS_TIME] = { NAMESPACE_TIME, false },
	[NSFS_TIME_FOR_CHILDREN] = { NAMESPACE_TIME, true },
	[NSFS_USER] = { NAMESPACE_USER, false },
	[NSFS_UTS] = { NAMESPACE_UTS, false },
};

static const char *const prefixes[NAMESPACE_KIND_COUNT] = {
	[NAMESPACE_CGROUP] = "cgroup", [NAMESPACE_IPC] = "ipc", [NAMESPACE_MOUNT] = "mnt",
	[NAMESPACE_NET] = "net",       [NAMESPACE_PID] = "pid", [NAMESPACE_TIME] = "time",
	[NAMESPACE_USER] = "user",     [NAMESPACE_UTS] = "uts",
};

/* private_data of the inode: the object pointed to is the inode's. */
static struct namespace_ref *ref_of(struct inode *inode)
{
	return inode->private_data;
}

static void nsfs_evict(struct inode *inode)
{
	if (!inode->private_data)
		return;
	namespace_ref_put(*ref_of(inode));
	free(inode->private_data);
}

static const struct file_ops nsfs_file_ops;

static int nsfs_open(struct inode *inode, struct file *file)
{
	file->ops = &nsfs_file_ops;
	return 0;
}

/* Immutable, as Linux has them. */
static int nsfs_permission(struct inode *inode, int mask, const struct credentials *cred)
{
	return mask & LINUX_MAY_WRITE ? -EPERM : inode_permission_by_mode(inode, mask, cred);
}

static const struct inode_ops nsfs_inode_ops = { .open = nsfs_open, .evict = nsfs_evict,
						 .permission = nsfs_permission };

static int64_t nsfs_ioctl(struct file *file, struct mm *mm, uint32_t cmd, uint64_t arg);

static void nsfs_describe(struct file *file, char *buf, size_t size)
{
	snprintf(buf, size, "%s:[%llu]", prefixes[ref_of(file->inode)->kind],
		 (unsigned long long)file->inode->ino);
}

static const struct file_ops nsfs_file_ops = { .describe = nsfs_describe, .ioctl = nsfs_ioctl };

static const struct mount_namespace *nsfs_mount_namespace(const struct inode *inode)
{
	const struct namespace_ref *ref = inode->private_data;

	return ref->kind == NAMESPACE_MOUNT ? ref->ns : NULL;
}

static const struct super_block_ops nsfs_super_ops = { .mount_namespace_of = nsfs_mount_namespace };

int proc_ns_init(struct kernel *k)
{
	return super_block_new(&nsfs_super_ops, "nsfs", NSFS_MAGIC, k->root_user_ns, &nsfs_sb);
}

int nsfs_from_file(struct file *file, struct namespace_ref *out)
{
	if (file->ops != &nsfs_file_ops)
		return -EINVAL;
	*out = *ref_of(file->inode);
	return 0;
}

/* Takes over @ref's reference. */
static int ref_path(struct namespace_ref ref, struct path *out)
{
	uint64_t ino = namespace_ref_number(ref);
	struct namespace_ref *kept = malloc(sizeof(*kept));
	struct dentry *dentry;
	struct inode *inode;
	char name[48];
	int rc = kept ? inode_new(nsfs_sb, &nsfs_inode_ops, ino, LINUX_S_IFREG | 0444, &inode) :
			-ENOMEM;

	if (rc < 0) {
		free(kept);
		namespace_ref_put(ref);
		return rc;
	}
	*kept = ref;
	inode->private_data = kept;
	snprintf(name, sizeof(name), "%s:[%llu]", prefixes[ref.kind], (unsigned long long)ino);
	rc = dentry_new_anonymous(inode, name, &dentry);
	inode_put(inode);
	if (rc < 0)
		return rc;
	*out = (struct path){ NULL, dentry };
	return 0;
}

int nsfs_path(struct task *t, enum nsfs_type type, struct path *out)
{
	struct namespace_ref ref = task_namespace_get(t, types[type].kind, types[type].for_children);

	return ref.ns ? ref_path(ref, out) : -ENOENT;
}

/* --- ioctl_ns(2) ---------------------------------------------------------------------------- */

int64_t nsfs_open_namespace(struct task *t, struct namespace_ref ref)
{
	struct vfs_context ctx = task_vfs_context(t);
	struct path p;
	struct file *file;
	int fd, rc = ref_path(ref, &p);

	if (rc < 0)
		return rc;
	rc = vfs_open_path(&ctx, &p, LINUX_O_RDONLY, &file);
	path_put(&p);
	if (rc < 0)
		return rc;
	fd = fd_table_install(t->fds, file, 0, task_rlimit(t, RLIM_NOFILE), true);
	file_put(file);
	return fd;
}

/* Namespaces outside the caller's own are not shown to it. */
static int64_t open_user(struct task *t, struct user_namespace *ns)
{
	struct user_namespace *own = task_user_namespace(t), *p = ns;

	while (p && p != own)
		p = p->parent;
	if (!p)
		return -EPERM;
	return nsfs_open_namespace(t, (struct namespace_ref){ NAMESPACE_USER, user_namespace_get(ns) });
}

static int64_t open_parent_pid(struct task *t, struct pid_namespace *ns)
{
	struct pid_namespace *own = task_pid_namespace(t), *parent = ns->parent;

	if (!parent || parent->level < own->level || !pid_namespace_is_descendant(parent, own))
		return -EPERM;
	return nsfs_open_namespace(t, (struct namespace_ref){ NAMESPACE_PID, pid_namespace_get(parent) });
}

/* The number in one namespace of who has @number in the other: @ns and the caller's. */
static int64_t translate(struct task *t, struct pid_namespace *ns, uint32_t cmd, int32_t number)
{
	struct pid_namespace *own = task_pid_namespace(t);
	bool in = cmd == NS_GET_PID_IN_PIDNS || cmd == NS_GET_TGID_IN_PIDNS;
	bool group = cmd == NS_GET_TGID_FROM_PIDNS || cmd == NS_GET_TGID_IN_PIDNS;
	struct task *target = task_lookup(in ? own : ns, number);
	int32_t result;

	if (!target)
		return -ESRCH;
	result = group ? task_tgid_in(target, in ? ns : own) : task_tid_in(target, in ? ns : own);
	task_put(target);
	return result ? result : -ESRCH;
}

static int put_mount_info(struct mm *mm, struct mount_namespace *ns, guest_addr_t out)
{
	const struct linux_mnt_ns_info info = { .size = sizeof(info),
						.nr_mounts = mount_namespace_count_mounts(ns),
						.mnt_ns_id = ns->ino };

	return copy_out(mm, out, &info, sizeof(info));
}

/* Who is not in the machine's first PID namespace, as no container is, does not see the others of its kind. */
static int64_t mount_ioctl(struct namespace_ref ref, struct mm *mm, uint32_t cmd, uint64_t arg)
{
	uint32_t size = LINUX_IOC_SIZE(cmd);

	cmd &= ~(LINUX_IOC_SIZE(UINT32_MAX) << LINUX_IOC_SIZE_SHIFT);
	if ((cmd != NS_MNT_GET_INFO && cmd != NS_MNT_GET_NEXT && cmd != NS_MNT_GET_PREV) ||
	    size < sizeof(struct linux_mnt_ns_info))
		return -ENOTTY;
	if (cmd != NS_MNT_GET_INFO)
		return -EPERM;
	return ref.kind == NAMESPACE_MOUNT && arg ? put_mount_info(mm, ref.ns, guest_addr(arg)) : -EINVAL;
}

static int64_t nsfs_ioctl(struct file *file, struct mm *mm, uint32_t cmd, uint64_t arg)
{
	struct namespace_ref ref = *ref_of(file->inode);
	struct task *t = task_current();

	switch (cmd) {
	case NS_GET_USERNS:
		return open_user(t, namespace_ref_owner(ref));
	case NS_GET_PARENT:
		if (ref.kind == NAMESPACE_USER)
			return open_user(t, namespace_ref_owner(ref));
		return ref.kind == NAMESPACE_PID ? open_parent_pid(t, ref.ns) : -EINVAL;
	case NS_GET_NSTYPE:
		return (int64_t)namespace_kind_flag(ref.kind);
	case NS_GET_OWNER_UID:
		if (ref.kind != NAMESPACE_USER)
			return -EINVAL;
		return copy_out_u32(mm, guest_addr(arg),
				    uid_from_kernel(task_user_namespace(t),
						    ((struct user_namespace *)ref.ns)->owner_uid));
	case NS_GET_PID_FROM_PIDNS:
	case NS_GET_TGID_FROM_PIDNS:
	case NS_GET_PID_IN_PIDNS:
	case NS_GET_TGID_IN_PIDNS:
		return ref.kind == NAMESPACE_PID ? translate(t, ref.ns, cmd, (int32_t)arg) : -EINVAL;
	case NS_GET_MNTNS_ID:
		return ref.kind == NAMESPACE_MOUNT ?
			       copy_out_u64(mm, guest_addr(arg), namespace_ref_number(ref)) : -EINVAL;
	case NS_GET_ID:
		return copy_out_u64(mm, guest_addr(arg), namespace_ref_number(ref));
	default:
		return mount_ioctl(ref, mm, cmd, arg);
	}
}
