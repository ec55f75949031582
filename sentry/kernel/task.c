/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tasks: references, look-up, and consistent views of what they hold.
 *
 * t->lock guards the pointers that others may read (mm, fds, fs, namespaces, cred)
 * and keeps t->context alive for a look at its usage; the task itself reads them
 * without it, since only it changes them.
 */
#include "sentry/abi/sched.h"
#include "sentry/kernel/keys/keys.h"
#include "sentry/kernel/task.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/capability.h"
#include "sentry/abi/prctl.h"
#include "sentry/cred/user_account.h"
#include "sentry/kernel/restart.h"
#include "sentry/kernel/signal_internal.h"
#include "sentry/kernel/task_internal.h"
#include "sentry/kernel/timer.h"

static _Thread_local struct task *current;

struct task *task_current(void)
{
	return current;
}

void task_enter_current(struct task *t)
{
	current = t;
	sleeper_set_current(t ? &t->sleeper : NULL);
	credentials_note_use_in(t ? &t->flags : NULL);
}

int task_alloc(struct kernel *k, struct thread_group *g, struct task **out)
{
	struct task *t = calloc(1, sizeof(*t));

	if (!t)
		return -ENOMEM;
	refcount_init(&t->refs);
	t->kernel = k;
	t->group = thread_group_get(g);
	mutex_init(&t->lock, LOCK_RANK_TASK);
	sleeper_init(&t->sleeper);
	t->sleeper.state = &t->state;
	task_init_shelf(t);
	atomic_init(&t->state, TASK_RUNNING);
	signal_queue_init(&t->pending);
	ptrace_task_init(t);
	t->start_time_ns = clock_now(LINUX_CLOCK_MONOTONIC);
	t->timer_slack_ns = t->default_timer_slack_ns = 50000;
	for (unsigned cpu = 0; cpu < k->cpus && cpu < sizeof(t->cpu_mask) * 8; cpu++)
		t->cpu_mask[cpu / 64] |= 1ULL << (cpu % 64);
	t->nice = k->nice;
	t->charged_uid = ID_INVALID;
	t->login_uid = t->login_session = UINT32_MAX;
	*out = t;
	return 0;
}

struct task *task_get(struct task *t)
{
	refcount_get(&t->refs);
	return t;
}

static void drop_resources(struct task *t)
{
	mm_put(t->mm);
	if (t->fds)
		fd_table_put(t->fds);
	fs_context_put(t->fs);
	namespaces_put(t->namespaces);
	vfork_completion_put(t->vfork);
}

void task_put(struct task *t)
{
	if (!t || !refcount_put(&t->refs))
		return;
	signal_queue_flush(&t->pending, SIGNAL_ALL);
	ptrace_task_free(t);
	task_deadline_release(t);
	drop_resources(t);
	task_keys_release(t);
	if (t->charged_uid != ID_INVALID)
		user_uncharge(t->charged_uid, USER_PROCESSES);
	credentials_put(t->cred);
	thread_group_put(t->group);
	pid_namespace_put(t->pid.ns);
	mutex_destroy(&t->lock);
	free(t);
}

/* --- views --------------------------------------------------------------------- */

const struct credentials *task_cred(struct task *t)
{
	const struct credentials *cred;

	mutex_lock(&t->lock);
	cred = credentials_get(t->cred);
	mutex_unlock(&t->lock);
	return cred;
}

struct mm *task_mm_get(struct task *t)
{
	struct mm *mm;

	mutex_lock(&t->lock);
	mm = t->mm;
	if (mm)
		mm_get(mm);
	mutex_unlock(&t->lock);
	return mm;
}

struct fd_table *task_fds_get(struct task *t)
{
	struct fd_table *fds;

	mutex_lock(&t->lock);
	fds = t->fds ? fd_table_share(t->fds) : NULL;
	mutex_unlock(&t->lock);
	return fds;
}

struct fs_context *task_fs_get(struct task *t)
{
	struct fs_context *fs;

	mutex_lock(&t->lock);
	fs = t->fs ? fs_context_share(t->fs) : NULL;
	mutex_unlock(&t->lock);
	return fs;
}

struct namespaces *task_namespaces_get(struct task *t)
{
	struct namespaces *ns;

	mutex_lock(&t->lock);
	ns = t->namespaces ? namespaces_get(t->namespaces) : NULL;
	mutex_unlock(&t->lock);
	return ns;
}

struct user_namespace *task_user_namespace(struct task *t)
{
	return t->cred->user_ns;
}

void task_set_flag(struct task *t, uint32_t flags, bool on)
{
	if (on)
		atomic_fetch_or(&t->flags, flags);
	else
		atomic_fetch_and(&t->flags, ~flags);
}

bool task_capable(struct task *t, int capability)
{
	return credentials_capable(t->cred, capability);
}

void task_set_cred(struct task *t, const struct credentials *cred)
{
	const struct credentials *old;
	uint32_t charged;

	task_keys_set_cred(t, cred);
	mutex_lock(&t->lock);
	old = t->cred;
	t->cred = cred;
	charged = t->charged_uid;
	t->charged_uid = cred->uid;
	mutex_unlock(&t->lock);
	if (charged != cred->uid) {
		task_set_flag(t, LINUX_PF_NPROC_EXCEEDED,
			      cred->uid != 0 && user_charged(cred->uid, USER_PROCESSES) >
							task_rlimit(t, RLIM_NPROC));
		/* Past the limit is allowed here; exec checks it.  Without memory for the
		 * new account the task stays uncounted. */
		if (user_charge(cred->uid, USER_PROCESSES, UINT64_MAX))
			t->charged_uid = ID_INVALID;
		if (charged != ID_INVALID)
			user_uncharge(charged, USER_PROCESSES);
	}
	credentials_put(old);
}

uint64_t task_rlimit(struct task *t, enum rlimit_id id)
{
	uint64_t soft;

	mutex_lock(&t->group->limits_lock);
	soft = t->group->limits[id].soft;
	mutex_unlock(&t->group->limits_lock);
	return soft;
}

struct vfs_context task_vfs_context(struct task *t)
{
	return (struct vfs_context){
		.cred = t->cred,
		.fs = t->fs,
		.fds = t->fds,
		.fsize_limit = task_rlimit(t, RLIM_FSIZE),
		.tgid = t->group->pid.numbers[t->group->pid.ns->level],
	};
}

struct mm_limits task_mm_limits(struct task *t)
{
	struct rlimit64 *l = t->group->limits;
	struct mm_limits out;

	mutex_lock(&t->group->limits_lock);
	out = (struct mm_limits){
		.address_space = l[RLIM_AS].soft,
		.data = l[RLIM_DATA].soft,
		.stack = l[RLIM_STACK].soft,
		.memlock = l[RLIM_MEMLOCK].soft,
		.use_lock_right = credentials_root_has_capability(t->cred, LINUX_CAP_IPC_LOCK) ?
					  credentials_note_use : NULL,
		.personality_read_implies_exec = t->personality & LINUX_READ_IMPLIES_EXEC,
	};
	mutex_unlock(&t->group->limits_lock);
	return out;
}

int task_state_char(struct task *t)
{
	return atomic_load(&t->state);
}

bool task_is_dying(struct task *t)
{
	struct signal_handlers *h = signal_lock(t->group);
	bool dying = t->kill_pending || t->group->group_exiting;

	signal_unlock(h);
	return dying;
}

void task_call_set(struct task *t, uint64_t nr, const uint64_t args[6])
{
	__atomic_store_n(&t->syscall_nr, nr, __ATOMIC_RELAXED);
	for (unsigned i = 0; i < ARRAY_SIZE(t->syscall_args); i++)
		__atomic_store_n(&t->syscall_args[i], args[i], __ATOMIC_RELAXED);
}

uint64_t task_call_look(const struct task *t, uint64_t args[6])
{
	for (unsigned i = 0; i < ARRAY_SIZE(t->syscall_args); i++)
		args[i] = __atomic_load_n(&t->syscall_args[i], __ATOMIC_RELAXED);
	return __atomic_load_n(&t->syscall_nr, __ATOMIC_RELAXED);
}

static int32_t call_number(struct task *t)
{
	if (!atomic_load_explicit(&t->in_call, memory_order_relaxed))
		return -1;
	if (atomic_load_explicit(&t->through_block, memory_order_relaxed))
		return NR_RESTART_SYSCALL;
	return (int32_t)__atomic_load_n(&t->syscall_nr, __ATOMIC_RELAXED);
}

bool task_position(struct task *t, struct task_position *out)
{
	bool known = true;

	*out = (struct task_position){
		.call = call_number(t),
		.ip = atomic_load_explicit(&t->user_ip, memory_order_relaxed),
		.sp = atomic_load_explicit(&t->user_sp, memory_order_relaxed),
	};
	if (out->sp)
		return true;
	mutex_lock(&t->lock);
	if (t->context)
		known = context_stack_pointer(t->context, &out->sp) == 0;
	mutex_unlock(&t->lock);
	return known;
}

/* --- numbers and look-up --------------------------------------------------------- */

struct pid_namespace *task_pid_namespace(const struct task *t)
{
	return t->pid.ns;
}

int32_t task_tid_in(const struct task *t, const struct pid_namespace *ns)
{
	return pid_number_in(&t->pid, ns);
}

int32_t task_tgid_in(const struct task *t, const struct pid_namespace *ns)
{
	return pid_number_in(&t->group->pid, ns);
}

int32_t task_pgid_in(struct task *t, struct pid_namespace *ns)
{
	int32_t id = 0;

	mutex_lock(&t->kernel->tasklist_lock);
	if (t->group->process_group)
		id = pid_number_in(&t->group->process_group->pid->id, ns);
	mutex_unlock(&t->kernel->tasklist_lock);
	return id;
}

int32_t task_sid_in(struct task *t, struct pid_namespace *ns)
{
	int32_t id = 0;

	mutex_lock(&t->kernel->tasklist_lock);
	if (t->group->process_group)
		id = pid_number_in(&t->group->process_group->session->pid->id, ns);
	mutex_unlock(&t->kernel->tasklist_lock);
	return id;
}

int32_t task_ppid_in(struct task *t, struct pid_namespace *ns)
{
	int32_t id = 0;

	mutex_lock(&t->kernel->tasklist_lock);
	if (t->group->parent)
		id = pid_number_in(&t->group->parent->pid, ns);
	mutex_unlock(&t->kernel->tasklist_lock);
	return id;
}

struct task *task_find_locked(struct pid_namespace *ns, int32_t tid)
{
	struct pid *p = pid_find_locked(ns, tid);

	return p ? p->task : NULL;
}

struct thread_group *thread_group_find_locked(struct pid_namespace *ns, int32_t tgid)
{
	struct pid *p = pid_find_locked(ns, tgid);

	return p ? p->group : NULL;
}

/* The tasklist belongs to the kernel, of which there is one. */
static struct mutex *tasklist(void)
{
	return &kernel_get()->tasklist_lock;
}

struct task *task_lookup(struct pid_namespace *ns, int32_t tid)
{
	struct task *t;

	mutex_lock(tasklist());
	t = task_find_locked(ns, tid);
	if (t)
		task_get(t);
	mutex_unlock(tasklist());
	return t;
}

struct task *task_lookup_group_leader(struct pid_namespace *ns, int32_t tgid)
{
	struct thread_group *g;
	struct task *t = NULL;

	mutex_lock(tasklist());
	g = thread_group_find_locked(ns, tgid);
	if (g && g->leader)
		t = task_get(g->leader);
	mutex_unlock(tasklist());
	return t;
}

struct task *task_next_group(struct pid_namespace *ns, int32_t from, int32_t *tgid)
{
	struct task *t = NULL;
	int32_t number;

	mutex_lock(tasklist());
	do {
		struct pid *p = pid_next_locked(ns, from, &number);

		if (p && p->group && p->group->leader) {
			t = task_get(p->group->leader);
			*tgid = number;
		}
		from = number + 1;
	} while (!t && number);
	mutex_unlock(tasklist());
	return t;
}

struct task *task_next_thread(struct thread_group *g, struct pid_namespace *ns, int32_t from,
			      int32_t *tid)
{
	struct task *t, *best = NULL;
	int32_t best_tid = 0;

	mutex_lock(tasklist());
	list_for_each(t, &g->threads, thread_node) {
		int32_t n = pid_number_in(&t->pid, ns);

		if (n >= from && n > 0 && (!best || n < best_tid)) {
			best = t;
			best_tid = n;
		}
	}
	if (best) {
		task_get(best);
		*tid = best_tid;
	}
	mutex_unlock(tasklist());
	return best;
}

void task_attach_pid_locked(struct task *t, struct pid *pid)
{
	t->pid_object = pid_get(pid);
	t->pid = pid->id;
	pid_namespace_get(t->pid.ns); /* t->pid stays readable after the release */
	pid->task = t;
	for (struct pid_namespace *ns = pid->id.ns; ns; ns = ns->parent)
		ns->task_count++;
}

void task_detach_pid_locked(struct task *t)
{
	struct pid *pid = t->pid_object;

	for (struct pid_namespace *ns = pid->id.ns; ns; ns = ns->parent) {
		ns->task_count--;
		wait_queue_wake_all(&ns->drain_wait, ~0U);
	}
	pid->task = NULL;
	t->pid_object = NULL;
	pid_put(pid);
}
