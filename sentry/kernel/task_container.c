/* SPDX-License-Identifier: Apache-2.0 */
/* See task_container.h. */
#include "sentry/kernel/task_container.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/kernel/kernel.h"
#include "sentry/kernel/signal_internal.h"
#include "sentry/kernel/task_internal.h"
#include "sentry/kernel/timer.h"
#include "util/checked.h"

/* A process that is just being born is not among the groups yet: it is looked for again. */
#define KILL_AGAIN_NS (NSEC_PER_SEC / 50)

int task_container_new(struct kernel *k, const char *id, const struct container_limits *limits,
		  struct task_container **out)
{
	struct task_container *c = calloc(1, sizeof(*c));

	if (!c)
		return -ENOMEM;
	if (id) {
		c->id = strdup(id);
		if (!c->id) {
			free(c);
			return -ENOMEM;
		}
	}
	refcount_init(&c->refs);
	c->kernel = k;
	mutex_init(&c->lock, LOCK_RANK_LEAF);
	wait_queue_init(&c->group_death);
	task_container_set_limits(c, limits);
	*out = c;
	return 0;
}

struct task_container *task_container_get(struct task_container *c)
{
	refcount_get(&c->refs);
	return c;
}

void task_container_close(struct task_container *c)
{
	stub_family_free(c->stubs);
	c->stubs = NULL;
}

void task_container_put(struct task_container *c)
{
	if (!c || !refcount_put(&c->refs))
		return;
	wait_queue_destroy(&c->group_death);
	mutex_destroy(&c->lock);
	stub_family_free(c->stubs);
	free(c->id);
	free(c);
}

struct task_container *task_container_current(void)
{
	struct task *t = task_current();

	return t ? t->group->container : kernel_get()->root_container;
}

struct container_limits task_container_limits(struct task_container *c)
{
	struct container_limits now;

	mutex_lock(&c->lock);
	now = c->limits;
	mutex_unlock(&c->lock);
	return now;
}

void task_container_set_limits(struct task_container *c, const struct container_limits *limits)
{
	mutex_lock(&c->lock);
	c->limits = *limits;
	atomic_store(&c->pids_limit, (int64_t)MIN(limits->pids_limit, (uint64_t)INT64_MAX));
	atomic_store(&c->memory_limited, limits->memory_limit != 0);
	mutex_unlock(&c->lock);
}

uint64_t task_container_memory_limit(struct task_container *c)
{
	uint64_t limit = task_container_limits(c).memory_limit;

	return limit ? limit : UINT64_MAX;
}

int task_container_charge(struct task_container *c)
{
	int64_t limit = atomic_load(&c->pids_limit);

	if (atomic_fetch_add(&c->task_count, 1) < limit || limit <= 0)
		return 0;
	atomic_fetch_sub(&c->task_count, 1);
	return -EAGAIN;
}

void task_container_uncharge(struct task_container *c)
{
	atomic_fetch_sub(&c->task_count, 1);
}

/* The number of processes that are not dead; each is sent SIGKILL. */
static unsigned kill_members(struct task_container *c)
{
	const struct linux_siginfo info = { .signo = LINUX_SIGKILL, .code = LINUX_SI_KERNEL };
	struct kernel *k = c->kernel;
	struct thread_group *g;
	unsigned count = 0;

	mutex_lock(&k->tasklist_lock);
	list_for_each(g, &k->groups, all_node) {
		if (g->container != c || g->thread_count == 0)
			continue;
		count++;
		int rc = signal_send_group(g, &info);

		(void)rc; /* one that dies already may stand in the stop before its exit */
		ptrace_kill_again(g);
	}
	mutex_unlock(&k->tasklist_lock);
	return count;
}

int task_container_kill(struct task_container *c, uint64_t deadline)
{
	uint64_t now = clock_now(LINUX_CLOCK_MONOTONIC);
	struct wait_entry e;
	unsigned left;

	wait_begin(&e, &c->group_death, ~0U);
	while ((left = kill_members(c)) > 0 && now < deadline) {
		int rc = wait_sleep_uninterruptible(MIN(now + KILL_AGAIN_NS, deadline));

		(void)rc; /* woken or not, it looks again */
		now = clock_now(LINUX_CLOCK_MONOTONIC);
	}
	wait_end(&e);
	return left ? -EBUSY : 0;
}
