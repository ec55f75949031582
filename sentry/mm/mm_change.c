/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes in flight (design rule 4): the list of ranges that are between the
 * order to the host and its settling, and the waiting of everything that must
 * not overlap with one.  mm->lock guards the list; forks count as a change of
 * everything.
 */
#include "config.h"

#include <errno.h>
#include <stdlib.h>

#include "sentry/mm/mm_private.h"
#include "sentry/wait/wait.h"
#include "util/log.h"

int mm_change_init(struct mm_change *c)
{
	*c = (struct mm_change){ 0 };
	list_init(&c->dead);
	for (unsigned i = 0; i < MM_SPARE_NODES; i++) {
		c->spare[i] = calloc(1, sizeof(*c->spare[i]));
		if (!c->spare[i]) {
			mm_change_finish(c);
			return -ENOMEM;
		}
	}
	return 0;
}

void mm_change_finish(struct mm_change *c)
{
	struct vma *vma, *tmp;

	for (unsigned i = 0; i < MM_SPARE_NODES; i++)
		free(c->spare[i]);
	list_for_each_safe(vma, tmp, &c->dead, node) {
		list_remove(&vma->node);
		vma_object_release(vma);
		free(vma_node_of(vma));
	}
}

struct mm_change *mm_change_overlapping(struct mm *mm, uint64_t start, uint64_t end)
{
	struct mm_change *c, *lowest = NULL;

	list_for_each(c, &mm->changes, node)
		if (c->start < end && start < c->end && (!lowest || c->start < lowest->start))
			lowest = c;
	return lowest;
}

/* Sleeps until some change settles; mm->lock is dropped meanwhile. */
static int wait_for_settling(struct mm *mm) REQUIRES(mm->lock)
{
	struct wait_entry e;
	int rc;

	mm->change_waiters++;
	wait_begin(&e, &mm->change_wait, ~0U);
	mutex_unlock(&mm->lock);
	rc = wait_sleep_killable(DEADLINE_NONE);
	wait_end(&e);
	mutex_lock(&mm->lock);
	mm->change_waiters--;
	return rc;
}

int mm_change_wait(struct mm *mm, uint64_t start, uint64_t end)
{
	while (unlikely(mm->forks || mm_change_overlapping(mm, start, end))) {
		int rc = wait_for_settling(mm);

		if (rc < 0)
			return rc;
	}
	return 0;
}

void mm_change_begin(struct mm *mm, struct mm_change *c, uint64_t start, uint64_t end)
{
	c->start = start;
	c->end = end;
	list_add_tail(&mm->changes, &c->node);
	atomic_fetch_add_explicit(&mm->discards, 1, memory_order_relaxed);
}

static void wake_waiters(struct mm *mm) REQUIRES(mm->lock)
{
	if (unlikely(mm->change_waiters))
		wait_queue_wake_all(&mm->change_wait, ~0U);
}

void mm_change_end(struct mm *mm, struct mm_change *c)
{
	list_remove(&c->node);
	wake_waiters(mm);
}

int mm_fork_begin(struct mm *mm)
{
	int rc = 0;

	mutex_lock(&mm->lock);
	mm->forks++;
	atomic_fetch_add_explicit(&mm->discards, 1, memory_order_relaxed);
	while (!list_empty(&mm->changes) && rc == 0)
		rc = wait_for_settling(mm);
	if (rc < 0) {
		mm->forks--;
		wake_waiters(mm);
	}
	mutex_unlock(&mm->lock);
	return rc;
}

void mm_fork_end(struct mm *mm)
{
	mutex_lock(&mm->lock);
	ASSERT(mm->forks > 0);
	mm->forks--;
	wake_waiters(mm);
	mutex_unlock(&mm->lock);
}
