/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sleepers: a private futex word that each wake bumps.  The sleeping thread keeps
 * in `seen` the count it has accounted for, so a wake that comes after wait_begin
 * and before the sleep ends that sleep at once.  The flags are set before the word
 * is bumped and read after it, so neither is missed.
 *
 * Threads that serve no task sleep on a sleeper of their own, which nobody interrupts.
 */
#include "sentry/wait/wait.h"

#include <errno.h>
#include <limits.h>
#include <stddef.h>

#include "sentry/host/host_clock.h"
#include "sentry/host/host_futex.h"

static _Thread_local struct sleeper *current;
static _Thread_local struct sleeper own;
static const struct wait_hooks *hooks; /* does not change after boot */

/* Whoever makes this AWAKE again is the one who reports it and wakes the thread. */
enum sleeping {
	AWAKE,
	ASLEEP,
	ASLEEP_AND_COUNTED, /* hooks->woken is to be told */
	SHELVED,	    /* no thread sleeps: unshelve() instead */
};

void sleeper_init(struct sleeper *s)
{
	atomic_init(&s->word, 0);
	atomic_init(&s->interrupted, false);
	atomic_init(&s->killed, false);
	atomic_init(&s->sleeping, AWAKE);
	s->seen = 0;
	s->state = NULL;
	s->unshelve = NULL;
}

static void show_state(struct sleeper *s, int from, int to)
{
	if (s->state)
		atomic_compare_exchange_strong(s->state, &from, to);
}

/* True: a thread is to be woken. */
static bool report_awake(struct sleeper *s)
{
	int was = atomic_exchange(&s->sleeping, AWAKE);

	if (was == ASLEEP_AND_COUNTED)
		hooks->woken(hooks->arg);
	if (was == SHELVED) {
		show_state(s, 'S', 'R');
		s->unshelve(s);
	}
	return was == ASLEEP || was == ASLEEP_AND_COUNTED;
}

void sleeper_wake(struct sleeper *s)
{
	atomic_fetch_add(&s->word, 1);
	/* Pairs with sleep_once: either this sees `sleeping`, or the futex sees the new word. */
	if (atomic_load(&s->sleeping) != AWAKE && report_awake(s))
		host_futex_wake(&s->word, INT_MAX);
}

void sleeper_interrupt(struct sleeper *s)
{
	atomic_store(&s->interrupted, true);
	sleeper_wake(s);
}

void sleeper_clear_interrupt(struct sleeper *s)
{
	atomic_store(&s->interrupted, false);
}

void sleeper_kill(struct sleeper *s)
{
	atomic_store(&s->killed, true);
	sleeper_interrupt(s);
}

struct sleeper *sleeper_current(void)
{
	return current;
}

void sleeper_set_current(struct sleeper *s)
{
	current = s;
}

void wait_set_hooks(const struct wait_hooks *h)
{
	hooks = h;
}

static struct sleeper *sleeper_self(void)
{
	return current ? current : &own;
}

static bool notify_sleeper(struct waiter *w, uint32_t events)
{
	sleeper_wake(container_of(w, struct wait_entry, waiter)->sleeper);
	return true;
}

static void begin(struct wait_entry *e, struct wait_queue *q, uint32_t events, bool exclusive)
{
	e->sleeper = sleeper_self();
	e->waiter.events = events;
	e->waiter.exclusive = exclusive;
	e->waiter.notify = notify_sleeper;
	wait_queue_add(q, &e->waiter);
}

void wait_begin(struct wait_entry *e, struct wait_queue *q, uint32_t events)
{
	begin(e, q, events, false);
}

void wait_begin_exclusive(struct wait_entry *e, struct wait_queue *q, uint32_t events)
{
	begin(e, q, events, true);
}

void wait_end(struct wait_entry *e)
{
	wait_queue_remove(&e->waiter);
}

enum interruptibility { BY_ANYTHING, BY_DEATH, BY_NOTHING };

static bool must_leave(struct sleeper *s, enum interruptibility how)
{
	switch (how) {
	case BY_ANYTHING:
		return atomic_load(&s->interrupted) || atomic_load(&s->killed);
	case BY_DEATH:
		return atomic_load(&s->killed);
	case BY_NOTHING:
		break;
	}
	return false;
}

/* One result, without sleeping; 1: nothing yet. */
static int check(struct sleeper *s, enum interruptibility how)
{
	uint32_t word = atomic_load(&s->word);
	bool woken = word != s->seen;

	s->seen = word;
	if (must_leave(s, how))
		return -EINTR;
	return woken ? 0 : 1;
}

static int sleep_once(struct sleeper *s, uint64_t deadline)
{
	bool counted = hooks && hooks->block_begin && hooks->block_begin();
	int rc;

	atomic_store(&s->sleeping, counted ? ASLEEP_AND_COUNTED : ASLEEP);
	rc = host_futex_wait(&s->word, s->seen, deadline, false);
	(void)report_awake(s);
	if (counted)
		hooks->block_end();
	return rc;
}

static int sleep_on(uint64_t deadline, enum interruptibility how)
{
	struct sleeper *s = sleeper_self();
	int asleep = how == BY_ANYTHING ? 'S' : 'D';
	int rc = check(s, how);

	if (rc <= 0)
		return rc;
	lock_assert_none_held();
	if (deadline != DEADLINE_NONE && host_monotonic_ns() >= deadline)
		return -ETIMEDOUT;
	show_state(s, 'R', asleep);
	do {
		int timed_out = sleep_once(s, deadline);

		rc = check(s, how);
		if (rc > 0 && timed_out)
			rc = timed_out;
	} while (rc > 0);
	show_state(s, asleep, 'R');
	return rc;
}

int wait_sleep(uint64_t deadline)
{
	return sleep_on(deadline, BY_ANYTHING);
}

int wait_sleep_killable(uint64_t deadline)
{
	return sleep_on(deadline, BY_DEATH);
}

int wait_sleep_uninterruptible(uint64_t deadline)
{
	return sleep_on(deadline, BY_NOTHING);
}

bool wait_interrupted(void)
{
	return must_leave(sleeper_self(), BY_ANYTHING);
}

bool sleeper_shelve(struct sleeper *s)
{
	uint32_t seen;

	if (check(s, BY_ANYTHING) <= 0)
		return false;
	seen = s->seen;
	show_state(s, 'R', 'S');
	atomic_store(&s->sleeping, SHELVED);
	/* A wake that came before that saw a thread awake, and left it at that. */
	if (atomic_load(&s->word) == seen || atomic_exchange(&s->sleeping, AWAKE) == AWAKE)
		return true;
	show_state(s, 'S', 'R');
	return false;
}
