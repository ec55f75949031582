/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting inside the sentry.
 *
 * A wait_queue is what can become ready (a pipe, a futex, a child's death).  A
 * waiter is an entry in it with a callback.  A sleeper is what a pool thread
 * sleeps on: one per task, current while the thread serves that task.  A signal
 * for the task interrupts its sleeper; the flag is sticky until cleared, so no
 * wake-up is lost between test and sleep.
 *
 * The usual loop:
 *
 *	struct wait_entry e;
 *	wait_begin(&e, queue, events);
 *	while (!(ready = condition()))
 *		if ((rc = wait_sleep(deadline)) < 0)
 *			break;
 *	wait_end(&e);
 *
 * File operations never sleep for readiness: they return -EAGAIN, and the
 * system call layer runs the loop above around them (sentry/vfs/file_wait.h).
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/compiler.h"
#include "util/list.h"
#include "util/lock.h"

#define DEADLINE_NONE UINT64_MAX

struct wait_queue {
	struct mutex lock;	/* LOCK_RANK_WAIT_QUEUE */
	struct list_node waiters; /* protected by lock */
};

struct waiter {
	struct list_node node;	  /* protected by the queue's lock */
	struct wait_queue *queue; /* does not change while linked */
	uint32_t events;	  /* mask of interest; LINUX_EPOLL* bits or any private bits */
	bool exclusive;		  /* wait_queue_wake_one stops at the first of these woken */
	/*
	 * Called with the queue's lock held: must not sleep or take any lock but
	 * leaf locks.  Returns true when it consumed an exclusive wake-up.
	 */
	bool (*notify)(struct waiter *w, uint32_t events);
};

void wait_queue_init(struct wait_queue *q);
/* The queue must be empty. */
void wait_queue_destroy(struct wait_queue *q);
/* To the tail; @w's events, exclusive and notify are set by the caller. */
void wait_queue_add(struct wait_queue *q, struct waiter *w);
/* No-op when @w is in no queue.  After it returns notify is not running. */
void wait_queue_remove(struct waiter *w);
/* Notifies every waiter interested in any of @events (exclusive ones: the first that consumes). */
void wait_queue_wake(struct wait_queue *q, uint32_t events);
/* Notifies every waiter, exclusive or not. */
void wait_queue_wake_all(struct wait_queue *q, uint32_t events);
bool wait_queue_active(struct wait_queue *q);

struct sleeper {
	_Atomic uint32_t word;	  /* private futex: bumped by each wake */
	_Atomic bool interrupted; /* sticky */
	_Atomic bool killed;	  /* sticky, for ever: the task is dying */
	_Atomic int sleeping;	  /* enum sleeping in sleeper.c: a wake must call the host */
	uint32_t seen;		  /* wakes already accounted for; only the sleeping thread */
	_Atomic int *state;	  /* NULL, or where sleeping shows: 'R' becomes 'S' or 'D' and back */
	/*
	 * The wake of a shelved one, in place of waking a thread.  Of any thread, with any lock held but
	 * leaf locks.  NULL: it is never shelved.
	 */
	void (*unshelve)(struct sleeper *s);
};

void sleeper_init(struct sleeper *s);
void sleeper_wake(struct sleeper *s);
void sleeper_interrupt(struct sleeper *s);
void sleeper_clear_interrupt(struct sleeper *s);
/* As sleeper_interrupt, and ends killable sleeps too; never cleared. */
void sleeper_kill(struct sleeper *s);

/*
 * Sleeps without a thread: false, at once, if it has been woken or interrupted since its last sleep; else
 * the next wake calls unshelve(), perhaps before this returns, and @s is out of the caller's hands.
 */
bool sleeper_shelve(struct sleeper *s) MUST_CHECK;

/* The calling pool thread's sleeper; NULL when it serves no task. */
struct sleeper *sleeper_current(void);
void sleeper_set_current(struct sleeper *s);

/*
 * Called around every sleep so that the platform can put another pool thread to
 * work (set once at boot; may be NULL in tests).
 */
struct wait_hooks {
	/* Before the caller sleeps.  True: it is a pool thread, whose return is reported. */
	bool (*block_begin)(void);
	/*
	 * Such a thread is about to run again.  Of any thread, as soon as it is decided,
	 * with any lock held; exactly once for each block_begin that was true.
	 */
	void (*woken)(void *arg);
	/* After the sleep, by the thread that block_begin was true for. */
	void (*block_end)(void);
	void *arg;
};
void wait_set_hooks(const struct wait_hooks *hooks);

struct wait_entry {
	struct waiter waiter;
	struct sleeper *sleeper;
};

void wait_begin(struct wait_entry *e, struct wait_queue *q, uint32_t events);
void wait_begin_exclusive(struct wait_entry *e, struct wait_queue *q, uint32_t events);
void wait_end(struct wait_entry *e);
/* Whether wait_sleep() would say -EINTR. */
bool wait_interrupted(void);
/*
 * Sleeps the current sleeper until it is woken: 0; or -EINTR (interrupted: the
 * caller turns it into the restart code it wants) or -ETIMEDOUT.  @deadline is
 * absolute CLOCK_MONOTONIC nanoseconds or DEADLINE_NONE.  No lock may be held.
 */
int wait_sleep(uint64_t deadline);
/* As wait_sleep, deaf to interruption other than the task's death (vfork, flush). */
int wait_sleep_killable(uint64_t deadline);
/* As wait_sleep, deaf to every interruption: only for waits that the sentry itself ends. */
int wait_sleep_uninterruptible(uint64_t deadline);
