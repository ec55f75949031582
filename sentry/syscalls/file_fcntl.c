/* SPDX-License-Identifier: Apache-2.0 */
/* fcntl. */
#include "config.h"

#include "sentry/abi/capability.h"
#include "sentry/fs/pipe/pipe.h"
#include "sentry/kernel/file_owner.h"
#include "sentry/kernel/kernel.h"
#include "sentry/kernel/pid.h"
#include "sentry/syscalls/file_call.h"
#include "sentry/vfs/async.h"
#include "sentry/vfs/dnotify.h"
#include "sentry/vfs/file_lock.h"
#include "sentry/vfs/lease.h"
#include "util/checked.h"

/* --- record locks ----------------------------------------------------------------------- */

/* Linux's flock64_to_posix_lock: from whence, start and a size of either sign to [start, end]. */
static int lock_range(struct file *file, const struct linux_flock *fl, struct file_lock_request *r)
{
	struct inode_attr attr;
	int64_t start, end;
	int rc;

	switch (fl->whence) {
	case LINUX_SEEK_SET:
		start = 0;
		break;
	case LINUX_SEEK_CUR:
		start = (int64_t)file->position;
		break;
	case LINUX_SEEK_END:
		rc = inode_getattr(file->inode, &attr);
		if (rc < 0)
			return rc;
		start = (int64_t)attr.size;
		break;
	default:
		return -EINVAL;
	}
	if (add_overflows(start, fl->start, &start))
		return -EOVERFLOW;
	if (start < 0)
		return -EINVAL;
	end = INT64_MAX;
	if (fl->size > 0) {
		if (add_overflows(start, fl->size - 1, &end))
			return -EOVERFLOW;
	} else if (fl->size < 0) {
		end = start - 1;
		start += fl->size;
		if (start < 0)
			return -EINVAL;
	}
	r->start = (uint64_t)start;
	r->end = (uint64_t)end;
	return 0;
}

static int lock_request(struct task *t, struct file *file, const struct linux_flock *fl, bool ofd,
			struct file_lock_request *r)
{
	*r = (struct file_lock_request){
		.kind = ofd ? FILE_LOCK_OFD : FILE_LOCK_POSIX,
		.exclusive = fl->type == LINUX_F_WRLCK,
		.any_of_owner = fl->type == LINUX_F_UNLCK,
		.owner = ofd ? (const void *)file : (const void *)t->fds,
		.pid = ofd ? -1 : task_tgid_in(t, t->kernel->root_pid_ns),
	};
	if (fl->type != LINUX_F_RDLCK && fl->type != LINUX_F_WRLCK && fl->type != LINUX_F_UNLCK)
		return -EINVAL;
	if (ofd && fl->pid)
		return -EINVAL;
	return lock_range(file, fl, r);
}

/* As @t's namespace numbers the holder; 0: not at all, or it is gone. */
static int32_t holder_in_namespace(struct task *t, int32_t root_pid)
{
	struct kernel *k = t->kernel;
	struct pid *pid;
	int32_t number = 0;

	if (root_pid < 0)
		return root_pid;
	mutex_lock(&k->tasklist_lock);
	pid = pid_find_locked(k->root_pid_ns, root_pid);
	if (pid)
		number = pid_number_in(&pid->id, task_pid_namespace(t));
	mutex_unlock(&k->tasklist_lock);
	return number;
}

static int64_t get_lock(struct task *t, struct file *file, guest_addr_t arg, bool ofd)
{
	struct file_lock_request r;
	struct linux_flock fl;
	int rc = copy_in(t->mm, &fl, arg, sizeof(fl));

	if (rc < 0)
		return rc;
	if (!ofd && fl.type != LINUX_F_RDLCK && fl.type != LINUX_F_WRLCK)
		return -EINVAL;
	rc = lock_request(t, file, &fl, ofd, &r);
	if (rc < 0)
		return rc;
	if (file_lock_test(file->inode, &r)) {
		fl.type = r.exclusive ? LINUX_F_WRLCK : LINUX_F_RDLCK;
		fl.whence = LINUX_SEEK_SET;
		fl.start = (int64_t)r.start;
		fl.size = r.end == INT64_MAX ? 0 : (int64_t)(r.end - r.start + 1);
		fl.pid = holder_in_namespace(t, r.pid);
	} else {
		fl.type = LINUX_F_UNLCK;
	}
	return copy_out(t->mm, arg, &fl, sizeof(fl));
}

/* The FD may have been closed meanwhile by another thread: then nobody would release the lock. */
static bool still_open(struct task *t, int fd, const struct file *file)
{
	AUTO_FILE struct file *now = fd_table_lookup(t->fds, fd);

	return now == file;
}

static int64_t set_lock(struct task *t, int fd, struct file *file, guest_addr_t arg, bool ofd, bool wait)
{
	struct file_lock_request r;
	struct linux_flock fl;
	int rc = copy_in(t->mm, &fl, arg, sizeof(fl));

	if (rc == 0)
		rc = lock_request(t, file, &fl, ofd, &r);
	if (rc < 0)
		return rc;
	if (fl.type == LINUX_F_UNLCK)
		return file_lock_clear(file->inode, &r);
	if (fl.type == LINUX_F_WRLCK ? !file->can_write : !file->can_read)
		return -EBADF;
	rc = file_lock_set(file, &r, wait);
	if (rc == 0 && !ofd && !still_open(t, fd, file)) {
		file_locks_remove_posix(file->inode, t->fds);
		return -EBADF;
	}
	return rc == -EINTR ? -ERESTARTSYS : rc;
}

/* --- owner, flags ------------------------------------------------------------------------- */

static int64_t get_owner(struct task *t, struct file *file)
{
	struct linux_f_owner_ex owner;

	file_owner_get(t, file, &owner);
	return owner.type == LINUX_F_OWNER_PGRP ? -owner.pid : owner.pid;
}

static int64_t get_owner_ex(struct task *t, struct file *file, guest_addr_t arg)
{
	struct linux_f_owner_ex owner;

	file_owner_get(t, file, &owner);
	return copy_out(t->mm, arg, &owner, sizeof(owner));
}

static int64_t set_owner_ex(struct task *t, struct file *file, guest_addr_t arg)
{
	struct linux_f_owner_ex owner;
	int rc = copy_in(t->mm, &owner, arg, sizeof(owner));

	return rc < 0 ? rc : file_owner_set_ex(t, file, &owner);
}

static int64_t get_owner_uids(struct task *t, struct file *file, guest_addr_t arg)
{
	uint32_t uids[2];

	file_owner_uids(t, file, uids);
	return copy_out(t->mm, arg, uids, sizeof(uids));
}

static int64_t set_flags(struct task *t, int fd, struct file *file, uint32_t flags)
{
	const uint32_t plain = LINUX_O_SETFL & ~LINUX_O_ASYNC;
	uint32_t old = file->flags;
	int rc;

	if (flags & LINUX_O_NOATIME && !(old & LINUX_O_NOATIME) &&
	    !inode_owner_or_capable(file->inode, t->cred))
		return -EPERM;
	if (flags & LINUX_O_DIRECT && inode_type(file->inode) == LINUX_S_IFDIR)
		return -EINVAL;
	if ((flags ^ old) & LINUX_O_ASYNC) {
		rc = file_set_async(file, fd, flags & LINUX_O_ASYNC);
		/* Files that know no signals take no notice. */
		if (rc < 0 && rc != -ENOTTY)
			return rc;
	}
	old = file->flags;
	while (!atomic_compare_exchange_weak(&file->flags, &old, (old & ~plain) | (flags & plain)))
		;
	return 0;
}

/* F_NOTIFY. */
static int64_t notify(struct task *t, int fd, struct file *file, uint32_t what)
{
	int rc;

	if (!dnotify_enabled)
		return -EINVAL;
	if (!(what & ~LINUX_DN_MULTISHOT)) {
		dnotify_forget(file, t->fds);
		return 0;
	}
	if (inode_type(file->inode) != LINUX_S_IFDIR)
		return -ENOTDIR;
	rc = file_owner_set_default(t, file);
	if (rc == 0)
		rc = dnotify_add(file, t->fds, fd, what);
	if (rc == 0 && !still_open(t, fd, file))
		dnotify_forget(file, t->fds);
	return rc;
}

/* F_SETLEASE.  Breaks are told to the process that took the lease, until F_SETOWN says otherwise. */
static int64_t set_lease(struct task *t, int fd, struct file *file, int type)
{
	int rc = lease_set(file, fd, type, t->cred);

	if (rc < 0)
		return rc;
	if (type != LINUX_F_UNLCK)
		return file_owner_set_default(t, file);
	rc = file_owner_set(t, file, 0);
	return rc < 0 ? rc : file_owner_set_signal(file, 0);
}

static int64_t dup_fd(struct task *t, struct file *file, uint64_t min, bool close_on_exec)
{
	uint64_t limit = task_rlimit(t, RLIM_NOFILE);

	if ((uint32_t)min >= limit || (uint32_t)min > INT32_MAX)
		return -EINVAL;
	return fd_table_install(t->fds, file, (int)min, limit, close_on_exec);
}

/* --- pipes and seals -------------------------------------------------------------------------- */

static int64_t pipe_command(struct task *t, struct file *file, int command, uint64_t arg)
{
	struct pipe *pipe = pipe_from_file(file);

	if (!pipe)
		return -EBADF;
	if (command == LINUX_F_GETPIPE_SZ)
		return pipe_size(pipe);
	return pipe_set_size(pipe, (uint32_t)arg, credentials_root_capable(t->cred, LINUX_CAP_SYS_RESOURCE));
}

/* How long what is written will live: kept, and nothing more. */
static int64_t set_write_hint(struct task *t, struct file *file, guest_addr_t addr)
{
	uint64_t hint;
	int rc;

	if (!inode_owner_or_capable(file->inode, t->cred))
		return -EPERM;
	rc = copy_in_u64(t->mm, &hint, addr);
	if (rc < 0)
		return rc;
	if (hint > LINUX_RWH_WRITE_LIFE_EXTREME)
		return -EINVAL;
	file->inode->write_hint = (uint8_t)hint;
	return 0;
}

static int64_t other_commands(struct task *t, int fd, struct file *file, int command, uint64_t arg)
{
	guest_addr_t addr = guest_addr(arg);

	switch (command) {
	case LINUX_F_SETFL:
		return set_flags(t, fd, file, (uint32_t)arg);
	case LINUX_F_GETLK:
	case LINUX_F_OFD_GETLK:
		return get_lock(t, file, addr, command == LINUX_F_OFD_GETLK);
	case LINUX_F_SETLK:
	case LINUX_F_SETLKW:
		return set_lock(t, fd, file, addr, false, command == LINUX_F_SETLKW);
	case LINUX_F_OFD_SETLK:
	case LINUX_F_OFD_SETLKW:
		return set_lock(t, fd, file, addr, true, command == LINUX_F_OFD_SETLKW);
	case LINUX_F_GETOWN:
		return get_owner(t, file);
	case LINUX_F_SETOWN:
		return file_owner_set(t, file, (int32_t)arg);
	case LINUX_F_GETOWN_EX:
		return get_owner_ex(t, file, addr);
	case LINUX_F_SETOWN_EX:
		return set_owner_ex(t, file, addr);
	case LINUX_F_GETSIG:
		return file_owner_signal(file);
	case LINUX_F_SETSIG:
		if (arg > SIGNAL_COUNT)
			return -EINVAL;
		return file_owner_set_signal(file, (int32_t)arg);
	case LINUX_F_GETOWNER_UIDS:
		return get_owner_uids(t, file, addr);
	case LINUX_F_NOTIFY:
		return notify(t, fd, file, (uint32_t)arg);
	case LINUX_F_GETLEASE:
		return lease_get(file);
	case LINUX_F_SETLEASE:
		return set_lease(t, fd, file, (int32_t)arg);
	case LINUX_F_SETPIPE_SZ:
	case LINUX_F_GETPIPE_SZ:
		return pipe_command(t, file, command, arg);
	case LINUX_F_GET_RW_HINT:
		return copy_out_u64(t->mm, addr, file->inode->write_hint);
	case LINUX_F_SET_RW_HINT:
		return set_write_hint(t, file, addr);
	case LINUX_F_ADD_SEALS:
		if (!file->can_write)
			return -EPERM;
		__attribute__((fallthrough));
	case LINUX_F_GET_SEALS:
		return file->ops->seals ? file->ops->seals(file, command, (uint32_t)arg) : -EINVAL;
	default:
		return -EINVAL;
	}
}

int64_t sys_fcntl(struct task *t, const struct syscall_args *a)
{
	AUTO_FILE struct file *file = fd_table_lookup_path(t->fds, arg_int(a, 0)), *other = NULL;
	int command = arg_int(a, 1);
	uint64_t arg = a->v[2];

	if (!file)
		return -EBADF;
	switch (command) {
	case LINUX_F_DUPFD:
		return dup_fd(t, file, arg, false);
	case LINUX_F_DUPFD_CLOEXEC:
		return dup_fd(t, file, arg, true);
	case LINUX_F_DUPFD_QUERY:
		other = fd_table_lookup_path(t->fds, (int)arg);
		return other ? other == file : -EBADF;
	case LINUX_F_CREATED_QUERY:
		return file->created;
	case LINUX_F_GETFD:
		return fd_table_get_cloexec(t->fds, arg_int(a, 0));
	case LINUX_F_SETFD:
		return fd_table_set_cloexec(t->fds, arg_int(a, 0), arg & LINUX_FD_CLOEXEC);
	case LINUX_F_GETFL:
		return file->flags;
	default:
		return file->is_path ? -EBADF : other_commands(t, arg_int(a, 0), file, command, arg);
	}
}
