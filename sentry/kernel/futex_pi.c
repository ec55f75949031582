/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Priority-inheritance futexes: FUTEX_LOCK_PI and its kin.  The word holds the
 * owner's TID; the sentry has a pi_state for a word only while somebody works on
 * or waits for it.  Waiters get the lock by real-time priority, then in order of arrival.
 *
 * Guest memory may not be touched under a lock, yet the word and the list of
 * waiters must change together.  So one task at a time is `busy` with a pi_state;
 * others sleep until it is not, and only death ends that sleep.  Only tasks that share the
 * word can be held up that way.
 *
 * An owner's death takes part without being busy: it marks the state an orphan,
 * and the first waiter writes the word for itself (OWNER_DIED included).
 *
 * Locks: a bucket's guards the states in it and their waiters.
 */
#include <errno.h>
#include <stdlib.h>

#include "sentry/abi/futex.h"
#include "sentry/kernel/clock_sleep.h"
#include "sentry/kernel/futex_pi_internal.h"
#include "sentry/kernel/task.h"
#include "sentry/mm/usercopy.h"
#include "util/hash.h"

#define BUCKETS 64

static struct futex_pi_bucket buckets[BUCKETS];
static _Atomic uint32_t state_count; /* so that most exits need not look */

void futex_pi_init(void)
{
	for (unsigned i = 0; i < BUCKETS; i++) {
		mutex_init(&buckets[i].lock, LOCK_RANK_FUTEX);
		list_init(&buckets[i].states);
	}
}

uint32_t futex_pi_tid(const struct task *t)
{
	return (uint32_t)task_tid_in(t, t->pid.ns);
}

/* --- states ------------------------------------------------------------------------- */

static struct pi_state *find_locked(struct futex_pi_bucket *b, const struct memory_key *key)
{
	struct pi_state *pi;

	list_for_each(pi, &b->states, node)
		if (futex_same_key(&pi->key, key))
			return pi;
	return NULL;
}

/* Takes over the key's reference. */
static struct pi_state *state_new(const struct memory_key *key)
{
	struct pi_state *pi = calloc(1, sizeof(*pi));

	if (!pi)
		return NULL;
	pi->key = *key;
	list_init(&pi->waiters);
	wait_queue_init(&pi->idle);
	return pi;
}

static void state_free(struct pi_state *pi)
{
	memory_key_release(&pi->key);
	wait_queue_destroy(&pi->idle);
	if (pi->owner)
		task_put(pi->owner);
	free(pi);
}

static struct futex_pi_bucket *bucket_of(const struct memory_key *key)
{
	return &buckets[hash_u64((uint64_t)(uintptr_t)key->object ^ key->offset) % BUCKETS];
}

bool futex_pi_contended(const struct memory_key *key)
{
	struct futex_pi_bucket *b = bucket_of(key);
	struct pi_state *pi;
	bool contended;

	if (!atomic_load(&state_count))
		return false;
	mutex_lock(&b->lock);
	pi = find_locked(b, key);
	contended = pi && !list_empty(&pi->waiters);
	mutex_unlock(&b->lock);
	return contended;
}

int futex_pi_begin(struct pi_operation *op, struct task *t, guest_addr_t addr, uint32_t flags)
{
	struct pi_state *fresh, *found;
	struct memory_key key;
	int rc = futex_key(t, addr, flags, &key);

	if (rc)
		return rc;
	fresh = state_new(&key);
	if (!fresh) {
		memory_key_release(&key);
		return -ENOMEM;
	}
	*op = (struct pi_operation){ .t = t, .addr = addr, .tid = futex_pi_tid(t) };
	op->waiter.task = t;
	op->waiter.sleeper = sleeper_current();
	list_node_init(&op->waiter.node);
	op->waiter.priority = futex_priority(t);
	op->bucket = bucket_of(&key);
	mutex_lock(&op->bucket->lock);
	found = find_locked(op->bucket, &key);
	op->pi = found ? found : fresh;
	op->pi->users++;
	if (!found) {
		list_add_tail(&op->bucket->states, &fresh->node);
		atomic_fetch_add(&state_count, 1);
	}
	mutex_unlock(&op->bucket->lock);
	if (found)
		state_free(fresh);
	return 0;
}

void futex_pi_end(struct pi_operation *op)
{
	struct pi_state *pi = op->pi;
	bool last;

	mutex_lock(&op->bucket->lock);
	last = --pi->users == 0;
	if (last) {
		list_remove(&pi->node);
		atomic_fetch_sub(&state_count, 1);
	}
	mutex_unlock(&op->bucket->lock);
	if (last)
		state_free(pi);
}

/* --- being busy ----------------------------------------------------------------------- */

int futex_pi_busy_begin(struct pi_operation *op)
{
	struct pi_state *pi = op->pi;
	struct wait_entry e;
	bool mine = false;
	int rc = 0;

	wait_begin(&e, &pi->idle, ~0U);
	for (;;) {
		mutex_lock(&op->bucket->lock);
		mine = !pi->busy;
		pi->busy = true;
		mutex_unlock(&op->bucket->lock);
		if (mine || rc)
			break;
		rc = wait_sleep_killable(DEADLINE_NONE);
	}
	wait_end(&e);
	return mine ? 0 : rc;
}

void futex_pi_set_waiter_locked(struct pi_waiter *w, enum pi_waiter_state state)
{
	w->state = state;
	sleeper_wake(w->sleeper);
}

/* The first in line looks at a lock that nobody known owns. */
static void pass_on_locked(struct pi_state *pi)
{
	struct pi_waiter *first = list_first(&pi->waiters, struct pi_waiter, node);

	if (first && (pi->orphan || !pi->owner))
		futex_pi_set_waiter_locked(first, PI_LOOK);
}

void futex_pi_busy_end(struct pi_operation *op)
{
	mutex_lock(&op->bucket->lock);
	op->pi->busy = false;
	pass_on_locked(op->pi);
	wait_queue_wake_all(&op->pi->idle, ~0U);
	mutex_unlock(&op->bucket->lock);
}

/* Takes over @owner's reference; whom the waiters wait for. */
static void set_owner(struct pi_operation *op, struct task *owner)
{
	struct task *old;

	mutex_lock(&op->bucket->lock);
	old = op->pi->owner;
	op->pi->owner = owner;
	op->pi->orphan = false;
	mutex_unlock(&op->bucket->lock);
	if (old)
		task_put(old);
}

/* --- locking ---------------------------------------------------------------------------- */

/* Whether somebody else is before this task in line, and whether anybody else waits. */
static bool someone_ahead(struct pi_operation *op, bool *others)
{
	struct pi_state *pi = op->pi;
	struct pi_waiter *first;
	bool ahead;

	mutex_lock(&op->bucket->lock);
	first = list_empty(&pi->waiters) ? NULL : list_first(&pi->waiters, struct pi_waiter, node);
	ahead = first && first != &op->waiter;
	*others = ahead || (first && list_last(&pi->waiters, struct pi_waiter, node) != first);
	mutex_unlock(&op->bucket->lock);
	return ahead;
}

static void unqueue_locked(struct pi_operation *op)
{
	if (list_linked(&op->waiter.node))
		list_remove(&op->waiter.node);
}

void futex_pi_queue_locked(struct pi_state *pi, struct pi_waiter *w)
{
	struct list_node *at = pi->waiters.prev;

	while (at != &pi->waiters && list_entry(at, struct pi_waiter, node)->priority < w->priority)
		at = at->prev;
	list_insert_between(&w->node, at, at->next);
}

static void queue(struct pi_operation *op)
{
	mutex_lock(&op->bucket->lock);
	op->waiter.state = PI_WAITING;
	if (!list_linked(&op->waiter.node))
		futex_pi_queue_locked(op->pi, &op->waiter);
	mutex_unlock(&op->bucket->lock);
}

/* The word has no living owner. */
static int take(struct pi_operation *op, bool try, uint32_t *word)
{
	uint32_t desired = op->tid | (*word & LINUX_FUTEX_OWNER_DIED), found;
	bool others;
	int rc;

	if (someone_ahead(op, &others)) {
		if (try)
			return -EWOULDBLOCK;
		queue(op);
		return PI_SLEEP;
	}
	if (op->pi->orphan)
		desired |= LINUX_FUTEX_OWNER_DIED;
	if (others)
		desired |= LINUX_FUTEX_WAITERS;
	rc = futex_word_cmpxchg(op->t, op->addr, *word, desired, &found);
	if (rc)
		return rc;
	if (found != *word) {
		*word = found;
		return PI_RETRY;
	}
	mutex_lock(&op->bucket->lock);
	unqueue_locked(op);
	mutex_unlock(&op->bucket->lock);
	set_owner(op, others ? task_get(op->t) : NULL);
	return 0;
}

/* The owner is gone: -ESRCH unless the word says otherwise by now. */
static int owner_missing(struct pi_operation *op, uint32_t *word)
{
	uint32_t now;
	int rc = copy_in_u32(op->t->mm, &now, op->addr);

	if (rc)
		return rc;
	if (now == *word)
		return -ESRCH;
	*word = now;
	return PI_RETRY;
}

/* From now on the owner unlocks through us; as in Linux before anything is known of it. */
static int set_waiters_bit(struct pi_operation *op, uint32_t *word)
{
	uint32_t found, desired = *word | LINUX_FUTEX_WAITERS;
	int rc;

	if (*word == desired)
		return 0;
	rc = futex_word_cmpxchg(op->t, op->addr, *word, desired, &found);
	if (rc)
		return rc;
	rc = found == *word ? 0 : PI_RETRY;
	*word = rc ? found : desired;
	return rc;
}

int futex_pi_know_owner(struct pi_operation *op, uint32_t *word)
{
	int rc = set_waiters_bit(op, word);
	struct task *owner;

	if (rc)
		return rc;
	owner = task_lookup(op->t->pid.ns, (int32_t)(*word & LINUX_FUTEX_TID_MASK));
	if (!owner)
		return owner_missing(op, word);
	set_owner(op, task_get(owner));
	/* Either its exit finds the state, or we see that it has already looked. */
	rc = atomic_load(&owner->futex_released) ? owner_missing(op, word) : 0;
	task_put(owner);
	return rc;
}

/* The word names an owner.  Whoever tries only has it know that somebody did. */
static int wait_for_owner(struct pi_operation *op, bool try, uint32_t *word)
{
	int rc;

	if (!try)
		queue(op);
	rc = futex_pi_know_owner(op, word);
	if (rc)
		return rc;
	return try ? -EWOULDBLOCK : PI_SLEEP;
}

/* The first who waits for the word does not wait for a lock: the word is none. */
static bool is_no_lock(struct pi_operation *op)
{
	bool line;

	mutex_lock(&op->bucket->lock);
	line = !list_empty(&op->pi->waiters);
	mutex_unlock(&op->bucket->lock);
	return !line && futex_has_waiter(&op->pi->key);
}

/* 0: the lock is ours; PI_SLEEP; or an errno.  Busy. */
static int try_lock(struct pi_operation *op, bool try)
{
	uint32_t word;
	int rc = copy_in_u32(op->t->mm, &word, op->addr);

	if (rc)
		return rc;
	do {
		if ((word & LINUX_FUTEX_TID_MASK) == op->tid)
			return -EDEADLK;
		if (is_no_lock(op))
			return -EINVAL;
		if (op->pi->orphan || !(word & LINUX_FUTEX_TID_MASK))
			rc = take(op, try, &word);
		else
			rc = wait_for_owner(op, try, &word);
	} while (rc == PI_RETRY);
	return rc;
}

/* 0: granted; PI_RETRY: to look at the word; or an errno. */
static int sleep_in_line(struct pi_operation *op, struct futex_time time)
{
	struct pi_waiter *w = &op->waiter;
	int rc = 0;

	for (;;) {
		enum pi_waiter_state state;
		bool chosen;

		mutex_lock(&op->bucket->lock);
		state = w->state;
		chosen = op->pi->chosen == w;
		mutex_unlock(&op->bucket->lock);
		if (state == PI_GRANTED)
			return 0;
		if (chosen) {
			/* A moment: its TID is being written.  Only death gives it up now. */
			int dead = wait_sleep_killable(DEADLINE_NONE);

			if (dead)
				return dead;
			continue;
		}
		if (rc)
			return rc;
		if (state == PI_LOOK)
			return PI_RETRY;
		rc = clock_sleep(time.deadline, time.realtime);
	}
}

void futex_pi_leave(struct pi_operation *op)
{
	struct pi_state *pi = op->pi;

	mutex_lock(&op->bucket->lock);
	unqueue_locked(op);
	if (pi->chosen == &op->waiter)
		pi->chosen = NULL;
	if (!pi->busy)
		pass_on_locked(pi);
	mutex_unlock(&op->bucket->lock);
}

/* 0: the lock is ours; PI_SLEEP; or an errno. */
static int try_once(struct pi_operation *op, bool try)
{
	int rc = futex_pi_busy_begin(op);

	if (rc)
		return rc;
	rc = try_lock(op, try);
	futex_pi_busy_end(op);
	return rc;
}

int futex_pi_wait_in_line(struct pi_operation *op, struct futex_time time)
{
	int rc;

	do {
		rc = sleep_in_line(op, time);
		if (rc == PI_RETRY)
			rc = try_once(op, false);
	} while (rc == PI_SLEEP);
	return rc;
}

int futex_lock_pi(struct task *t, guest_addr_t addr, uint32_t flags, struct futex_time time, bool try)
{
	struct pi_operation op;
	int rc = futex_pi_begin(&op, t, addr, flags);

	if (rc)
		return rc;
	rc = try_once(&op, try);
	if (rc == PI_SLEEP)
		rc = futex_pi_wait_in_line(&op, time);
	futex_pi_leave(&op);
	futex_pi_end(&op);
	return rc;
}

/* --- unlocking --------------------------------------------------------------------------- */

/* The first in line, which waits from now on until it is granted or let go; NULL: none. */
static struct pi_waiter *choose(struct pi_operation *op, uint32_t *tid)
{
	struct pi_state *pi = op->pi;
	struct pi_waiter *w = NULL;

	mutex_lock(&op->bucket->lock);
	if (!list_empty(&pi->waiters)) {
		w = list_first(&pi->waiters, struct pi_waiter, node);
		*tid = futex_pi_tid(w->task);
	}
	pi->chosen = w;
	mutex_unlock(&op->bucket->lock);
	return w;
}

void futex_pi_let_go(struct pi_operation *op)
{
	mutex_lock(&op->bucket->lock);
	if (op->pi->chosen)
		sleeper_wake(op->pi->chosen->sleeper);
	op->pi->chosen = NULL;
	mutex_unlock(&op->bucket->lock);
}

/* The word has the waiter's TID.  False: the waiter has died meanwhile. */
static bool grant(struct pi_operation *op, struct pi_waiter *w)
{
	struct pi_state *pi = op->pi;
	struct task *old = pi->owner;
	bool there;

	mutex_lock(&op->bucket->lock);
	there = pi->chosen == w;
	pi->chosen = NULL;
	if (there) {
		list_remove(&w->node);
		pi->owner = task_get(w->task);
		pi->orphan = false;
		futex_pi_set_waiter_locked(w, PI_GRANTED);
	}
	mutex_unlock(&op->bucket->lock);
	if (there && old)
		task_put(old);
	return there;
}

/* Busy. */
static int hand_over(struct pi_operation *op)
{
	uint32_t word, desired, found = 0, holder = op->tid;
	int rc = copy_in_u32(op->t->mm, &word, op->addr);

	while (!rc) {
		struct pi_waiter *w;
		uint32_t tid = 0;

		if ((word & LINUX_FUTEX_TID_MASK) != holder)
			return -EPERM;
		w = choose(op, &tid);
		if (!w && futex_has_waiter(&op->pi->key))
			return -EINVAL;
		desired = w ? tid | LINUX_FUTEX_WAITERS : 0;
		rc = futex_word_cmpxchg(op->t, op->addr, word, desired, &found);
		if (rc || found != word) {
			futex_pi_let_go(op);
			word = found;
			continue;
		}
		if (!w) {
			set_owner(op, NULL);
			return 0;
		}
		if (grant(op, w))
			return 0;
		holder = tid;
		word = desired;
	}
	return rc;
}

int futex_unlock_pi(struct task *t, guest_addr_t addr, uint32_t flags)
{
	struct pi_operation op;
	uint32_t word;
	int rc = copy_in_u32(t->mm, &word, addr);

	if (rc)
		return rc;
	if ((word & LINUX_FUTEX_TID_MASK) != futex_pi_tid(t))
		return -EPERM;
	rc = futex_pi_begin(&op, t, addr, flags);
	if (rc)
		return rc;
	rc = futex_pi_busy_begin(&op);
	if (!rc) {
		rc = hand_over(&op);
		futex_pi_busy_end(&op);
	}
	futex_pi_end(&op);
	return rc;
}

/* --- death ---------------------------------------------------------------------------------- */

void futex_pi_release(struct task *t)
{
	unsigned owned = 0;

	atomic_store(&t->futex_released, true);
	if (!atomic_load(&state_count))
		return;
	for (unsigned i = 0; i < BUCKETS; i++) {
		struct pi_state *pi;

		mutex_lock(&buckets[i].lock);
		list_for_each(pi, &buckets[i].states, node) {
			if (pi->owner != t)
				continue;
			pi->owner = NULL;
			pi->orphan = true;
			owned++;
			if (!pi->busy)
				pass_on_locked(pi);
		}
		mutex_unlock(&buckets[i].lock);
	}
	while (owned--)
		task_put(t);
}
