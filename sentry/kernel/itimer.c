/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Interval timers and RLIMIT_CPU.  ITIMER_REAL is a timer of the timer service that
 * is armed again when its signal is taken, so a blocked SIGALRM costs nothing.  The
 * CPU-time ones share one timer that looks at the group's CPU time when a deadline
 * can have been reached at the earliest.
 *
 * itimers->lock has LOCK_RANK_TASK; signals are sent and CPU time is read without it.
 */
#include "sentry/kernel/itimer.h"

#include <errno.h>
#include <stdlib.h>

#include "sentry/kernel/cpu_time.h"
#include "sentry/kernel/signal_internal.h"
#include "sentry/kernel/task_internal.h"
#include "sentry/kernel/timer.h"
#include "util/checked.h"
#include "util/cleanup.h"

struct cpu_itimer {
	uint64_t deadline; /* CPU time of the group; 0: not armed */
	uint64_t interval;
};

struct itimers {
	struct thread_group *group; /* borrowed: it owns us */
	struct mutex lock;	    /* LOCK_RANK_TASK */
	struct ktimer real, cpu;
	uint64_t real_deadline, real_interval; /* protected by lock; deadline 0: not set */
	struct cpu_itimer virt, prof;	       /* protected by lock */
	uint64_t next_xcpu;		       /* seconds at which SIGXCPU comes next; lock */
};

static void real_expired(struct ktimer *timer, void *arg)
{
	struct itimers *it = arg;

	signal_send_kernel(it->group, LINUX_SIGALRM);
}

static void look_at_cpu_time(struct ktimer *timer, void *arg);

/* The group's timers, made on first use; NULL: no memory. */
static struct itimers *itimers_of(struct thread_group *g, bool make)
{
	struct itimers *it, *made = NULL;

	mutex_lock(&g->limits_lock);
	it = g->itimers;
	mutex_unlock(&g->limits_lock);
	if (it || !make)
		return it;
	made = calloc(1, sizeof(*made));
	if (!made)
		return NULL;
	made->group = g;
	mutex_init(&made->lock, LOCK_RANK_TASK);
	timer_init(&made->real, real_expired, made);
	timer_init(&made->cpu, look_at_cpu_time, made);
	mutex_lock(&g->limits_lock);
	it = g->itimers;
	if (!it)
		g->itimers = it = move_ptr(made);
	mutex_unlock(&g->limits_lock);
	free(made);
	return it;
}

/* --- CPU time ---------------------------------------------------------------------- */

static struct rlimit64 cpu_limit(struct thread_group *g)
{
	struct rlimit64 limit;

	mutex_lock(&g->limits_lock);
	limit = g->limits[RLIM_CPU];
	mutex_unlock(&g->limits_lock);
	return limit;
}

static bool expire_locked(struct cpu_itimer *c, uint64_t now)
{
	if (!c->deadline || now < c->deadline)
		return false;
	if (c->interval)
		c->deadline += (1 + (now - c->deadline) / c->interval) * c->interval;
	else
		c->deadline = 0;
	return true;
}

static uint64_t left_of(const struct cpu_itimer *c, uint64_t now)
{
	if (!c->deadline)
		return UINT64_MAX;
	return c->deadline > now ? c->deadline - now : 0;
}

/* Arms the look for whatever comes first. */
static int arm_look(struct itimers *it, struct cpu_time now)
{
	struct rlimit64 limit = cpu_limit(it->group);
	uint64_t total = cpu_time_total(now), left, at = limit.soft;
	int rc = 0;

	mutex_lock(&it->lock);
	left = MIN(left_of(&it->prof, total), left_of(&it->virt, now.user_ns));
	if (limit.soft != UINT64_MAX || limit.hard != UINT64_MAX) {
		at = MIN(MAX(limit.soft, it->next_xcpu), limit.hard);
		if (at < UINT64_MAX / NSEC_PER_SEC) {
			uint64_t ns = at * NSEC_PER_SEC;

			left = MIN(left, ns > total ? ns - total : 0);
		}
	}
	if (left != UINT64_MAX)
		rc = timer_arm(&it->cpu, LINUX_CLOCK_MONOTONIC, cpu_time_next_look(it->group, left));
	mutex_unlock(&it->lock);
	return rc;
}

static void check_cpu_limit(struct itimers *it, uint64_t total)
{
	struct rlimit64 limit = cpu_limit(it->group);
	uint64_t seconds = total / NSEC_PER_SEC;
	bool xcpu = false;

	if (limit.hard != UINT64_MAX && seconds >= limit.hard) {
		signal_send_kernel(it->group, LINUX_SIGKILL);
		return;
	}
	if (limit.soft == UINT64_MAX)
		return;
	mutex_lock(&it->lock);
	if (seconds >= MAX(limit.soft, it->next_xcpu)) {
		it->next_xcpu = seconds + 1;
		xcpu = true;
	}
	mutex_unlock(&it->lock);
	if (xcpu)
		signal_send_cpu(it->group, LINUX_SIGXCPU);
}

static void look_at_cpu_time(struct ktimer *timer, void *arg)
{
	struct itimers *it = arg;
	struct cpu_time now = thread_group_cpu_time(it->group);
	bool virt, prof;

	mutex_lock(&it->lock);
	prof = expire_locked(&it->prof, cpu_time_total(now));
	virt = expire_locked(&it->virt, now.user_ns);
	mutex_unlock(&it->lock);
	if (prof)
		signal_send_cpu(it->group, LINUX_SIGPROF);
	if (virt)
		signal_send_cpu(it->group, LINUX_SIGVTALRM);
	check_cpu_limit(it, cpu_time_total(now));
	/* Without memory the next setting arms it again. */
	if (arm_look(it, now))
		return;
}

void itimer_cpu_limit_changed(struct thread_group *g)
{
	struct itimers *it = itimers_of(g, true);

	if (!it)
		return;
	cpu_taker_reset(g);
	mutex_lock(&it->lock);
	it->next_xcpu = 0;
	mutex_unlock(&it->lock);
	if (arm_look(it, thread_group_cpu_time(g)))
		return;
}

/* --- the calls ------------------------------------------------------------------------ */

static void get_real(struct itimers *it, uint64_t *value, uint64_t *interval)
{
	uint64_t now = clock_now(LINUX_CLOCK_MONOTONIC), deadline = timer_deadline(&it->real);

	*interval = it->real_interval;
	*value = 0;
	if (deadline)
		*value = deadline > now ? deadline - now : NSEC_PER_USEC;
}

static void get_cpu(struct itimers *it, int which, uint64_t *value, uint64_t *interval)
{
	struct cpu_time now = thread_group_cpu_time(it->group);
	struct cpu_itimer *c = which == LINUX_ITIMER_PROF ? &it->prof : &it->virt;
	uint64_t cpu = which == LINUX_ITIMER_PROF ? cpu_time_total(now) : now.user_ns;

	mutex_lock(&it->lock);
	*interval = c->interval;
	*value = 0;
	if (c->deadline)
		*value = c->deadline > cpu ? c->deadline - cpu : NSEC_PER_USEC;
	mutex_unlock(&it->lock);
}

void itimer_get(struct thread_group *g, int which, uint64_t *value, uint64_t *interval)
{
	struct itimers *it = itimers_of(g, false);

	*value = *interval = 0;
	if (!it)
		return;
	if (which == LINUX_ITIMER_REAL)
		get_real(it, value, interval);
	else
		get_cpu(it, which, value, interval);
}

static int set_real(struct itimers *it, uint64_t value, uint64_t interval)
{
	int rc = 0;

	mutex_lock(&it->lock);
	timer_cancel(&it->real);
	it->real_interval = value ? interval : 0;
	it->real_deadline = value ? clock_now(LINUX_CLOCK_MONOTONIC) + value : 0;
	if (value)
		rc = timer_arm(&it->real, LINUX_CLOCK_MONOTONIC, it->real_deadline);
	mutex_unlock(&it->lock);
	return rc;
}

static int set_cpu(struct itimers *it, int which, uint64_t value, uint64_t interval)
{
	struct cpu_time now = thread_group_cpu_time(it->group);
	struct cpu_itimer *c = which == LINUX_ITIMER_PROF ? &it->prof : &it->virt;
	uint64_t cpu = which == LINUX_ITIMER_PROF ? cpu_time_total(now) : now.user_ns;

	if (value)
		cpu_taker_reset(it->group);
	mutex_lock(&it->lock);
	c->interval = interval;
	c->deadline = value ? cpu + value : 0;
	mutex_unlock(&it->lock);
	return arm_look(it, now);
}

int itimer_set(struct thread_group *g, int which, uint64_t value, uint64_t interval,
	       uint64_t *old_value, uint64_t *old_interval)
{
	struct itimers *it = itimers_of(g, value != 0);

	*old_value = *old_interval = 0;
	if (!it)
		return value ? -ENOMEM : 0;
	itimer_get(g, which, old_value, old_interval);
	if (which == LINUX_ITIMER_REAL)
		return set_real(it, value, interval);
	return set_cpu(it, which, value, interval);
}

void itimer_real_dequeued(struct thread_group *g)
{
	struct itimers *it = itimers_of(g, false);
	uint64_t now;

	if (!it)
		return;
	mutex_lock(&it->lock);
	if (it->real_interval && !timer_deadline(&it->real) && it->real_deadline) {
		now = clock_now(LINUX_CLOCK_MONOTONIC);
		if (now >= it->real_deadline)
			it->real_deadline += (1 + (now - it->real_deadline) / it->real_interval) *
					     it->real_interval;
		if (timer_arm(&it->real, LINUX_CLOCK_MONOTONIC, it->real_deadline))
			it->real_deadline = 0;
	}
	mutex_unlock(&it->lock);
}

void itimers_destroy(struct thread_group *g)
{
	struct itimers *it;

	mutex_lock(&g->limits_lock);
	it = move_ptr(g->itimers);
	mutex_unlock(&g->limits_lock);
	if (!it)
		return;
	timer_cancel_sync(&it->real);
	timer_cancel_sync(&it->cpu);
	mutex_destroy(&it->lock);
	free(it);
}
