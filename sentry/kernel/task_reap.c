/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Zombies, their parents, and their release.  Everything about the tree happens
 * under tasklist; signals to parents are sent under it (lock order tasklist,
 * handlers->lock).  References are dropped after it, through a list of the dead.
 */
#include "sentry/kernel/task_reap.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/cred/user_account.h"
#include "sentry/kernel/ptrace_internal.h"
#include "sentry/kernel/signal_internal.h"
#include "sentry/kernel/timer.h"
#include "util/checked.h"
#include "util/cleanup.h"
#include "util/log.h"

#define HOOKS_MAX 8
#define TICK_NS (NSEC_PER_SEC / LINUX_USER_HZ)

static const struct task_exit_hook *hooks[HOOKS_MAX];
static unsigned hook_count;

void task_exit_hook_register(const struct task_exit_hook *hook)
{
	ASSERT(hook_count < HOOKS_MAX);
	hooks[hook_count++] = hook;
}

void task_run_exit_hooks(struct task *t, bool group_dead)
{
	for (unsigned i = 0; i < hook_count; i++)
		hooks[i]->fn(t, group_dead);
}

uint64_t thread_group_note_rss(struct thread_group *g, uint64_t pages)
{
	uint64_t most;

	mutex_lock(&g->kernel->tasklist_lock);
	if (pages > g->usage.max_rss)
		g->usage.max_rss = pages;
	most = g->usage.max_rss;
	mutex_unlock(&g->kernel->tasklist_lock);
	return most;
}

/* --- release --------------------------------------------------------------------- */

/* A thread leaves its group for good; the caller puts the list's reference later. */
static void thread_release_locked(struct task *t)
{
	struct thread_group *g = t->group;
	struct task *tracer = atomic_load(&t->ptrace.tracer);
	struct signal_handlers *h;
	uint32_t charged;

	ptrace_unlink_locked(t);
	if (tracer)
		wait_queue_wake_all(&tracer->group->child_wait, ~0U);
	h = signal_lock(g);
	if (g->signal_target == t)
		g->signal_target = thread_next_locked(t);
	list_remove(&t->thread_node);
	if (list_empty(&g->threads))
		g->signal_target = NULL;
	if (g->leader == t)
		g->leader = NULL;
	signal_queue_flush(&t->pending, SIGNAL_ALL);
	signal_unlock(h);
	g->usage.user_ns += t->usage.user_ns;
	g->usage.system_ns += t->usage.system_ns;
	g->usage.minor_faults += t->usage.minor_faults;
	g->usage.major_faults += t->usage.major_faults;
	task_io_add(t, g->usage.io);
	atomic_store(&t->state, TASK_DEAD);
	/* Who waited for it may count on the room, whoever still holds the task. */
	mutex_lock(&t->lock);
	charged = t->charged_uid;
	t->charged_uid = ID_INVALID;
	mutex_unlock(&t->lock);
	if (charged != ID_INVALID)
		user_uncharge(charged, USER_PROCESSES);
	task_detach_pid_locked(t);
	task_container_uncharge(g->container);
}

void graveyard_init(struct graveyard *y)
{
	list_init(&y->groups);
	list_init(&y->threads);
}

static void group_release_to(struct thread_group *g, struct graveyard *y)
{
	thread_group_release_locked(g);
	list_add_tail(&y->groups, &g->all_node);
}

static void thread_release_to(struct task *t, struct graveyard *y)
{
	thread_release_locked(t);
	list_add_tail(&y->threads, &t->thread_node);
}

void graveyard_empty(struct graveyard *y)
{
	struct thread_group *g;
	struct task *t;

	while ((g = list_first(&y->groups, struct thread_group, all_node))) {
		list_remove(&g->all_node);
		thread_group_release_finish(g);
	}
	while ((t = list_first(&y->threads, struct task, thread_node))) {
		list_remove(&t->thread_node);
		task_put(t);
	}
}

void thread_group_release_locked(struct thread_group *g)
{
	struct task *leader = g->leader;

	ASSERT(g->zombie && !g->released && leader);
	g->exit_status = thread_group_status_locked(g);
	g->released = true;
	thread_release_locked(leader);
	g->kernel->gone_user_ns += g->usage.user_ns;
	g->kernel->gone_system_ns += g->usage.system_ns;
	/* The list's reference: put in thread_group_release_finish. */
	g->group_exec_task = leader;
	if (g->parent)
		list_remove(&g->sibling);
	g->parent = NULL;
	list_remove(&g->all_node);
	if (g->pid.ns->init == g)
		g->pid.ns->init = NULL;
	process_group_join_locked(g, NULL);
	g->pid_object->group = NULL;
	pid_put(g->pid_object);
	g->pid_object = NULL;
}

void thread_group_release_finish(struct thread_group *g)
{
	task_put(move_ptr(g->group_exec_task));
	thread_group_put(g);
}

/* --- telling the parent ------------------------------------------------------------- */

int thread_group_status_locked(struct thread_group *g)
{
	return g->group_exiting ? g->group_exit_code : g->leader->exit_code;
}

static void child_info(struct linux_siginfo *info, struct thread_group *g,
		       struct thread_group *parent)
{
	struct task *leader = g->leader;

	memset(info, 0, sizeof(*info));
	info->child.pid = pid_number_in(&g->pid, parent->pid.ns);
	/* The leader's credentials do not go before the task does. */
	info->child.uid = uid_from_kernel(parent->pid.ns->user_ns, leader->cred->uid);
	info->child.utime = (int64_t)((g->usage.user_ns + leader->usage.user_ns) / TICK_NS);
	info->child.stime = (int64_t)((g->usage.system_ns + leader->usage.system_ns) / TICK_NS);
}

/* Tells the parent of a death; true when nobody will wait for it. */
static bool notify_death_locked(struct thread_group *g)
{
	struct thread_group *parent = g->parent;
	int status = thread_group_status_locked(g), signo = g->exit_signal;

	/* clone(2) takes any number of a byte; those that are no signal send none. */
	if (signo > LINUX_NSIG)
		signo = 0;
	struct linux_siginfo info;
	bool reap = false;

	if (!parent)
		return true;
	child_info(&info, g, parent);
	info.signo = signo;
	info.code = status & 0x7f ? LINUX_CLD_KILLED : LINUX_CLD_EXITED;
	info.child.status = status & 0x7f ? status & 0x7f : (status >> 8) & 0xff;
	if (signo == LINUX_SIGCHLD) {
		struct signal_handlers *h = signal_lock(parent);
		const struct linux_sigaction *action = &h->actions[LINUX_SIGCHLD - 1];

		reap = action->handler == LINUX_SIG_IGN || (action->flags & LINUX_SA_NOCLDWAIT);
		if (action->handler == LINUX_SIG_IGN)
			signo = 0;
		signal_unlock(h);
	}
	if (parent->reaps_all)
		reap = true;
	if (signo > 0) {
		int rc = signal_send_group(parent, &info);

		(void)rc; /* a parent that is dead itself does not mind */
	}
	wait_queue_wake_all(&parent->child_wait, ~0U);
	return reap;
}

/* What a wait for the thread would say. */
static int thread_status_locked(struct task *t)
{
	return t->group->group_exiting ? t->group->group_exit_code : t->exit_code;
}

static void tell_tracer_of_death_locked(struct task *t)
{
	int status = thread_status_locked(t);
	struct linux_siginfo info = { .code = status & 0x7f ? LINUX_CLD_KILLED : LINUX_CLD_EXITED };

	info.child.status = status & 0x7f ? status & 0x7f : (status >> 8) & 0xff;
	info.child.utime = (int64_t)(t->usage.user_ns / TICK_NS);
	info.child.stime = (int64_t)(t->usage.system_ns / TICK_NS);
	ptrace_tell_tracer_locked(t, &info);
}

bool thread_group_reapable_locked(const struct thread_group *g)
{
	return g->zombie && g->leader && g->threads.next == &g->leader->thread_node &&
	       g->threads.prev == &g->leader->thread_node;
}

/* The group is dead: whoever is to know first is told. */
static void report_death_locked(struct thread_group *g, struct graveyard *y)
{
	struct task *leader = g->leader;

	if (!thread_group_reapable_locked(g))
		return; /* threads that their tracer has yet to see */
	if (ptrace_traced(&leader->ptrace) && !ptrace_traced_by_group(leader, g->parent))
		tell_tracer_of_death_locked(leader);
	else if (notify_death_locked(g) && !ptrace_traced(&leader->ptrace))
		group_release_to(g, y);
}

void zombie_untraced_locked(struct task *t, struct graveyard *y)
{
	struct thread_group *g = t->group;

	if (t->ptrace.zombie)
		thread_release_to(t, y);
	if (g->zombie)
		report_death_locked(g, y);
}

/* The tracees of a thread that dies go on without it. */
static void release_tracees(struct task *tracer, struct graveyard *y)
{
	struct task *t;

	while ((t = list_first(&tracer->ptrace.tracees, struct task, ptrace.node))) {
		struct linux_siginfo info = { .signo = LINUX_SIGKILL, .code = LINUX_SI_KERNEL };

		if (t->ptrace.options & LINUX_PTRACE_O_EXITKILL) {
			int rc = signal_send_group(t->group, &info);

			(void)rc; /* dead already */
		}
		ptrace_unlink_locked(t);
		zombie_untraced_locked(t, y);
	}
}

void task_release_tracees(struct task *t)
{
	struct graveyard dead;

	graveyard_init(&dead);
	mutex_lock(&t->kernel->tasklist_lock);
	release_tracees(t, &dead);
	mutex_unlock(&t->kernel->tasklist_lock);
	graveyard_empty(&dead);
}

void notify_parent_stopped(struct thread_group *g, int code)
{
	struct kernel *k = g->kernel;
	struct thread_group *parent;
	struct linux_siginfo info;
	struct signal_handlers *h;
	bool send;

	mutex_lock(&k->tasklist_lock);
	parent = g->parent;
	if (parent && g->leader) {
		child_info(&info, g, parent);
		info.signo = LINUX_SIGCHLD;
		info.code = code;
		h = signal_lock(g);
		info.child.status = code == LINUX_CLD_CONTINUED ? LINUX_SIGCONT : g->stop_signal;
		signal_unlock(h);
		h = signal_lock(parent);
		send = h->actions[LINUX_SIGCHLD - 1].handler != LINUX_SIG_IGN &&
		       !(h->actions[LINUX_SIGCHLD - 1].flags & LINUX_SA_NOCLDSTOP);
		signal_unlock(h);
		if (send && signal_send_group(parent, &info))
			log_debug("SIGCHLD for a stopped child was not queued");
		wait_queue_wake_all(&parent->child_wait, ~0U);
	}
	mutex_unlock(&k->tasklist_lock);
}

/* --- orphans --------------------------------------------------------------------------- */

static bool group_is_dead(const struct thread_group *g)
{
	return g->zombie || !atomic_load(&((struct thread_group *)(uintptr_t)g)->live);
}

/* Who adopts the children of @g: a living subreaper above it, else init. */
static struct thread_group *find_reaper(struct thread_group *g)
{
	struct pid_namespace *ns = g->pid.ns;
	struct thread_group *init = ns->init != g ? ns->init : NULL;

	for (struct thread_group *p = g->parent; p && p != init; p = p->parent) {
		if (p->pid.ns != ns)
			break;
		if (p->child_subreaper && !group_is_dead(p))
			return p;
	}
	return init && !group_is_dead(init) ? init : NULL;
}

/* A process group that lost its last job controller while jobs are stopped. */
static void signal_orphaned(struct thread_group *g, struct thread_group *parent,
			    struct thread_group *ignoring)
{
	struct process_group *pg = g->process_group;

	if (!pg || !parent || !parent->process_group || parent->process_group == pg ||
	    parent->process_group->session != pg->session)
		return;
	if (!process_group_orphaned_locked(pg, ignoring) || !process_group_has_stopped_locked(pg))
		return;
	process_group_get(pg);
	process_group_signal_locked(pg, LINUX_SIGHUP);
	process_group_signal_locked(pg, LINUX_SIGCONT);
	process_group_put_locked(pg);
}

static void send_parent_death(struct thread_group *child)
{
	struct task *t;

	list_for_each(t, &child->threads, thread_node) {
		struct linux_siginfo info = { .code = LINUX_SI_USER };

		mutex_lock(&t->lock);
		info.signo = (int32_t)t->parent_death_signal;
		mutex_unlock(&t->lock);
		/* From the group's leader in Linux; forced by nobody. */
		if (child->parent)
			info.kill.pid = pid_number_in(&child->parent->pid, child->pid.ns);
		if (info.signo && signal_send_group(child, &info))
			log_debug("parent death signal was not queued");
	}
}

/* The children that the dying thread made: another thread of the group answers for them. */
static void reassign_creations(struct task *t)
{
	struct thread_group *g = t->group, *child;
	struct task *other, *heir = NULL;
	struct signal_handlers *h;

	/* Who is about to leave may inherit: it comes here after us. */
	h = signal_lock(g);
	list_for_each(other, &g->threads, thread_node)
		if (other != t && !other->exiting)
			heir = other;
	signal_unlock(h);
	list_for_each(child, &g->children, sibling) {
		if (child->creator != t)
			continue;
		child->creator = heir;
		send_parent_death(child);
	}
}

static void reparent_children(struct thread_group *g, struct graveyard *y)
{
	struct thread_group *reaper = find_reaper(g), *child, *next;

	list_for_each_safe(child, next, &g->children, sibling) {
		list_remove(&child->sibling);
		child->parent = reaper;
		child->creator = NULL;
		child->exit_signal = LINUX_SIGCHLD;
		if (reaper)
			list_add_tail(&reaper->children, &child->sibling);
		signal_orphaned(child, g, g);
		if (child->zombie && !ptrace_traced(&child->leader->ptrace))
			report_death_locked(child, y);
	}
}

static void leave_session(struct thread_group *g)
{
	struct process_group *pg = g->process_group;

	if (pg && pg->session->leader == g)
		pg->session->leader = NULL;
}

/* The group's last thread: the zombie, or nothing at all. */
static void group_dies_locked(struct thread_group *g, struct graveyard *y)
{
	reparent_children(g, y);
	signal_orphaned(g, g->parent, g);
	leave_session(g);
	g->zombie = true;
	wait_queue_wake_all(&g->exit_wait, ~0U);
	report_death_locked(g, y);
}

/* A thread other than the leader: nothing is left of it, but for its tracer. */
static void thread_dies_locked(struct task *t, struct graveyard *y)
{
	if (!ptrace_traced(&t->ptrace)) {
		thread_release_to(t, y);
		return;
	}
	t->ptrace.zombie = true;
	tell_tracer_of_death_locked(t);
}

int thread_group_watch_exit(struct thread_group *g, struct exit_watch *w, int *status)
{
	int rc = 0;

	mutex_lock(&g->kernel->tasklist_lock);
	if (g->released) {
		rc = -ESRCH;
	} else if (g->zombie) {
		*status = thread_group_status_locked(g);
		rc = 1;
	} else {
		list_add_tail(&g->exit_watches, &w->node);
	}
	mutex_unlock(&g->kernel->tasklist_lock);
	return rc;
}

static void tell_watches(struct list_node *watches, int status)
{
	struct exit_watch *w, *next;

	list_for_each_safe(w, next, watches, node)
		w->fn(w, status);
}

void task_exit_notify(struct task *t)
{
	struct list_node watches;
	struct thread_group *g = t->group;
	struct kernel *k = t->kernel;
	void (*on_exit)(void *arg, int wait_status) = NULL;
	void *arg = NULL;
	int status = 0;
	bool group_dead;
	struct signal_handlers *h;
	struct graveyard dead;

	graveyard_init(&dead);
	list_init(&watches);
	mutex_lock(&k->tasklist_lock);
	reassign_creations(t);
	release_tracees(t, &dead);
	atomic_store(&t->state, TASK_ZOMBIE);
	h = signal_lock(g);
	group_dead = --g->thread_count == 0;
	signal_unlock(h);
	if (t != g->leader)
		thread_dies_locked(t, &dead);
	if (group_dead) {
		/* The status is fixed before the leader may be released. */
		status = thread_group_status_locked(g);
		on_exit = g->on_exit;
		arg = g->on_exit_arg;
		list_splice_tail(&watches, &g->exit_watches);
		group_dies_locked(g, &dead);
		wait_queue_wake_all(&g->container->group_death, ~0U);
	}
	wait_queue_wake_all(&g->exit_wait, ~0U);
	mutex_unlock(&k->tasklist_lock);
	graveyard_empty(&dead);
	tell_watches(&watches, status);
	if (on_exit)
		on_exit(arg, status);
}

void reap_zombie_children(struct thread_group *g)
{
	struct thread_group *child, *next;
	struct graveyard dead;

	graveyard_init(&dead);
	mutex_lock(&g->kernel->tasklist_lock);
	list_for_each_safe(child, next, &g->children, sibling)
		if (thread_group_reapable_locked(child))
			group_release_to(child, &dead);
	mutex_unlock(&g->kernel->tasklist_lock);
	graveyard_empty(&dead);
}

void thread_group_collect_locked(struct thread_group *g, struct thread_group *parent,
				 struct graveyard *y)
{
	struct task *leader = g->leader;
	uint64_t rss = MAX(g->usage.max_rss, g->usage.child_max_rss);

	parent->usage.child_user_ns +=
		g->usage.user_ns + leader->usage.user_ns + g->usage.child_user_ns;
	parent->usage.child_system_ns +=
		g->usage.system_ns + leader->usage.system_ns + g->usage.child_system_ns;
	parent->usage.child_minor_faults += g->usage.minor_faults + leader->usage.minor_faults +
					    g->usage.child_minor_faults;
	parent->usage.child_major_faults += g->usage.major_faults + leader->usage.major_faults +
					    g->usage.child_major_faults;
	for (int i = 0; i < TASK_IO_COUNT; i++)
		parent->usage.io[i] += g->usage.io[i];
	task_io_add(leader, parent->usage.io);
	parent->usage.child_max_rss = MAX(parent->usage.child_max_rss, rss);
	group_release_to(g, y);
}

/* --- exec by a thread that is not the leader -------------------------------------------- */

struct task *thread_group_replace_leader(struct task *t)
{
	struct thread_group *g = t->group;
	struct task *old;
	struct pid *own, *leaders;
	struct signal_handlers *h;

	mutex_lock(&g->kernel->tasklist_lock);
	old = g->leader;
	/* They trade identities, then the old leader is released with the other's. */
	own = t->pid_object;
	leaders = old->pid_object;
	t->pid_object = leaders;
	t->pid = leaders->id;
	leaders->task = t;
	old->pid_object = own;
	old->pid = own->id;
	own->task = old;
	h = signal_lock(g);
	g->leader = t;
	signal_unlock(h);
	thread_release_locked(old);
	/* A pidfd of the number that @t had. */
	wait_queue_wake_all(&g->exit_wait, ~0U);
	mutex_unlock(&g->kernel->tasklist_lock);
	return old;
}
