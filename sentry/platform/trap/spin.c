/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The hand-over by slot: both sides spin instead of sleeping in a notification.
 *
 * A guest thread whose calls come in quick succession is *watched*: syscall user
 * dispatch (Linux 5.11) sends its calls to the stub's handler as SIGSYS, the stub puts
 * event and registers into the slot and spins on slot->hand, and the worker that
 * served its last call looks there for the next one.  Nobody sleeps, no CPU changes
 * hands.  (The first watch is another worker's: whoever answers a notification has the
 * guest thread woken on its own CPU, and is in its way there.)  Either side may give up at any time and fall back to the notification:
 *
 *   stub                          sentry
 *   POSTED  --------------------> TAKEN -------------------> ANSWERED
 *      |  gives up                  |  gives up    |  blocks: BLOCKED
 *      v                            v              v
 *   REPORT(EVENT): as if        REPORT(LATE): its notification is answered
 *   it never had spun           when the owner is done (enum trap_late)
 *
 * The sentry's side is bounded by time, and by what is in its own memory (state, late):
 * a guest that writes to the hand hangs or kills only itself (design rule 5).
 */
#include <errno.h>
#include <sched.h>
#include <sys/syscall.h>
#include <x86intrin.h>

#include "sentry/host/host_process.h"
#include "sentry/host/host_seccomp.h"
#include "sentry/host/host_thread.h"
#include "sentry/platform/trap/context.h"
#include "util/log.h"

#ifndef PR_SET_SYSCALL_USER_DISPATCH /* Linux 5.11 */
#define PR_SET_SYSCALL_USER_DISPATCH 59
#define PR_SYS_DISPATCH_ON 1
#define SYSCALL_DISPATCH_FILTER_ALLOW 0
#define SYSCALL_DISPATCH_FILTER_BLOCK 1
#endif

/* In cycles of the time stamp counter, 2 to 4 to the nanosecond: some 30 us. */
#define WATCH_CYCLES 100000
#define QUICK_CYCLES 100000
/* The first look: the worker has to wake up, and may have to find another CPU. */
#define FIRST_WATCH_CYCLES 2000000
#define YIELD_CYCLES 10000
/* When others want the CPUs: some 10 to 20 ms. */
#define PAUSE_CYCLES 40000000
#define MOVES_MAX 4
/* So many quick calls in a row before a thread is watched; more after a watch that did not pay. */
#define QUICK_NEEDED_MIN 16
#define QUICK_NEEDED_MAX 4096
#define HITS_THAT_PAY 64
/* Looks of the stub, some 40 cycles each. */
#define STUB_SPINS 1000

static bool change_hand(struct trap_thread *t, uint32_t from, uint32_t to)
{
	return __atomic_compare_exchange_n(&t->slot->hand, &from, to, false, __ATOMIC_SEQ_CST,
					   __ATOMIC_SEQ_CST);
}

/* Takes what the stub posted; the thread must be in @from and is STOPPED then. */
static bool take_posted(struct trap_thread *t, enum trap_state from)
{
	if (__atomic_load_n(&t->slot->hand, __ATOMIC_ACQUIRE) != STUB_HAND_POSTED)
		return false;
	/* Before the hand: a late report can come as soon as that is TAKEN. */
	atomic_store(&t->late, TRAP_LATE_NONE);
	if (!change_hand(t, STUB_HAND_POSTED, STUB_HAND_TAKEN) || !trap_thread_take(t, from))
		return false;
	t->by_slot = true;
	t->by_spin = true;
	t->answer_continue = false;
	t->clone_waits = false;
	return true;
}

int trap_hand_over(struct trap_platform *p, struct trap_thread *t, const struct trap_answer *a)
{
	uint64_t late;
	int rc;

	if (!a->by_spin)
		return trap_answer(p, a);
	if (change_hand(t, STUB_HAND_TAKEN, STUB_HAND_ANSWERED) ||
	    change_hand(t, STUB_HAND_BLOCKED, STUB_HAND_ANSWERED))
		return 0;
	if (atomic_exchange(&t->late, TRAP_LATE_WANTED) != TRAP_LATE_ARRIVED)
		return 0;
	/* Before it is done with: the next one may come with the answer. */
	late = t->late_notification;
	atomic_store(&t->late, TRAP_LATE_NONE);
	rc = host_notify_return(p->listener, late, 0);
	return rc < 0 ? rc : TRAP_WOKEN;
}

bool trap_late_report(struct trap_platform *p, struct trap_thread *t, uint64_t notification)
{
	if (atomic_load(&t->late) == TRAP_LATE_ARRIVED)
		return false;
	t->late_notification = notification;
	if (atomic_exchange(&t->late, TRAP_LATE_ARRIVED) != TRAP_LATE_WANTED)
		return true;
	atomic_store(&t->late, TRAP_LATE_NONE);
	if (host_notify_return(p->listener, notification, 0) < 0)
		log_debug("stub thread died in a late report");
	return true;
}

/* --- which threads are watched -------------------------------------------------------- */

void trap_spin_init(struct trap_thread *t)
{
	t->quick_needed = QUICK_NEEDED_MIN;
}

/* A watch that did not pay makes the next one rarer. */
static void watch_missed(struct trap_thread *t)
{
	if (t->hits >= HITS_THAT_PAY)
		t->quick_needed = QUICK_NEEDED_MIN;
	else if (t->quick_needed < QUICK_NEEDED_MAX)
		t->quick_needed *= 2;
	t->quick = 0;
	t->hits = 0;
}

void trap_spin_count(struct trap_thread *t)
{
	if (atomic_load(&t->missed)) {
		atomic_store(&t->missed, false);
		watch_missed(t);
	}
	if (__rdtsc() - t->resumed_at >= QUICK_CYCLES)
		t->quick = 0;
	else if (t->quick < QUICK_NEEDED_MAX)
		t->quick++;
}

void trap_spin_pause(struct trap_platform *p)
{
	atomic_store(&p->spin_after, __rdtsc() + PAUSE_CYCLES);
}

static bool is_paused(const struct trap_platform *p, uint64_t now)
{
	return now < atomic_load_explicit(&p->spin_after, memory_order_relaxed);
}

static bool is_hot(const struct trap_platform *p, const struct trap_thread *t)
{
	return p->watchers_max > 0 && t->quick >= t->quick_needed && !is_paused(p, __rdtsc());
}

bool trap_dispatch_prepare(struct trap_platform *p, struct trap_thread *t)
{
	struct trap_call call = {
		__NR_prctl,
		{ PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, STUB_TEXT,
		  STUB_TEXT_LIMIT - STUB_TEXT,
		  STUB_SLOTS + t->index * STUB_SLOT_SIZE + offsetof(struct stub_slot, selector) },
	};
	int64_t result = 0;

	if (t->dispatch != TRAP_DISPATCH_UNTRIED ||
	    !(is_hot(p, t) || atomic_load(&t->context->want_registers)))
		return false;
	if (!t->by_slot)
		return true;
	t->slot->selector = SYSCALL_DISPATCH_FILTER_ALLOW;
	if (trap_order_call(p, t, &call, true, &result) == 0)
		t->dispatch = result == 0 ? TRAP_DISPATCH_ON : TRAP_DISPATCH_REFUSED;
	return false;
}

static bool claim_watcher(struct trap_platform *p)
{
	if (atomic_fetch_add(&p->watchers, 1) < p->watchers_max)
		return true;
	atomic_fetch_sub(&p->watchers, 1);
	return false;
}

/* What the host kernel and the stub read while the guest runs. */
static void set_slot(struct trap_thread *t, bool watched)
{
	bool registers = atomic_load(&t->context->want_registers);

	t->spinning = watched;
	atomic_store(&t->keep_selector, registers);
	__atomic_store_n(&t->slot->spin, watched ? STUB_SPINS : 0, __ATOMIC_RELAXED);
	if (t->dispatch == TRAP_DISPATCH_ON)
		__atomic_store_n(&t->slot->selector,
				 watched || registers ? SYSCALL_DISPATCH_FILTER_BLOCK :
							SYSCALL_DISPATCH_FILTER_ALLOW,
				 __ATOMIC_RELAXED);
}

enum trap_watcher trap_watch_begin(struct trap_platform *p, struct trap_thread *t)
{
	struct trap_worker *w = trap_worker_current();
	enum trap_watcher who = TRAP_WATCHER_NONE;

	/* Whoever answers a notification gets the guest thread onto its own CPU. */
	if (w->watching == t && (!t->by_spin || is_paused(p, __rdtsc())))
		trap_watch_end(p);
	if (w->watching == t)
		who = TRAP_WATCHER_SELF;
	else if (!t->watched && t->dispatch == TRAP_DISPATCH_ON && is_hot(p, t) && claim_watcher(p))
		who = TRAP_WATCHER_OTHER;
	if (who == TRAP_WATCHER_OTHER)
		atomic_store(&t->watched, true);
	set_slot(t, atomic_load(&t->watched));
	t->resumed_at = __rdtsc();
	return who;
}

void trap_watch_cancel(struct trap_platform *p, struct trap_thread *t)
{
	atomic_store(&t->watched, false);
	atomic_fetch_sub(&p->watchers, 1);
}

/*
 * Two that spin for each other on one CPU only wait.  The number is the stub's word: a lie costs
 * the guest its watcher.
 */
static void part_ways(struct trap_worker *w, struct trap_thread *t)
{
	int cpu = sched_getcpu();

	if (__atomic_load_n(&t->slot->cpu, __ATOMIC_RELAXED) != (uint32_t)cpu)
		return;
	if (w->moves < MOVES_MAX && host_thread_avoid_cpu(cpu) == 0)
		w->moves++;
}

bool trap_watch(struct trap_platform *p, struct trap_thread *t)
{
	struct trap_worker *w = trap_worker_current();
	uint64_t start = __rdtsc(), now = start, yielded = start;
	uint64_t patience = w->fresh ? FIRST_WATCH_CYCLES : WATCH_CYCLES;

	do {
		if (take_posted(t, TRAP_GUEST)) {
			if (w->fresh)
				part_ways(w, t);
			w->fresh = false;
			if (t->hits < HITS_THAT_PAY)
				t->hits++;
			return true;
		}
		_mm_pause();
		now = __rdtsc();
		if (now - yielded > YIELD_CYCLES) {
			/* Whoever waits for this CPU, the watched thread perhaps, has it. */
			part_ways(w, t);
			sched_yield();
			yielded = now;
		}
	} while (now - start < patience && !is_paused(p, now) && !atomic_load(&t->process->dead));
	/* The next calls come by notification.  Nobody owns the thread, or somebody else does. */
	atomic_store(&t->missed, true);
	__atomic_store_n(&t->slot->spin, 0, __ATOMIC_RELAXED);
	if (!atomic_load(&t->keep_selector))
		__atomic_store_n(&t->slot->selector, SYSCALL_DISPATCH_FILTER_ALLOW,
				 __ATOMIC_RELAXED);
	trap_watch_end(p);
	return false;
}

void trap_watch_attach(struct trap_thread *t)
{
	struct trap_worker *w = trap_worker_current();

	w->watching = t;
	w->fresh = true;
	/* For as long as it has calls: nobody may wait for this worker to come back. */
	trap_pool_step_back(w);
}

void trap_watch_end(struct trap_platform *p)
{
	struct trap_worker *w = trap_worker_current();

	if (!w || !w->watching)
		return;
	trap_watch_cancel(p, w->watching);
	w->watching = NULL;
	trap_pool_return(w);
	if (w->moves > 0 && host_thread_any_cpu() == 0)
		w->moves = 0;
}

void trap_spin_block(struct trap_thread *t)
{
	if (t->by_spin)
		change_hand(t, STUB_HAND_TAKEN, STUB_HAND_BLOCKED);
}

/* As a report by notification in the middle of the ordered calls. */
static bool in_the_middle(struct trap_thread *t)
{
	bool middle;

	mutex_lock(&t->process->lock);
	middle = t->expected_next != t->expected_count;
	mutex_unlock(&t->process->lock);
	return middle;
}

bool trap_spin_wait(struct trap_thread *t)
{
	uint64_t start = __rdtsc();

	/* It may have reported meanwhile. */
	if (!__atomic_load_n(&t->spinning, __ATOMIC_RELAXED) ||
	    !__atomic_load_n(&t->by_spin, __ATOMIC_RELAXED))
		return false;
	do {
		if (atomic_load(&t->order_done))
			return true;
		if (take_posted(t, TRAP_ORDER)) {
			if (in_the_middle(t))
				host_process_kill(t->process->pid);
			return true;
		}
		_mm_pause();
	} while (__rdtsc() - start < WATCH_CYCLES);
	return false;
}

int trap_context_want_registers(struct context *ctx, bool want)
{
	struct trap_context *c = trap_context(ctx);

	if (want && c->thread->dispatch == TRAP_DISPATCH_REFUSED)
		return -ENOSYS;
	atomic_store(&c->want_registers, want);
	return 0;
}
