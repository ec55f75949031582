/* SPDX-License-Identifier: Apache-2.0 */
/*
 * On which CPU a guest thread goes on when its notification is answered.
 *
 * With the synchronous wake-up that is the worker's own, which is the guest thread's where the
 * worker was woken on it: the CPU goes from one to the other and back, and no other has to wake up.
 * But the worker need not be there.  It may have found the notification waiting; and the host's
 * scheduler lets who goes to sleep stay in the queue of its CPU for a while (DELAY_DEQUEUE,
 * Linux 6.12), and wakes it there.  Two threads that compute, and make a call now and then, were
 * drawn onto one CPU by that and stayed on it, the other one idle.
 *
 * So it is noted which CPU a guest thread was left on.  Until it is back from the guest, the next
 * one that is answered there is woken as the host's scheduler thinks best: where it was, if that
 * CPU is idle, or on another one that is.  But not if neither of the two was long in the guest:
 * they wait for each other, perhaps, as the ends of a pipe do, and to wake up another CPU takes
 * longer than what they do.
 *
 * The numbers are no more than a hint.  A thread that the host has moved meanwhile costs another
 * one a wake-up elsewhere, or two of them their turns on one CPU until the next call.
 */
#include <sched.h>
#include <x86intrin.h>

#include "sentry/platform/trap/trap.h"
#include "util/cleanup.h"

/* Of the time stamp counter, 2 to 4 to the nanosecond: some 15 us. */
#define COMPUTES_CYCLES 40000

bool trap_place_take(struct trap_platform *p, struct trap_thread *t)
{
	int cpu = sched_getcpu();
	struct trap_place *place = &p->places[(unsigned)cpu % TRAP_PLACES];
	uint64_t now = __rdtsc();

	if (atomic_load_explicit(&place->guests, memory_order_relaxed) > 0 &&
	    (t->computed ||
	     now - atomic_load_explicit(&place->since, memory_order_relaxed) >= COMPUTES_CYCLES))
		return false;
	atomic_store_explicit(&place->since, now, memory_order_relaxed);
	atomic_fetch_add_explicit(&place->guests, 1, memory_order_relaxed);
	t->place = place;
	return true;
}

void trap_place_leave(struct trap_thread *t)
{
	struct trap_place *place = move_ptr(t->place);

	t->computed = t->resumed_at && __rdtsc() - t->resumed_at >= COMPUTES_CYCLES;
	if (place)
		atomic_fetch_sub_explicit(&place->guests, 1, memory_order_relaxed);
}
