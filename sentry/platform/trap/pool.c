/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pool of threads that serve stopped contexts.
 *
 * A worker that sleeps in the listener is a receiver: the synchronous
 * wake-up then moves the CPU from the stub to it and back.  It serves what it
 * received itself and stays a receiver meanwhile, unless it goes to sleep in
 * the kernel's code (trap_pool_block_begin): then it gives the role away, to
 * whoever comes back to the pool first.  Only if nobody is at work is a worker
 * summoned for it: one who was just woken by what the sleeper did last, the
 * other end of its pipe perhaps, comes back anyway.  Should all of them take
 * long, the watchdog (watchdog.c) finds the notifications that wait.
 *
 * One receiver serves one guest thread best.  More of them, up to one for each CPU, receive
 * while notifications are found waiting, or others at work, again and again (feel_pressure).
 *
 * Idle workers are parked, each on a word of its own; a few are kept, the rest end.
 *
 * Nothing here sleeps on memory that a guest can write (design rule 5).
 */
#include "sentry/platform/trap/trap.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <x86intrin.h>

#include "sentry/host/host_futex.h"
#include "sentry/host/host_process.h"
#include "sentry/host/host_seccomp.h"
#include "sentry/host/host_thread.h"
#include "sentry/platform/trap/watchdog.h"
#include "sentry/wait/wait.h"
#include "util/log.h"

#define WORKERS_PARKED_MAX 2
#define WORKERS_MAX 16384
#define WORKER_SIGNAL SIGUSR2
/* A receive that took less found a notification waiting. */
#define SLEPT_CYCLES 6000
#define PRESSURE_START 32
#define PRESSURE_HIGH 64
#define CROWDED_HIGH 16

struct trap_pool {
	struct trap_platform *platform;
	struct mutex lock;		/* LOCK_RANK_PLATFORM_POOL */
	struct list_node queue;		/* contexts with an event; lock */
	struct list_node watches;	/* threads to be watched; lock */
	struct list_node parked;	/* lock */
	unsigned parked_count, worker_count; /* lock */
	bool refill_wanted;		/* lock */
	/* Who holds the role has w->role == role; to take it from all, role changes. */
	uint64_t role;			/* lock */
	unsigned receivers;		/* lock */
	unsigned receivers_wanted;	/* lock */
	unsigned receivers_max;		/* does not change */
	bool started;			/* lock */
	/*
	 * Workers who come back when what they do is done: not parked, asleep, watching
	 * or waiting for a stub.  It goes down with the lock held only.
	 */
	_Atomic unsigned at_work;
	/* Receivers in their receive, or about to be; it goes up with the lock held only. */
	_Atomic unsigned receiving;
	/*
	 * The only receiver, who waits for one thread: nobody joins it.  Set with the lock held,
	 * cleared by itself: it may have been relieved, and another one be exclusive.
	 */
	_Atomic(struct trap_worker *) exclusive;
	struct watchdog watchdog;
	struct wait_hooks hooks;
};

static __thread struct trap_worker *current_worker;
static void *worker_main(void *arg);

struct trap_worker *trap_worker_current(void)
{
	return current_worker;
}

void trap_worker_interrupt(struct trap_worker *w)
{
	host_thread_signal(getpid(), w->tid, WORKER_SIGNAL);
}

/*
 * Gets one more worker to look for something to do.  Called with the lock held; drops it.
 * False: there is none, and none can be made.
 */
static bool summon_and_unlock(struct trap_pool *pool) RELEASES(pool->lock)
{
	struct trap_worker *w = list_first(&pool->parked, struct trap_worker, node);
	bool create = false;

	atomic_fetch_add(&pool->at_work, 1);
	if (w) {
		list_remove(&w->node);
		pool->parked_count--;
	} else if (pool->worker_count < WORKERS_MAX) {
		pool->worker_count++;
		create = true;
	} else {
		atomic_fetch_sub(&pool->at_work, 1);
	}
	mutex_unlock(&pool->lock);
	if (w) {
		atomic_store(&w->wake, 1);
		host_futex_wake(&w->wake, 1);
	} else if (create && host_thread_start("worker", worker_main, pool) < 0) {
		/* The others carry on; those that sleep come back. */
		log_warning("no memory for another worker");
		mutex_lock(&pool->lock);
		pool->worker_count--;
		atomic_fetch_sub(&pool->at_work, 1);
		mutex_unlock(&pool->lock);
		return false;
	}
	return w || create;
}

void trap_pool_queue(struct trap_pool *pool, struct trap_context *ctx)
{
	mutex_lock(&pool->lock);
	list_add_tail(&pool->queue, &ctx->work);
	(void)summon_and_unlock(pool);
}

void trap_pool_queue_next(struct trap_pool *pool, struct trap_context *ctx)
{
	struct trap_worker *w = current_worker;

	if (w && w->at_work && !w->next)
		w->next = ctx;
	else
		trap_pool_queue(pool, ctx);
}

void trap_pool_flush_next(struct trap_worker *w)
{
	struct trap_context *ctx = w ? w->next : NULL;

	if (!ctx)
		return;
	w->next = NULL;
	trap_pool_queue(w->pool, ctx);
}

void trap_pool_queue_watch(struct trap_pool *pool, struct trap_thread *t)
{
	bool mine;

	mutex_lock(&pool->lock);
	list_add_tail(&pool->watches, &t->watch_node);
	if (summon_and_unlock(pool))
		return;
	/* Somebody may have come by all the same. */
	mutex_lock(&pool->lock);
	mine = list_linked(&t->watch_node);
	if (mine)
		list_remove(&t->watch_node);
	mutex_unlock(&pool->lock);
	if (mine) {
		trap_watch_cancel(pool->platform, t);
		atomic_fetch_sub(&t->pins, 1);
	}
}

void trap_pool_queue_refill(struct trap_pool *pool)
{
	mutex_lock(&pool->lock);
	pool->refill_wanted = true;
	(void)summon_and_unlock(pool);
}

static bool is_receiver(const struct trap_pool *pool, const struct trap_worker *w) REQUIRES(pool->lock)
{
	return w && w->role == pool->role;
}

static void take_role(struct trap_pool *pool, struct trap_worker *w) REQUIRES(pool->lock)
{
	w->role = pool->role;
	pool->receivers++;
}

static void drop_role(struct trap_pool *pool, struct trap_worker *w) REQUIRES(pool->lock)
{
	if (is_receiver(pool, w))
		pool->receivers--;
	w->role = 0;
}

static void leave_work(struct trap_pool *pool, struct trap_worker *w) REQUIRES(pool->lock)
{
	if (w->at_work)
		atomic_fetch_sub(&pool->at_work, 1);
	w->at_work = false;
}

void trap_pool_step_back(struct trap_worker *w)
{
	struct trap_pool *pool = w->pool;

	trap_pool_flush_next(w);
	mutex_lock(&pool->lock);
	drop_role(pool, w);
	leave_work(pool, w);
	if (!pool->receivers && atomic_load(&pool->at_work) == 0)
		(void)summon_and_unlock(pool);
	else
		mutex_unlock(&pool->lock);
}

void trap_pool_return(struct trap_worker *w)
{
	w->at_work = true;
	atomic_fetch_add(&w->pool->at_work, 1);
}

bool trap_pool_block_begin(void)
{
	struct trap_worker *w = current_worker;

	if (!w)
		return false;
	trap_watch_end(w->pool->platform);
	if (w->context) {
		trap_windows_end(w->context->thread);
		trap_spin_block(w->context->thread);
	}
	trap_pool_step_back(w);
	return true;
}

/* Of any thread: a worker that slept is on its way, and counts from now on. */
static void woken(void *arg)
{
	struct trap_pool *pool = arg;

	atomic_fetch_add(&pool->at_work, 1);
}

static void block_end(void)
{
	current_worker->at_work = true;
}

/* --- receiving ----------------------------------------------------------------------- */

enum role {
	KEEP_ROLE, /* receive if that is the caller's role already */
	TAKE_ROLE, /* or if it is nobody's; else the caller comes back no more */
};

/*
 * Whether the calling worker is to receive next, for a thread it waits for: only if it is alone,
 * as another one might get what is waited for.  At boot, before the pool runs, whoever waits.
 */
static bool begin_receive(struct trap_pool *pool, struct trap_worker *w, enum role role)
{
	bool mine;

	mutex_lock(&pool->lock);
	if (w && !pool->receivers && role == TAKE_ROLE)
		take_role(pool, w);
	mine = !pool->started || (is_receiver(pool, w) && pool->receivers == 1);
	if (mine) {
		atomic_store(&pool->exclusive, w);
		atomic_fetch_add(&pool->receiving, 1);
	} else if (w && role == TAKE_ROLE) {
		drop_role(pool, w);
		leave_work(pool, w);
	}
	mutex_unlock(&pool->lock);
	return mine;
}

/* One receiver more or less. */
static void adjust_receivers(struct trap_pool *pool, struct trap_worker *w)
{
	unsigned pressure = w->pressure;

	w->pressure = PRESSURE_START;
	mutex_lock(&pool->lock);
	if (pressure >= PRESSURE_HIGH) {
		if (pool->receivers_wanted < pool->receivers_max)
			pool->receivers_wanted++;
		if (pool->receivers < pool->receivers_wanted) {
			(void)summon_and_unlock(pool);
			return;
		}
	}
	if (pressure == 0 && pool->receivers_wanted > 1)
		pool->receivers_wanted--;
	mutex_unlock(&pool->lock);
}

/* Whether the guest has more to do at once than its receivers. */
static void feel_pressure(struct trap_pool *pool, struct trap_worker *w, uint64_t cycles)
{
	unsigned receiving = atomic_load(&pool->receiving), at_work = atomic_load(&pool->at_work);
	bool others = at_work > receiving + 1;

	/* A watched thread has two CPUs. */
	if (at_work + 2 * atomic_load(&pool->platform->watchers) > receiving + pool->receivers_max)
		w->crowded++;
	else
		w->crowded = 0;
	if (w->crowded >= CROWDED_HIGH) {
		trap_spin_pause(pool->platform);
		w->crowded = 0;
	}
	if (cycles < SLEPT_CYCLES || others)
		w->pressure++;
	else
		w->pressure--;
	if (w->pressure == 0 || w->pressure >= PRESSURE_HIGH)
		adjust_receivers(pool, w);
}

/* One notification, after begin_receive.  NULL: withdrawn, interrupted, or nothing to run. */
static struct trap_context *receive(struct trap_pool *pool, struct trap_thread *waiting)
{
	uint64_t start = __rdtsc(), cycles;
	struct trap_context *ctx;
	struct seccomp_notif n;
	bool watched = false;
	int rc = host_notify_receive(pool->platform->listener, &n);

	atomic_fetch_sub(&pool->receiving, 1);
	cycles = __rdtsc() - start;
	watchdog_wake(&pool->watchdog);
	if (rc < 0)
		return NULL;
	ctx = trap_notified(pool->platform, &n, waiting, &watched);
	/* Its own orders are no sign that others want the CPU. */
	if (current_worker && !watched)
		feel_pressure(pool, current_worker, cycles);
	return ctx;
}

static void receive_for(struct trap_pool *pool, struct trap_thread *t)
{
	struct trap_worker *self = current_worker;
	struct trap_context *other = NULL;

	/* Between these two the reaper interrupts the receive when @t has died. */
	atomic_store(&t->order_worker, current_worker);
	if (!atomic_load(&t->order_done))
		other = receive(pool, t);
	else
		atomic_fetch_sub(&pool->receiving, 1);
	atomic_store(&t->order_worker, NULL);
	atomic_compare_exchange_strong(&pool->exclusive, &self, NULL);
	if (other)
		trap_pool_queue(pool, other);
}

bool trap_pool_receive_for(struct trap_pool *pool, struct trap_thread *t)
{
	while (!atomic_load(&t->order_done)) {
		if (!begin_receive(pool, current_worker, KEEP_ROLE))
			return false;
		receive_for(pool, t);
	}
	return true;
}

void trap_pool_await(struct trap_pool *pool, struct trap_thread *t)
{
	struct trap_worker *w = current_worker;

	/* The receiver watches nobody, and who waits for a report sees no slot. */
	trap_watch_end(pool->platform);
	trap_pool_flush_next(w);
	while (!atomic_load(&t->order_done))
		if (begin_receive(pool, w, TAKE_ROLE))
			receive_for(pool, t);
		else
			host_futex_wait(&t->order_done, 0, HOST_FUTEX_FOREVER, false);
	if (w && !w->at_work)
		trap_pool_return(w);
}

bool trap_pool_is_idle(struct trap_pool *pool)
{
	return atomic_load(&pool->receiving);
}

bool trap_pool_has_waiting(struct trap_pool *pool)
{
	return host_notify_pending(pool->platform->listener);
}

void trap_pool_relieve(struct trap_pool *pool)
{
	mutex_lock(&pool->lock);
	if (atomic_load(&pool->receiving)) {
		mutex_unlock(&pool->lock);
		return;
	}
	pool->role++;
	pool->receivers = 0;
	(void)summon_and_unlock(pool);
}

/* Parks until woken; false: there are enough parked workers, end.  Drops the lock. */
static bool park_and_unlock(struct trap_pool *pool, struct trap_worker *w) RELEASES(pool->lock)
{
	leave_work(pool, w);
	if (pool->parked_count >= WORKERS_PARKED_MAX) {
		pool->worker_count--;
		mutex_unlock(&pool->lock);
		return false;
	}
	atomic_store(&w->wake, 0);
	list_add_head(&pool->parked, &w->node);
	pool->parked_count++;
	mutex_unlock(&pool->lock);
	while (!atomic_load(&w->wake))
		host_futex_wait(&w->wake, 0, HOST_FUTEX_FOREVER, false);
	w->at_work = true;
	return true;
}

/* One turn; false: the worker ends. */
static bool work_once(struct trap_pool *pool, struct trap_worker *w)
{
	struct trap_context *ctx = w->next;
	struct trap_thread *t;

	if (ctx) {
		w->next = NULL;
		trap_context_run(ctx);
		return true;
	}
	mutex_lock(&pool->lock);
	t = list_first(&pool->watches, struct trap_thread, watch_node);
	/* A receiver is where the thread is, and has to receive. */
	if (t && !is_receiver(pool, w)) {
		list_remove(&t->watch_node);
		mutex_unlock(&pool->lock);
		trap_context_watch(pool->platform, t);
		return true;
	}
	ctx = list_first(&pool->queue, struct trap_context, work);
	if (ctx) {
		list_remove(&ctx->work);
		mutex_unlock(&pool->lock);
		trap_context_run(ctx);
		return true;
	}
	if (pool->refill_wanted) {
		pool->refill_wanted = false;
		mutex_unlock(&pool->lock);
		trap_family_refill(pool->platform);
		return true;
	}
	if (is_receiver(pool, w) && pool->receivers > pool->receivers_wanted)
		drop_role(pool, w);
	if (!is_receiver(pool, w)) {
		if (pool->receivers >= pool->receivers_wanted ||
		    (pool->receivers && atomic_load(&pool->exclusive)))
			return park_and_unlock(pool, w);
		take_role(pool, w);
	}
	atomic_fetch_add(&pool->receiving, 1);
	mutex_unlock(&pool->lock);
	ctx = receive(pool, NULL);
	if (ctx)
		trap_context_run(ctx);
	return true;
}

static void *worker_main(void *arg)
{
	struct trap_worker w = { .pool = arg, .tid = gettid(), .at_work = true,
				 .pressure = PRESSURE_START };
	sigset_t set;

	/* Its handler does nothing: it only ends a receive. */
	sigemptyset(&set);
	sigaddset(&set, WORKER_SIGNAL);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	list_node_init(&w.node);
	current_worker = &w;
	while (work_once(w.pool, &w))
		;
	current_worker = NULL;
	return NULL;
}

static void worker_signal(int signo)
{
	(void)signo;
}

int trap_pool_new(struct trap_platform *p, struct trap_pool **out)
{
	struct trap_pool *pool = calloc(1, sizeof(*pool));

	if (!pool)
		return -ENOMEM;
	pool->platform = p;
	mutex_init(&pool->lock, LOCK_RANK_PLATFORM_POOL);
	list_init(&pool->queue);
	list_init(&pool->watches);
	list_init(&pool->parked);
	pool->role = 1;
	pool->receivers_wanted = 1;
	pool->receivers_max = p->watchers_max + 1;
	*out = pool;
	return 0;
}

void trap_pool_free(struct trap_pool *pool)
{
	if (!pool)
		return;
	mutex_destroy(&pool->lock);
	free(pool);
}

int trap_pool_start(struct trap_pool *pool)
{
	struct sigaction sa = { .sa_handler = worker_signal }; /* no SA_RESTART */
	int rc;

	if (sigaction(WORKER_SIGNAL, &sa, NULL) < 0)
		return -errno;
	pool->hooks = (struct wait_hooks){
		.block_begin = trap_pool_block_begin,
		.woken = woken,
		.block_end = block_end,
		.arg = pool,
	};
	wait_set_hooks(&pool->hooks);
	rc = watchdog_start(&pool->watchdog, pool);
	if (rc < 0)
		return rc;
	mutex_lock(&pool->lock);
	pool->started = true;
	(void)summon_and_unlock(pool);
	return 0;
}
