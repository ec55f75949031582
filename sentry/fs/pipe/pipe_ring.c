/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The queue of a pipe: a growable ring of slots over reference-counted pages.
 * ring_size >= count + in_flight always holds after a reservation, so that a
 * reader can put slots back without allocating.  Guarded by pipe->lock.
 */
#include "sentry/fs/pipe/pipe_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sentry/abi/epoll.h"

struct pipe *pipe_new(void)
{
	struct pipe *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	mutex_init(&p->lock, LOCK_RANK_PIPE);
	wait_queue_init(&p->queue);
	async_list_init(&p->async);
	p->async.by_mode = true;
	p->capacity = PIPE_DEFAULT_SLOTS;
	return p;
}

void pipe_free(struct pipe *p)
{
	for (uint32_t i = 0; i < p->count; i++)
		pipe_page_put(p->ring[(p->first + i) & (p->ring_size - 1)].page);
	free(p->ring);
	async_list_destroy(&p->async);
	wait_queue_destroy(&p->queue);
	mutex_destroy(&p->lock);
	free(p);
}

struct pipe_page *pipe_page_new(void)
{
	struct pipe_page *page = malloc(sizeof(*page));

	if (page)
		refcount_init(&page->refs);
	return page;
}

void pipe_page_put(struct pipe_page *page)
{
	if (page && refcount_put(&page->refs))
		free(page);
}

bool pipe_full_locked(const struct pipe *p)
{
	return p->count >= p->capacity;
}

int pipe_reserve_locked(struct pipe *p, uint32_t count)
{
	uint32_t needed = p->count + count + p->in_flight;
	uint32_t size = p->ring_size ? p->ring_size : PIPE_DEFAULT_SLOTS;
	struct pipe_slot *ring;

	if (needed <= p->ring_size)
		return 0;
	while (size < needed)
		size *= 2;
	ring = malloc(size * sizeof(*ring));
	if (!ring)
		return -ENOMEM;
	for (uint32_t i = 0; i < p->count; i++)
		ring[i] = p->ring[(p->first + i) & (p->ring_size - 1)];
	free(p->ring);
	p->ring = ring;
	p->ring_size = size;
	p->first = 0;
	return 0;
}

struct pipe_slot *pipe_slot_locked(struct pipe *p, uint32_t index)
{
	return &p->ring[(p->first + index) & (p->ring_size - 1)];
}

void pipe_push_locked(struct pipe *p, const struct pipe_slot *slot)
{
	*pipe_slot_locked(p, p->count) = *slot;
	p->count++;
	p->bytes += slot->size;
}

void pipe_push_front_locked(struct pipe *p, const struct pipe_slot *slot)
{
	p->first = (p->first - 1) & (p->ring_size - 1);
	p->ring[p->first] = *slot;
	p->count++;
	p->bytes += slot->size;
}

void pipe_pop_locked(struct pipe *p)
{
	p->bytes -= pipe_slot_locked(p, 0)->size;
	p->first = (p->first + 1) & (p->ring_size - 1);
	p->count--;
}

bool pipe_can_merge_locked(struct pipe *p, uint32_t size)
{
	struct pipe_slot *last;

	if (!p->count || !size)
		return false;
	last = pipe_slot_locked(p, p->count - 1);
	return last->can_merge && last->offset + last->size + size <= PIPE_PAGE_SIZE;
}

void pipe_merge_locked(struct pipe *p, const void *data, uint32_t size)
{
	struct pipe_slot *last = pipe_slot_locked(p, p->count - 1);

	memcpy(last->page->data + last->offset + last->size, data, size);
	last->size += size;
	p->bytes += size;
}

uint32_t pipe_size(struct pipe *p)
{
	uint32_t slots;

	mutex_lock(&p->lock);
	slots = p->capacity;
	mutex_unlock(&p->lock);
	return slots * PIPE_PAGE_SIZE;
}

int64_t pipe_set_size(struct pipe *p, uint64_t size, bool may_exceed)
{
	uint32_t slots;
	bool grew;

	if (size > (1ULL << 31))
		return -EINVAL;
	/* Nothing is a page, too. */
	slots = 1;
	while ((uint64_t)slots * PIPE_PAGE_SIZE < size)
		slots *= 2;
	mutex_lock(&p->lock);
	if (slots > p->capacity && (uint64_t)slots * PIPE_PAGE_SIZE > PIPE_MAX_SIZE && !may_exceed) {
		mutex_unlock(&p->lock);
		return -EPERM;
	}
	if (slots < p->count) {
		mutex_unlock(&p->lock);
		return -EBUSY;
	}
	grew = slots > p->capacity && pipe_full_locked(p);
	p->capacity = slots;
	mutex_unlock(&p->lock);
	if (grew)
		wait_queue_wake(&p->queue, LINUX_EPOLLOUT | LINUX_EPOLLWRNORM);
	return (int64_t)slots * PIPE_PAGE_SIZE;
}

uint64_t pipe_bytes(struct pipe *p)
{
	uint64_t bytes;

	mutex_lock(&p->lock);
	bytes = p->bytes;
	mutex_unlock(&p->lock);
	return bytes;
}

uint64_t pipe_free_bytes(struct pipe *p)
{
	uint64_t slots;

	mutex_lock(&p->lock);
	slots = pipe_full_locked(p) ? 0 : p->capacity - p->count;
	mutex_unlock(&p->lock);
	return slots * PIPE_PAGE_SIZE;
}

struct wait_queue *pipe_wait_queue(struct pipe *p)
{
	return &p->queue;
}

bool pipe_has_readers(struct pipe *p)
{
	bool has;

	mutex_lock(&p->lock);
	has = p->readers != 0;
	mutex_unlock(&p->lock);
	return has;
}
