/* SPDX-License-Identifier: Apache-2.0 */
/*
 * nsfs: an inode of an internal super block for a namespace, made when it is asked
 * for.  The inode number is the namespace's own, which is what programs compare.
 */
#include "sentry/fs/proc/nsfs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "sentry/abi/sched.h"
#include "sentry/fs/proc/proc_internal.h"
#include "sentry/net/net_namespace.h"

#define NSFS_MAGIC 0x6e736673
/* Of the kinds of which there is one: as on Linux, where the first have fixed numbers. */
#define INO_IPC 0xEFFFFFFFU
#define INO_CGROUP 0xEFFFFFFBU
#define INO_TIME 0xEFFFFFFAU
#define INO_NET 0xEFFFFFF9U
#define INO_FIRST_DYNAMIC 0xF0000000U

#define NS_GET_USERNS 0xb701U
#define NS_GET_PARENT 0xb702U
#define NS_GET_NSTYPE 0xb703U
#define NS_GET_OWNER_UID 0xb704U

struct nsfs_object {
	enum nsfs_type type;
	void *ns;		       /* what nsfs_from_file gives */
	struct namespaces *namespaces; /* reference that keeps ns, or NULL */
	struct user_namespace *user;   /* reference, for NSFS_USER */
	struct pid_namespace *pid;     /* reference, for NSFS_PID */
};

static struct super_block *nsfs_sb; /* written at boot */

static const char *const prefixes[NSFS_TYPE_COUNT] = {
	[NSFS_CGROUP] = "cgroup", [NSFS_IPC] = "ipc",	[NSFS_MNT] = "mnt",
	[NSFS_NET] = "net",	  [NSFS_PID] = "pid",	[NSFS_PID_FOR_CHILDREN] = "pid",
	[NSFS_TIME] = "time",	  [NSFS_TIME_FOR_CHILDREN] = "time",
	[NSFS_USER] = "user",	  [NSFS_UTS] = "uts",
};

static void object_free(struct nsfs_object *o)
{
	namespaces_put(o->namespaces);
	user_namespace_put(o->user);
	pid_namespace_put(o->pid);
	free(o);
}

static void nsfs_evict(struct inode *inode)
{
	if (inode->private_data)
		object_free(inode->private_data);
}

static const struct file_ops nsfs_file_ops;

static int nsfs_open(struct inode *inode, struct file *file)
{
	file->ops = &nsfs_file_ops;
	return 0;
}

static const struct inode_ops nsfs_inode_ops = { .open = nsfs_open, .evict = nsfs_evict };

static int64_t nsfs_ioctl(struct file *file, struct mm *mm, uint32_t cmd, uint64_t arg);

static void nsfs_describe(struct file *file, char *buf, size_t size)
{
	const struct nsfs_object *o = file->inode->private_data;

	snprintf(buf, size, "%s:[%llu]", prefixes[o->type], (unsigned long long)file->inode->ino);
}

static const struct file_ops nsfs_file_ops = { .describe = nsfs_describe, .ioctl = nsfs_ioctl };

static int nsfs_statfs(struct super_block *sb, struct statfs_result *out)
{
	*out = (struct statfs_result){ .type = NSFS_MAGIC, .bsize = 4096, .frsize = 4096,
				       .namelen = VFS_NAME_MAX };
	return 0;
}

static const struct super_block_ops nsfs_super_ops = { .statfs = nsfs_statfs };

int proc_ns_init(struct kernel *k)
{
	return super_block_new(&nsfs_super_ops, "nsfs", NSFS_MAGIC, k->root_user_ns, &nsfs_sb);
}

int nsfs_from_file(struct file *file, enum nsfs_type *type, void **ns)
{
	const struct nsfs_object *o;

	if (file->ops != &nsfs_file_ops)
		return -EINVAL;
	o = file->inode->private_data;
	*type = o->type;
	*ns = o->ns;
	return 0;
}

/* Finds the namespace of @t; its number. */
static int find(struct task *t, struct nsfs_object *o, uint64_t *ino)
{
	const struct credentials *cred;

	o->namespaces = task_namespaces_get(t);
	if (!o->namespaces && o->type != NSFS_USER && o->type != NSFS_PID)
		return -ENOENT;
	switch (o->type) {
	case NSFS_MNT:
		o->ns = o->namespaces->mount;
		*ino = o->namespaces->mount->ino;
		return 0;
	case NSFS_UTS:
		o->ns = o->namespaces->uts;
		*ino = o->namespaces->uts->ino;
		return 0;
	case NSFS_IPC:
		o->ns = o->namespaces->ipc;
		*ino = INO_IPC;
		return 0;
	case NSFS_NET:
		o->ns = o->namespaces->net;
		*ino = o->namespaces->net ? o->namespaces->net->ino : INO_NET;
		return 0;
	case NSFS_PID_FOR_CHILDREN:
		o->ns = o->namespaces->pid_for_children;
		*ino = o->namespaces->pid_for_children->ino;
		return 0;
	case NSFS_PID:
		o->pid = pid_namespace_get(task_pid_namespace(t));
		o->ns = o->pid;
		*ino = o->pid->ino;
		return 0;
	case NSFS_USER:
		cred = task_cred(t);
		o->user = user_namespace_get(cred->user_ns);
		credentials_put(cred);
		o->ns = o->user;
		*ino = o->user->ino;
		return 0;
	case NSFS_CGROUP:
		*ino = INO_CGROUP;
		return 0;
	default:
		*ino = INO_TIME;
		return 0;
	}
}

/* Kinds number their namespaces on their own; here the numbers must differ between kinds. */
static uint64_t unique_ino(const struct nsfs_object *o, uint64_t ino)
{
	static const unsigned bases[NSFS_TYPE_COUNT] = {
		[NSFS_CGROUP] = 0, [NSFS_IPC] = 1, [NSFS_MNT] = 2, [NSFS_NET] = 3, [NSFS_PID] = 4,
		[NSFS_PID_FOR_CHILDREN] = 4, [NSFS_TIME] = 5, [NSFS_TIME_FOR_CHILDREN] = 5,
		[NSFS_USER] = 6, [NSFS_UTS] = 7,
	};

	return ino < INO_FIRST_DYNAMIC ? ino : ino + ((uint64_t)bases[o->type] << 20);
}

/* Takes over @o. */
static int object_path(struct nsfs_object *o, uint64_t number, struct path *out)
{
	uint64_t ino = unique_ino(o, number);
	struct dentry *dentry;
	struct inode *inode;
	char name[48];
	int rc = inode_new(nsfs_sb, &nsfs_inode_ops, ino, LINUX_S_IFREG | 0444, &inode);

	if (rc < 0) {
		object_free(o);
		return rc;
	}
	inode->private_data = o;
	snprintf(name, sizeof(name), "%s:[%llu]", prefixes[o->type], (unsigned long long)ino);
	rc = dentry_new_anonymous(inode, name, &dentry);
	inode_put(inode);
	if (rc < 0)
		return rc;
	*out = (struct path){ NULL, dentry };
	return 0;
}

int nsfs_path(struct task *t, enum nsfs_type type, struct path *out)
{
	struct nsfs_object *o = calloc(1, sizeof(*o));
	uint64_t ino = 0;
	int rc;

	if (!o)
		return -ENOMEM;
	o->type = type;
	rc = find(t, o, &ino);
	if (rc < 0) {
		object_free(o);
		return rc;
	}
	return object_path(o, ino, out);
}

/* --- ioctl_ns(2) ---------------------------------------------------------------------------- */

/* Who owns the namespace; borrowed.  Those of which there is one are the root's. */
static struct user_namespace *owner_of(const struct nsfs_object *o)
{
	switch (o->type) {
	case NSFS_MNT:
		return ((struct mount_namespace *)o->ns)->user_ns;
	case NSFS_UTS:
		return ((struct uts_namespace *)o->ns)->user_ns;
	case NSFS_PID:
	case NSFS_PID_FOR_CHILDREN:
		return ((struct pid_namespace *)o->ns)->user_ns;
	case NSFS_USER:
		return ((struct user_namespace *)o->ns)->parent;
	case NSFS_NET:
		return o->ns ? ((struct net_namespace *)o->ns)->user_ns : kernel_get()->root_user_ns;
	default:
		return kernel_get()->root_user_ns;
	}
}

/* An FD of the calling task for the namespace in @o, which is taken over. */
static int64_t open_object(struct task *t, struct nsfs_object *o, uint64_t ino)
{
	struct vfs_context ctx = task_vfs_context(t);
	struct path p;
	struct file *file;
	int fd, rc = object_path(o, ino, &p);

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
	struct nsfs_object *o;

	while (p && p != own)
		p = p->parent;
	if (!p)
		return -EPERM;
	o = calloc(1, sizeof(*o));
	if (!o)
		return -ENOMEM;
	o->type = NSFS_USER;
	o->user = user_namespace_get(ns);
	o->ns = ns;
	return open_object(t, o, ns->ino);
}

static int64_t open_parent_pid(struct task *t, struct pid_namespace *ns)
{
	struct pid_namespace *own = task_pid_namespace(t), *parent = ns->parent;
	struct nsfs_object *o;

	if (!parent || parent->level < own->level || !pid_namespace_is_descendant(parent, own))
		return -EPERM;
	o = calloc(1, sizeof(*o));
	if (!o)
		return -ENOMEM;
	o->type = NSFS_PID;
	o->pid = pid_namespace_get(parent);
	o->ns = parent;
	return open_object(t, o, parent->ino);
}

static int64_t nsfs_ioctl(struct file *file, struct mm *mm, uint32_t cmd, uint64_t arg)
{
	static const uint32_t clone_flags[NSFS_TYPE_COUNT] = {
		[NSFS_CGROUP] = LINUX_CLONE_NEWCGROUP, [NSFS_IPC] = LINUX_CLONE_NEWIPC,
		[NSFS_MNT] = LINUX_CLONE_NEWNS,	       [NSFS_NET] = LINUX_CLONE_NEWNET,
		[NSFS_PID] = LINUX_CLONE_NEWPID,       [NSFS_PID_FOR_CHILDREN] = LINUX_CLONE_NEWPID,
		[NSFS_TIME] = LINUX_CLONE_NEWTIME,     [NSFS_TIME_FOR_CHILDREN] = LINUX_CLONE_NEWTIME,
		[NSFS_USER] = LINUX_CLONE_NEWUSER,     [NSFS_UTS] = LINUX_CLONE_NEWUTS,
	};
	const struct nsfs_object *o = file->inode->private_data;
	struct task *t = task_current();

	switch (cmd) {
	case NS_GET_USERNS:
		return open_user(t, owner_of(o));
	case NS_GET_PARENT:
		if (o->type == NSFS_USER)
			return open_user(t, o->user->parent);
		return o->type == NSFS_PID ? open_parent_pid(t, o->pid) : -EINVAL;
	case NS_GET_NSTYPE:
		return clone_flags[o->type];
	case NS_GET_OWNER_UID:
		if (o->type != NSFS_USER)
			return -EINVAL;
		return copy_out_u32(mm, guest_addr(arg),
				    uid_from_kernel(task_user_namespace(t), o->user->owner_uid));
	default:
		return -ENOTTY;
	}
}
