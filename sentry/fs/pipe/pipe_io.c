/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading and writing a pipe without sleeping.  Bytes are fetched from a guest
 * into pages of our own before the lock is taken, and delivered from pages we
 * hold references on after it is dropped.
 *
 * The merge rule is Linux's: of a write of n bytes the first n % 4096 go into
 * the last page if they fit there, the rest into slots of their own.
 */
#include "sentry/fs/pipe/pipe_internal.h"

#include <errno.h>
#include <string.h>

#include "sentry/abi/epoll.h"
#include "sentry/mm/usercopy.h"
#include "util/checked.h"

#define BATCH 16 /* slots handled between two takings of the lock */
#define EVENTS_IN (LINUX_EPOLLIN | LINUX_EPOLLRDNORM)
#define EVENTS_OUT (LINUX_EPOLLOUT | LINUX_EPOLLWRNORM)

struct taken_slots {
	struct pipe_slot slots[BATCH]; /* page references held */
	unsigned count;
	bool was_full, stop; /* stop: a packet ends the read */
};

/* Moves up to @size bytes from the front to @t.  A packet is taken whole. */
static void take_locked(struct pipe *p, uint64_t size, struct taken_slots *t) REQUIRES(p->lock)
{
	t->count = 0;
	t->stop = false;
	t->was_full = pipe_full_locked(p);
	while (size && p->count && t->count < BATCH && !t->stop) {
		struct pipe_slot *slot = pipe_slot_locked(p, 0);
		struct pipe_slot *out = &t->slots[t->count++];

		*out = *slot;
		if (slot->packet) {
			t->stop = true;
			out->size = (uint32_t)MIN(size, out->size);
			pipe_pop_locked(p);
			break;
		}
		if (slot->size <= size) {
			pipe_pop_locked(p);
		} else {
			out->size = (uint32_t)size;
			out->can_merge = false; /* the page's tail stays with the ring */
			refcount_get(&slot->page->refs);
			slot->offset += out->size;
			slot->size -= out->size;
			p->bytes -= out->size;
		}
		size -= out->size;
	}
	p->in_flight += t->count;
}

/* Puts back slots [from, t->count), the first without its @skip first bytes. */
static void untake(struct pipe *p, struct taken_slots *t, unsigned from, uint32_t skip)
{
	mutex_lock(&p->lock);
	for (unsigned i = t->count; i-- > from;) {
		struct pipe_slot *slot = &t->slots[i];
		struct pipe_slot *front = p->count ? pipe_slot_locked(p, 0) : NULL;

		if (i == from) {
			slot->offset += skip;
			slot->size -= skip;
		}
		if (front && front->page == slot->page &&
		    front->offset == slot->offset + slot->size) {
			front->offset -= slot->size;
			front->size += slot->size;
			p->bytes += slot->size;
			pipe_page_put(slot->page); /* the front keeps it alive */
		} else {
			pipe_push_front_locked(p, slot);
		}
	}
	mutex_unlock(&p->lock);
	wait_queue_wake(&p->queue, EVENTS_IN);
}

/* Copies out what was taken; bytes delivered, *fault set when that is not all. */
static ssize_t deliver(struct pipe *p, struct taken_slots *t, struct io_iter *to, bool *fault)
{
	ssize_t done = 0;
	unsigned i;

	*fault = false;
	for (i = 0; i < t->count; i++) {
		struct pipe_slot *slot = &t->slots[i];
		ssize_t n = io_iter_copy_to(to, slot->page->data + slot->offset, slot->size);

		if (n < 0)
			n = 0;
		done += n;
		if ((uint32_t)n < slot->size) {
			*fault = true;
			untake(p, t, i, (uint32_t)n);
			break;
		}
		pipe_page_put(slot->page);
	}
	p->in_flight -= t->count;
	return done;
}

ssize_t pipe_read(struct pipe *p, struct io_iter *to)
{
	struct taken_slots t __attribute__((uninitialized));
	bool fault = false;
	ssize_t done = 0;

	if (!to->count)
		return 0;
	do {
		bool has_writers, wake;

		mutex_lock(&p->lock);
		take_locked(p, to->count, &t);
		has_writers = p->writers != 0;
		wake = t.was_full && !pipe_full_locked(p);
		mutex_unlock(&p->lock);
		if (wake)
			wait_queue_wake(&p->queue, EVENTS_OUT);
		async_report(&p->async, ASYNC_OUT);
		if (!t.count) {
			if (!done && has_writers)
				return -EAGAIN;
			break;
		}
		done += deliver(p, &t, to, &fault);
	} while (!fault && !t.stop && to->count);
	return fault && !done ? -EFAULT : done;
}

static void wake_readers(struct pipe *p, bool notify)
{
	if (notify)
		wait_queue_wake(&p->queue, EVENTS_IN);
	async_report(&p->async, ASYNC_IN);
}

/*
 * The part of a write that goes into the last page: bytes merged, 0 when the
 * rule does not apply (any more), -EFAULT, -EPIPE.
 */
static ssize_t write_merged(struct pipe *p, struct io_iter *from, uint32_t size)
{
	char bytes[PIPE_PAGE_SIZE] __attribute__((uninitialized));
	struct io_iter before = *from;
	bool merged, notify, broken;
	ssize_t n = io_iter_copy_from(from, bytes, size);

	if (n < 0 || (uint32_t)n < size)
		return -EFAULT;
	mutex_lock(&p->lock);
	broken = !p->readers;
	merged = !broken && pipe_can_merge_locked(p, size);
	notify = p->polled;
	if (merged)
		pipe_merge_locked(p, bytes, size);
	mutex_unlock(&p->lock);
	if (!merged) {
		*from = before;
		return broken ? -EPIPE : 0;
	}
	wake_readers(p, notify);
	return (ssize_t)size;
}

/* Fills up to @max slots from @from: their number.  A page that faults is dropped. */
static unsigned fill_slots(struct pipe_slot *slots, unsigned max, struct io_iter *from, bool packet,
			   int *error)
{
	unsigned count = 0;

	*error = 0;
	while (count < max && from->count) {
		struct pipe_slot *slot = &slots[count];
		uint32_t size = (uint32_t)MIN(from->count, PIPE_PAGE_SIZE);
		ssize_t n;

		slot->page = pipe_page_new();
		if (!slot->page) {
			*error = -ENOMEM;
			break;
		}
		n = io_iter_copy_from(from, slot->page->data, size);
		if (n < 0 || (uint32_t)n < size) {
			pipe_page_put(slot->page);
			*error = -EFAULT;
			break;
		}
		slot->offset = 0;
		slot->size = size;
		slot->packet = packet;
		slot->can_merge = !packet;
		count++;
	}
	return count;
}

/* Links what fits and drops the rest; bytes linked, or -EPIPE, -ENOMEM, -EAGAIN. */
static ssize_t link_slots(struct pipe *p, struct pipe_slot *slots, unsigned count)
{
	unsigned linked = 0;
	ssize_t done = 0;
	bool notify;
	int rc;

	mutex_lock(&p->lock);
	rc = p->readers ? pipe_reserve_locked(p, count) : -EPIPE;
	notify = !p->count || p->polled;
	while (!rc && linked < count && !pipe_full_locked(p)) {
		pipe_push_locked(p, &slots[linked]);
		done += slots[linked++].size;
	}
	mutex_unlock(&p->lock);
	for (unsigned i = linked; i < count; i++)
		pipe_page_put(slots[i].page);
	if (done)
		wake_readers(p, notify);
	if (rc)
		return rc;
	return done ? done : -EAGAIN;
}

/* One round: pages filled outside the lock, then linked. */
static ssize_t write_slots(struct pipe *p, struct io_iter *from, unsigned room, bool packet)
{
	struct pipe_slot slots[BATCH] __attribute__((uninitialized));
	struct io_iter before = *from;
	int error;
	unsigned count = fill_slots(slots, MIN(room, BATCH), from, packet, &error);
	ssize_t done;

	if (!count)
		return error;
	done = link_slots(p, slots, count);
	*from = before;
	if (done > 0)
		io_iter_advance(from, (uint64_t)done);
	return done;
}

ssize_t pipe_write(struct pipe *p, struct io_iter *from, bool packet)
{
	ssize_t done = 0, n = 0;

	while (from->count) {
		uint32_t chars = (uint32_t)(from->count % PIPE_PAGE_SIZE);
		bool merge, broken;
		unsigned room;

		mutex_lock(&p->lock);
		broken = !p->readers;
		merge = !done && pipe_can_merge_locked(p, chars);
		room = pipe_full_locked(p) ? 0 : p->capacity - p->count;
		mutex_unlock(&p->lock);
		if (broken)
			n = -EPIPE;
		else if (merge)
			n = write_merged(p, from, chars);
		else
			n = room ? write_slots(p, from, room, packet) : -EAGAIN;
		if (n < 0)
			break;
		done += n;
	}
	return done ? done : n;
}
