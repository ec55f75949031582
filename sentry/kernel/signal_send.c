/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sending signals: what is ignored at once, what is queued, who is woken, and the
 * start of a group's death.  All under the group's handlers->lock; contexts of
 * tasks that are not `exiting` stay alive under it, so they may be kicked.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/capability.h"
#include "sentry/cred/user_account.h"
#include "sentry/kernel/signal_internal.h"
#include "sentry/kernel/task_internal.h"
#include "sentry/kernel/timer.h"

/* A thread that has not come back after a kick: it may have made itself deaf. */
#define KILL_GRACE_NS (20ULL * 1000 * 1000)

void task_wake_locked(struct task *t)
{
	/* The flag before the look at in_guest; task_run.c does it the other way round. */
	atomic_store(&t->work_pending, true);
	sleeper_interrupt(&t->sleeper);
	if (!t->exiting && t->context && atomic_load(&t->in_guest))
		context_kick(t->context);
}

void task_kill_locked(struct task *t)
{
	t->kill_pending = true;
	/* Before it can wake: it would run guest code once more. */
	atomic_store(&t->work_pending, true);
	sleeper_kill(&t->sleeper);
	task_wake_locked(t);
}

/* --- group death ----------------------------------------------------------------- */

/* Kicked threads come back and leave properly (robust lists); the deaf are killed. */
void thread_group_expect_locked(struct thread_group *g, struct task *in_guest)
{
	if (timer_arm(g->kill_timer, LINUX_CLOCK_MONOTONIC,
		      clock_now(LINUX_CLOCK_MONOTONIC) + KILL_GRACE_NS))
		context_kill_group(in_guest->context);
}

void thread_group_exit_locked(struct thread_group *g, int wait_status)
{
	struct task *t, *in_guest = NULL;

	if (g->group_exiting)
		return;
	g->group_exiting = true;
	g->group_exit_code = wait_status;
	g->stop_signal = 0;
	g->stop_count = 0;
	g->stopped = false;
	list_for_each(t, &g->threads, thread_node) {
		t->stop_pending = false;
		task_kill_locked(t);
		if (!t->exiting && t->context && atomic_load(&t->in_guest))
			in_guest = t;
	}
	if (in_guest)
		thread_group_expect_locked(g, in_guest);
}

void thread_group_exit(struct thread_group *g, int wait_status)
{
	struct signal_handlers *h = signal_lock(g);

	thread_group_exit_locked(g, wait_status);
	signal_unlock(h);
}

void thread_group_die_locked(struct task *t, int signo)
{
	if (!t->group->group_exiting)
		t->group->dumper = t;
	thread_group_exit_locked(t->group, signo);
}

void thread_group_die(struct task *t, int signo)
{
	struct signal_handlers *h = signal_lock(t->group);

	thread_group_die_locked(t, signo);
	signal_unlock(h);
}

/* --- what is ignored -------------------------------------------------------------- */

static bool handler_ignores(const struct linux_sigaction *action, int signo)
{
	return action->handler == LINUX_SIG_IGN ||
	       (action->handler == LINUX_SIG_DFL && signal_in(SIGNAL_DEFAULT_IGNORED, signo));
}

static bool ignored_locked(struct thread_group *g, struct task *t, int signo, bool force)
{
	const struct linux_sigaction *action = &g->handlers->actions[signo - 1];

	/* Blocked signals are kept: the handler may change before they are unblocked. */
	if (signal_in(t->blocked | t->real_blocked, signo))
		return false;
	if (ptrace_traced(&t->ptrace) && signo != LINUX_SIGKILL)
		return false;
	if (g->unkillable && action->handler == LINUX_SIG_DFL &&
	    !(force && signal_in(SIGNAL_UNBLOCKABLE, signo)))
		return true;
	return handler_ignores(action, signo);
}

static void flush_everywhere(struct thread_group *g, uint64_t mask)
{
	struct task *t;

	signal_queue_flush(&g->shared_pending, mask);
	list_for_each(t, &g->threads, thread_node)
		signal_queue_flush(&t->pending, mask);
}

static void continue_locked(struct thread_group *g)
{
	struct task *t;

	flush_everywhere(g, SIGNAL_STOP_SET);
	if (g->stopped) {
		g->continued_report = true;
		g->stop_report = false;
		g->continue_notify = true;
	}
	list_for_each(t, &g->threads, thread_node) {
		int stopped = TASK_STOPPED;

		t->stop_pending = false;
		t->stop_dequeued = false;
		atomic_compare_exchange_strong(&t->state, &stopped, TASK_RUNNING);
	}
	g->continues++;
	g->stop_signal = 0;
	g->stop_count = 0;
	g->stopped = false;
	list_for_each(t, &g->threads, thread_node)
		ptrace_notify_locked(t);
	wait_queue_wake_all(&g->stop_wait, ~0U);
}

/* The side effects that a signal has even when it is ignored; false: drop it. */
static bool prepare_locked(struct thread_group *g, struct task *t, int signo, bool force)
{
	if (g->group_exiting)
		return false;
	if (signal_in(SIGNAL_STOP_SET, signo))
		flush_everywhere(g, SIGNAL_BIT(LINUX_SIGCONT));
	else if (signo == LINUX_SIGCONT)
		continue_locked(g);
	return !ignored_locked(g, t, signo, force);
}

/* --- who takes it ------------------------------------------------------------------ */

static bool runs(const struct task *t)
{
	return !t->exiting && (atomic_load(&t->in_guest) || atomic_load(&t->state) == TASK_RUNNING);
}

/* As Linux's wants_signal: one that runs will look soon, whatever it has to do besides. */
static bool wants(struct task *t, int signo)
{
	if (t->exiting)
		return false;
	if (signal_in(t->blocked, signo))
		return false;
	if (signo == LINUX_SIGKILL)
		return true;
	return !t->ptrace.stopped && (runs(t) || !atomic_load(&t->work_pending));
}

struct task *thread_next_locked(struct task *t)
{
	struct thread_group *g = t->group;
	struct list_node *next = t->thread_node.next;

	if (next == &g->threads)
		next = next->next;
	return container_of(next, struct task, thread_node);
}

/* Who was picked last is asked again until it is busy, then those behind it. */
static struct task *pick_locked(struct thread_group *g, struct task *first, bool to_group, int signo)
{
	struct task *start, *t;

	if (wants(first, signo))
		return first;
	if (!to_group)
		return NULL;
	start = g->signal_target ? g->signal_target : g->leader;
	t = start = start ? start : first;
	do {
		if (wants(t, signo)) {
			g->signal_target = t;
			return t;
		}
		t = thread_next_locked(t);
	} while (t != start);
	return NULL;
}

static bool fatal_locked(struct thread_group *g, int signo)
{
	return g->handlers->actions[signo - 1].handler == LINUX_SIG_DFL &&
	       !signal_in(SIGNAL_DEFAULT_IGNORED | SIGNAL_STOP_SET, signo);
}

static void complete_locked(struct thread_group *g, struct task *first, bool to_group, int signo)
{
	struct task *t = pick_locked(g, first, to_group, signo);

	wait_queue_wake_all(&g->signal_wait, ~0U);
	if (!t) {
		/* Threads busy with other work will see it when they look again. */
		return;
	}
	/*
	 * A sure death starts here, so that all threads go at once.  (A core dump
	 * would be taken by the thread that dequeues the signal; none is written.)
	 */
	if (fatal_locked(g, signo) && !signal_in(t->real_blocked, signo) &&
	    (signo == LINUX_SIGKILL || !ptrace_traced(&t->ptrace))) {
		thread_group_die_locked(t, signo);
		return;
	}
	task_wake_locked(t);
}

/* --- queueing ----------------------------------------------------------------------- */

static uint64_t sigpending_limit(struct thread_group *g)
{
	uint64_t limit;

	mutex_lock(&g->limits_lock);
	limit = g->limits[RLIM_SIGPENDING].soft;
	mutex_unlock(&g->limits_lock);
	return limit;
}

static int enqueue_locked(struct thread_group *g, struct task *t, struct signal_queue *q,
			  const struct linux_siginfo *info)
{
	bool from_kernel = info->code >= 0; /* SI_USER too, for the limit */
	bool override = info->signo < LINUX_SIGRTMIN && from_kernel;
	uint32_t uid = t->charged_uid;
	struct queued_signal *entry = NULL;

	if (info->signo == LINUX_SIGKILL)
		return 0;
	if (!user_charge(uid, USER_SIGNALS, override ? UINT64_MAX : sigpending_limit(g))) {
		entry = calloc(1, sizeof(*entry));
		if (!entry)
			user_uncharge(uid, USER_SIGNALS);
	}
	if (entry) {
		entry->info = *info;
		entry->uid = uid;
		list_add_tail(&q->entries, &entry->node);
	} else if (info->signo >= LINUX_SIGRTMIN && info->code != LINUX_SI_USER) {
		return -EAGAIN;
	}
	return 0;
}

/* To @t alone (@q is its queue), or to the group with @first as the thread that is asked first. */
static int send_locked(struct thread_group *g, struct task *first, struct signal_queue *q,
		       const struct linux_siginfo *info, bool force)
{
	int signo = info->signo, rc;

	if (!first || g->released || list_empty(&g->threads))
		return -ESRCH;
	if (!prepare_locked(g, first, signo, force))
		return 0;
	if (signo < LINUX_SIGRTMIN && signal_in(q->set, signo))
		return 0;
	rc = enqueue_locked(g, first, q, info);
	if (rc)
		return rc;
	q->set |= SIGNAL_BIT(signo);
	complete_locked(g, first, q == &g->shared_pending, signo);
	return 0;
}

int signal_send_locked(struct thread_group *g, struct task *t, const struct linux_siginfo *info,
		       bool force)
{
	return send_locked(g, t ? t : g->leader, t ? &t->pending : &g->shared_pending, info, force);
}

/* @t, unless it has left the group meanwhile; NULL: the leader. */
static struct task *first_locked(struct thread_group *g, struct task *t)
{
	return t && t->group == g && !t->exiting ? t : g->leader;
}

int signal_send_cpu(struct thread_group *g, int signo)
{
	struct linux_siginfo info = { .signo = signo, .code = LINUX_SI_KERNEL };
	struct task *taker = cpu_taker_get(g);
	struct signal_handlers *h = signal_lock(g);
	int rc = send_locked(g, first_locked(g, taker), &g->shared_pending, &info, true);

	signal_unlock(h);
	task_put(taker);
	return rc;
}

bool signal_send_entry(struct thread_group *g, struct task *t, struct task *first,
		       struct queued_signal *entry)
{
	struct signal_handlers *h = signal_lock(g);
	struct signal_queue *q = t ? &t->pending : &g->shared_pending;
	bool queued = false;

	first = t ? t : first_locked(g, first);
	if (first && !list_empty(&g->threads) && !(t && t->exiting) &&
	    !list_linked(&entry->node) && prepare_locked(g, first, entry->info.signo, false)) {
		list_add_tail(&q->entries, &entry->node);
		q->set |= SIGNAL_BIT(entry->info.signo);
		complete_locked(g, first, !t, entry->info.signo);
		queued = true;
	}
	signal_unlock(h);
	return queued;
}

/* A signal is forced when the kernel sends it, or somebody its target cannot see. */
static bool is_forced(const struct linux_siginfo *info)
{
	if (info->code == LINUX_SI_KERNEL)
		return true;
	return (info->code == LINUX_SI_USER || info->code == LINUX_SI_TKILL ||
		info->code == LINUX_SI_QUEUE) &&
	       info->kill.pid == 0;
}

int signal_send_task(struct task *t, const struct linux_siginfo *info)
{
	struct signal_handlers *h = signal_lock(t->group);
	int rc = t->exiting ? -ESRCH : signal_send_locked(t->group, t, info, is_forced(info));

	signal_unlock(h);
	return rc;
}

int signal_send_group(struct thread_group *g, const struct linux_siginfo *info)
{
	struct signal_handlers *h = signal_lock(g);
	int rc = signal_send_locked(g, NULL, info, is_forced(info));

	signal_unlock(h);
	return rc;
}

void signal_force(struct task *t, const struct linux_siginfo *info)
{
	struct thread_group *g = t->group;
	struct signal_handlers *h = signal_lock(g);
	struct linux_sigaction *action = &h->actions[info->signo - 1];

	if (action->handler == LINUX_SIG_IGN || signal_in(t->blocked, info->signo)) {
		action->handler = LINUX_SIG_DFL;
		t->blocked &= ~SIGNAL_BIT(info->signo);
	}
	if (action->handler == LINUX_SIG_DFL && !ptrace_traced(&t->ptrace))
		g->unkillable = false;
	if (signal_send_locked(g, t, info, true) < 0 || signal_has_work_locked(t))
		task_wake_locked(t);
	signal_unlock(h);
}

int signal_send_kernel(struct thread_group *g, int signo)
{
	struct linux_siginfo info = { .signo = signo, .code = LINUX_SI_KERNEL };

	return signal_send_group(g, &info);
}

void signal_send_self(struct task *t, int signo)
{
	struct linux_siginfo info;
	int rc;

	/* SEND_SIG_NOINFO: as if the task had sent it itself. */
	signal_fill_user(&info, signo, LINUX_SI_USER, t, t);
	rc = signal_send_task(t, &info);

	/* Only an exiting task refuses. */
	(void)rc;
}

/* --- kill(2) -------------------------------------------------------------------------- */

void signal_fill_user(struct linux_siginfo *info, int signo, int code, struct task *sender,
		      struct task *target)
{
	memset(info, 0, sizeof(*info));
	info->signo = signo;
	info->code = code;
	if (!sender)
		return;
	info->kill.pid = pid_number_in(&sender->group->pid, target->pid.ns);
	info->kill.uid = uid_from_kernel(target->pid.ns->user_ns, sender->cred->uid);
}

int signal_permission(struct task *sender, struct task *target, int signo)
{
	const struct credentials *cred = sender->cred, *other;
	bool allowed;

	if (sender->group == target->group)
		return 0;
	other = task_cred(target);
	allowed = cred->euid == other->suid || cred->euid == other->uid ||
		  cred->uid == other->suid || cred->uid == other->uid ||
		  credentials_ns_capable(cred, other->user_ns, LINUX_CAP_KILL);
	credentials_put(other);
	if (!allowed && signo == LINUX_SIGCONT) {
		/* Within a session, SIGCONT is free. */
		struct process_group *a, *b;

		mutex_lock(&sender->kernel->tasklist_lock);
		a = sender->group->process_group;
		b = target->group->process_group;
		allowed = a && b && a->session == b->session;
		mutex_unlock(&sender->kernel->tasklist_lock);
	}
	return allowed ? 0 : -EPERM;
}
