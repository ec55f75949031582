/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Host thread ids to threads: two levels of arrays, read without a lock on
 * every notification.  Pages are added under platform->lock and never removed.
 */
#include "sentry/platform/trap/trap.h"

#include <errno.h>
#include <stdlib.h>

static _Atomic(struct trap_thread *) *entry_of(struct trap_platform *p, pid_t tid)
{
	_Atomic(struct trap_thread *) *page;

	if (tid <= 0 || tid >= TRAP_TID_PAGE * TRAP_TID_PAGES)
		return NULL;
	page = __atomic_load_n(&p->tids[tid / TRAP_TID_PAGE], __ATOMIC_ACQUIRE);
	return page ? &page[tid % TRAP_TID_PAGE] : NULL;
}

struct trap_thread *tid_table_find(struct trap_platform *p, pid_t tid)
{
	_Atomic(struct trap_thread *) *entry = entry_of(p, tid);

	return entry ? atomic_load(entry) : NULL;
}

int tid_table_set(struct trap_platform *p, pid_t tid, struct trap_thread *t)
{
	_Atomic(struct trap_thread *) *page;

	if (tid <= 0 || tid >= TRAP_TID_PAGE * TRAP_TID_PAGES)
		return -ERANGE;
	mutex_lock(&p->lock);
	page = p->tids[tid / TRAP_TID_PAGE];
	if (!page) {
		page = calloc(TRAP_TID_PAGE, sizeof(*page));
		__atomic_store_n(&p->tids[tid / TRAP_TID_PAGE], page, __ATOMIC_RELEASE);
	}
	mutex_unlock(&p->lock);
	if (!page)
		return -ENOMEM;
	atomic_store(&page[tid % TRAP_TID_PAGE], t);
	return 0;
}

void tid_table_clear(struct trap_platform *p, pid_t tid, struct trap_thread *t)
{
	_Atomic(struct trap_thread *) *entry = entry_of(p, tid);
	struct trap_thread *expected = t;

	/* The lock: the reaper looks at what it found here. */
	mutex_lock(&p->lock);
	if (entry)
		atomic_compare_exchange_strong(entry, &expected, NULL);
	mutex_unlock(&p->lock);
}
