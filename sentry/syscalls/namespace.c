/* SPDX-License-Identifier: Apache-2.0 */
/* unshare and setns. */
#include "sentry/abi/capability.h"
#include "sentry/abi/sched.h"
#include "sentry/cred/user_namespace.h"
#include "sentry/fs/proc/nsfs.h"
#include "sentry/kernel/namespaces.h"
#include "sentry/kernel/pidfd.h"
#include "sentry/kernel/task_internal.h"
#include "sentry/syscalls/handlers.h"
#include "util/cleanup.h"

#define NEW_SETS                                                                         \
	(LINUX_CLONE_NEWNS | LINUX_CLONE_NEWUTS | LINUX_CLONE_NEWIPC | LINUX_CLONE_NEWPID | \
	 LINUX_CLONE_NEWNET | LINUX_CLONE_NEWCGROUP | LINUX_CLONE_NEWTIME)
#define UNSHARE_KNOWN                                                                    \
	(LINUX_CLONE_THREAD | LINUX_CLONE_FS | LINUX_CLONE_SIGHAND | LINUX_CLONE_VM |       \
	 LINUX_CLONE_FILES | LINUX_CLONE_SYSVSEM | LINUX_CLONE_NEWUSER | NEW_SETS)

static bool single_threaded(struct task *t)
{
	bool single;

	mutex_lock(&t->kernel->tasklist_lock);
	single = t->group->thread_count == 1;
	mutex_unlock(&t->kernel->tasklist_lock);
	return single;
}

static int check_sharing(struct task *t, uint64_t flags)
{
	if ((flags & (LINUX_CLONE_THREAD | LINUX_CLONE_SIGHAND | LINUX_CLONE_VM)) &&
	    !single_threaded(t))
		return -EINVAL;
	if ((flags & (LINUX_CLONE_SIGHAND | LINUX_CLONE_VM)) &&
	    refcount_read(&t->group->handlers->refs) > 1)
		return -EINVAL;
	if ((flags & LINUX_CLONE_VM) && atomic_load(&t->mm->users) > 1)
		return -EINVAL;
	return 0;
}

/* What the call makes; released if it fails. */
struct unshared {
	struct fs_context *fs;
	struct fd_table *fds;
	struct credentials *cred;
	struct namespaces *namespaces;
};

static int make_all(struct task *t, uint64_t flags, struct unshared *u)
{
	const struct credentials *cred = t->cred;
	struct user_namespace *ns;
	int rc = 0;

	if ((flags & LINUX_CLONE_FS) && refcount_read(&t->fs->refs) > 1)
		rc = fs_context_copy(t->fs, &u->fs);
	if (!rc && (flags & LINUX_CLONE_FILES) && refcount_read(&t->fds->refs) > 1)
		rc = fd_table_copy(t->fds, &u->fds);
	if (!rc && (flags & LINUX_CLONE_NEWUSER)) {
		rc = task_chrooted(t) ? -EPERM : credentials_new_user_namespace(cred, &u->cred, &ns);
		cred = u->cred;
	}
	if (rc || !(flags & NEW_SETS))
		return rc;
	if (!credentials_ns_capable(cred, cred->user_ns, LINUX_CAP_SYS_ADMIN))
		return -EPERM;
	return namespaces_unshare(t, flags, cred, u->fs ? u->fs : t->fs, &u->namespaces);
}

static void install(struct task *t, struct unshared *u)
{
	struct fs_context *fs = u->fs ? t->fs : NULL;
	struct fd_table *fds = u->fds ? t->fds : NULL;
	struct namespaces *namespaces = u->namespaces ? t->namespaces : NULL;

	mutex_lock(&t->lock);
	if (u->fs)
		t->fs = move_ptr(u->fs);
	if (u->fds)
		t->fds = move_ptr(u->fds);
	if (u->namespaces)
		t->namespaces = move_ptr(u->namespaces);
	mutex_unlock(&t->lock);
	if (fs)
		fs_context_put(fs);
	if (fds)
		fd_table_put(fds);
	namespaces_put(namespaces);
	if (u->cred)
		task_set_cred(t, move_ptr(u->cred));
}

int64_t sys_unshare(struct task *t, const struct syscall_args *a)
{
	uint64_t flags = a->v[0];
	struct unshared made = { 0 };
	int rc;

	if (flags & LINUX_CLONE_NEWUSER)
		flags |= LINUX_CLONE_THREAD | LINUX_CLONE_FS;
	if (flags & LINUX_CLONE_VM)
		flags |= LINUX_CLONE_SIGHAND;
	if (flags & LINUX_CLONE_SIGHAND)
		flags |= LINUX_CLONE_THREAD;
	if (flags & LINUX_CLONE_NEWNS)
		flags |= LINUX_CLONE_FS;
	if (flags & ~UNSHARE_KNOWN)
		return -EINVAL;
	rc = check_sharing(t, flags);
	if (rc)
		return rc;
	rc = make_all(t, flags, &made);
	if (rc) {
		fs_context_put(made.fs);
		if (made.fds)
			fd_table_put(made.fds);
		credentials_put(made.cred);
		namespaces_put(made.namespaces);
		return rc;
	}
	install(t, &made);
	return 0;
}

/* Linux's order, in which one of several is refused. */
static const enum namespace_kind join_order[] = {
	NAMESPACE_USER, NAMESPACE_MOUNT, NAMESPACE_UTS,	 NAMESPACE_IPC,
	NAMESPACE_PID,	NAMESPACE_CGROUP, NAMESPACE_NET, NAMESPACE_TIME,
};

static int64_t join_task(struct task *t, struct task *target, uint64_t flags)
{
	struct namespace_ref refs[NAMESPACE_KIND_COUNT];
	unsigned count = 0;
	int rc = 0;

	if (!task_may_access(t, target, PTRACE_MODE_READ | PTRACE_MODE_REALCREDS))
		return -EPERM;
	for (size_t i = 0; i < ARRAY_SIZE(join_order) && !rc; i++) {
		if (!(flags & namespace_kind_flag(join_order[i])))
			continue;
		refs[count] = task_namespace_get(target, join_order[i], false);
		if (refs[count].ns)
			count++;
		else
			rc = -ESRCH;
	}
	if (!rc)
		rc = namespaces_join(t, refs, count);
	while (count--)
		namespace_ref_put(refs[count]);
	return rc;
}

static int64_t join_file(struct task *t, struct file *file, uint64_t flags)
{
	struct namespace_ref ref;
	struct task *target;
	int64_t rc;

	if (pidfd_group(file)) {
		if (!flags || (flags & ~(uint64_t)(NEW_SETS | LINUX_CLONE_NEWUSER)))
			return -EINVAL;
		rc = pidfd_task(file, &target);
		if (rc)
			return rc;
		rc = join_task(t, target, flags);
		task_put(target);
		return rc;
	}
	if (nsfs_from_file(file, &ref) || (flags && flags != namespace_kind_flag(ref.kind)))
		return -EINVAL;
	return namespaces_join(t, &ref, 1);
}

int64_t sys_setns(struct task *t, const struct syscall_args *a)
{
	struct file *file = fd_table_lookup(t->fds, arg_int(a, 0));
	int64_t rc;

	if (!file)
		return -EBADF;
	rc = join_file(t, file, arg_u32(a, 1));
	file_put(file);
	return rc;
}
