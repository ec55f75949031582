/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a task, on its own pool thread, in this order: it stops taking
 * signals; the guest's words are settled while its context still lives (robust
 * list, clear_child_tid); its resources go, so that the host memory is free; and
 * only then do parents and tracers hear of it.  The last thread of a group that
 * starts to exit does the group's part; the last one that arrives at the end makes
 * it a zombie.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/kernel/futex.h"
#include "sentry/kernel/keys/keys.h"
#include "sentry/kernel/itimer.h"
#include "sentry/kernel/posix_timer.h"
#include "sentry/kernel/program.h"
#include "sentry/kernel/seccomp.h"
#include "sentry/kernel/signal_internal.h"
#include "sentry/kernel/task_cgroup.h"
#include "sentry/kernel/task_internal.h"
#include "sentry/kernel/task_reap.h"
#include "sentry/kernel/terminal.h"
#include "sentry/kernel/timer.h"
#include "util/cleanup.h"
#include "util/log.h"

/* From here on no signal is for @t, and its context is not kicked. */
static void leave_signals(struct task *t)
{
	struct thread_group *g = t->group;
	struct signal_handlers *h = signal_lock(g);
	bool stopped_now = false;

	t->exiting = true;
	t->kill_pending = false;
	if (g->group_exiting)
		t->exit_code = g->group_exit_code;
	if (t->stop_pending) {
		t->stop_pending = false;
		if (--g->stop_count == 0 && !g->stopped && atomic_load(&g->live) > 1) {
			g->stopped = g->stop_report = true;
			stopped_now = true;
		}
	}
	signal_retarget_locked(t, SIGNAL_ALL);
	signal_unlock(h);
	if (stopped_now)
		notify_parent_stopped(g, LINUX_CLD_STOPPED);
}

/* The end of a pid namespace: everyone in it is killed, and is gone when this returns. */
static void kill_namespace(struct thread_group *g, struct pid_namespace *ns)
{
	struct kernel *k = g->kernel;
	struct wait_entry e;
	bool alone = false;

	pid_namespace_mark_dead(ns);
	mutex_lock(&k->tasklist_lock);
	g->reaps_all = true;
	mutex_unlock(&k->tasklist_lock);
	reap_zombie_children(g);
	wait_begin(&e, &ns->drain_wait, ~0U);
	for (;;) {
		uint32_t own = 0;
		struct task *t;

		kernel_kill_namespace(k, ns, g);
		mutex_lock(&k->tasklist_lock);
		list_for_each(t, &g->threads, thread_node)
			own++;
		alone = ns->task_count <= own;
		mutex_unlock(&k->tasklist_lock);
		if (alone)
			break;
		wait_sleep_uninterruptible(DEADLINE_NONE);
	}
	wait_end(&e);
}

static void group_leaves(struct thread_group *g, struct task *last)
{
	struct pid_namespace *ns = g->pid.ns;

	itimers_destroy(g);
	posix_timers_destroy(g);
	/* Only a group's own pid namespace can have it as init. */
	if (ns->init == g) {
		/* A dead tracee stays until its tracer has seen it: it would be waited for in vain. */
		task_release_tracees(last);
		kill_namespace(g, ns);
	}
}

void task_mm_leave(struct mm *mm, struct host_usage *usage)
{
	if (atomic_fetch_sub(&mm->users, 1) == 1 && kernel_upcalls()->mm_unused)
		kernel_upcalls()->mm_unused(mm);
	if (usage)
		address_space_end(mm->as, usage);
	mm_put(mm);
}

/* Frees what the task holds; its numbers stay until it is reaped. */
static void drop_resources(struct task *t)
{
	struct context *ctx;
	struct host_usage usage = { 0 };
	bool alone;
	struct mm *mm;
	struct fd_table *fds;
	struct fs_context *fs;
	struct namespaces *ns;

	mutex_lock(&t->lock);
	ctx = t->context;
	alone = ctx && t->mm && context_is_alone(ctx);
	if (ctx && !alone)
		context_usage(ctx, &usage);
	task_usage_add(t, &usage);
	mm = move_ptr(t->mm);
	fds = move_ptr(t->fds);
	fs = move_ptr(t->fs);
	t->context = NULL;
	mutex_unlock(&t->lock);
	if (ctx)
		context_destroy(ctx);
	/* After its host thread cannot touch the parent's memory any more. */
	task_release_vfork_parent(t);
	if (fds)
		fd_table_put(fds);
	fs_context_put(fs);
	if (mm)
		task_mm_leave(mm, alone ? &usage : NULL); /* the last one reaps the host process */
	thread_group_note_rss(t->group, usage.rss_pages);
	mutex_lock(&t->lock);
	if (alone)
		task_usage_add(t, &usage);
	ns = move_ptr(t->namespaces);
	mutex_unlock(&t->lock);
	namespaces_put(ns);
}

void task_exit(struct task *t)
{
	struct thread_group *g = t->group;
	bool group_dead;

	leave_signals(t);
	group_dead = atomic_fetch_sub(&g->live, 1) == 1;
	if (group_dead && timer_cancel(g->kill_timer))
		log_debug("group %d left in time", pid_number_in(&g->pid, g->pid.ns));
	futex_task_release(t);
	task_run_exit_hooks(t, group_dead);
	seccomp_task_exit(t);
	drop_resources(t);
	task_keys_release(t);
	if (group_dead) {
		thread_group_keys_release(g);
		terminal_leader_exits(g);
		group_leaves(g, t);
		task_cgroup_leave(g->cgroup);
	}
	task_exit_notify(t);
}
