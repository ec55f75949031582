/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Mutexes and reader-writer locks with a rank (util/lock_rank.h).  In a debug
 * build (MOAT_DEBUG) each thread keeps the ranks it holds and aborts on an
 * inversion; the rank costs nothing otherwise.  Never hold one across a guest
 * memory access or while waiting for a stub or the gofer's peer.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "util/compiler.h"
#include "util/lock_rank.h"

struct CAPABILITY("mutex") mutex {
	pthread_mutex_t m;
	enum lock_rank rank;
};

struct CAPABILITY("rwlock") rwlock {
	pthread_rwlock_t l;
	enum lock_rank rank;
};

#define MUTEX_INIT(r) { PTHREAD_MUTEX_INITIALIZER, (r) }

void mutex_init(struct mutex *m, enum lock_rank rank);
void mutex_destroy(struct mutex *m);
void mutex_lock(struct mutex *m) ACQUIRES(*m);
/* A second lock of the same (NESTABLE) rank; the caller orders them. */
void mutex_lock_nested(struct mutex *m) ACQUIRES(*m);
bool mutex_trylock(struct mutex *m) TRY_ACQUIRES(true, *m) MUST_CHECK;
void mutex_unlock(struct mutex *m) RELEASES(*m);

void rwlock_init(struct rwlock *l, enum lock_rank rank);
void rwlock_destroy(struct rwlock *l);
void rwlock_read_lock(struct rwlock *l) TSA(acquire_shared_capability(*l));
void rwlock_read_unlock(struct rwlock *l) TSA(release_shared_capability(*l));
void rwlock_write_lock(struct rwlock *l) ACQUIRES(*l);
void rwlock_write_unlock(struct rwlock *l) RELEASES(*l);

/* Debug builds abort if the calling thread holds any ranked lock. */
void lock_assert_none_held(void);
