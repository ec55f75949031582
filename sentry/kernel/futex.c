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

#include "sentry/abi/sched.h"
#include "sentry/kernel/clock_sleep.h"
#include "sentry/kernel/task.h"
#include "sentry/mm/mm.h"
#include "util/hash.h"

#define BUCKETS 256
#define NODE_NONE UINT32_MAX

static struct futex_bucket buckets[BUCKETS];

void futex_init(void)
{
	for (unsigned i = 0; i < BUCKETS; i++) {
		mutex_init(&buckets[i].lock, LOCK_RANK_FUTEX);
		list_init(&buckets[i].waiters);
	}
	futex_pi_init();
}

struct futex_bucket *futex_bucket_of(const struct memory_key *key)
{
	uint64_t h = hash_u64((uint64_t)(uintptr_t)key->object ^ (key->offset << 7 | key->offset >> 57));

	return &buckets[h % BUCKETS];
}

bool futex_same_key(const struct memory_key *a, const struct memory_key *b)
{
	return a->object == b->object && a->offset == b->offset;
}

static void key_copy(struct memory_key *to, const struct memory_key *from)
{
	*to = *from;
	if (to->ref)
		to->ref->ops->get(to->ref);
}

/* The node whose memory the queue is to be in: there is one, and who leaves it open is told. */
static int check_node(struct task *t, guest_addr_t addr)
{
	uint32_t node;
	int rc = copy_in_u32(t->mm, &node, addr);

	if (rc)
		return rc;
	if (node == NODE_NONE)
		return copy_out_u32(t->mm, addr, 0);
	return node ? -EINVAL : 0;
}

int futex_key(struct task *t, guest_addr_t addr, uint32_t flags, struct memory_key *key)
{
	uint32_t size = flags & FUTEX_NUMA ? 8 : 4;
	int rc = 0;

	if (addr.v % size)
		return -EINVAL;
	if (addr.v >= platform_address_max().v)
		return -EFAULT;
	if (flags & FUTEX_NUMA)
		rc = check_node(t, guest_add(addr, 4));
	if (!rc)
		rc = mm_memory_key(t->mm, addr, flags & FUTEX_PRIVATE, key);
	/* Private memory without the flag is another futex than with it. */
	if (!rc && !(flags & FUTEX_PRIVATE) && key->object == t->mm)
		key->offset |= 1;
	return rc;
}

int32_t futex_priority(struct task *t)
{
	int32_t priority = 0;

	mutex_lock(&t->lock);
	if ((t->sched_policy & ~LINUX_SCHED_RESET_ON_FORK) == LINUX_SCHED_DEADLINE)
		priority = LINUX_RT_PRIORITY_MAX + 1; /* before all others */
	else
		priority = t->sched_priority;
	mutex_unlock(&t->lock);
	return priority;
}

struct futex_bucket *futex_lock_bucket_of(struct futex_waiter *w) NO_LOCK_ANALYSIS
{
	for (;;) {
		struct futex_bucket *b = atomic_load(&w->bucket);

		mutex_lock(&b->lock);
		if (b == atomic_load(&w->bucket))
			return b;
		mutex_unlock(&b->lock);
	}
}

static void queue_locked(struct futex_bucket *b, struct futex_waiter *w)
{
	struct list_node *at = b->waiters.prev;

	while (at != &b->waiters && list_entry(at, struct futex_waiter, node)->priority < w->priority)
		at = at->prev;
	list_insert_between(&w->node, at, at->next);
}

void futex_waiter_init(struct futex_waiter *w, struct task *t, const struct memory_key *key,
		       uint32_t bitset)
{
	*w = (struct futex_waiter){ .key = *key,
				    .bitset = bitset,
				    .priority = futex_priority(t),
				    .sleeper = sleeper_current() };
	atomic_init(&w->bucket, futex_bucket_of(key));
}

void futex_queue(struct futex_waiter *w)
{
	struct futex_bucket *b = atomic_load(&w->bucket);

	mutex_lock(&b->lock);
	queue_locked(b, w);
	mutex_unlock(&b->lock);
}

/* Under the bucket's lock.  The waiter may be gone as soon as woken is set. */
static void wake_waiter(struct futex_waiter *w)
{
	struct sleeper *sleeper = w->sleeper;

	list_remove(&w->node);
	atomic_store(&w->woken, true);
	sleeper_wake(sleeper);
}

int64_t futex_wake_key(const struct memory_key *key, int32_t count, uint32_t bitset)
{
	struct futex_bucket *b = futex_bucket_of(key);
	struct futex_waiter *w, *next;
	int64_t woken = 0;

	mutex_lock(&b->lock);
	list_for_each_safe(w, next, &b->waiters, node) {
		if (!futex_same_key(&w->key, key))
			continue;
		if (w->pi) {
			woken = -EINVAL;
			break;
		}
		if (!(w->bitset & bitset))
			continue;
		wake_waiter(w);
		if (++woken >= count)
			break;
	}
	mutex_unlock(&b->lock);
	return woken;
}

bool futex_has_waiter(const struct memory_key *key)
{
	struct futex_bucket *b = futex_bucket_of(key);
	const struct futex_waiter *w;
	bool found = false;

	mutex_lock(&b->lock);
	list_for_each(w, &b->waiters, node)
		found = found || futex_same_key(&w->key, key);
	mutex_unlock(&b->lock);
	return found;
}

bool futex_unqueue(struct futex_waiter *w) NO_LOCK_ANALYSIS
{
	struct futex_bucket *b = futex_lock_bucket_of(w);
	bool queued = list_linked(&w->node);

	if (queued)
		list_remove(&w->node);
	mutex_unlock(&b->lock);
	return queued;
}

static int sleep_until_woken(struct futex_waiter *w, struct futex_time time)
{
	while (!atomic_load(&w->woken)) {
		int rc = clock_sleep(time.deadline, time.realtime);

		if (rc)
			return futex_unqueue(w) ? rc : 0;
	}
	return 0;
}

int futex_wait(struct task *t, guest_addr_t addr, uint32_t flags, uint32_t value,
	       struct futex_time time, uint32_t bitset)
{
	struct futex_waiter w;
	struct memory_key key;
	uint32_t word;
	int rc;

	if (!bitset)
		return -EINVAL;
	rc = futex_key(t, addr, flags, &key);
	if (rc)
		return rc;
	futex_waiter_init(&w, t, &key, bitset);
	futex_queue(&w);
	rc = copy_in_u32(t->mm, &word, addr);
	if (!rc && word != value)
		rc = -EAGAIN;
	if (rc) {
		/* Not a real waiter: what woke it was for another. */
		if (!futex_unqueue(&w))
			futex_wake_key(&w.key, 1, bitset);
	} else {
		rc = sleep_until_woken(&w, time);
		/* The waker may still hold the lock it woke us under. */
		if (!rc)
			futex_unqueue(&w);
	}
	memory_key_release(&w.key);
	return rc;
}

int64_t futex_wake(struct task *t, guest_addr_t addr, uint32_t flags, int32_t count, uint32_t bitset)
{
	struct memory_key key;
	int64_t woken;
	int rc;

	if (!bitset)
		return -EINVAL;
	rc = futex_key(t, addr, flags, &key);
	if (rc)
		return rc;
	woken = futex_pi_contended(&key) ? -EINVAL : futex_wake_key(&key, count, bitset);
	memory_key_release(&key);
	return woken;
}

int futex_check_word(struct task *t, guest_addr_t addr, uint32_t flags)
{
	struct memory_key key;
	int rc = futex_key(t, addr, flags, &key);

	if (!rc)
		memory_key_release(&key);
	return rc;
}

static void lock_two(struct futex_bucket *a, struct futex_bucket *b) NO_LOCK_ANALYSIS
{
	if (a > b) {
		struct futex_bucket *swap = a;

		a = b;
		b = swap;
	}
	mutex_lock(&a->lock);
	if (b != a)
		mutex_lock_nested(&b->lock);
}

static void unlock_two(struct futex_bucket *a, struct futex_bucket *b) NO_LOCK_ANALYSIS
{
	mutex_unlock(&a->lock);
	if (b != a)
		mutex_unlock(&b->lock);
}

/* Moves @w, whose old key's reference is handed to *old. */
static void move_waiter(struct futex_waiter *w, struct futex_bucket *to,
			const struct memory_key *key, struct memory_key *old)
{
	*old = w->key;
	key_copy(&w->key, key);
	list_remove(&w->node);
	queue_locked(to, w);
	atomic_store(&w->bucket, to);
}

int64_t futex_requeue_keys(const struct memory_key *from, const struct memory_key *to,
			   uint32_t wake_count, uint32_t requeue_count) NO_LOCK_ANALYSIS
{
	struct futex_bucket *a = futex_bucket_of(from), *b = futex_bucket_of(to);
	uint32_t woken = 0, moved = 0;
	struct futex_waiter *w, *next;
	int rc = 0;

	lock_two(a, b);
	list_for_each_safe(w, next, &a->waiters, node) {
		struct memory_key old;

		if (woken >= wake_count && moved >= requeue_count)
			break;
		if (!futex_same_key(&w->key, from))
			continue;
		if (w->pi) {
			rc = -EINVAL;
			break;
		}
		if (woken < wake_count) {
			wake_waiter(w);
			woken++;
			continue;
		}
		moved++;
		if (futex_same_key(from, to))
			continue;
		move_waiter(w, b, to, &old);
		/* Not the last one: @from holds it too. */
		memory_key_release(&old);
	}
	unlock_two(a, b);
	return rc ? rc : (int64_t)woken + moved;
}

int64_t futex_requeue(struct task *t, guest_addr_t from, guest_addr_t to, uint32_t flags,
		      uint32_t wake_count, uint32_t requeue_count, const uint32_t *compare)
{
	struct memory_key a, b;
	uint32_t word;
	int64_t result;
	int rc;

	if ((int32_t)wake_count < 0 || (int32_t)requeue_count < 0)
		return -EINVAL;
	rc = futex_key(t, from, flags, &a);
	if (rc)
		return rc;
	rc = futex_key(t, to, flags, &b);
	if (rc) {
		memory_key_release(&a);
		return rc;
	}
	if (compare) {
		rc = copy_in_u32(t->mm, &word, from);
		if (!rc && word != *compare)
			rc = -EAGAIN;
	}
	if (!rc && futex_pi_contended(&a))
		rc = -EINVAL;
	result = rc ? rc : futex_requeue_keys(&a, &b, wake_count, requeue_count);
	memory_key_release(&a);
	memory_key_release(&b);
	return result;
}
