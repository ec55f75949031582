/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The timer service: a binary heap per clock under one lock (LOCK_RANK_TIMER), and
 * a thread that sleeps on a futex word until the earliest deadline or a change.
 * When the earliest belongs to the real-time clock it sleeps by that clock, so that
 * setting the clock is noticed.
 */
#include "sentry/kernel/timer.h"

#include <errno.h>
#include <stdlib.h>

#include "sentry/host/host_clock.h"
#include "sentry/host/host_futex.h"
#include "sentry/host/host_thread.h"
#include "util/lock.h"
#include "util/log.h"

enum heap_id { HEAP_MONOTONIC, HEAP_REALTIME, HEAP_BOOTTIME, HEAP_COUNT };

struct heap {
	struct ktimer **timers; /* [1..count] */
	uint32_t count, capacity;
};

static const int heap_clock[HEAP_COUNT] = {
	[HEAP_MONOTONIC] = LINUX_CLOCK_MONOTONIC,
	[HEAP_REALTIME] = LINUX_CLOCK_REALTIME,
	[HEAP_BOOTTIME] = LINUX_CLOCK_BOOTTIME,
};

static struct mutex lock = MUTEX_INIT(LOCK_RANK_TIMER);
static struct heap heaps[HEAP_COUNT];	/* protected by lock */
static _Atomic uint32_t changes;	/* the thread sleeps on it */
static _Atomic uint32_t callbacks_done; /* timer_cancel_sync sleeps on it */
static _Thread_local bool in_callback_thread;
static bool started;

uint64_t clock_now(int clock)
{
	switch (clock) {
	case LINUX_CLOCK_REALTIME:
	case LINUX_CLOCK_MONOTONIC:
	case LINUX_CLOCK_MONOTONIC_RAW:
	case LINUX_CLOCK_REALTIME_COARSE:
	case LINUX_CLOCK_MONOTONIC_COARSE:
	case LINUX_CLOCK_BOOTTIME:
	case LINUX_CLOCK_TAI:
		return host_clock_ns(clock);
	case LINUX_CLOCK_REALTIME_ALARM:
		return host_clock_ns(LINUX_CLOCK_REALTIME);
	case LINUX_CLOCK_BOOTTIME_ALARM:
		return host_clock_ns(LINUX_CLOCK_BOOTTIME);
	default:
		return 0;
	}
}

static enum heap_id heap_of(int clock)
{
	switch (clock) {
	case LINUX_CLOCK_REALTIME:
	case LINUX_CLOCK_REALTIME_ALARM:
	case LINUX_CLOCK_REALTIME_COARSE:
	case LINUX_CLOCK_TAI:
		return HEAP_REALTIME;
	case LINUX_CLOCK_BOOTTIME:
	case LINUX_CLOCK_BOOTTIME_ALARM:
		return HEAP_BOOTTIME;
	default:
		return HEAP_MONOTONIC;
	}
}

/* --- the heap ------------------------------------------------------------------- */

static void place(struct heap *h, uint32_t i, struct ktimer *t)
{
	h->timers[i] = t;
	t->index = i;
}

static void sift_up(struct heap *h, uint32_t i)
{
	struct ktimer *t = h->timers[i];

	for (; i > 1 && h->timers[i / 2]->deadline > t->deadline; i /= 2)
		place(h, i, h->timers[i / 2]);
	place(h, i, t);
}

static void sift_down(struct heap *h, uint32_t i)
{
	struct ktimer *t = h->timers[i];

	for (uint32_t child; (child = 2 * i) <= h->count; i = child) {
		if (child < h->count && h->timers[child + 1]->deadline < h->timers[child]->deadline)
			child++;
		if (h->timers[child]->deadline >= t->deadline)
			break;
		place(h, i, h->timers[child]);
	}
	place(h, i, t);
}

static void heap_remove(struct ktimer *t)
{
	struct heap *h = &heaps[t->heap];
	uint32_t i = t->index;
	struct ktimer *last = h->timers[h->count--];

	t->index = 0;
	if (last == t)
		return;
	place(h, i, last);
	sift_up(h, i);
	sift_down(h, last->index);
}

static int heap_reserve(struct heap *h)
{
	uint32_t capacity = h->capacity ? h->capacity * 2 : 16;
	struct ktimer **grown;

	if (h->count + 1 < h->capacity)
		return 0;
	grown = realloc(h->timers, capacity * sizeof(struct ktimer *));
	if (!grown)
		return -ENOMEM;
	h->timers = grown;
	h->capacity = capacity;
	return 0;
}

/* --- arming ----------------------------------------------------------------------- */

void timer_init(struct ktimer *t, void (*fn)(struct ktimer *timer, void *arg), void *arg)
{
	*t = (struct ktimer){ .fn = fn, .arg = arg };
}

static void poke_thread(void)
{
	atomic_fetch_add(&changes, 1);
	host_futex_wake(&changes, 1);
}

int timer_arm(struct ktimer *t, int clock, uint64_t abs_ns)
{
	enum heap_id id = heap_of(clock);
	struct heap *h = &heaps[id];
	bool first = false;
	int rc;

	mutex_lock(&lock);
	if (t->index)
		heap_remove(t);
	rc = heap_reserve(h);
	if (!rc) {
		t->heap = id;
		t->deadline = abs_ns;
		h->timers[++h->count] = t;
		t->index = h->count;
		sift_up(h, h->count);
		first = t->index == 1;
	}
	mutex_unlock(&lock);
	if (first)
		poke_thread();
	return rc;
}

bool timer_cancel(struct ktimer *t)
{
	bool armed;

	mutex_lock(&lock);
	armed = t->index != 0;
	if (armed)
		heap_remove(t);
	mutex_unlock(&lock);
	return armed;
}

bool timer_cancel_sync(struct ktimer *t)
{
	bool armed = timer_cancel(t), running;

	while (!in_callback_thread) {
		uint32_t seen = atomic_load(&callbacks_done);

		mutex_lock(&lock);
		running = t->running;
		/* It may have armed itself again. */
		if (t->index)
			heap_remove(t);
		mutex_unlock(&lock);
		if (!running)
			break;
		host_futex_wait(&callbacks_done, seen, HOST_FUTEX_FOREVER, false);
	}
	return armed;
}

uint64_t timer_deadline(struct ktimer *t)
{
	uint64_t deadline;

	mutex_lock(&lock);
	deadline = t->index ? t->deadline : 0;
	mutex_unlock(&lock);
	return deadline;
}

/* --- the thread ---------------------------------------------------------------------- */

static void run_one_locked(struct ktimer *t) NO_LOCK_ANALYSIS
{
	heap_remove(t);
	t->running = true;
	mutex_unlock(&lock);
	t->fn(t, t->arg);
	mutex_lock(&lock);
	/* The callback's owner may free it once `running` is clear and the lock free. */
	t->running = false;
	atomic_fetch_add(&callbacks_done, 1);
	host_futex_wake(&callbacks_done, INT32_MAX);
}

/* Runs what is due; the delay to the next of all clocks, and whose clock that is. */
static uint64_t run_due(enum heap_id *next_heap)
{
	uint64_t delay = UINT64_MAX;

	mutex_lock(&lock);
	for (unsigned i = 0; i < HEAP_COUNT; i++) {
		while (heaps[i].count) {
			struct ktimer *t = heaps[i].timers[1];
			uint64_t now = clock_now(heap_clock[i]);

			if (t->deadline > now) {
				if (t->deadline - now < delay) {
					delay = t->deadline - now;
					*next_heap = i;
				}
				break;
			}
			run_one_locked(t);
			/* A callback may have armed a timer of a heap already passed. */
			delay = UINT64_MAX;
			i = 0;
		}
	}
	mutex_unlock(&lock);
	return delay;
}

static void *timer_thread(void *arg)
{
	in_callback_thread = true;
	for (;;) {
		uint32_t seen = atomic_load(&changes);
		enum heap_id heap = HEAP_MONOTONIC;
		uint64_t delay = run_due(&heap), base;
		bool realtime = heap == HEAP_REALTIME;

		if (delay == UINT64_MAX) {
			host_futex_wait(&changes, seen, HOST_FUTEX_FOREVER, false);
			continue;
		}
		base = realtime ? host_realtime_ns() : host_monotonic_ns();
		/* Far futures: a wait of a year at a time. */
		if (delay > 365ULL * 86400 * NSEC_PER_SEC)
			delay = 365ULL * 86400 * NSEC_PER_SEC;
		host_futex_wait(&changes, seen, base + delay, realtime);
	}
	return arg;
}

int timer_service_start(void)
{
	int rc;

	if (started)
		return 0;
	rc = host_thread_start("timer", timer_thread, NULL);
	if (!rc)
		started = true;
	return rc;
}
