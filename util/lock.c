/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ranked locks.  In a debug build each thread keeps the locks it holds in a
 * small array and panics when it takes one whose rank is not above them all.
 * Unlocking in another order than locking is allowed.  A failing pthread call
 * is always a bug of ours (unlocking what is not held, a destroyed lock).
 */
#include "config.h"

#include "util/lock.h"

#include "util/log.h"

#ifdef MOAT_DEBUG

#define HELD_MAX 32

struct held_lock {
	const void *lock;
	enum lock_rank rank;
};

static _Thread_local struct held_lock held[HELD_MAX];
static _Thread_local unsigned held_count;

/* Before blocking, so that an inversion is reported and not deadlocked on. */
static void rank_check(const void *lock, enum lock_rank rank, bool nested)
{
	if (rank == LOCK_RANK_NONE)
		return;
	ASSERT(rank < LOCK_RANK_COUNT);
	for (unsigned i = 0; i < held_count; i++) {
		if (held[i].lock == lock)
			panic("lock rank: %p (rank %d) is already held by this thread", lock, rank);
		if (held[i].rank > rank || (held[i].rank == rank && !nested))
			panic("lock rank: taking %d while holding %d", rank, held[i].rank);
	}
}

static void rank_push(const void *lock, enum lock_rank rank)
{
	if (rank == LOCK_RANK_NONE)
		return;
	ASSERT(held_count < HELD_MAX);
	held[held_count++] = (struct held_lock){ lock, rank };
}

static void rank_pop(const void *lock, enum lock_rank rank)
{
	if (rank == LOCK_RANK_NONE)
		return;
	for (unsigned i = held_count; i-- > 0;) {
		if (held[i].lock != lock)
			continue;
		for (; i + 1 < held_count; i++)
			held[i] = held[i + 1];
		held_count--;
		return;
	}
	panic("lock rank: releasing %p (rank %d), which this thread does not hold", lock, rank);
}

void lock_assert_none_held(void)
{
	if (held_count)
		panic("lock rank: %u locks held, the last of rank %d", held_count,
		      held[held_count - 1].rank);
}

#else

static inline void rank_check(const void *lock, enum lock_rank rank, bool nested)
{
}

static inline void rank_push(const void *lock, enum lock_rank rank)
{
}

static inline void rank_pop(const void *lock, enum lock_rank rank)
{
}

void lock_assert_none_held(void)
{
}

#endif

static inline void must_succeed(int error, const char *what)
{
	if (unlikely(error))
		panic("%s: error %d", what, error);
}

void mutex_init(struct mutex *m, enum lock_rank rank)
{
	must_succeed(pthread_mutex_init(&m->m, NULL), "mutex_init");
	m->rank = rank;
}

void mutex_destroy(struct mutex *m)
{
	must_succeed(pthread_mutex_destroy(&m->m), "mutex_destroy");
}

void mutex_lock(struct mutex *m) NO_LOCK_ANALYSIS
{
	rank_check(m, m->rank, false);
	must_succeed(pthread_mutex_lock(&m->m), "mutex_lock");
	rank_push(m, m->rank);
}

void mutex_lock_nested(struct mutex *m) NO_LOCK_ANALYSIS
{
	rank_check(m, m->rank, true);
	must_succeed(pthread_mutex_lock(&m->m), "mutex_lock_nested");
	rank_push(m, m->rank);
}

/* Never blocks, so it may go against the order. */
bool mutex_trylock(struct mutex *m) NO_LOCK_ANALYSIS
{
	if (pthread_mutex_trylock(&m->m))
		return false;
	rank_push(m, m->rank);
	return true;
}

void mutex_unlock(struct mutex *m) NO_LOCK_ANALYSIS
{
	rank_pop(m, m->rank);
	must_succeed(pthread_mutex_unlock(&m->m), "mutex_unlock");
}

void rwlock_init(struct rwlock *l, enum lock_rank rank)
{
	must_succeed(pthread_rwlock_init(&l->l, NULL), "rwlock_init");
	l->rank = rank;
}

void rwlock_destroy(struct rwlock *l)
{
	must_succeed(pthread_rwlock_destroy(&l->l), "rwlock_destroy");
}

void rwlock_read_lock(struct rwlock *l) NO_LOCK_ANALYSIS
{
	rank_check(l, l->rank, false);
	must_succeed(pthread_rwlock_rdlock(&l->l), "rwlock_read_lock");
	rank_push(l, l->rank);
}

void rwlock_read_unlock(struct rwlock *l) NO_LOCK_ANALYSIS
{
	rank_pop(l, l->rank);
	must_succeed(pthread_rwlock_unlock(&l->l), "rwlock_read_unlock");
}

void rwlock_write_lock(struct rwlock *l) NO_LOCK_ANALYSIS
{
	rank_check(l, l->rank, false);
	must_succeed(pthread_rwlock_wrlock(&l->l), "rwlock_write_lock");
	rank_push(l, l->rank);
}

void rwlock_write_unlock(struct rwlock *l) NO_LOCK_ANALYSIS
{
	rank_pop(l, l->rank);
	must_succeed(pthread_rwlock_unlock(&l->l), "rwlock_write_unlock");
}
