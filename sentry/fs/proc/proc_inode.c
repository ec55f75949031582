/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inodes of procfs: made at look-up from a row of a table, owned by whoever the
 * process belongs to, and the directories that list them.
 */
#include "sentry/abi/capability.h"
#include "sentry/fs/proc/proc_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/kernel/namespaces.h"
#include "sentry/vfs/dir_emit.h"
#include "sentry/vfs/permission.h"
#include "util/hash.h"

static const struct inode_ops dir_inode_ops, file_inode_ops, link_inode_ops, magic_inode_ops;

/* --- tasks -------------------------------------------------------------------------- */

struct task *proc_task(const struct inode *inode)
{
	struct pid *pid = proc_entry(inode)->pid;
	struct mutex *tasklist = &kernel_get()->tasklist_lock;
	struct task *t;

	if (!pid)
		return NULL;
	mutex_lock(tasklist);
	t = pid->task ? task_get(pid->task) : NULL;
	mutex_unlock(tasklist);
	return t;
}

bool proc_may_access(struct task *target, int mode)
{
	struct task *caller = task_current();

	return !caller || task_may_access(caller, target, mode);
}

/* Where it has no name that is root of the sandbox. */
static void root_of(struct user_namespace *ns, uint32_t *uid, uint32_t *gid)
{
	uint32_t kuid = uid_to_kernel(ns, 0);
	uint32_t kgid = gid_to_kernel(ns, 0);

	*uid = kuid == ID_INVALID ? 0 : kuid;
	*gid = kgid == ID_INVALID ? 0 : kgid;
}

/* Linux's task_dump_owner: directories that anyone may list are always the user's. */
static void owner_of(struct task *t, uint32_t mode, uint32_t *uid, uint32_t *gid)
{
	const struct credentials *cred = task_cred(t);
	struct mm *mm;

	*uid = cred->euid;
	*gid = cred->egid;
	if (mode != (LINUX_S_IFDIR | 0555)) {
		mm = task_mm_get(t);
		if (!mm)
			*uid = *gid = 0;
		else if (mm->dumpable != 1)
			root_of(cred->user_ns, uid, gid);
		mm_put(mm);
	}
	credentials_put(cred);
}

static void set_owner(struct inode *inode, struct task *t)
{
	uint32_t uid, gid;

	owner_of(t, proc_entry(inode)->node->mode, &uid, &gid);
	mutex_lock(&inode->attr_lock);
	inode->attr.uid = uid;
	inode->attr.gid = gid;
	mutex_unlock(&inode->attr_lock);
}

/* --- making --------------------------------------------------------------------------- */

uint64_t proc_ino(const struct proc_node *node, int32_t root_pid, bool thread, int32_t number,
		  size_t prefix)
{
	const uint64_t key[] = { (uintptr_t)node, (uint32_t)root_pid, thread, (uint32_t)number, prefix };

	if (node == &proc_root_node)
		return 1;
	/* small enough for programs with 32-bit inode numbers, and apart from 0 and 1 */
	return 0x10000000U | (hash_bytes(key, sizeof(key)) & 0x7fffffffU);
}

uint64_t proc_entry_ino(const struct proc_entry *e)
{
	return proc_ino(e->node, e->pid ? e->pid->id.numbers[0] : 0, e->thread, e->number, e->prefix);
}

static const struct inode_ops *ops_of(const struct proc_node *node)
{
	switch (node->mode & LINUX_S_IFMT) {
	case LINUX_S_IFDIR:
		return &dir_inode_ops;
	case LINUX_S_IFLNK:
		return node->get_link ? &magic_inode_ops : &link_inode_ops;
	default:
		return &file_inode_ops;
	}
}

static uint32_t table_links(const struct proc_dir *dir)
{
	uint32_t links = 2;

	for (unsigned i = 0; i < dir->count; i++)
		links += (dir->nodes[i].mode & LINUX_S_IFMT) == LINUX_S_IFDIR;
	return links;
}

int proc_inode_new(struct super_block *sb, const struct proc_entry *like, struct inode **out)
{
	struct proc_entry *entry = malloc(sizeof(*entry));
	struct inode *inode;
	struct task *t;
	int rc;

	if (!entry)
		return -ENOMEM;
	*entry = *like;
	rc = inode_new(sb, ops_of(like->node), proc_entry_ino(like), like->node->mode, &inode);
	if (rc < 0) {
		free(entry);
		return rc;
	}
	if (entry->pid)
		pid_get(entry->pid);
	inode->private_data = entry;
	inode->attr.blksize = 1024;
	if (like->node->dir)
		inode->attr.nlink = table_links(like->node->dir);
	t = proc_task(inode);
	if (t)
		set_owner(inode, t);
	task_put(t);
	if (entry->pid && !t) {
		inode_put(inode);
		return -ENOENT;
	}
	*out = inode;
	return 0;
}

static struct proc_entry child_entry(const struct inode *dir, const struct proc_node *node,
				     int32_t number)
{
	struct proc_entry e = *proc_entry(dir);

	e.node = node;
	e.number = number;
	e.prefix = 0;
	return e;
}

int proc_child_new(struct inode *dir, const struct proc_node *node, int32_t number,
		   struct inode **out)
{
	struct proc_entry e = child_entry(dir, node, number);

	return proc_inode_new(dir->sb, &e, out);
}

uint64_t proc_child_ino(const struct inode *dir, const struct proc_node *node, int32_t number)
{
	struct proc_entry e = child_entry(dir, node, number);

	return proc_entry_ino(&e);
}

static void entry_evict(struct inode *inode)
{
	struct proc_entry *e = inode->private_data;

	if (!e)
		return;
	pid_put(e->pid);
	free(e);
}

/* --- directories ------------------------------------------------------------------------ */

/* Left out by subset=pid. */
static bool hidden(const struct inode *dir, const struct proc_node *n)
{
	return proc_super(dir)->only_pids && proc_entry(dir)->node == &proc_root_node &&
	       !(n->flags & PROC_CALLER_LINK);
}

static int dir_lookup(struct inode *dir, const char *name, struct inode **out)
{
	const struct proc_dir *d = proc_entry(dir)->node->dir;

	for (unsigned i = 0; i < d->count; i++) {
		if (!strcmp(d->nodes[i].name, name) && !hidden(dir, &d->nodes[i]))
			return proc_child_new(dir, &d->nodes[i], (int32_t)i, out);
	}
	return d->lookup ? d->lookup(dir, name, out) : -ENOENT;
}

/* Linux's look-up fails before it could create. */
static int dir_create(struct inode *dir, const char *name, const struct inode_create *how,
		      struct inode **out)
{
	return -ENOENT;
}

bool proc_emit_nodes(struct file *file, struct dir_context *ctx)
{
	const struct proc_dir *d = proc_entry(file->inode)->node->dir;

	if (!dir_emit_dots(file, ctx))
		return false;
	while (ctx->pos < DIR_EMIT_FIRST + (uint64_t)d->count) {
		unsigned i = (unsigned)(ctx->pos - DIR_EMIT_FIRST);
		const struct proc_node *n = &d->nodes[i];

		if (hidden(file->inode, n))
			ctx->pos++;
		else if (!dir_emit(ctx, n->name, strlen(n->name), ctx->pos + 1,
				   proc_child_ino(file->inode, n, (int32_t)i), LINUX_DT(n->mode)))
			return false;
	}
	return true;
}

static int dir_iterate(struct file *file, struct dir_context *ctx)
{
	const struct proc_dir *d = proc_entry(file->inode)->node->dir;

	if (proc_entry(file->inode)->pid) {
		struct task *t = proc_task(file->inode);

		if (!t)
			return -ENOENT;
		task_put(t);
	}
	if (!proc_emit_nodes(file, ctx) || !d->iterate)
		return 0;
	if (ctx->pos < PROC_DYNAMIC)
		ctx->pos = PROC_DYNAMIC;
	return d->iterate(file, ctx);
}

const struct file_ops proc_dir_file_ops = {
	.llseek = vfs_llseek_cookie,
	.iterate = dir_iterate,
};

static int dir_open(struct inode *inode, struct file *file)
{
	file->ops = &proc_dir_file_ops;
	return 0;
}

/* A name that was found stays true until its process is gone; its owner may change. */
static int dir_revalidate(struct inode *dir, const char *name, struct inode *inode)
{
	struct task *t;

	if (!inode || !proc_entry(inode)->pid)
		return inode != NULL;
	if (proc_entry(dir)->node->dir == &proc_fd_dir ||
	    proc_entry(dir)->node->dir == &proc_fdinfo_dir ||
	    proc_entry(dir)->node->dir == &proc_map_files_dir)
		return 0; /* the number, or the place, may be another file's by now */
	t = proc_task(inode);
	if (!t)
		return 0;
	set_owner(inode, t);
	task_put(t);
	return 1;
}

/* --- attributes ---------------------------------------------------------------------------- */

static int entry_getattr(struct inode *inode, struct inode_attr *out)
{
	const struct proc_entry *e = proc_entry(inode);
	struct task *t = proc_task(inode);
	int rc = 0;

	if (t) {
		set_owner(inode, t);
		if (!proc_pid_visible(proc_super(inode), t, HIDEPID_INVISIBLE))
			rc = -ENOENT;
		task_put(t);
	}
	inode_attr_read(inode, out);
	if (e->node->dir && e->node->dir->links)
		out->nlink += e->node->dir->links(inode);
	return rc;
}

static int entry_setattr(struct inode *inode, const struct setattr *attr)
{
	if (attr->mask & (SETATTR_MODE | SETATTR_UID | SETATTR_GID))
		return -EPERM;
	return 0; /* size and times leave no trace, as on Linux */
}

static int dir_permission(struct inode *inode, int mask, const struct credentials *cred)
{
	const struct proc_dir *d = proc_entry(inode)->node->dir;

	return d->permission ? d->permission(inode, mask, cred) :
			       inode_permission_by_mode(inode, mask, cred);
}

static bool is_net_admin(const struct credentials *cred)
{
	struct task *t = task_current();
	struct namespace_ref ref = { .ns = NULL };
	bool admin;

	if (t)
		ref = task_namespace_get(t, NAMESPACE_NET, false);
	if (!ref.ns)
		return false;
	admin = credentials_ns_capable(cred, namespace_ref_owner(ref), LINUX_CAP_NET_ADMIN);
	namespace_ref_put(ref);
	return admin;
}

/* Linux's sysctl test_perm; the owner does not change. */
static int file_permission(struct inode *inode, int mask, const struct credentials *cred)
{
	uint32_t bits = proc_entry(inode)->node->mode, flags = proc_entry(inode)->node->flags;

	if (flags & PROC_USER_LIMIT) {
		if (credentials_capable(cred, LINUX_CAP_SYS_RESOURCE))
			bits >>= 6;
		return (uint32_t)mask & ~bits & 7 ? -EACCES : 0;
	}
	if (!(flags & PROC_PLAIN_MODE))
		return inode_permission_by_mode(inode, mask, cred);
	if (cred->euid == inode->attr.uid || (flags & PROC_NET_ADMIN && is_net_admin(cred)))
		bits >>= 6;
	else if (cred->egid == inode->attr.gid || credentials_in_group(cred, inode->attr.gid))
		bits >>= 3;
	return (uint32_t)mask & ~bits & 7 ? -EACCES : 0;
}

/* --- links ------------------------------------------------------------------------------------ */

static int link_readlink(struct inode *inode, char **out)
{
	struct proc_call c;
	int rc = proc_call_begin(inode, NULL, &c);

	if (rc < 0)
		return inode->ops == &magic_inode_ops ? -EACCES : -ENOENT;
	rc = proc_entry(inode)->node->readlink(&c, out);
	proc_call_end(&c);
	return rc;
}

static int magic_get_link(struct inode *inode, struct mount **mnt, struct dentry **dentry)
{
	struct path p = { NULL, NULL };
	struct proc_call c;
	int rc = proc_call_begin(inode, NULL, &c);

	if (rc < 0)
		return -EACCES;
	rc = proc_entry(inode)->node->get_link(&c, &p);
	proc_call_end(&c);
	if (rc < 0)
		return rc;
	*mnt = p.mount;
	*dentry = p.dentry;
	return 0;
}

static const struct inode_ops dir_inode_ops = {
	.lookup = dir_lookup,
	.create = dir_create,
	.revalidate = dir_revalidate,
	.getattr = entry_getattr,
	.setattr = entry_setattr,
	.permission = dir_permission,
	.open = dir_open,
	.evict = entry_evict,
};

static const struct inode_ops file_inode_ops = {
	.getattr = entry_getattr,
	.setattr = entry_setattr,
	.permission = file_permission,
	.open = proc_file_open,
	.evict = entry_evict,
};

static const struct inode_ops link_inode_ops = {
	.getattr = entry_getattr,
	.setattr = entry_setattr,
	.readlink = link_readlink,
	.evict = entry_evict,
};

static const struct inode_ops magic_inode_ops = {
	.getattr = entry_getattr,
	.setattr = entry_setattr,
	.readlink = link_readlink,
	.get_link = magic_get_link,
	.evict = entry_evict,
};
