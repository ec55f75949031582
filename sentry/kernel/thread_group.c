/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Thread groups: allocation, the last put, and the vfork completion.  What is
 * released when a dead group is reaped is in task_reap.c.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/kernel/itimer.h"
#include "sentry/kernel/keys/keys.h"
#include "sentry/kernel/posix_timer.h"
#include "sentry/kernel/signal_internal.h"
#include "sentry/kernel/task_cgroup.h"
#include "sentry/kernel/task_internal.h"
#include "sentry/kernel/terminal.h"
#include "sentry/kernel/timer.h"

/* Ends the host process of a group whose threads did not come back in time. */
static void kill_deaf(struct ktimer *timer, void *arg)
{
	struct thread_group *g = arg;
	struct signal_handlers *h = signal_lock(g);
	struct task *t;

	list_for_each(t, &g->threads, thread_node) {
		if (t->exiting || !t->context || !atomic_load(&t->in_guest))
			continue;
		context_kill_group(t->context);
		break;
	}
	signal_unlock(h);
}

int thread_group_alloc(struct kernel *k, struct signal_handlers *handlers,
		       struct thread_group **out)
{
	struct thread_group *g = calloc(1, sizeof(*g));
	struct ktimer *timer = calloc(1, sizeof(*timer));

	if (!g || !timer) {
		free(g);
		free(timer);
		return -ENOMEM;
	}
	refcount_init(&g->refs);
	g->kernel = k;
	list_init(&g->threads);
	list_init(&g->children);
	list_init(&g->exit_watches);
	wait_queue_init(&g->child_wait);
	wait_queue_init(&g->exit_wait);
	wait_queue_init(&g->stop_wait);
	wait_queue_init(&g->signal_wait);
	mutex_init(&g->handlers_ref_lock, LOCK_RANK_LEAF);
	mutex_init(&g->limits_lock, LOCK_RANK_LEAF);
	refcount_get(&handlers->refs);
	g->handlers = handlers;
	signal_queue_init(&g->shared_pending);
	timer_init(timer, kill_deaf, g);
	g->kill_timer = timer;
	g->exit_signal = LINUX_SIGCHLD;
	g->start_time_ns = clock_now(LINUX_CLOCK_MONOTONIC);
	*out = g;
	return 0;
}

struct thread_group *thread_group_get(struct thread_group *g)
{
	refcount_get(&g->refs);
	return g;
}

void thread_group_put(struct thread_group *g)
{
	if (!g || !refcount_put(&g->refs))
		return;
	timer_cancel_sync(g->kill_timer);
	free(g->kill_timer);
	itimers_destroy(g);
	posix_timers_destroy(g);
	terminal_group_freed(g);
	thread_group_keys_release(g);
	signal_queue_flush(&g->shared_pending, SIGNAL_ALL);
	signal_handlers_put(g->handlers);
	wait_queue_destroy(&g->child_wait);
	wait_queue_destroy(&g->exit_wait);
	wait_queue_destroy(&g->stop_wait);
	wait_queue_destroy(&g->signal_wait);
	mutex_destroy(&g->handlers_ref_lock);
	mutex_destroy(&g->limits_lock);
	pid_namespace_put(g->pid.ns);
	task_cgroup_put(g->cgroup);
	task_container_put(g->container);
	free(g);
}

struct vfork_completion *vfork_completion_new(void)
{
	struct vfork_completion *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	refcount_init(&v->refs);
	wait_queue_init(&v->wait);
	return v;
}

void vfork_completion_put(struct vfork_completion *v)
{
	if (!v || !refcount_put(&v->refs))
		return;
	wait_queue_destroy(&v->wait);
	free(v);
}

void task_release_vfork_parent(struct task *t)
{
	struct vfork_completion *v = t->vfork;

	if (!v)
		return;
	t->vfork = NULL;
	atomic_store(&v->done, true);
	wait_queue_wake_all(&v->wait, ~0U);
	vfork_completion_put(v);
}
