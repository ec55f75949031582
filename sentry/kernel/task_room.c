/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory for what a call writes, of containers with a memory limit.
 *
 * When the sentry's copy is what first touches a page, the host charges it to the container in the
 * sentry's thread.  Over the limit its OOM killer then ends the process, whose memory cannot go as
 * long as the copy holds it; so the copy meets the limit once more, and the next process dies too.
 * A process that touches its pages itself dies alone.  The order costs a hand-over, so it is spared
 * for buffers that are used again.
 */
#include "sentry/kernel/task_room.h"

#include <errno.h>

#include "sentry/abi/mm.h"
#include "sentry/kernel/task_container.h"
#include "sentry/kernel/task_internal.h"
#include "sentry/mm/mm.h"
#include "sentry/mm/usercopy.h"
#include "util/checked.h"

static uint32_t discards_of(const struct mm *mm)
{
	return atomic_load_explicit(&mm->discards, memory_order_relaxed);
}

static bool is_current(const struct task_room *r, const struct mm *mm)
{
	return r->mm == mm && r->discards == discards_of(mm);
}

static bool has_room(const struct task_room *r, const struct mm *mm, uint64_t start, uint64_t end)
{
	return r->start <= start && end <= r->end && is_current(r, mm);
}

static bool is_limited(const struct task *t)
{
	return atomic_load_explicit(&t->group->container->memory_limited, memory_order_relaxed);
}

static bool make_room(struct mm *mm, guest_addr_t addr, size_t size)
{
	struct task *t = task_current();
	uint64_t start = addr.v & ~(GUEST_PAGE_SIZE - 1);
	uint64_t end = (addr.v + size + GUEST_PAGE_SIZE - 1) & ~(GUEST_PAGE_SIZE - 1);
	struct task_room room = { .mm = mm, .start = start, .end = end, .discards = discards_of(mm) };
	int rc;

	if (!t || t->mm != mm || !t->context || !is_limited(t) || has_room(&t->room, mm, start, end))
		return true;
	rc = task_fetch_registers(t);
	if (rc < 0)
		return false;
	/* Any other failure is found again, and reported, by the copy. */
	rc = platform_advise(t->context, guest_addr(start), end - start, LINUX_MADV_POPULATE_WRITE);
	if (rc < 0)
		return rc != -ESRCH;
	/* A long transfer comes in pieces. */
	if (is_current(&t->room, mm) && start <= t->room.end && t->room.start <= end) {
		room.start = MIN(start, t->room.start);
		room.end = MAX(end, t->room.end);
	}
	t->room = room;
	return true;
}

void task_room_init(void)
{
	usercopy_set_room_handler(make_room);
}
