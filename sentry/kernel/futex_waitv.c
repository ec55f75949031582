/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting for several words at once.  All are queued first and read after, in order.  A word
 * that has another value ends the call, unless one before it has been woken by then: that is
 * the answer.  Wake-ups that came to words behind it, which Linux would not have queued, are
 * passed on.
 */
#include <errno.h>
#include <stdlib.h>

#include "sentry/abi/futex.h"
#include "sentry/kernel/clock_sleep.h"
#include "sentry/kernel/futex_internal.h"
#include "sentry/kernel/task.h"
#include "sentry/mm/usercopy.h"

struct waitv {
	struct task *t;
	struct futex_waiter *waiters;
	uint32_t count; /* of them that have a key */
};

static int init_waiters(struct waitv *v, const struct futex_wait_item *items, uint32_t count)
{
	for (; v->count < count; v->count++) {
		const struct futex_wait_item *item = &items[v->count];
		struct memory_key key;
		int rc = futex_key(v->t, item->addr, item->flags, &key);

		if (rc)
			return rc;
		futex_waiter_init(&v->waiters[v->count], v->t, &key, LINUX_FUTEX_BITSET_MATCH_ANY);
	}
	return 0;
}

/* The first @count out of their queues: the last that had been woken, or -1. */
static int64_t unqueue_first(struct waitv *v, uint32_t count)
{
	int64_t woken = -1;

	for (uint32_t i = 0; i < count; i++)
		if (!futex_unqueue(&v->waiters[i]))
			woken = i;
	return woken;
}

/* From @at on they never waited: what woke them was for others. */
static void pass_on(struct waitv *v, uint32_t at)
{
	for (; at < v->count; at++)
		if (!futex_unqueue(&v->waiters[at]))
			futex_wake_key(&v->waiters[at].key, 1, LINUX_FUTEX_BITSET_MATCH_ANY);
}

/* 0: all words have their values. */
static int64_t compare_words(struct waitv *v, const struct futex_wait_item *items, int64_t *woken)
{
	for (uint32_t i = 0; i < v->count; i++) {
		uint32_t word;
		int rc = copy_in_u32(v->t->mm, &word, items[i].addr);

		if (!rc && word == items[i].value)
			continue;
		*woken = unqueue_first(v, i);
		pass_on(v, i);
		return rc ? rc : -EAGAIN;
	}
	return 0;
}

static bool any_woken(const struct waitv *v)
{
	for (uint32_t i = 0; i < v->count; i++)
		if (atomic_load(&v->waiters[i].woken))
			return true;
	return false;
}

static int64_t wait_for_any(struct waitv *v, const struct futex_wait_item *items,
			    struct futex_time time)
{
	int64_t woken = -1, rc;

	for (uint32_t i = 0; i < v->count; i++)
		futex_queue(&v->waiters[i]);
	rc = compare_words(v, items, &woken);
	if (rc)
		return woken >= 0 ? woken : rc;
	while (!rc && !any_woken(v))
		rc = clock_sleep(time.deadline, time.realtime);
	woken = unqueue_first(v, v->count);
	return woken >= 0 ? woken : rc;
}

int64_t futex_wait_multiple(struct task *t, const struct futex_wait_item *items, uint32_t count,
			    struct futex_time time)
{
	struct waitv v = { .t = t, .waiters = calloc(count, sizeof(*v.waiters)) };
	int64_t rc;

	if (!v.waiters)
		return -ENOMEM;
	rc = init_waiters(&v, items, count);
	if (!rc)
		rc = wait_for_any(&v, items, time);
	for (uint32_t i = 0; i < v.count; i++)
		memory_key_release(&v.waiters[i].key);
	free(v.waiters);
	return rc;
}
