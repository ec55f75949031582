/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pidfds: readable once the group, or the thread, is a zombie or gone.  The file holds
 * the task, not its number, so the number may be used again while the descriptor is open.
 */
#include "sentry/kernel/pidfd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/fs.h"
#include "sentry/abi/poll.h"
#include "sentry/abi/wait.h"
#include "sentry/kernel/kernel.h"
#include "sentry/kernel/pid.h"
#include "sentry/kernel/task_internal.h"
#include "sentry/vfs/file_handle.h"
#include "sentry/vfs/inode.h"
#include "sentry/vfs/permission.h"
#include "util/strbuf.h"

/* private_data of the inode, of which each call that makes a descriptor has its own. */
struct pidfd {
	struct task *task; /* reference; as it was when the descriptor was made */
	bool of_group;	   /* its number is the group's, which a thread that calls exec takes over */
};

static struct super_block *pidfs_sb; /* written at boot */

static struct pidfd *pidfd_of(struct file *file)
{
	return file->inode->private_data;
}

static void pidfs_evict(struct inode *inode)
{
	struct pidfd *p = inode->private_data;

	if (!p)
		return;
	task_put(p->task);
	free(p);
}

/*
 * Who has the number now, borrowed; NULL once it is reaped.  A thread whose exec made it
 * the leader has left its own.
 */
static struct task *holder_locked(const struct pidfd *p)
{
	struct thread_group *g = p->task->group;

	if (p->of_group)
		return g->released ? NULL : g->leader;
	return atomic_load(&p->task->state) == TASK_DEAD || g->leader == p->task ? NULL : p->task;
}

static uint32_t pidfd_poll(struct file *file)
{
	struct pidfd *p = pidfd_of(file);
	struct mutex *lock = &p->task->kernel->tasklist_lock;
	struct task *t;
	uint32_t ready = 0;

	mutex_lock(lock);
	t = holder_locked(p);
	if (!t)
		ready = LINUX_POLLIN | LINUX_POLLRDNORM | LINUX_POLLHUP;
	else if (p->of_group ? t->group->zombie : t->ptrace.zombie)
		ready = LINUX_POLLIN | LINUX_POLLRDNORM;
	mutex_unlock(lock);
	return ready;
}

static struct wait_queue *pidfd_poll_queue(struct file *file)
{
	struct pidfd *p = pidfd_of(file);

	return &p->task->group->exit_wait;
}

/* The numbers from the reader's namespace down to the task's own. */
static void pidfd_show(struct file *file, struct strbuf *out)
{
	struct pidfd *p = pidfd_of(file);
	struct task *reader = task_current(), *t;
	int32_t number = -1;
	uint32_t level = 0;

	mutex_lock(&p->task->kernel->tasklist_lock);
	t = holder_locked(p);
	if (t) {
		struct pid_namespace *ns = reader ? reader->pid.ns : t->pid.ns;

		number = pid_number_in(&t->pid, ns);
		level = ns->level;
	}
	strbuf_addf(out, "Pid:\t%d\nNSpid:\t%d", number, number);
	while (number > 0 && ++level <= t->pid.ns->level)
		strbuf_addf(out, "\t%d", t->pid.numbers[level]);
	strbuf_add_char(out, '\n');
	mutex_unlock(&p->task->kernel->tasklist_lock);
}

static ssize_t pidfd_no_read(struct file *file, struct io_iter *to, uint64_t *pos)
{
	return -EINVAL;
}

static ssize_t pidfd_no_write(struct file *file, struct io_iter *from, uint64_t *pos)
{
	return -EINVAL;
}

static const struct file_ops pidfd_ops = {
	.read = pidfd_no_read,
	.write = pidfd_no_write,
	.poll = pidfd_poll,
	.poll_queue = pidfd_poll_queue,
	.show_fdinfo = pidfd_show,
	.ioctl = pidfd_ioctl,
};

/* A regular file to those that want one; it shows no type. */
static int pidfs_getattr(struct inode *inode, struct inode_attr *out)
{
	inode_attr_read(inode, out);
	out->mode &= ~(uint32_t)LINUX_S_IFMT;
	return 0;
}

/* Nothing is executed here, whatever the mode says. */
static int pidfs_permission(struct inode *inode, int mask, const struct credentials *cred)
{
	return mask & LINUX_MAY_EXEC ? -EACCES : inode_permission_by_mode(inode, mask, cred);
}

/* Again, through /proc/PID/fd. */
static int pidfs_open(struct inode *inode, struct file *file)
{
	file->ops = &pidfd_ops;
	return 0;
}

static const struct inode_ops pidfs_inode_ops = { .fixed_attr = true, .open = pidfs_open, .getattr = pidfs_getattr,
						  .permission = pidfs_permission,
						  .evict = pidfs_evict };

static int inode_of_task(struct task *t, uint64_t ino, bool thread, struct inode **out)
{
	struct pidfd *p = malloc(sizeof(*p));
	int rc = p ? inode_new(pidfs_sb, &pidfs_inode_ops, ino, LINUX_S_IFREG | 0700, out) : -ENOMEM;

	if (rc) {
		free(p);
		return rc;
	}
	p->task = task_get(t);
	mutex_lock(&t->kernel->tasklist_lock);
	/* Without the flag @t led it when it was looked up, and may be replaced by now. */
	p->of_group = !thread || t->group->leader == t;
	mutex_unlock(&t->kernel->tasklist_lock);
	(*out)->private_data = p;
	return 0;
}

static int make_file(struct task *t, uint64_t ino, bool thread, uint32_t flags, struct file **out)
{
	struct dentry *dentry = NULL;
	struct inode *inode;
	int rc = inode_of_task(t, ino, thread, &inode);

	if (rc)
		return rc;
	rc = dentry_new_anonymous(inode, "anon_inode:[pidfd]", &dentry);
	if (!rc)
		rc = file_new(&pidfd_ops, inode, NULL, dentry, LINUX_O_RDWR | flags, NULL, out);
	inode_put(inode);
	dentry_put(dentry);
	return rc;
}

int pidfd_new_file(struct task *t, uint64_t ino, uint32_t flags, struct file **out)
{
	int rc = make_file(t, ino, flags & LINUX_PIDFD_THREAD, flags & LINUX_PIDFD_NONBLOCK, out);

	/* O_EXCL otherwise, which no open file keeps. */
	if (!rc)
		atomic_fetch_or(&(*out)->flags, flags & LINUX_PIDFD_THREAD);
	return rc;
}

int pidfd_new_of_group(struct thread_group *g, struct file **out)
{
	struct mutex *lock = &kernel_get()->tasklist_lock;
	struct task *leader;
	uint64_t ino;
	int rc;

	mutex_lock(lock);
	leader = g->leader ? task_get(g->leader) : NULL;
	ino = g->pid.ino;
	mutex_unlock(lock);
	if (!leader)
		return -ESRCH;
	rc = pidfd_new_file(leader, ino, 0, out);
	task_put(leader);
	return rc;
}

/* --- pidfs ------------------------------------------------------------------------------ */

static void pidfs_encode(const struct inode *inode, struct linux_file_handle *out)
{
	*out = (struct linux_file_handle){ .bytes = sizeof(inode->ino), .type = LINUX_FILEID_KERNFS };
	memcpy(out->handle, &inode->ino, sizeof(inode->ino));
}

/* A reference on the task whose pid @ino is, if the caller can see it. */
static struct task *find_by_ino(struct pid_namespace *ns, uint64_t ino, bool *leads)
{
	struct task *t = NULL;
	struct pid *pid;
	int32_t at = 0;

	mutex_lock(&kernel_get()->tasklist_lock);
	while (!t && (pid = pid_next_locked(ns, at + 1, &at))) {
		if (pid->id.ino != ino)
			continue;
		*leads = pid->group;
		t = pid->group ? pid->group->leader : pid->task;
		if (!t)
			break;
		task_get(t);
	}
	mutex_unlock(&kernel_get()->tasklist_lock);
	return t;
}

static int pidfs_open_handle(const struct linux_file_handle *h, uint32_t flags, struct file **out)
{
	struct task *caller = task_current(), *t;
	uint64_t ino;
	bool leads;
	int rc;

	memcpy(&ino, h->handle, sizeof(ino));
	if (h->type != LINUX_FILEID_KERNFS || h->bytes < sizeof(ino))
		return -ESTALE;
	t = find_by_ino(caller->pid.ns, ino, &leads);
	if (!t)
		return -ESTALE;
	rc = make_file(t, ino, !leads, flags & (LINUX_O_ACCMODE | LINUX_PIDFD_NONBLOCK), out);
	/* Linux forgets to take this one away. */
	if (!rc)
		atomic_fetch_or(&(*out)->flags, flags & LINUX_O_CLOEXEC);
	task_put(t);
	return rc;
}

/* Nobody needs a capability: what a pidfd may be used for is asked at its use. */
static const struct super_block_ops pidfs_super_ops = {
	.encode_handle = pidfs_encode,
	.open_handle = pidfs_open_handle,
	.handle_flags = LINUX_O_ACCMODE | LINUX_PIDFD_NONBLOCK | LINUX_PIDFD_THREAD | LINUX_O_CLOEXEC |
			LINUX_O_LARGEFILE,
};

int pidfs_init(struct user_namespace *owner)
{
	if (pidfs_sb)
		return 0;
	return super_block_new(&pidfs_super_ops, "pidfs", LINUX_PID_FS_MAGIC, owner, &pidfs_sb);
}

struct super_block *pidfs_super_block(void)
{
	return pidfs_sb;
}

struct thread_group *pidfd_group(struct file *file)
{
	struct pidfd *p = file->ops == &pidfd_ops ? pidfd_of(file) : NULL;

	return p ? p->task->group : NULL;
}

bool pidfd_is_thread(struct file *file)
{
	return atomic_load(&file->flags) & LINUX_PIDFD_THREAD;
}

int pidfd_task(struct file *file, struct task **out)
{
	struct pidfd *p;
	struct task *t;

	if (file->ops != &pidfd_ops)
		return -EBADF;
	p = pidfd_of(file);
	mutex_lock(&p->task->kernel->tasklist_lock);
	t = holder_locked(p);
	if (t)
		*out = task_get(t);
	mutex_unlock(&p->task->kernel->tasklist_lock);
	return t ? 0 : -ESRCH;
}

int pidfd_exit_status(struct file *file)
{
	struct pidfd *p = pidfd_of(file);
	int status = -1;

	mutex_lock(&p->task->kernel->tasklist_lock);
	if (!holder_locked(p))
		status = p->of_group ? p->task->group->exit_status : p->task->exit_code;
	mutex_unlock(&p->task->kernel->tasklist_lock);
	return status;
}

int pidfd_get_task(struct task *t, int fd, struct task **out)
{
	struct file *file;
	int rc = -EBADF;

	if (fd == LINUX_PIDFD_SELF_THREAD || fd == LINUX_PIDFD_SELF_THREAD_GROUP) {
		*out = task_get(t);
		return 0;
	}
	file = fd_table_lookup(t->fds, fd);
	if (file)
		rc = pidfd_task(file, out);
	file_put(file);
	return rc;
}
