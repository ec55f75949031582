/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The common part of poll, ppoll, select and pselect6.  The first look at the
 * files registers nothing, so a call that does not sleep costs no more than the
 * look; before sleeping a waiter is put into every file's queue, and the files
 * are looked at again.
 */
#include "sentry/syscalls/poll_set.h"

#include "sentry/abi/epoll.h"
#include "sentry/abi/time.h"
#include "sentry/kernel/timer.h"
#include "sentry/syscalls/syscall.h"
#include "sentry/vfs/file.h"
#include "util/checked.h"

#define ALWAYS (LINUX_EPOLLERR | LINUX_EPOLLHUP)

static unsigned look(struct poll_item *items, unsigned count)
{
	unsigned ready = 0;

	for (unsigned i = 0; i < count; i++) {
		struct poll_item *item = &items[i];

		if (item->file)
			item->ready = vfs_poll(item->file) & (item->events | ALWAYS);
		if (item->ready)
			ready++;
	}
	return ready;
}

static void watch(struct poll_item *items, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct poll_item *item = &items[i];
		struct wait_queue *queue = NULL;

		if (item->file && item->file->ops->poll_queue)
			queue = item->file->ops->poll_queue(item->file);
		if (!queue)
			continue;
		wait_begin(&item->wait, queue, item->events | ALWAYS);
		item->waiting = true;
	}
}

static void release(struct poll_item *items, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		if (items[i].waiting)
			wait_end(&items[i].wait);
		items[i].waiting = false;
		if (items[i].file)
			file_put(items[i].file);
		items[i].file = NULL;
	}
}

static int64_t sleep_until_ready(struct poll_item *items, unsigned count, uint64_t deadline)
{
	unsigned ready;
	int rc = 0;

	watch(items, count);
	for (;;) {
		ready = look(items, count);
		if (ready || rc)
			break;
		rc = wait_sleep(deadline);
	}
	if (ready)
		return ready;
	return rc == -ETIMEDOUT ? 0 : rc;
}

int64_t poll_set_wait(struct poll_item *items, unsigned count, uint64_t deadline)
{
	int64_t result = look(items, count);

	if (!result && deadline)
		result = sleep_until_ready(items, count, deadline);
	release(items, count);
	return result;
}

uint64_t poll_deadline_after(uint64_t ns)
{
	uint64_t deadline;

	if (add_overflows(clock_now(LINUX_CLOCK_MONOTONIC), ns, &deadline))
		return DEADLINE_NONE;
	return deadline;
}

static int deadline_of(int64_t sec, int64_t nsec, uint64_t *deadline)
{
	uint64_t ns;

	if (sec < 0 || nsec < 0 || (uint64_t)nsec >= NSEC_PER_SEC)
		return -EINVAL;
	if (!sec && !nsec)
		*deadline = 0;
	else if (mul_overflows((uint64_t)sec, NSEC_PER_SEC, &ns) ||
		 add_overflows(ns, (uint64_t)nsec, &ns))
		*deadline = DEADLINE_NONE;
	else
		*deadline = poll_deadline_after(ns);
	return 0;
}

int poll_timeout_from_timespec(struct task *t, guest_addr_t addr, uint64_t *deadline)
{
	struct linux_timespec time;

	*deadline = DEADLINE_NONE;
	if (guest_is_null(addr))
		return 0;
	if (copy_in(t->mm, &time, addr, sizeof(time)))
		return -EFAULT;
	return deadline_of(time.sec, time.nsec, deadline);
}

int poll_timeout_from_timeval(struct task *t, guest_addr_t addr, uint64_t *deadline)
{
	struct linux_timeval time;
	int64_t sec;

	*deadline = DEADLINE_NONE;
	if (guest_is_null(addr))
		return 0;
	if (copy_in(t->mm, &time, addr, sizeof(time)))
		return -EFAULT;
	/* The carry may wrap as Linux's does; a negative sum is refused either way. */
	if (add_overflows(time.sec, time.usec / (int64_t)USEC_PER_SEC, &sec))
		return -EINVAL;
	return deadline_of(sec, time.usec % (int64_t)USEC_PER_SEC * (int64_t)NSEC_PER_USEC, deadline);
}

int poll_mask_push(struct task *t, guest_addr_t mask, uint64_t size, bool *pushed)
{
	uint64_t set;

	*pushed = false;
	if (guest_is_null(mask))
		return 0;
	if (size != sizeof(set))
		return -EINVAL;
	if (copy_in_u64(t->mm, &set, mask))
		return -EFAULT;
	signal_mask_push(t, set);
	*pushed = true;
	return 0;
}

static int write_time_left(struct task *t, guest_addr_t addr, uint64_t deadline,
			   enum poll_time_format format)
{
	uint64_t now = clock_now(LINUX_CLOCK_MONOTONIC);
	uint64_t left = deadline > now ? deadline - now : 0;
	struct linux_timespec time = { (int64_t)(left / NSEC_PER_SEC), (int64_t)(left % NSEC_PER_SEC) };

	if (format == POLL_TIMEVAL)
		time.nsec /= (int64_t)NSEC_PER_USEC;
	_Static_assert(sizeof(struct linux_timespec) == sizeof(struct linux_timeval), "same shape");
	return copy_out(t->mm, addr, &time, sizeof(time));
}

int64_t poll_finish(struct task *t, int64_t result, bool pushed, guest_addr_t addr,
		    uint64_t deadline, enum poll_time_format format)
{
	bool written = true;

	if (result == -EINTR)
		result = -ERESTARTNOHAND;
	if (pushed)
		signal_mask_pop(t, result == -ERESTARTNOHAND);
	if (guest_is_null(addr) || !deadline)
		return result;
	written = !write_time_left(t, addr, deadline, format);
	return !written && result == -ERESTARTNOHAND ? -EINTR : result;
}
