/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Moving bytes between a pipe and sentry memory, and from pipe to pipe (tee):
 * the parts that splice(2), vmsplice(2), tee(2) and sendfile(2) are built of.
 */
#include "sentry/fs/pipe/pipe_internal.h"

#include <errno.h>
#include <string.h>

#include "sentry/abi/epoll.h"
#include "sentry/mm/usercopy.h"
#include "util/checked.h"

ssize_t pipe_read_to_buffer(struct pipe *p, void *buffer, size_t size)
{
	struct io_iter to;

	io_iter_init_buffer(&to, buffer, size);
	return pipe_read(p, &to);
}

ssize_t pipe_write_from_buffer(struct pipe *p, const void *buffer, size_t size)
{
	struct io_iter from;

	io_iter_init_buffer(&from, (void *)(uintptr_t)buffer, size);
	return pipe_write(p, &from, false);
}

int pipe_unread(struct pipe *p, const void *buffer, size_t size)
{
	const char *bytes = buffer;
	int rc = 0;

	/* From the end, so that the front is in order when done. */
	while (size && !rc) {
		uint32_t chunk = (uint32_t)((size - 1) % PIPE_PAGE_SIZE + 1);
		struct pipe_slot slot = { .page = pipe_page_new(), .size = chunk };

		if (!slot.page)
			return -ENOMEM;
		size -= chunk;
		memcpy(slot.page->data, bytes + size, chunk);
		mutex_lock(&p->lock);
		rc = pipe_reserve_locked(p, 1);
		if (!rc)
			pipe_push_front_locked(p, &slot);
		mutex_unlock(&p->lock);
		if (rc)
			pipe_page_put(slot.page);
	}
	wait_queue_wake(&p->queue, LINUX_EPOLLIN | LINUX_EPOLLRDNORM);
	return rc;
}

#define TEE_BATCH 16

/* References on the first slots of @in, up to @size bytes. */
static unsigned share_slots(struct pipe *in, size_t size, struct pipe_slot *slots, bool *at_end)
{
	unsigned count = 0;

	mutex_lock(&in->lock);
	*at_end = !in->writers && !in->count;
	while (count < TEE_BATCH && count < in->count && size) {
		slots[count] = *pipe_slot_locked(in, count);
		slots[count].can_merge = false;
		slots[count].size = (uint32_t)MIN(size, slots[count].size);
		refcount_get(&slots[count].page->refs);
		size -= slots[count++].size;
	}
	mutex_unlock(&in->lock);
	return count;
}

ssize_t pipe_tee(struct pipe *in, struct pipe *out, size_t size, bool *wait_in)
{
	struct pipe_slot slots[TEE_BATCH];
	unsigned count, linked = 0;
	bool at_end, notify = false;
	ssize_t done = 0;
	int rc;

	if (in == out)
		return -EINVAL;
	count = share_slots(in, size, slots, &at_end);
	*wait_in = !count;
	if (!count)
		return at_end || !size ? 0 : -EAGAIN;
	mutex_lock(&out->lock);
	rc = out->readers ? pipe_reserve_locked(out, count) : -EPIPE;
	notify = !out->count || out->polled;
	while (!rc && linked < count && !pipe_full_locked(out)) {
		pipe_push_locked(out, &slots[linked]);
		done += slots[linked++].size;
	}
	mutex_unlock(&out->lock);
	for (unsigned i = linked; i < count; i++)
		pipe_page_put(slots[i].page);
	if (done && notify)
		wait_queue_wake(&out->queue, LINUX_EPOLLIN | LINUX_EPOLLRDNORM);
	if (done)
		async_report(&out->async, ASYNC_IN);
	if (rc)
		return rc;
	return done ? done : -EAGAIN;
}
