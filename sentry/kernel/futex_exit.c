/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an exiting task owes to the guest's futex words: robust locks it holds are
 * marked OWNER_DIED and a waiter is woken, clear_child_tid is cleared and woken.
 * The list is the guest's: it may be circular, broken or hostile, so the walk is
 * bounded and every failure ends it quietly, as in Linux.
 *
 * A private word is changed by the task's own stub thread.  Without one (the host
 * process was killed) the word is written as it is, which is all that is left to do.
 */
#include <errno.h>

#include "sentry/abi/futex.h"
#include "sentry/kernel/futex_internal.h"
#include "sentry/kernel/task.h"
#include "sentry/mm/usercopy.h"

int futex_word_cmpxchg(struct task *t, guest_addr_t addr, uint32_t expected, uint32_t desired,
		       uint32_t *found)
{
	int rc;

	/* A task killed in a notified call cannot be told to do it. */
	if (t->context && !platform_need_registers(t->context)) {
		rc = platform_cmpxchg_u32(t->context, addr, expected, desired, found);
		if (rc != -ENOSYS)
			return rc;
	}
	rc = copy_in_u32(t->mm, found, addr);
	if (rc || *found != expected)
		return rc;
	return copy_out_u32(t->mm, addr, desired);
}

static void wake_one(struct task *t, guest_addr_t addr)
{
	/* Robust futexes may be shared between processes. */
	int64_t woken = futex_wake(t, addr, FUTEX_SHARED, 1, LINUX_FUTEX_BITSET_MATCH_ANY);

	(void)woken;
}

/* @pending: the task was between taking or giving up the lock and noting it. */
static int handle_death(struct task *t, guest_addr_t addr, bool pi, bool pending)
{
	uint32_t word, found, tid = (uint32_t)task_tid_in(t, t->pid.ns);
	int rc;

	if (addr.v % 4)
		return -EINVAL;
	rc = copy_in_u32(t->mm, &word, addr);
	if (rc)
		return rc;
	for (;;) {
		uint32_t owner = word & LINUX_FUTEX_TID_MASK;

		if (pending && !pi && !owner) {
			/* Released in user space, but the wake-up was not made. */
			wake_one(t, addr);
			return 0;
		}
		if (owner != tid)
			return 0;
		rc = futex_word_cmpxchg(t, addr, word,
					(word & LINUX_FUTEX_WAITERS) | LINUX_FUTEX_OWNER_DIED, &found);
		if (rc)
			return rc;
		if (found == word)
			break;
		word = found;
	}
	/* Without an atomic change the mark of a waiter may just have been lost: wake in any case. */
	if (!pi)
		wake_one(t, addr);
	return 0;
}

static void walk_robust_list(struct task *t)
{
	guest_addr_t head = t->robust_list;
	struct linux_robust_list_head list;
	uint64_t entry, pending;

	if (guest_is_null(head) || !t->mm || copy_in(t->mm, &list, head, sizeof(list)))
		return;
	pending = list.list_op_pending;
	entry = list.next;
	for (int limit = LINUX_ROBUST_LIST_LIMIT; (entry & ~1ULL) != head.v && limit; limit--) {
		guest_addr_t at = guest_addr(entry & ~1ULL);
		uint64_t next = 0;
		/* The next entry is fetched before this one is woken and may go away. */
		int rc = copy_in_u64(t->mm, &next, at);

		if (at.v != (pending & ~1ULL) &&
		    handle_death(t, guest_add(at, (uint64_t)list.futex_offset), entry & 1, false))
			return;
		if (rc)
			return;
		entry = next;
	}
	if (pending & ~1ULL) {
		guest_addr_t at = guest_addr((pending & ~1ULL) + (uint64_t)list.futex_offset);
		int rc = handle_death(t, at, pending & 1, true);

		(void)rc;
	}
}

void futex_task_release(struct task *t)
{
	walk_robust_list(t);
	t->robust_list = GUEST_NULL;
	futex_pi_release(t);
	if (!guest_is_null(t->clear_child_tid) && t->mm && atomic_load(&t->mm->users) > 1 &&
	    !copy_out_u32(t->mm, t->clear_child_tid, 0))
		wake_one(t, t->clear_child_tid);
	t->clear_child_tid = GUEST_NULL;
}
