/* SPDX-License-Identifier: Apache-2.0 */
/* See the header.  Lock order: tasklist, then a group's signal lock. */
#include "sentry/kernel/process_group.h"

#include <errno.h>
#include <stdlib.h>

#include "sentry/abi/signal.h"
#include "sentry/kernel/kernel.h"
#include "util/log.h"

int process_group_new_locked(struct pid *pid, struct session *session, struct process_group **out)
{
	struct process_group *pg = calloc(1, sizeof(*pg));

	if (!pg)
		return -ENOMEM;
	ASSERT(!pid->process_group);
	refcount_init(&pg->refs);
	pg->pid = pid_get(pid);
	pg->session = session;
	refcount_get(&session->refs);
	list_init(&pg->members);
	pid->process_group = pg;
	*out = pg;
	return 0;
}

int session_new_locked(struct pid *pid, struct thread_group *leader, struct process_group **out)
{
	struct session *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return -ENOMEM;
	refcount_init(&s->refs);
	s->pid = pid_get(pid);
	s->leader = leader;
	pid->session = s;
	rc = process_group_new_locked(pid, s, out);
	/* The group keeps the session. */
	session_put_locked(s);
	return rc;
}

struct process_group *process_group_get(struct process_group *pg)
{
	refcount_get(&pg->refs);
	return pg;
}

void session_put_locked(struct session *s)
{
	if (!s || !refcount_put(&s->refs))
		return;
	s->pid->session = NULL;
	pid_put(s->pid);
	free(s);
}

void process_group_put_locked(struct process_group *pg)
{
	if (!pg || !refcount_put(&pg->refs))
		return;
	ASSERT(list_empty(&pg->members));
	pg->pid->process_group = NULL;
	pid_put(pg->pid);
	session_put_locked(pg->session);
	free(pg);
}

void process_group_join_locked(struct thread_group *g, struct process_group *pg)
{
	struct process_group *old = g->process_group;

	if (old)
		list_remove(&g->process_group_node);
	g->process_group = pg ? process_group_get(pg) : NULL;
	if (pg)
		list_add_tail(&pg->members, &g->process_group_node);
	process_group_put_locked(old);
}

bool process_group_orphaned_locked(struct process_group *pg, struct thread_group *ignoring)
{
	struct thread_group *g;

	list_for_each(g, &pg->members, process_group_node) {
		struct thread_group *parent = g->parent;

		if (g == ignoring || g->zombie || !parent || !parent->process_group)
			continue;
		if (parent->process_group != pg && parent->process_group->session == pg->session)
			return false;
	}
	return true;
}

bool process_group_has_stopped_locked(struct process_group *pg)
{
	struct thread_group *g;

	list_for_each(g, &pg->members, process_group_node) {
		struct signal_handlers *h = signal_lock(g);
		bool stopped = g->stopped;

		signal_unlock(h);
		if (stopped)
			return true;
	}
	return false;
}

void process_group_signal_locked(struct process_group *pg, int signo)
{
	struct thread_group *g;

	list_for_each(g, &pg->members, process_group_node)
		signal_send_kernel(g, signo);
}

void process_group_signal(struct kernel *k, struct process_group *pg, int signo)
{
	mutex_lock(&k->tasklist_lock);
	process_group_signal_locked(pg, signo);
	mutex_unlock(&k->tasklist_lock);
}
