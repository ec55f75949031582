/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Futexes: hashed buckets of waiters, each under its lock.  Guest memory is never
 * touched under one: a waiter queues first and reads the word after, so a wake-up
 * that follows a change of the word finds it.  If the word turns out to be
 * different and a wake-up has already chosen this waiter, it is passed on.
 *
 * Two buckets are locked in address order.
 */
#include "sentry/kernel/futex_internal.h"

#include <errno.h>
#include <string.h>

#include "sentry/abi/futex.h"
#include "sentry/abi/time.h"
#include "sentry/kernel/task.h"
#include "sentry/kernel/timer.h"
#include "sentry/mm/mm.h"
#include "util/hash.h"

#define BUCKETS 256

struct bucket {
	struct mutex lock;	  /* LOCK_RANK_FUTEX */
	struct list_node waiters; /* in order of arrival; protected by lock */
};

struct futex_waiter {
	struct list_node node;	/* unlinked: woken; the bucket's lock */
	_Atomic(struct bucket *) bucket; /* changes under the locks of both */
	struct memory_key key;	/* changes by requeue, under the bucket's lock */
	uint32_t bitset;
	_Atomic bool woken;
	struct sleeper *sleeper;
};

static struct bucket buckets[BUCKETS];

void futex_init(void)
{
	for (unsigned i = 0; i < BUCKETS; i++) {
		mutex_init(&buckets[i].lock, LOCK_RANK_FUTEX);
		list_init(&buckets[i].waiters);
	}
	futex_pi_init();
}

static struct bucket *bucket_of(const struct memory_key *key)
{
	uint64_t h = hash_u64((uint64_t)(uintptr_t)key->object ^ (key->offset << 7 | key->offset >> 57));

	return &buckets[h % BUCKETS];
}

static bool same_key(const struct memory_key *a, const struct memory_key *b)
{
	return a->object == b->object && a->offset == b->offset;
}

static void key_copy(struct memory_key *to, const struct memory_key *from)
{
	*to = *from;
	if (to->ref)
		to->ref->ops->get(to->ref);
}

static int get_key(struct task *t, guest_addr_t addr, bool is_private, struct memory_key *key)
{
	if (addr.v % 4)
		return -EINVAL;
	if (addr.v >= platform_address_max().v)
		return -EFAULT;
	return mm_memory_key(t->mm, addr, is_private, key);
}

/* The bucket a waiter is in, locked: it may be requeued while we wait for the lock. */
static struct bucket *lock_bucket_of(struct futex_waiter *w) NO_LOCK_ANALYSIS
{
	for (;;) {
		struct bucket *b = atomic_load(&w->bucket);

		mutex_lock(&b->lock);
		if (b == atomic_load(&w->bucket))
			return b;
		mutex_unlock(&b->lock);
	}
}

/* Under the bucket's lock.  The waiter may be gone as soon as woken is set. */
static void wake_waiter(struct futex_waiter *w)
{
	struct sleeper *sleeper = w->sleeper;

	list_remove(&w->node);
	atomic_store(&w->woken, true);
	sleeper_wake(sleeper);
}

static uint32_t wake_key(const struct memory_key *key, uint32_t count, uint32_t bitset)
{
	struct bucket *b = bucket_of(key);
	struct futex_waiter *w, *next;
	uint32_t woken = 0;

	mutex_lock(&b->lock);
	list_for_each_safe(w, next, &b->waiters, node) {
		if (!same_key(&w->key, key) || !(w->bitset & bitset))
			continue;
		wake_waiter(w);
		if (++woken >= count)
			break;
	}
	mutex_unlock(&b->lock);
	return woken;
}

/* True when it was still queued. */
static bool unqueue(struct futex_waiter *w) NO_LOCK_ANALYSIS
{
	struct bucket *b = lock_bucket_of(w);
	bool queued = list_linked(&w->node);

	if (queued)
		list_remove(&w->node);
	mutex_unlock(&b->lock);
	return queued;
}

static uint64_t to_monotonic(uint64_t deadline, bool realtime)
{
	uint64_t now, left;

	if (!realtime || deadline == DEADLINE_NONE)
		return deadline;
	now = clock_now(LINUX_CLOCK_REALTIME);
	left = deadline > now ? deadline - now : 0;
	now = clock_now(LINUX_CLOCK_MONOTONIC);
	return left > UINT64_MAX - 1 - now ? UINT64_MAX - 1 : now + left;
}

int futex_sleep(uint64_t deadline, bool realtime)
{
	int rc = wait_sleep(to_monotonic(deadline, realtime));

	/* The clock may have been set back meanwhile. */
	if (rc == -ETIMEDOUT && realtime && clock_now(LINUX_CLOCK_REALTIME) < deadline)
		return 0;
	return rc;
}

static int sleep_until_woken(struct futex_waiter *w, uint64_t deadline, bool realtime)
{
	while (!atomic_load(&w->woken)) {
		int rc = futex_sleep(deadline, realtime);

		if (rc)
			return unqueue(w) ? rc : 0;
	}
	return 0;
}

int futex_wait(struct task *t, guest_addr_t addr, bool is_private, uint32_t value,
	       uint64_t deadline, bool realtime, uint32_t bitset)
{
	struct futex_waiter w = { .bitset = bitset, .sleeper = sleeper_current() };
	struct bucket *b;
	uint32_t word;
	int rc;

	if (!bitset)
		return -EINVAL;
	rc = get_key(t, addr, is_private, &w.key);
	if (rc)
		return rc;
	b = bucket_of(&w.key);
	atomic_init(&w.bucket, b);
	mutex_lock(&b->lock);
	list_add_tail(&b->waiters, &w.node);
	mutex_unlock(&b->lock);
	rc = copy_in_u32(t->mm, &word, addr);
	if (!rc && word != value)
		rc = -EAGAIN;
	if (rc) {
		/* Not a real waiter: what woke it was for another. */
		if (!unqueue(&w))
			wake_key(&w.key, 1, bitset);
	} else {
		rc = sleep_until_woken(&w, deadline, realtime);
		/* The waker may still hold the lock it woke us under. */
		if (!rc)
			unqueue(&w);
	}
	memory_key_release(&w.key);
	return rc;
}

int64_t futex_wake(struct task *t, guest_addr_t addr, bool is_private, uint32_t count,
		   uint32_t bitset)
{
	struct memory_key key;
	uint32_t woken;
	int rc;

	if (!bitset)
		return -EINVAL;
	rc = get_key(t, addr, is_private, &key);
	if (rc)
		return rc;
	woken = wake_key(&key, count, bitset);
	memory_key_release(&key);
	return woken;
}

static void lock_two(struct bucket *a, struct bucket *b) NO_LOCK_ANALYSIS
{
	if (a > b) {
		struct bucket *swap = a;

		a = b;
		b = swap;
	}
	mutex_lock(&a->lock);
	if (b != a)
		mutex_lock_nested(&b->lock);
}

static void unlock_two(struct bucket *a, struct bucket *b) NO_LOCK_ANALYSIS
{
	mutex_unlock(&a->lock);
	if (b != a)
		mutex_unlock(&b->lock);
}

/* Moves @w, whose old key's reference is handed to *old. */
static void move_waiter(struct futex_waiter *w, struct bucket *to, const struct memory_key *key,
			struct memory_key *old)
{
	*old = w->key;
	key_copy(&w->key, key);
	list_remove(&w->node);
	list_add_tail(&to->waiters, &w->node);
	atomic_store(&w->bucket, to);
}

static int64_t requeue_keys(const struct memory_key *from, const struct memory_key *to,
			    uint32_t wake_count, uint32_t requeue_count) NO_LOCK_ANALYSIS
{
	struct bucket *a = bucket_of(from), *b = bucket_of(to);
	uint32_t woken = 0, moved = 0;
	struct futex_waiter *w, *next;

	lock_two(a, b);
	list_for_each_safe(w, next, &a->waiters, node) {
		struct memory_key old;

		if (!same_key(&w->key, from))
			continue;
		if (woken < wake_count) {
			wake_waiter(w);
			woken++;
			continue;
		}
		if (moved == requeue_count)
			break;
		moved++;
		if (same_key(from, to))
			continue;
		move_waiter(w, b, to, &old);
		/* Not the last one: @from holds it too. */
		memory_key_release(&old);
	}
	unlock_two(a, b);
	return (int64_t)woken + moved;
}

int64_t futex_requeue(struct task *t, guest_addr_t from, guest_addr_t to, bool is_private,
		      uint32_t wake_count, uint32_t requeue_count, const uint32_t *compare)
{
	struct memory_key a, b;
	uint32_t word;
	int64_t result;
	int rc;

	if ((int32_t)wake_count < 0 || (int32_t)requeue_count < 0)
		return -EINVAL;
	rc = get_key(t, from, is_private, &a);
	if (rc)
		return rc;
	rc = get_key(t, to, is_private, &b);
	if (rc) {
		memory_key_release(&a);
		return rc;
	}
	if (compare) {
		rc = copy_in_u32(t->mm, &word, from);
		if (!rc && word != *compare)
			rc = -EAGAIN;
	}
	result = rc ? rc : requeue_keys(&a, &b, wake_count, requeue_count);
	memory_key_release(&a);
	memory_key_release(&b);
	return result;
}

/* --- WAKE_OP ------------------------------------------------------------------------- */

static bool op_apply(uint32_t encoded, uint32_t old, uint32_t *desired)
{
	uint32_t op = (encoded >> 28) & 7;
	int32_t arg = (int32_t)(encoded << 8) >> 20;
	uint32_t operand = (uint32_t)arg;

	if ((encoded >> 28) & LINUX_FUTEX_OP_OPARG_SHIFT)
		operand = 1U << (operand & 31);
	switch (op) {
	case LINUX_FUTEX_OP_SET:
		*desired = operand;
		return true;
	case LINUX_FUTEX_OP_ADD:
		*desired = old + operand;
		return true;
	case LINUX_FUTEX_OP_OR:
		*desired = old | operand;
		return true;
	case LINUX_FUTEX_OP_ANDN:
		*desired = old & ~operand;
		return true;
	case LINUX_FUTEX_OP_XOR:
		*desired = old ^ operand;
		return true;
	default:
		return false;
	}
}

static int op_compare(uint32_t encoded, uint32_t old)
{
	int32_t arg = (int32_t)(encoded << 20) >> 20, value = (int32_t)old;

	switch ((encoded >> 24) & 15) {
	case LINUX_FUTEX_OP_CMP_EQ:
		return value == arg;
	case LINUX_FUTEX_OP_CMP_NE:
		return value != arg;
	case LINUX_FUTEX_OP_CMP_LT:
		return value < arg;
	case LINUX_FUTEX_OP_CMP_LE:
		return value <= arg;
	case LINUX_FUTEX_OP_CMP_GT:
		return value > arg;
	case LINUX_FUTEX_OP_CMP_GE:
		return value >= arg;
	default:
		return -ENOSYS;
	}
}

/* 1 or 0: the comparison with the old value; or a negative errno. */
static int op_on_user_word(struct task *t, guest_addr_t addr, uint32_t encoded)
{
	uint32_t old, desired, found;
	int rc = copy_in_u32(t->mm, &old, addr);

	if (rc)
		return rc;
	for (;;) {
		if (!op_apply(encoded, old, &desired))
			return -ENOSYS;
		rc = futex_word_cmpxchg(t, addr, old, desired, &found);
		if (rc)
			return rc;
		if (found == old)
			return op_compare(encoded, old);
		old = found;
	}
}

int64_t futex_wake_op(struct task *t, guest_addr_t first, guest_addr_t second, bool is_private,
		      uint32_t wake_first, uint32_t wake_second, uint32_t encoded_op)
{
	struct memory_key a, b;
	int64_t result;
	int rc = get_key(t, first, is_private, &a);

	if (rc)
		return rc;
	rc = get_key(t, second, is_private, &b);
	if (rc) {
		memory_key_release(&a);
		return rc;
	}
	rc = op_on_user_word(t, second, encoded_op);
	result = rc;
	if (rc >= 0) {
		result = wake_key(&a, wake_first, LINUX_FUTEX_BITSET_MATCH_ANY);
		if (rc)
			result += wake_key(&b, wake_second, LINUX_FUTEX_BITSET_MATCH_ANY);
	}
	memory_key_release(&a);
	memory_key_release(&b);
	return result;
}
