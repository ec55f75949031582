/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clone.  Three phases: check (nothing allocated), prepare (everything the child
 * needs, in a private struct clone_job that undoes itself), publish (under tasklist
 * and the signal lock, where only a late reason to give up can still fail it).  The
 * child is started after all that, so the first it sees of the world is complete.
 */
#include "sentry/abi/sched.h"
#include "sentry/kernel/keys/keys.h"
#include "sentry/kernel/task_clone.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/capability.h"
#include "sentry/abi/ptrace.h"
#include "sentry/abi/wait.h"
#include "sentry/cred/user_account.h"
#include "sentry/cred/user_namespace.h"
#include "sentry/kernel/itimer.h"
#include "sentry/kernel/pidfd.h"
#include "sentry/kernel/restart.h"
#include "sentry/kernel/seccomp.h"
#include "sentry/kernel/signal_internal.h"
#include "sentry/kernel/task_cgroup.h"
#include "sentry/kernel/task_internal.h"
#include "sentry/kernel/terminal.h"
#include "util/cleanup.h"
#include "util/log.h"

#define NEW_NAMESPACES                                                                   \
	(LINUX_CLONE_NEWNS | LINUX_CLONE_NEWUTS | LINUX_CLONE_NEWIPC | LINUX_CLONE_NEWPID | \
	 LINUX_CLONE_NEWNET | LINUX_CLONE_NEWCGROUP | LINUX_CLONE_NEWTIME)

/* What has been made so far; each field is released if the clone fails. */
struct clone_job {
	const struct clone_request *rq;
	struct task *parent;
	struct task *child;
	struct thread_group *group;	/* new, or NULL for a thread */
	struct context *context;
	struct address_space *as;	/* of a fork */
	struct pid *pid;
	struct vfork_completion *vfork;
	struct file *pidfd_file;
	int pidfd;
	bool counted;			/* in its container */
	int event;			/* PTRACE_EVENT_* that the parent reports, or 0 */
};

/* --- check ------------------------------------------------------------------------- */

static int check_flags(struct task *t, const struct clone_request *rq)
{
	uint64_t f = rq->flags;

	if ((f & (LINUX_CLONE_NEWNS | LINUX_CLONE_FS)) == (LINUX_CLONE_NEWNS | LINUX_CLONE_FS) ||
	    (f & (LINUX_CLONE_NEWUSER | LINUX_CLONE_FS)) == (LINUX_CLONE_NEWUSER | LINUX_CLONE_FS))
		return -EINVAL;
	if ((f & LINUX_CLONE_THREAD) && !(f & LINUX_CLONE_SIGHAND))
		return -EINVAL;
	if ((f & LINUX_CLONE_SIGHAND) && !(f & LINUX_CLONE_VM))
		return -EINVAL;
	/* Siblings of an init would be nobody's children. */
	if ((f & LINUX_CLONE_PARENT) && t->group->pid.ns->init == t->group)
		return -EINVAL;
	if ((f & LINUX_CLONE_THREAD) &&
	    ((f & (LINUX_CLONE_NEWUSER | LINUX_CLONE_NEWPID)) ||
	     t->pid.ns != t->namespaces->pid_for_children))
		return -EINVAL;
	if ((f & LINUX_CLONE_PIDFD) && (f & LINUX_CLONE_DETACHED))
		return -EINVAL;
	if ((f & LINUX_CLONE_SETTLS) && rq->tls >= platform_address_max().v)
		return -EPERM;
	return 0;
}

/* A signal, stop or death that came first goes first. */
static int check_pending(struct task *t)
{
	struct signal_handlers *h = signal_lock(t->group);
	bool work = signal_has_work_locked(t);

	signal_unlock(h);
	return work ? -ERESTARTNOINTR : 0;
}

/* --- prepare ------------------------------------------------------------------------- */

static void job_abandon(struct clone_job *j)
{
	if (j->context)
		context_destroy(j->context);
	if (j->child) {
		j->child->context = NULL;
		if (j->child->mm)
			atomic_fetch_sub(&j->child->mm->users, 1);
		task_put(j->child);
	}
	if (j->group)
		task_cgroup_leave(j->group->cgroup);
	thread_group_put(j->group);
	pid_put(j->pid);
	vfork_completion_put(j->vfork);
	if (j->pidfd_file) {
		struct file *file = fd_table_remove(j->parent->fds, j->pidfd);

		if (file)
			file_put(file);
		file_put(j->pidfd_file);
	}
	if (j->counted)
		task_container_uncharge(j->parent->group->container);
}

static int charge(struct clone_job *j)
{
	struct task *t = j->parent;
	uint64_t limit = task_rlimit(t, RLIM_NPROC);
	int rc;

	rc = user_charge(j->child->cred->uid, USER_PROCESSES, t->cred->uid ? limit : UINT64_MAX);
	if (rc == -EAGAIN && (credentials_root_capable(t->cred, LINUX_CAP_SYS_RESOURCE) ||
			      credentials_root_capable(t->cred, LINUX_CAP_SYS_ADMIN)))
		rc = user_charge(j->child->cred->uid, USER_PROCESSES, UINT64_MAX);
	if (rc)
		return rc;
	j->child->charged_uid = j->child->cred->uid;
	rc = task_container_charge(t->group->container);
	j->counted = rc == 0;
	return rc;
}

static int make_group(struct clone_job *j)
{
	struct thread_group *from = j->parent->group;
	uint64_t flags = j->rq->flags;
	struct signal_handlers *handlers;
	int rc = 0;

	if (flags & LINUX_CLONE_THREAD)
		return 0;
	if (flags & LINUX_CLONE_SIGHAND) {
		handlers = from->handlers;
		refcount_get(&handlers->refs);
	} else {
		rc = signal_handlers_copy(from->handlers, &handlers);
		if (!rc && (flags & LINUX_CLONE_CLEAR_SIGHAND))
			signal_handlers_reset(handlers, false);
	}
	if (rc)
		return rc;
	rc = thread_group_alloc(j->parent->kernel, handlers, &j->group);
	signal_handlers_put(handlers);
	if (rc)
		return rc;
	mutex_lock(&from->limits_lock);
	memcpy(j->group->limits, from->limits, sizeof(from->limits));
	mutex_unlock(&from->limits_lock);
	j->group->exit_signal = j->rq->exit_signal;
	atomic_store(&j->group->oom_score_adj, atomic_load(&from->oom_score_adj));
	j->group->container = task_container_get(from->container);
	j->group->cgroup = task_cgroup_enter(from->cgroup);
	return 0;
}

static int make_credentials(struct clone_job *j)
{
	struct task *t = j->parent;
	struct user_namespace *ns;
	struct credentials *cred;
	int rc;

	if (!(j->rq->flags & LINUX_CLONE_NEWUSER)) {
		/* A process has its own, as vfs_link can tell. */
		if (j->rq->flags & LINUX_CLONE_THREAD)
			j->child->cred = credentials_get(t->cred);
		else
			j->child->cred = credentials_copy(t->cred);
		return j->child->cred ? 0 : -ENOMEM;
	}
	rc = task_chrooted(t) ? -EPERM : credentials_new_user_namespace(t->cred, &cred, &ns);
	if (rc)
		return rc;
	j->child->cred = cred;
	return 0;
}

static int make_files(struct clone_job *j)
{
	struct task *t = j->parent, *child = j->child;
	int rc;

	if (j->rq->flags & LINUX_CLONE_FILES)
		child->fds = fd_table_share(t->fds);
	else if ((rc = fd_table_copy(t->fds, &child->fds)))
		return rc;
	if (j->rq->flags & LINUX_CLONE_FS)
		child->fs = fs_context_share(t->fs);
	else if ((rc = fs_context_copy(t->fs, &child->fs)))
		return rc;
	return 0;
}

static int make_namespaces(struct clone_job *j)
{
	const struct credentials *cred = j->child->cred;
	struct namespaces *ours = j->parent->namespaces;
	bool shares_memory = j->rq->flags & LINUX_CLONE_VM;
	int rc;

	if (!(j->rq->flags & NEW_NAMESPACES)) {
		if (shares_memory || ours->time == ours->time_for_children) {
			j->child->namespaces = namespaces_get(ours);
			return 0;
		}
	} else if (!credentials_ns_capable(cred, cred->user_ns, LINUX_CAP_SYS_ADMIN)) {
		return -EPERM;
	}
	if ((j->rq->flags & LINUX_CLONE_NEWIPC) && (j->rq->flags & LINUX_CLONE_SYSVSEM))
		return -EINVAL;
	rc = namespaces_unshare(j->parent, j->rq->flags, cred, j->child->fs, &j->child->namespaces);
	/* Two that share memory share the vDSO, and so the time. */
	if (!rc && !shares_memory)
		namespaces_enter_time(j->child->namespaces);
	return rc;
}

static void inherit(struct clone_job *j)
{
	struct task *t = j->parent, *child = j->child;
	uint64_t flags = j->rq->flags;

	mutex_lock(&t->lock);
	memcpy(child->comm, t->comm, sizeof(child->comm));
	child->nice = t->nice;
	child->sched_policy = t->sched_policy;
	child->sched_priority = t->sched_priority;
	memcpy(child->cpu_mask, t->cpu_mask, sizeof(child->cpu_mask));
	child->io_priority = t->io_priority;
	child->login_uid = t->login_uid;
	child->login_session = t->login_session;
	mutex_unlock(&t->lock);
	task_keys_inherit(child, t);
	if (child->sched_policy & LINUX_SCHED_RESET_ON_FORK) {
		child->sched_policy &= ~LINUX_SCHED_RESET_ON_FORK;
		if (child->sched_policy == LINUX_SCHED_FIFO || child->sched_policy == LINUX_SCHED_RR ||
		    child->sched_policy == LINUX_SCHED_DEADLINE) {
			child->sched_policy = LINUX_SCHED_NORMAL;
			child->sched_priority = 0;
			child->nice = 0;
		} else if (child->nice < 0) {
			child->nice = 0;
		}
	}
	child->timer_slack_ns = child->default_timer_slack_ns = t->timer_slack_ns;
	child->flags = (t->flags & ~(LINUX_PF_SUPERPRIV | LINUX_PF_NPROC_EXCEEDED)) | LINUX_PF_FORKNOEXEC;
	child->personality = t->personality;
	child->memory_policy = t->memory_policy;
	child->memory_nodes = t->memory_nodes;
	child->blocked = t->blocked;
	/* A memory-sharing child that is not a vfork starts without alternate stack. */
	if ((flags & (LINUX_CLONE_VM | LINUX_CLONE_VFORK)) != LINUX_CLONE_VM)
		child->altstack = t->altstack;
	else
		signal_stack_reset(child);
	if (flags & LINUX_CLONE_CHILD_CLEARTID)
		child->clear_child_tid = guest_addr(j->rq->child_tid);
	if (flags & LINUX_CLONE_CHILD_SETTID)
		child->set_child_tid = j->rq->child_tid;
}

static int fork_memory(struct clone_job *j)
{
	struct task *t = j->parent, *child = j->child;
	int rc = mm_fork_begin(t->mm);

	if (rc)
		return rc;
	rc = context_fork(t->context, child, &j->as, &j->context);
	if (!rc) {
		/* mm_fork takes the address space, also when it fails. */
		rc = mm_fork(t->mm, j->as, &child->mm);
		if (!rc)
			atomic_store(&child->mm->users, 1);
	}
	mm_fork_end(t->mm);
	return rc;
}

static int make_memory(struct clone_job *j)
{
	struct task *t = j->parent, *child = j->child;
	bool thread = j->rq->flags & LINUX_CLONE_THREAD;
	struct guest_regs *regs;
	int rc;

	if (j->rq->flags & LINUX_CLONE_VM) {
		mm_get(t->mm);
		atomic_fetch_add(&t->mm->users, 1);
		child->mm = t->mm;
		rc = context_clone(t->context, thread,
				   j->rq->flags & LINUX_CLONE_SETTLS ?
					   j->rq->tls :
					   context_regs(t->context)->fs_base,
				   child, &j->context);
	} else {
		rc = fork_memory(j);
	}
	if (rc)
		return rc;
	regs = context_regs(j->context);
	regs->rax = 0;
	if (j->rq->stack)
		regs->rsp = j->rq->stack;
	if (j->rq->flags & LINUX_CLONE_SETTLS)
		regs->fs_base = j->rq->tls; /* of a fork; the others have it */
	return 0;
}

static int make_pidfd(struct clone_job *j)
{
	int rc;

	if (!(j->rq->flags & LINUX_CLONE_PIDFD))
		return 0;
	rc = pidfd_new_file(j->child, j->pid->id.ino, j->group ? 0 : LINUX_PIDFD_THREAD, &j->pidfd_file);
	if (rc)
		return rc;
	rc = fd_table_install(j->parent->fds, j->pidfd_file, 0, task_rlimit(j->parent, RLIM_NOFILE),
			      true);
	if (rc < 0) {
		file_put(move_ptr(j->pidfd_file));
		return rc;
	}
	j->pidfd = rc;
	return copy_out_u32(j->parent->mm, guest_addr(j->rq->pidfd), (uint32_t)rc);
}

static int prepare(struct clone_job *j)
{
	struct task *t = j->parent;
	int rc = make_group(j);

	if (!rc)
		rc = task_alloc(t->kernel, j->group ? j->group : t->group, &j->child);
	if (!rc)
		rc = make_credentials(j);
	if (!rc)
		rc = charge(j);
	if (!rc)
		rc = make_files(j);
	if (!rc)
		rc = make_namespaces(j);
	if (rc)
		return rc;
	inherit(j);
	if (j->child->sched_policy == LINUX_SCHED_DEADLINE) /* what it reserved is not shared */
		return -EAGAIN;
	if (j->rq->flags & LINUX_CLONE_VFORK) {
		j->vfork = vfork_completion_new();
		if (!j->vfork)
			return -ENOMEM;
		refcount_get(&j->vfork->refs);
		j->child->vfork = j->vfork;
	}
	rc = pid_alloc(j->child->namespaces->pid_for_children, j->rq->set_tid, j->rq->set_tid_count,
		       &j->pid);
	if (!rc)
		rc = make_pidfd(j);
	if (!rc)
		rc = make_memory(j);
	return rc;
}

/* --- publish -------------------------------------------------------------------------- */

static void publish_group_locked(struct clone_job *j)
{
	struct thread_group *g = j->group, *from = j->parent->group;
	bool sibling = j->rq->flags & LINUX_CLONE_PARENT;

	g->pid_object = pid_get(j->pid);
	g->pid = j->pid->id;
	pid_namespace_get(g->pid.ns);
	j->pid->group = g;
	if (from->process_group)
		process_group_join_locked(g, from->process_group);
	terminal_inherit_locked(g, from);
	g->parent = from;
	g->creator = j->parent;
	if (sibling) {
		g->parent = from->parent;
		g->creator = from->creator;
		g->exit_signal = from->exit_signal;
	}
	if (g->parent)
		list_add_tail(&g->parent->children, &g->sibling);
	list_add_tail(&g->kernel->groups, &g->all_node);
	g->has_execed = false;
	if (g->pid.numbers[g->pid.ns->level] == 1) {
		g->pid.ns->init = g;
		g->unkillable = true;
	}
	thread_group_get(g); /* the list's reference; the job's goes below */
}

static int publish(struct clone_job *j) NO_LOCK_ANALYSIS
{
	struct task *child = j->child, *t = j->parent;
	struct thread_group *g = child->group;
	struct kernel *k = t->kernel;
	struct signal_handlers *h;
	int rc = 0;

	mutex_lock(&k->tasklist_lock);
	h = signal_lock(t->group);
	if (t->kill_pending || t->stop_pending || t->group->group_exiting ||
	    (t->group->stop_signal && !ptrace_traced(&t->ptrace)))
		rc = -ERESTARTNOINTR;
	/* A child that shares the lock: the group it joins is under it too. */
	if (!rc) {
		if (j->group)
			publish_group_locked(j);
		seccomp_inherit_locked(child, t);
		child->context = j->context;
		task_attach_pid_locked(child, j->pid);
		list_add_tail(&g->threads, &child->thread_node);
		if (j->group)
			g->leader = child;
		g->thread_count++;
		atomic_fetch_add(&g->live, 1);
		if (j->event || (j->rq->flags & LINUX_CLONE_PTRACE))
			ptrace_inherit_locked(t, child);
	}
	signal_unlock(h);
	mutex_unlock(&k->tasklist_lock);
	return rc;
}

/* False: killed. */
static bool wait_for_vfork(struct vfork_completion *v)
{
	struct wait_entry e;

	wait_begin(&e, &v->wait, ~0U);
	while (!atomic_load(&v->done))
		if (wait_sleep_killable(DEADLINE_NONE) < 0)
			break;
	wait_end(&e);
	return atomic_load(&v->done);
}

static int64_t finish(struct clone_job *j)
{
	struct task *t = j->parent, *child = j->child;
	int32_t tid = task_tid_in(child, t->pid.ns);
	struct vfork_completion *vfork = move_ptr(j->vfork);
	struct context *ctx = j->context;

	atomic_fetch_add(&t->kernel->total_forks, 1);
	task_set_flag(t, LINUX_PF_NPROC_EXCEEDED, false);
	if (j->rq->flags & LINUX_CLONE_PARENT_SETTID) {
		/* As Linux: a bad address does not undo the child. */
		int rc = copy_out_u32(t->mm, guest_addr(j->rq->parent_tid), (uint32_t)tid);

		(void)rc;
	}
	if (j->group && j->group->limits[RLIM_CPU].soft != UINT64_MAX)
		itimer_cpu_limit_changed(j->group);
	/*
	 * The child may run, exit and be freed from here on.  It counts as being in the guest
	 * before its first event, which a hostile stub may never let come.
	 */
	atomic_store(&child->in_guest, true);
	context_start(ctx);
	if (j->event)
		ptrace_event_child(t, j->event, &j->pid->id);
	if (vfork) {
		if (wait_for_vfork(vfork))
			ptrace_event_child(t, LINUX_PTRACE_EVENT_VFORK_DONE, &j->pid->id);
		vfork_completion_put(vfork);
	}
	pid_put(j->pid);
	thread_group_put(j->group);
	if (j->pidfd_file)
		file_put(j->pidfd_file);
	return tid;
}

int64_t task_clone(struct task *parent, const struct clone_request *rq)
{
	struct clone_job job = { .rq = rq, .parent = parent };
	int rc = check_flags(parent, rq);

	job.event = ptrace_clone_event(parent, rq->flags, rq->exit_signal);
	if (!rc)
		rc = check_pending(parent);
	if (!rc)
		rc = prepare(&job);
	if (!rc)
		rc = publish(&job);
	if (rc) {
		job_abandon(&job);
		return rc;
	}
	return finish(&job);
}
