/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What tasks have used.  A living task's figures come from the host thread, while
 * t->lock keeps its context; those of the threads it had before, until an exec or its death, were kept.
 */
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/resource.h"
#include "sentry/abi/time.h"
#include "sentry/kernel/cpu_time.h"
#include "sentry/kernel/task_internal.h"
#include "sentry/kernel/timer.h"
#include "util/checked.h"

/* All but rss_pages: threads share their memory. */
static void add_usage(struct host_usage *sum, const struct host_usage *more)
{
	sum->user_ns += more->user_ns;
	sum->system_ns += more->system_ns;
	sum->minor_faults += more->minor_faults;
	sum->major_faults += more->major_faults;
}

void task_usage(struct task *t, struct host_usage *out)
{
	memset(out, 0, sizeof(*out));
	mutex_lock(&t->lock);
	if (t->context)
		context_usage(t->context, out);
	add_usage(out, &t->usage);
	mutex_unlock(&t->lock);
}

void task_usage_add(struct task *t, const struct host_usage *more)
{
	add_usage(&t->usage, more);
}

static void add_thread(struct task *t, struct host_usage *sum)
{
	struct host_usage one;

	task_usage(t, &one);
	add_usage(sum, &one);
}

static void add_threads_locked(struct thread_group *g, struct host_usage *sum)
{
	struct task *t;

	sum->user_ns += g->usage.user_ns;
	sum->system_ns += g->usage.system_ns;
	sum->minor_faults += g->usage.minor_faults;
	sum->major_faults += g->usage.major_faults;
	list_for_each(t, &g->threads, thread_node)
		add_thread(t, sum);
}

static void add_threads(struct thread_group *g, struct host_usage *sum)
{
	mutex_lock(&g->kernel->tasklist_lock);
	add_threads_locked(g, sum);
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

/* 0 when it has no memory any more. */
static uint64_t rss_pages_locked(struct thread_group *g)
{
	struct host_statm space = { 0 };
	bool found = false;
	struct task *t;

	list_for_each(t, &g->threads, thread_node) {
		mutex_lock(&t->lock);
		found = t->mm;
		if (found)
			address_space_statm(t->mm->as, &space);
		mutex_unlock(&t->lock);
		if (found)
			break;
	}
	return space.rss_pages;
}

void thread_group_rusage_locked(struct thread_group *g, struct linux_rusage *out)
{
	struct host_usage sum = { 0 };

	add_threads_locked(g, &sum);
	g->usage.max_rss = MAX(g->usage.max_rss, rss_pages_locked(g));
	*out = (struct linux_rusage){
		.utime = ns_to_timeval(sum.user_ns + g->usage.child_user_ns),
		.stime = ns_to_timeval(sum.system_ns + g->usage.child_system_ns),
		.maxrss = (int64_t)MAX(g->usage.max_rss, g->usage.child_max_rss) * 4,
		.minflt = (int64_t)(sum.minor_faults + g->usage.child_minor_faults),
		.majflt = (int64_t)(sum.major_faults + g->usage.child_major_faults),
	};
}

void task_io_count(struct task *t, bool write, int64_t result)
{
	if (result > 0)
		atomic_fetch_add_explicit(&t->io[write ? TASK_IO_WRITE_BYTES : TASK_IO_READ_BYTES],
					  (uint64_t)result, memory_order_relaxed);
	atomic_fetch_add_explicit(&t->io[write ? TASK_IO_WRITES : TASK_IO_READS], 1, memory_order_relaxed);
}

void task_io_add(const struct task *t, uint64_t sum[TASK_IO_COUNT])
{
	for (int i = 0; i < TASK_IO_COUNT; i++)
		sum[i] += atomic_load_explicit(&t->io[i], memory_order_relaxed);
}

void thread_group_io(struct thread_group *g, uint64_t sum[TASK_IO_COUNT])
{
	struct task *t;

	mutex_lock(&g->kernel->tasklist_lock);
	memcpy(sum, g->usage.io, sizeof(g->usage.io));
	list_for_each(t, &g->threads, thread_node)
		task_io_add(t, sum);
	mutex_unlock(&g->kernel->tasklist_lock);
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
