/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FUTEX_WAIT_REQUEUE_PI and FUTEX_CMP_REQUEUE_PI: condition variables of locks that inherit
 * priority.  A waiter queues at the first word like any other and has joined the lock's users
 * already; the requeuer, busy with the lock, writes the first waiter's TID into a free one
 * and puts the others into its line, where they wait as if they had asked for it themselves.
 *
 * A waiter whose TID is being written is `chosen`: it may not give up meanwhile, and if it
 * dies the next one gets the lock.  One that has queued and not yet read its word is not ready:
 * to the requeuer it comes later, and it reads the word again.
 *
 * Locks: the futex_bucket of the first word, then the futex_pi_bucket.  While a waiter is
 * linked in the former it is there; `ready` and `recheck` are protected by it.
 */
#include <errno.h>

#include "sentry/abi/futex.h"
#include "sentry/kernel/clock_sleep.h"
#include "sentry/kernel/futex_pi_internal.h"
#include "sentry/kernel/task.h"
#include "sentry/mm/usercopy.h"

/* --- waiting ---------------------------------------------------------------------------- */

static struct futex_bucket *lock_both(struct futex_waiter *w) NO_LOCK_ANALYSIS
{
	struct futex_bucket *b = atomic_load(&w->bucket); /* these do not move to another */

	mutex_lock(&b->lock);
	mutex_lock_nested(&w->pi->bucket->lock);
	return b;
}

static void unlock_both(struct futex_waiter *w, struct futex_bucket *b) NO_LOCK_ANALYSIS
{
	mutex_unlock(&w->pi->bucket->lock);
	mutex_unlock(&b->lock);
}

/* Reads the word until no requeue fell between that and being ready.  Not queued after an error. */
static int become_ready(struct futex_waiter *w, guest_addr_t addr, uint32_t value)
{
	struct futex_bucket *b = atomic_load(&w->bucket);

	for (;;) {
		uint32_t word;
		int rc = copy_in_u32(w->pi->t->mm, &word, addr);

		if (!rc && word != value)
			rc = -EAGAIN;
		mutex_lock(&b->lock);
		if (rc)
			list_remove(&w->node);
		else if (!w->recheck)
			w->ready = true;
		w->recheck = false;
		mutex_unlock(&b->lock);
		if (rc || w->ready)
			return rc;
	}
}

enum place { AT_WORD, CHOSEN, AT_LOCK };

/* Where the waiter is; @leave: not at the word any more, if it may go. */
static enum place find_place(struct futex_waiter *w, bool leave, bool dead)
{
	struct futex_bucket *b = lock_both(w);
	struct pi_state *pi = w->pi->pi;
	enum place place = AT_WORD;

	if (!list_linked(&w->node)) {
		place = AT_LOCK;
	} else if (pi->chosen == &w->pi->waiter && !dead) {
		place = CHOSEN;
	} else if (leave) {
		list_remove(&w->node);
		if (pi->chosen == &w->pi->waiter)
			pi->chosen = NULL;
	}
	unlock_both(w, b);
	return place;
}

/* 0: moved to the lock; or why not. */
static int sleep_at_word(struct futex_waiter *w, struct futex_time time)
{
	bool dead = false;
	int rc = 0;

	for (;;) {
		enum place place = find_place(w, rc != 0, dead);

		if (place == AT_LOCK)
			return 0;
		if (place == AT_WORD && rc)
			return rc;
		if (place == AT_WORD) {
			rc = clock_sleep(time.deadline, time.realtime);
		} else if (wait_sleep_killable(DEADLINE_NONE)) {
			rc = -EINTR;
			dead = true;
		}
	}
}

static int wait_at_word(struct futex_waiter *w, guest_addr_t addr, uint32_t value,
			struct futex_time time)
{
	int rc;

	futex_queue(w);
	rc = become_ready(w, addr, value);
	if (!rc)
		rc = sleep_at_word(w, time);
	if (rc)
		return rc;
	rc = futex_pi_wait_in_line(w->pi, time);
	/* Once more from the start would find the word changed: Linux says so at once. */
	return rc == -EINTR ? -EAGAIN : rc;
}

int futex_wait_requeue_pi(struct task *t, guest_addr_t addr, guest_addr_t lock, uint32_t flags,
			  uint32_t value, struct futex_time time)
{
	struct pi_operation op;
	struct futex_waiter w;
	struct memory_key key;
	int rc;

	if (addr.v == lock.v)
		return -EINVAL;
	rc = futex_pi_begin(&op, t, lock, flags);
	if (rc)
		return rc;
	rc = futex_key(t, addr, flags, &key);
	if (!rc) {
		futex_waiter_init(&w, t, &key, LINUX_FUTEX_BITSET_MATCH_ANY);
		w.pi = &op;
		rc = futex_same_key(&key, &op.pi->key) ? -EINVAL : wait_at_word(&w, addr, value, time);
		memory_key_release(&key);
	}
	futex_pi_leave(&op);
	futex_pi_end(&op);
	return rc;
}

/* --- requeueing -------------------------------------------------------------------------- */

struct requeue {
	struct pi_operation op; /* on the lock, busy */
	struct memory_key from;
	struct futex_bucket *bucket;
	int32_t limit; /* how many may move besides the first */
	int32_t count; /* how many did, the first included */
};

static void requeue_lock(struct requeue *r) NO_LOCK_ANALYSIS
{
	mutex_lock(&r->bucket->lock);
	mutex_lock_nested(&r->op.bucket->lock);
}

static void requeue_unlock(struct requeue *r) NO_LOCK_ANALYSIS
{
	mutex_unlock(&r->op.bucket->lock);
	mutex_unlock(&r->bucket->lock);
}

/* Whether @w is one to move: 1, 0 (of another word, or not there yet), -EINVAL. */
static int is_candidate_locked(struct requeue *r, struct futex_waiter *w)
{
	if (!futex_same_key(&w->key, &r->from))
		return 0;
	if (!w->pi)
		return -EINVAL;
	if (!w->ready) {
		w->recheck = true;
		return 0;
	}
	return w->pi->pi == r->op.pi ? 1 : -EINVAL;
}

/* Who is to have the lock; gone when it is not pi->chosen any more. */
struct first {
	struct futex_waiter *w;
	struct pi_waiter *line;
	uint32_t tid;
};

/* The first waiter becomes the chosen one: 1; 0: nobody waits; -EINVAL. */
static int choose_first(struct requeue *r, struct first *first)
{
	struct futex_waiter *w;
	int rc = 0;

	requeue_lock(r);
	list_for_each(w, &r->bucket->waiters, node) {
		rc = is_candidate_locked(r, w);
		if (rc > 0) {
			*first = (struct first){ w, &w->pi->waiter, w->pi->tid };
			r->op.pi->chosen = first->line;
		}
		if (rc)
			break;
	}
	requeue_unlock(r);
	return rc;
}

/* The word names it.  False: it died meanwhile. */
static bool grant_first(struct requeue *r, const struct first *first)
{
	struct pi_state *pi = r->op.pi;
	struct task *old = NULL;
	bool there;

	requeue_lock(r);
	there = pi->chosen == first->line;
	pi->chosen = NULL;
	if (there) {
		list_remove(&first->w->node);
		old = pi->owner;
		/* Without the bit that somebody waits it will unlock by itself. */
		pi->owner = r->limit ? task_get(first->line->task) : NULL;
		pi->orphan = false;
		futex_pi_set_waiter_locked(first->line, PI_GRANTED);
	}
	requeue_unlock(r);
	if (old)
		task_put(old);
	return there;
}

static bool has_line(struct requeue *r)
{
	bool line;

	mutex_lock(&r->op.bucket->lock);
	line = !list_empty(&r->op.pi->waiters);
	mutex_unlock(&r->op.bucket->lock);
	return line;
}

/* The lock has an owner, or others wait for it: the first is to wait, too. */
static int first_waits(struct requeue *r, uint32_t *word, uint32_t tid)
{
	uint32_t owner = *word & LINUX_FUTEX_TID_MASK;

	if (owner == tid)
		return -EDEADLK;
	return owner && !r->op.pi->orphan ? futex_pi_know_owner(&r->op, word) : 0;
}

/* The free lock's word is written for the first.  1, PI_RETRY, -EFAULT. */
static int first_takes(struct requeue *r, uint32_t *word, const struct first *first)
{
	uint32_t desired = first->tid | (*word & LINUX_FUTEX_OWNER_DIED), found;
	int rc;

	if (r->op.pi->orphan)
		desired |= LINUX_FUTEX_OWNER_DIED;
	if (r->limit)
		desired |= LINUX_FUTEX_WAITERS;
	rc = futex_word_cmpxchg(r->op.t, r->op.addr, *word, desired, &found);
	if (rc)
		return rc;
	if (found == *word && grant_first(r, first))
		return 1;
	*word = found == *word ? desired : found;
	return PI_RETRY;
}

/* 1: the first waiter has the lock; 0: it waits for it, or there is none. */
static int serve_first(struct requeue *r)
{
	uint32_t word, dead_tid = 0;
	int rc = copy_in_u32(r->op.t->mm, &word, r->op.addr);

	if (rc)
		return rc;
	do {
		struct first first;
		uint32_t owner = word & LINUX_FUTEX_TID_MASK;

		rc = choose_first(r, &first);
		if (rc <= 0)
			return rc;
		if ((owner && owner != dead_tid && !r->op.pi->orphan) || has_line(r)) {
			rc = first_waits(r, &word, first.tid);
		} else {
			rc = first_takes(r, &word, &first);
			/* Then it died with its number in the word. */
			dead_tid = first.tid;
		}
		futex_pi_let_go(&r->op);
	} while (rc == PI_RETRY);
	return rc;
}

/* The others, and the first if it did not get the lock, into its line. */
static int move_others(struct requeue *r)
{
	struct pi_state *pi = r->op.pi;
	struct futex_waiter *w, *next;
	int rc = 0;

	requeue_lock(r);
	list_for_each_safe(w, next, &r->bucket->waiters, node) {
		if (r->count - 1 >= r->limit)
			break;
		rc = is_candidate_locked(r, w);
		if (rc > 0 && pi->owner == w->pi->t)
			rc = -EDEADLK;
		if (rc < 0)
			break;
		if (!rc)
			continue;
		list_remove(&w->node);
		w->pi->waiter.state = PI_WAITING;
		futex_pi_queue_locked(pi, &w->pi->waiter);
		r->count++;
	}
	requeue_unlock(r);
	return rc < 0 ? rc : 0;
}

static int requeue_busy(struct requeue *r, guest_addr_t from, uint32_t compare)
{
	uint32_t word;
	int rc = copy_in_u32(r->op.t->mm, &word, from);

	if (rc)
		return rc;
	if (word != compare)
		return -EAGAIN;
	rc = serve_first(r);
	if (rc < 0)
		return rc;
	r->count = rc;
	return move_others(r);
}

int64_t futex_cmp_requeue_pi(struct task *t, guest_addr_t from, guest_addr_t to, uint32_t flags,
			     int32_t wake_count, int32_t requeue_count, uint32_t compare)
{
	struct requeue r = { .limit = requeue_count };
	int rc;

	if (wake_count != 1 || requeue_count < 0 || from.v == to.v)
		return -EINVAL;
	rc = futex_key(t, from, flags, &r.from);
	if (rc)
		return rc;
	r.bucket = futex_bucket_of(&r.from);
	rc = futex_pi_begin(&r.op, t, to, flags);
	if (rc) {
		memory_key_release(&r.from);
		return rc;
	}
	if (futex_same_key(&r.from, &r.op.pi->key))
		rc = -EINVAL;
	else
		rc = futex_pi_busy_begin(&r.op);
	if (!rc) {
		rc = requeue_busy(&r, from, compare);
		futex_pi_busy_end(&r.op);
	}
	futex_pi_end(&r.op);
	memory_key_release(&r.from);
	return rc ? rc : r.count;
}
