/* SPDX-License-Identifier: Apache-2.0 */
/*
 * execve, in two halves.  Up to the point of no return nothing of the caller is
 * changed: the file is opened, the image prepared, the credentials computed, a
 * pristine address space taken.  Then the other threads are ended, the context
 * moves, the image is loaded; a failure there kills the task, as in Linux.
 */
#include "sentry/abi/sched.h"
#include "sentry/kernel/task_exec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/capability.h"
#include "sentry/abi/fs.h"
#include "sentry/abi/prctl.h"
#include "sentry/cred/user_account.h"
#include "sentry/kernel/futex.h"
#include "sentry/kernel/keys/keys.h"
#include "sentry/kernel/posix_timer.h"
#include "sentry/kernel/restart.h"
#include "sentry/kernel/seccomp.h"
#include "sentry/kernel/signal_internal.h"
#include "sentry/kernel/task_cgroup.h"
#include "sentry/kernel/task_internal.h"
#include "sentry/kernel/task_reap.h"
#include "sentry/kernel/time_namespace.h"
#include "util/cleanup.h"
#include "util/checked.h"
#include "util/log.h"

static const struct kernel_upcalls *upcalls; /* does not change after boot */

void kernel_set_upcalls(const struct kernel_upcalls *u)
{
	upcalls = u;
}

const struct kernel_upcalls *kernel_upcalls(void)
{
	return upcalls;
}

/* --- opening ----------------------------------------------------------------------- */

int exec_open_path(const struct vfs_context *ctx, const struct path *p, struct file **out)
{
	struct inode *inode = p->dentry->inode;
	struct vfs_context reader = *ctx;
	struct credentials *cred;
	int rc;

	if (inode_type(inode) == LINUX_S_IFLNK)
		return -ELOOP;
	if (inode_type(inode) != LINUX_S_IFREG)
		return -EACCES;
	if (p->mount && (atomic_load(&p->mount->flags) & MOUNT_NOEXEC))
		return -EACCES;
	rc = path_permission(p, LINUX_MAY_EXEC, ctx->cred);
	if (rc)
		return rc;
	if (atomic_load(&inode_anchor(inode)->writers))
		return -ETXTBSY;
	rc = vfs_open_path(ctx, p, LINUX_O_RDONLY, out);
	if (rc != -EACCES)
		return rc;
	/* Executable but not readable: the kernel reads it all the same. */
	cred = credentials_copy(ctx->cred);
	if (!cred)
		return -ENOMEM;
	cred->effective |= CAPABILITY_BIT(LINUX_CAP_DAC_OVERRIDE);
	reader.cred = cred;
	rc = vfs_open_path(&reader, p, LINUX_O_RDONLY, out);
	credentials_put(cred);
	return rc;
}

int exec_open(const struct vfs_context *ctx, int dirfd, const char *name, uint32_t flags,
	      struct file **out)
{
	struct path p;
	int rc = vfs_lookup(ctx, dirfd, name, flags, &p);

	if (rc)
		return rc;
	rc = exec_open_path(ctx, &p, out);
	path_put(&p);
	return rc;
}

/* --- before the point of no return --------------------------------------------------- */

struct exec_job {
	struct program *program;
	struct credentials *cred;
	struct mm *mm;
	struct signal_handlers *handlers; /* NULL: the old ones are not shared */
	struct fd_table *fds;		  /* NULL: not shared */
	struct namespaces *namespaces;	  /* NULL: they stay */
	bool secure;
};

static void job_free(struct exec_job *j)
{
	if (j->program)
		upcalls->program_free(j->program);
	credentials_put(j->cred);
	mm_put(j->mm);
	signal_handlers_put(j->handlers);
	if (j->fds)
		fd_table_put(j->fds);
	namespaces_put(j->namespaces);
}

static int make_mm(struct kernel *k, struct stub_family *stubs, struct mm **out)
{
	struct address_space *as;
	int rc = address_space_new(k->platform, stubs, &as);

	if (rc)
		return rc;
	rc = mm_new(k->platform, as, out);
	if (rc)
		address_space_put(as);
	else
		atomic_store(&(*out)->users, 1);
	return rc;
}

int task_exec_check(struct task *t)
{
	/* Only a change of user that passed the limit is made good here. */
	if (atomic_load(&t->flags) & LINUX_PF_NPROC_EXCEEDED &&
	    user_charged(t->cred->uid, USER_PROCESSES) > task_rlimit(t, RLIM_NPROC))
		return -EAGAIN;
	task_set_flag(t, LINUX_PF_NPROC_EXCEEDED, false);
	return 0;
}

/* A time namespace made for the children is entered by exec, too. */
static int prepare_namespaces(struct task *t, struct exec_job *j)
{
	int rc;

	if (t->namespaces->time == t->namespaces->time_for_children)
		return 0;
	rc = namespaces_copy(t->namespaces, &j->namespaces);
	if (!rc)
		namespaces_enter_time(j->namespaces);
	return rc;
}

static void switch_namespaces(struct task *t, struct exec_job *j)
{
	struct namespaces *old = t->namespaces;

	if (!j->namespaces)
		return;
	mutex_lock(&t->lock);
	t->namespaces = move_ptr(j->namespaces);
	mutex_unlock(&t->lock);
	namespaces_put(old);
}

static int prepare(struct task *t, struct exec_job *j, struct file *file, const char *name,
		   struct string_vector *argv, struct string_vector *envv)
{
	struct vfs_context ctx = task_vfs_context(t);
	int rc = task_exec_check(t);

	if (rc)
		return rc;
	rc = upcalls->program_prepare(&ctx, file, name, argv, envv, task_rlimit(t, RLIM_STACK),
				      &j->program);
	if (!rc)
		rc = exec_credentials(t->cred, upcalls->program_file(j->program),
				      !ptrace_exec_may_gain(t), &j->cred, &j->secure);
	if (!rc && refcount_read(&t->group->handlers->refs) > 1)
		rc = signal_handlers_copy(t->group->handlers, &j->handlers);
	if (!rc && refcount_read(&t->fds->refs) > 1)
		rc = fd_table_copy(t->fds, &j->fds);
	if (!rc)
		rc = prepare_namespaces(t, j);
	if (!rc)
		rc = make_mm(t->kernel, thread_group_stubs(t->group), &j->mm);
	return rc;
}

/* --- the other threads ------------------------------------------------------------------ */

static bool alone(struct task *t)
{
	struct thread_group *g = t->group;
	struct signal_handlers *h = signal_lock(g);
	bool result = g->thread_count == 1;

	signal_unlock(h);
	return result;
}

/* Ends them; -EAGAIN when another thread's exec or the group's death came first. */
static int end_other_threads(struct task *t)
{
	struct thread_group *g = t->group;
	struct signal_handlers *h = signal_lock(g);
	struct task *other;
	struct wait_entry e;
	int rc = 0;

	if (g->group_exiting || g->group_exec_task) {
		signal_unlock(h);
		return -EAGAIN;
	}
	g->group_exec_task = t;
	list_for_each(other, &g->threads, thread_node)
		if (other != t && !other->exiting)
			task_kill_locked(other);
	signal_unlock(h);
	wait_begin(&e, &g->exit_wait, ~0U);
	while (!alone(t) && !rc)
		rc = wait_sleep_killable(DEADLINE_NONE);
	wait_end(&e);
	h = signal_lock(g);
	g->group_exec_task = NULL;
	signal_unlock(h);
	return rc ? -EAGAIN : 0;
}

static int de_thread(struct task *t)
{
	int rc;

	if (list_first(&t->group->threads, struct task, thread_node) == t &&
	    list_last(&t->group->threads, struct task, thread_node) == t)
		return 0;
	rc = end_other_threads(t);
	if (rc)
		return rc;
	if (t->group->leader != t)
		task_put(thread_group_replace_leader(t));
	return 0;
}

/* --- after it ------------------------------------------------------------------------------ */

static void unshare_handlers(struct thread_group *g, struct exec_job *j)
{
	struct signal_handlers *old, *h;

	if (!j->handlers)
		return;
	h = signal_lock(g);
	mutex_lock(&g->handlers_ref_lock);
	old = g->handlers;
	g->handlers = move_ptr(j->handlers);
	mutex_unlock(&g->handlers_ref_lock);
	signal_unlock(h);
	signal_handlers_put(old);
}

static void reset_signals(struct task *t, struct exec_job *j)
{
	unshare_handlers(t->group, j);
	signal_handlers_reset(t->group->handlers, false);
	/* Linux leaves the flags, which sigaltstack compares with those it is given. */
	t->altstack.sp = 0;
	t->altstack.size = 0;
	posix_timers_destroy(t->group);
}

static void reset_files(struct task *t, struct exec_job *j)
{
	if (j->fds) {
		struct fd_table *old = t->fds;

		mutex_lock(&t->lock);
		t->fds = move_ptr(j->fds);
		mutex_unlock(&t->lock);
		fd_table_put(old);
	}
	fd_table_close_on_exec(t->fds);
}

static bool gained_privilege(const struct credentials *old, const struct credentials *cred)
{
	return old->euid != cred->euid || old->egid != cred->egid || old->fsuid != cred->fsuid ||
	       old->fsgid != cred->fsgid || (cred->permitted & ~old->permitted);
}

static void commit_identity(struct task *t, struct exec_job *j)
{
	bool gained = gained_privilege(t->cred, j->cred);
	bool mixed = j->cred->euid != j->cred->uid || j->cred->egid != j->cred->gid;
	struct file *file = upcalls->program_file(j->program);
	bool readable = !inode_permission(file->inode, LINUX_MAY_READ, t->cred);

	atomic_store(&t->mm->dumpable, gained || mixed || !readable ? 0 : 1);
	if (j->secure || gained) {
		mutex_lock(&t->lock);
		t->parent_death_signal = 0;
		mutex_unlock(&t->lock);
		t->personality &= ~(uint32_t)LINUX_PERSONALITY_CLEAR_ON_SETID;
	}
	task_set_cred(t, move_ptr(j->cred));
}

void task_choose_layout(struct task *t)
{
	t->mm->fixed_layout = t->personality & LINUX_ADDR_NO_RANDOMIZE;
	task_set_flag(t, LINUX_PF_RANDOMIZE, !t->mm->fixed_layout);
}

static void set_name(struct task *t, const char *comm)
{
	char name[TASK_COMM_SIZE] = { 0 };
	int rc;

	memccpy(name, comm, 0, sizeof(name) - 1);
	mutex_lock(&t->lock);
	memcpy(t->comm, name, sizeof(t->comm));
	mutex_unlock(&t->lock);
	rc = platform_set_host_name(t->context, name);
	(void)rc; /* only what the host's ps shows */
}

/* The old address space goes when its last user does. */
static int switch_memory(struct task *t, struct exec_job *j)
{
	struct mm *old = t->mm;
	struct host_usage usage;
	int rc;

	futex_task_release(t);
	atomic_store(&t->futex_released, false);
	t->robust_list_size = 0;
	context_usage(t->context, &usage);
	thread_group_note_rss(t->group, usage.rss_pages);
	rc = context_exec(t->context, j->mm->as);
	if (rc)
		return rc;
	atomic_store(&j->mm->dump_filter, atomic_load(&old->dump_filter));
	mm_inherit_mdwe(j->mm, old);
	atomic_store(&j->mm->huge_pages_disabled, atomic_load(&old->huge_pages_disabled));
	mutex_lock(&t->lock);
	task_usage_add(t, &usage);
	t->mm = move_ptr(j->mm);
	mutex_unlock(&t->lock);
	task_release_vfork_parent(t);
	task_mm_leave(old, NULL);
	return 0;
}

/* A thread that is gone now gave no_new_privs after the new credentials were made. */
static int apply_no_new_privs(struct task *t, struct exec_job *j)
{
	int rc;

	if (!atomic_load(&t->seccomp_no_new_privs))
		return 0;
	rc = seccomp_take_no_new_privs(t);
	if (rc)
		return rc;
	credentials_put(move_ptr(j->cred));
	return exec_credentials(t->cred, upcalls->program_file(j->program),
				!ptrace_exec_may_gain(t), &j->cred, &j->secure);
}

/* 0, or the task must die. */
static int commit(struct task *t, struct exec_job *j)
{
	struct program_identity identity;
	int rc = de_thread(t);

	if (!rc)
		rc = apply_no_new_privs(t, j);
	if (rc)
		return rc;
	identity = exec_identity(j->cred, j->secure);
	rc = switch_memory(t, j);
	if (rc)
		return rc;
	reset_signals(t, j);
	reset_files(t, j);
	switch_namespaces(t, j);
	t->mm->clock_offsets = !t->namespaces->time->is_root;
	commit_identity(t, j);
	task_set_flag(t, LINUX_PF_FORKNOEXEC, false);
	task_choose_layout(t);
	task_keys_exec(t);
	t->restart_block.fn = NULL;
	t->rseq_area = GUEST_NULL;
	t->user_dispatch.on = false;
	t->rseq_size = 0;
	set_name(t, upcalls->program_comm(j->program));
	mutex_lock(&t->kernel->tasklist_lock);
	t->group->has_execed = true;
	atomic_fetch_add(&t->group->exec_count, 1);
	t->group->exit_signal = LINUX_SIGCHLD;
	mutex_unlock(&t->kernel->tasklist_lock);
	return upcalls->program_load(j->program, t->mm, t->context, &identity,
				     task_rlimit(t, RLIM_STACK));
}

int64_t task_exec(struct task *t, struct file *file, const char *name, struct string_vector *argv,
		  struct string_vector *envv)
{
	struct exec_job job = { 0 };
	struct task_pid old = t->pid;
	int64_t result;

	ptrace_exec_begin(t);
	result = prepare(t, &job, file, name, argv, envv);
	if (!result) {
		int rc = commit(t, &job);

		result = -SYSCALL_NO_RETURN;
		if (rc) {
			log_debug("exec %s failed past the point of no return: %d", name, rc);
			thread_group_exit(t->group, LINUX_SIGSEGV);
		}
	}
	ptrace_exec_end(t);
	job_free(&job);
	if (result == -SYSCALL_NO_RETURN) {
		ptrace_event_exec(t, &old);
	}
	return result;
}
