/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tasks have used.  A living task's figures come from the host thread, while
 * t->lock keeps its context; a dead one's were kept when it died.
 */
#include <stdlib.h>
#include <string.h>

#include "sentry/kernel/cpu_time.h"
#include "sentry/kernel/task_internal.h"
#include "sentry/kernel/timer.h"
#include "util/checked.h"

void task_usage(struct task *t, struct host_usage *out)
{
	memset(out, 0, sizeof(*out));
	mutex_lock(&t->lock);
	if (t->context) {
		context_usage(t->context, out);
	} else {
		out->user_ns = t->usage.user_ns;
		out->system_ns = t->usage.system_ns;
		out->minor_faults = t->usage.minor_faults;
		out->major_faults = t->usage.major_faults;
	}
	mutex_unlock(&t->lock);
}

static void add_thread(struct task *t, struct host_usage *sum)
{
	struct host_usage one = { 0 };

	mutex_lock(&t->lock);
	if (t->context) {
		context_usage(t->context, &one);
	} else {
		one.user_ns = t->usage.user_ns;
		one.system_ns = t->usage.system_ns;
		one.minor_faults = t->usage.minor_faults;
		one.major_faults = t->usage.major_faults;
	}
	mutex_unlock(&t->lock);
	sum->user_ns += one.user_ns;
	sum->system_ns += one.system_ns;
	sum->minor_faults += one.minor_faults;
	sum->major_faults += one.major_faults;
}

static void add_threads(struct thread_group *g, struct host_usage *sum)
{
	struct task *t;

	mutex_lock(&g->kernel->tasklist_lock);
	sum->user_ns += g->usage.user_ns;
	sum->system_ns += g->usage.system_ns;
	sum->minor_faults += g->usage.minor_faults;
	sum->major_faults += g->usage.major_faults;
	list_for_each(t, &g->threads, thread_node)
		add_thread(t, sum);
	mutex_unlock(&g->kernel->tasklist_lock);
}

static struct mm *group_mm(struct thread_group *g)
{
	struct mm *mm = NULL;
	struct task *t;

	mutex_lock(&g->kernel->tasklist_lock);
	list_for_each(t, &g->threads, thread_node) {
		mm = task_mm_get(t);
		if (mm)
			break;
	}
	mutex_unlock(&g->kernel->tasklist_lock);
	return mm;
}

void thread_group_usage(struct thread_group *g, struct host_usage *out)
{
	struct host_statm space = { 0 };
	struct mm *mm = group_mm(g);

	memset(out, 0, sizeof(*out));
	add_threads(g, out);
	if (mm) {
		address_space_statm(mm->as, &space);
		mm_put(mm);
	}
	out->rss_pages = space.rss_pages;
}

struct cpu_time task_cpu_time(struct task *t)
{
	struct host_usage u = { 0 };

	add_thread(t, &u);
	return (struct cpu_time){ u.user_ns, u.system_ns };
}

struct cpu_time thread_group_cpu_time(struct thread_group *g)
{
	struct host_usage u = { 0 };

	add_threads(g, &u);
	return (struct cpu_time){ u.user_ns, u.system_ns };
}

uint64_t cpu_time_next_look(struct thread_group *g, uint64_t left)
{
	uint64_t threads = atomic_load(&g->live);
	uint64_t delay;

	threads = MAX(1, MIN(threads, g->kernel->cpus));
	delay = MAX(left / threads, NSEC_PER_SEC / 1000);
	return clock_now(LINUX_CLOCK_MONOTONIC) + MIN(delay, 3600 * NSEC_PER_SEC);
}
