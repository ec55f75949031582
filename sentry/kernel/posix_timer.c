/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POSIX timers.  A timer's signal uses an entry that belongs to the timer and is
 * queued at most once; a repeating timer is armed again when its signal is taken,
 * and the periods that went by meanwhile are the overrun.
 *
 * Locks: timers->lock (LOCK_RANK_TASK) guards the list and the timers; a group's
 * signal lock guards whether an entry is queued, and is never taken inside it.
 */
#include "sentry/kernel/posix_timer.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/capability.h"
#include "sentry/cred/user_account.h"
#include "sentry/kernel/cpu_clock.h"
#include "sentry/kernel/cpu_time.h"
#include "sentry/kernel/pid.h"
#include "sentry/kernel/signal_internal.h"
#include "sentry/kernel/task_internal.h"
#include "sentry/kernel/time_namespace.h"
#include "sentry/kernel/timer.h"
#include "sentry/mm/usercopy.h"
#include "util/checked.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

struct posix_timer {
	struct refcount refs;
	struct list_node node;	    /* timers->list; its lock */
	struct thread_group *group; /* reference */
	struct posix_timers *owner; /* borrowed; outlives the timer's being armed */
	struct task *target;	    /* reference; SIGEV_THREAD_ID */
	struct task *clock_task;    /* reference; CPU-time clocks: the thread, or one of the process */
	bool of_thread, user_only;  /* CPU-time clocks */
	int32_t id;
	int clock, notify;
	uint32_t charged_uid;
	struct ktimer timer;
	/* protected by timers->lock */
	uint64_t deadline, interval; /* ns of the clock; deadline 0: not set */
	bool signal_pending;	     /* expired; waits for its signal to be taken */
	int32_t overrun;	     /* of the signal taken last */
	bool complete, deleted;
	struct queued_signal entry;  /* the group's signal lock */
};

struct posix_timers {
	struct refcount refs; /* the group's, and who lists them */
	struct mutex lock; /* LOCK_RANK_TASK */
	struct list_node list;
	int32_t next_id;
	bool restore_ids; /* PR_TIMER_CREATE_RESTORE_IDS */
};

struct posix_timer *posix_timer_get(struct posix_timer *timer)
{
	refcount_get(&timer->refs);
	return timer;
}

void posix_timer_put(struct posix_timer *timer)
{
	if (!timer || !refcount_put(&timer->refs))
		return;
	user_uncharge(timer->charged_uid, USER_SIGNALS);
	task_put(timer->target);
	task_put(timer->clock_task);
	thread_group_put(timer->group);
	free(timer);
}

/* --- time ------------------------------------------------------------------------- */

static bool is_cpu_clock(int clock)
{
	return clock < 0 || clock == LINUX_CLOCK_PROCESS_CPUTIME_ID ||
	       clock == LINUX_CLOCK_THREAD_CPUTIME_ID;
}

static bool is_alarm_clock(int clock)
{
	return clock == LINUX_CLOCK_REALTIME_ALARM || clock == LINUX_CLOCK_BOOTTIME_ALARM;
}

static uint64_t timer_now(struct posix_timer *timer)
{
	struct cpu_time used;

	if (!is_cpu_clock(timer->clock))
		return clock_now(timer->clock);
	used = timer->of_thread ? task_cpu_time(timer->clock_task) :
				  thread_group_cpu_time(timer->clock_task->group);
	return timer->user_only ? used.user_ns : cpu_time_total(used);
}

/* @now: of the timer's clock. */
static int arm_locked(struct posix_timer *timer, uint64_t now)
{
	if (timer->deleted || timer->notify == LINUX_SIGEV_NONE)
		return 0;
	if (is_cpu_clock(timer->clock)) {
		uint64_t left = timer->deadline > now ? timer->deadline - now : 0;

		return timer_arm(&timer->timer, LINUX_CLOCK_MONOTONIC,
				 cpu_time_next_look(timer->clock_task->group, left));
	}
	return timer_arm(&timer->timer, timer->clock, timer->deadline);
}

/* The deadline moves past @now; how many periods that took. */
static uint64_t forward_locked(struct posix_timer *timer, uint64_t now)
{
	uint64_t periods;

	if (now < timer->deadline)
		return 0;
	periods = 1 + (now - timer->deadline) / timer->interval;
	timer->deadline += periods * timer->interval;
	return periods;
}

/* Who used the CPU time, if that is one of the timer's own process: a reference, or NULL. */
static struct task *taker_get(const struct posix_timer *timer)
{
	if (!is_cpu_clock(timer->clock) || timer->clock_task->group != timer->group)
		return NULL;
	return timer->of_thread ? task_get(timer->clock_task) : cpu_taker_get(timer->group);
}

static bool send_signal(struct posix_timer *timer)
{
	struct task *taker = taker_get(timer);
	bool queued = signal_send_entry(timer->group, timer->target, taker, &timer->entry);

	task_put(taker);
	return queued;
}

static void expired(struct ktimer *ktimer, void *arg)
{
	struct posix_timer *timer = arg;
	uint64_t now = timer_now(timer);
	bool fire = false;

	mutex_lock(&timer->owner->lock);
	if (!timer->deleted && timer->deadline) {
		if (now < timer->deadline) {
			if (arm_locked(timer, now))
				timer->deadline = 0;
		} else {
			fire = timer->signal_pending = true;
		}
	}
	mutex_unlock(&timer->owner->lock);
	if (!fire)
		return;
	if (send_signal(timer))
		return;
	/* Ignored: a repeating timer goes on, so that it works when a handler is set. */
	mutex_lock(&timer->owner->lock);
	if (timer->interval && !timer->deleted && timer->signal_pending) {
		uint64_t pause = clock_now(LINUX_CLOCK_MONOTONIC);

		timer->signal_pending = false;
		forward_locked(timer, timer_now(timer));
		/* Nobody listens: not more often than a tick. */
		if (!is_cpu_clock(timer->clock) && timer->interval < NSEC_PER_SEC / 100)
			pause = timer_arm(&timer->timer, LINUX_CLOCK_MONOTONIC,
					  pause + NSEC_PER_SEC / 100);
		else
			pause = arm_locked(timer, timer_now(timer));
		if (pause)
			timer->deadline = 0;
	}
	mutex_unlock(&timer->owner->lock);
}

void posix_timer_dequeued(struct posix_timer *timer, struct linux_siginfo *info)
{
	uint64_t now = timer_now(timer), periods = 0;

	mutex_lock(&timer->owner->lock);
	if (!timer->deleted && timer->signal_pending) {
		timer->signal_pending = false;
		if (timer->interval) {
			periods = forward_locked(timer, now);
			if (arm_locked(timer, now))
				timer->deadline = 0;
		} else {
			timer->deadline = 0;
		}
	}
	timer->overrun = periods > 1 ? (int32_t)MIN(periods - 1, (uint64_t)INT_MAX) : 0;
	info->timer.overrun = timer->overrun;
	mutex_unlock(&timer->owner->lock);
}

/* --- create ------------------------------------------------------------------------- */

static struct posix_timers *timers_of(struct thread_group *g, bool make)
{
	struct posix_timers *p, *made;

	mutex_lock(&g->limits_lock);
	p = g->posix_timers;
	mutex_unlock(&g->limits_lock);
	if (p || !make)
		return p;
	made = calloc(1, sizeof(*made));
	if (!made)
		return NULL;
	refcount_init(&made->refs);
	mutex_init(&made->lock, LOCK_RANK_TASK);
	list_init(&made->list);
	mutex_lock(&g->limits_lock);
	p = g->posix_timers;
	if (!p)
		p = g->posix_timers = move_ptr(made);
	mutex_unlock(&g->limits_lock);
	free(made);
	return p;
}

static void timers_put(struct posix_timers *timers)
{
	if (!refcount_put(&timers->refs))
		return;
	mutex_destroy(&timers->lock);
	free(timers);
}

/* The clock of clock_getcpuclockid(3): whose it is; -EINVAL. */
static int find_clock_task(struct task *t, struct posix_timer *timer)
{
	if (timer->clock >= 0) {
		timer->of_thread = timer->clock == LINUX_CLOCK_THREAD_CPUTIME_ID;
		timer->clock_task = is_cpu_clock(timer->clock) ? task_get(t) : NULL;
		return 0;
	}
	timer->of_thread = timer->clock & CPUCLOCK_PER_THREAD;
	timer->user_only = (timer->clock & CPUCLOCK_MASK) == CPUCLOCK_VIRT;
	return cpu_clock_task(t, timer->clock, &timer->clock_task);
}

int posix_timer_check_clock(int clock)
{
	if (clock < 0)
		return cpu_clock_is_descriptor(clock) ? -EOPNOTSUPP : 0;
	switch (clock) {
	case LINUX_CLOCK_REALTIME:
	case LINUX_CLOCK_MONOTONIC:
	case LINUX_CLOCK_BOOTTIME:
	case LINUX_CLOCK_TAI:
	case LINUX_CLOCK_PROCESS_CPUTIME_ID:
	case LINUX_CLOCK_THREAD_CPUTIME_ID:
		return 0;
	case LINUX_CLOCK_REALTIME_ALARM:
	case LINUX_CLOCK_BOOTTIME_ALARM:
		return 0;
	case LINUX_CLOCK_MONOTONIC_RAW:
	case LINUX_CLOCK_REALTIME_COARSE:
	case LINUX_CLOCK_MONOTONIC_COARSE:
		return -EOPNOTSUPP;
	default:
		return -EINVAL;
	}
}

/* Which thread gets the signal; checks the event as Linux's good_sigevent. */
static int check_event(struct task *t, const struct linux_sigevent *ev, struct task **target)
{
	*target = NULL;
	switch (ev->notify) {
	case LINUX_SIGEV_NONE:
		return 0;
	case LINUX_SIGEV_SIGNAL | LINUX_SIGEV_THREAD_ID:
		*target = task_lookup(t->pid.ns, ev->tid);
		if (!*target || (*target)->group != t->group)
			return -EINVAL;
		break;
	case LINUX_SIGEV_SIGNAL:
	case LINUX_SIGEV_THREAD:
		break;
	default:
		return -EINVAL;
	}
	return ev->signo > 0 && ev->signo <= LINUX_NSIG ? 0 : -EINVAL;
}

static void fill_entry(struct posix_timer *timer, const struct linux_sigevent *event)
{
	struct linux_siginfo *info = &timer->entry.info;

	timer->entry.timer = timer;
	info->signo = event ? event->signo : LINUX_SIGALRM;
	info->code = LINUX_SI_TIMER;
	info->timer.timer_id = timer->id;
	info->timer.value = event ? event->value : (uint64_t)timer->id;
}

int posix_timers_restore_ids(struct thread_group *g, bool on)
{
	struct posix_timers *timers = timers_of(g, on);

	if (!timers)
		return on ? -ENOMEM : 0;
	mutex_lock(&timers->lock);
	timers->restore_ids = on;
	mutex_unlock(&timers->lock);
	return 0;
}

bool posix_timers_restoring_ids(struct thread_group *g)
{
	struct posix_timers *timers = timers_of(g, false);
	bool on;

	if (!timers)
		return false;
	mutex_lock(&timers->lock);
	on = timers->restore_ids;
	mutex_unlock(&timers->lock);
	return on;
}

static struct posix_timer *find_locked(struct posix_timers *timers, int32_t id)
{
	struct posix_timer *timer;

	list_for_each(timer, &timers->list, node)
		if (timer->id == id)
			return timer;
	return NULL;
}

/* The number asked for, or the next one that is free; the next timer's is the one after. */
static int choose_id_locked(struct posix_timers *timers, int32_t wanted, int32_t *out)
{
	int32_t id = wanted == POSIX_TIMER_ANY_ID ? timers->next_id : wanted;

	while (find_locked(timers, id)) {
		if (wanted != POSIX_TIMER_ANY_ID)
			return -EBUSY;
		id = id == INT_MAX ? 0 : id + 1;
	}
	timers->next_id = id == INT_MAX ? 0 : id + 1;
	*out = id;
	return 0;
}

/* A timer with a number, which nobody else finds before it is complete. */
static int reserve(struct task *t, int clock, int32_t wanted, struct posix_timer **out)
{
	int rc = user_charge(t->cred->uid, USER_SIGNALS, task_rlimit(t, RLIM_SIGPENDING));
	struct posix_timers *timers;
	struct posix_timer *timer;

	if (rc)
		return rc;
	timers = timers_of(t->group, true);
	timer = calloc(1, sizeof(*timer));
	if (!timers || !timer) {
		free(timer);
		user_uncharge(t->cred->uid, USER_SIGNALS);
		return -EAGAIN;
	}
	refcount_init(&timer->refs);
	timer->group = thread_group_get(t->group);
	timer->owner = timers;
	timer->clock = clock;
	timer->charged_uid = t->cred->uid;
	timer_init(&timer->timer, expired, timer);
	mutex_lock(&timers->lock);
	rc = choose_id_locked(timers, wanted, &timer->id);
	if (!rc)
		list_add_head(&timers->list, &timer->node);
	mutex_unlock(&timers->lock);
	if (rc)
		posix_timer_put(timer);
	else
		*out = timer;
	return rc;
}

/* In Linux's order: the number is told before it is known whose clock it is. */
static int complete(struct task *t, struct posix_timer *timer, const struct linux_sigevent *event,
		    guest_addr_t id)
{
	int rc = event ? check_event(t, event, &timer->target) : 0;

	if (rc)
		return rc;
	timer->notify = event ? event->notify & ~LINUX_SIGEV_THREAD_ID : LINUX_SIGEV_SIGNAL;
	fill_entry(timer, event);
	rc = copy_out_u32(t->mm, id, (uint32_t)timer->id);
	if (rc)
		return rc;
	if (is_alarm_clock(timer->clock) && !credentials_root_capable(t->cred, LINUX_CAP_WAKE_ALARM))
		return -EPERM;
	return find_clock_task(t, timer);
}

int posix_timer_create(struct task *t, int clock, const struct linux_sigevent *event, int32_t wanted,
		       guest_addr_t id)
{
	struct posix_timer *timer;
	int rc = reserve(t, clock, wanted, &timer);

	if (rc)
		return rc;
	rc = complete(t, timer, event, id);
	mutex_lock(&timer->owner->lock);
	if (rc)
		list_remove(&timer->node);
	timer->complete = !rc;
	mutex_unlock(&timer->owner->lock);
	if (rc)
		posix_timer_put(timer);
	return rc;
}

/* --- the other calls ------------------------------------------------------------------ */

static struct posix_timer *find(struct task *t, int32_t id)
{
	struct posix_timers *timers = timers_of(t->group, false);
	struct posix_timer *timer, *found = NULL;

	if (!timers)
		return NULL;
	mutex_lock(&timers->lock);
	list_for_each(timer, &timers->list, node)
		if (timer->id == id && timer->complete)
			found = timer;
	if (found)
		posix_timer_get(found);
	mutex_unlock(&timers->lock);
	return found;
}

static struct linux_timespec to_timespec(uint64_t ns)
{
	return (struct linux_timespec){ (int64_t)(ns / NSEC_PER_SEC), (int64_t)(ns % NSEC_PER_SEC) };
}

static bool to_ns(const struct linux_timespec *ts, uint64_t *out)
{
	if (ts->sec < 0 || ts->nsec < 0 || ts->nsec >= (int64_t)NSEC_PER_SEC)
		return false;
	*out = (uint64_t)ts->sec > INT64_MAX / NSEC_PER_SEC - 1 ?
		       INT64_MAX : (uint64_t)ts->sec * NSEC_PER_SEC + (uint64_t)ts->nsec;
	return true;
}

static void get_locked(struct posix_timer *timer, uint64_t now, struct linux_itimerspec *out)
{
	uint64_t left = 0;

	if (timer->deadline) {
		/* What it will be armed for, if it has expired. */
		if (timer->interval && now >= timer->deadline &&
		    (timer->notify == LINUX_SIGEV_NONE || timer->signal_pending))
			left = timer->interval - (now - timer->deadline) % timer->interval;
		else if (now < timer->deadline)
			left = timer->deadline - now;
		else if (timer->notify != LINUX_SIGEV_NONE && !timer->signal_pending)
			left = 1;
	}
	out->interval = to_timespec(timer->interval);
	out->value = to_timespec(left);
}

int posix_timer_gettime(struct task *t, int32_t id, struct linux_itimerspec *out)
{
	struct posix_timer *timer = find(t, id);
	uint64_t now;

	if (!timer)
		return -EINVAL;
	now = timer_now(timer);
	mutex_lock(&timer->owner->lock);
	get_locked(timer, now, out);
	mutex_unlock(&timer->owner->lock);
	posix_timer_put(timer);
	return 0;
}

/* Takes a signal that is queued for @timer back. */
static void unqueue(struct posix_timer *timer)
{
	struct signal_handlers *h = signal_lock(timer->group);
	int signo = timer->entry.info.signo;

	if (list_linked(&timer->entry.node)) {
		struct signal_queue *q = timer->target ? &timer->target->pending :
							 &timer->group->shared_pending;
		struct queued_signal *e;
		bool more = false;

		list_remove(&timer->entry.node);
		list_for_each(e, &q->entries, node)
			more = more || e->info.signo == signo;
		if (!more)
			q->set &= ~SIGNAL_BIT(signo);
	}
	signal_unlock(h);
}

int posix_timer_settime(struct task *t, int32_t id, int flags,
			const struct linux_itimerspec *new_value, struct linux_itimerspec *old_value)
{
	uint64_t value, interval, now;
	struct posix_timer *timer;
	int rc = 0;

	if (!to_ns(&new_value->value, &value) || !to_ns(&new_value->interval, &interval))
		return -EINVAL;
	timer = find(t, id);
	if (!timer)
		return -EINVAL;
	timer_cancel_sync(&timer->timer);
	unqueue(timer);
	if (value && is_cpu_clock(timer->clock) && !timer->of_thread)
		cpu_taker_reset(timer->group);
	now = timer_now(timer);
	mutex_lock(&timer->owner->lock);
	get_locked(timer, now, old_value);
	timer_cancel(&timer->timer);
	timer->signal_pending = false;
	timer->overrun = 0;
	timer->interval = value ? interval : 0;
	timer->deadline = value;
	if (value && (flags & LINUX_TIMER_ABSTIME))
		timer->deadline = MAX(time_from_guest(t, timer->clock, value), 1ULL);
	else if (value)
		timer->deadline = value > INT64_MAX - now ? INT64_MAX : now + value;
	if (value)
		rc = arm_locked(timer, now);
	mutex_unlock(&timer->owner->lock);
	posix_timer_put(timer);
	return rc;
}

int posix_timer_getoverrun(struct task *t, int32_t id)
{
	struct posix_timer *timer = find(t, id);
	int overrun;

	if (!timer)
		return -EINVAL;
	mutex_lock(&timer->owner->lock);
	overrun = timer->overrun;
	mutex_unlock(&timer->owner->lock);
	posix_timer_put(timer);
	return overrun;
}

/* After this the timer is only kept by who looks at it now. */
static void retire(struct posix_timer *timer)
{
	mutex_lock(&timer->owner->lock);
	timer->deleted = true;
	mutex_unlock(&timer->owner->lock);
	timer_cancel_sync(&timer->timer);
	unqueue(timer);
	posix_timer_put(timer);
}

int posix_timer_delete(struct task *t, int32_t id)
{
	struct posix_timer *timer = find(t, id);
	bool ours = false;

	if (!timer)
		return -EINVAL;
	mutex_lock(&timer->owner->lock);
	if (list_linked(&timer->node)) {
		list_remove(&timer->node);
		ours = true;
	}
	mutex_unlock(&timer->owner->lock);
	if (ours)
		retire(timer);
	posix_timer_put(timer);
	return ours ? 0 : -EINVAL;
}

void posix_timers_destroy(struct thread_group *g)
{
	struct posix_timers *timers;
	struct posix_timer *timer;

	mutex_lock(&g->limits_lock);
	timers = move_ptr(g->posix_timers);
	mutex_unlock(&g->limits_lock);
	if (!timers)
		return;
	for (;;) {
		mutex_lock(&timers->lock);
		timer = list_first(&timers->list, struct posix_timer, node);
		if (timer)
			list_remove(&timer->node);
		mutex_unlock(&timers->lock);
		if (!timer)
			break;
		retire(timer);
	}
	timers_put(timers);
}

/* --- /proc/PID/timers --------------------------------------------------------------------- */

/* As Linux keeps it, who makes a CPU clock of the two that have a name. */
static int shown_clock(const struct posix_timer *timer)
{
	switch (timer->clock) {
	case LINUX_CLOCK_PROCESS_CPUTIME_ID:
		return CPUCLOCK_PROCESS_OF_CALLER;
	case LINUX_CLOCK_THREAD_CPUTIME_ID:
		return CPUCLOCK_PROCESS_OF_CALLER | CPUCLOCK_PER_THREAD;
	default:
		return timer->clock;
	}
}

static void show_timer(const struct posix_timer *timer, const struct pid_namespace *ns, struct strbuf *out)
{
	static const char *const notify[] = { [LINUX_SIGEV_SIGNAL] = "signal", [LINUX_SIGEV_NONE] = "none",
					      [LINUX_SIGEV_THREAD] = "thread" };
	const struct linux_siginfo *info = &timer->entry.info;

	strbuf_addf(out, "ID: %d\nsignal: %d/%016" PRIx64 "\nnotify: %s/%s.%d\nClockID: %d\n", timer->id,
		    info->signo, info->timer.value, notify[timer->notify], timer->target ? "tid" : "pid",
		    timer->target ? task_tid_in(timer->target, ns) : pid_number_in(&timer->group->pid, ns),
		    shown_clock(timer));
}

void posix_timers_show(struct thread_group *g, const struct pid_namespace *ns, struct strbuf *out)
{
	struct posix_timers *timers;
	struct posix_timer *timer;

	mutex_lock(&g->limits_lock);
	timers = g->posix_timers;
	if (timers)
		refcount_get(&timers->refs);
	mutex_unlock(&g->limits_lock);
	if (!timers)
		return;
	mutex_lock(&timers->lock);
	list_for_each(timer, &timers->list, node)
		if (timer->complete)
			show_timer(timer, ns, out);
	mutex_unlock(&timers->lock);
	timers_put(timers);
}
