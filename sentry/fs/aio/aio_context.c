/* SPDX-License-Identifier: Apache-2.0 */
/* Contexts of asynchronous I/O, their requests and events: see aio.h. */
#include "sentry/fs/aio/aio.h"

#include <errno.h>
#include <stdlib.h>

#include "sentry/abi/epoll.h"
#include "sentry/fs/anon/eventfd.h"
#include "sentry/mm/mm.h"
#include "sentry/vfs/file.h"
#include "util/checked.h"
#include "util/cleanup.h"

#define RING_BYTES_MAX 0x10000000ULL /* Linux's limit of a ring */
#define SANDBOX_REQUESTS_MAX 262144U /* a context may have many more than it was made for */

struct aio_table {
	struct mutex lock;	   /* LOCK_RANK_FS_PRIVATE */
	struct list_node contexts; /* by node; protected by lock */
};

static _Atomic uint64_t contexts_charged;	/* fs.aio-nr */
static _Atomic uint64_t contexts_max = 65536;	/* fs.aio-max-nr */
static _Atomic uint32_t requests_in_use;

uint64_t aio_count(void)
{
	return contexts_charged;
}

uint64_t aio_max(void)
{
	return contexts_max;
}

void aio_set_max(uint64_t max)
{
	contexts_max = max;
}

/* --- life ------------------------------------------------------------------------------ */

static int charge(uint32_t count)
{
	uint64_t old = contexts_charged;

	do {
		if (old + count > contexts_max)
			return -EAGAIN;
	} while (!atomic_compare_exchange_weak(&contexts_charged, &old, old + count));
	return 0;
}

/* What fits in the pages of Linux's ring, less what its counters keep back for each CPU. */
static int size_ring(struct aio_context *c, uint32_t count, unsigned cpus)
{
	const uint64_t entry = sizeof(struct linux_io_event);
	uint64_t events = MAX((uint64_t)count, (uint64_t)cpus * 4) * 2, batch;

	if (events > RING_BYTES_MAX / entry)
		return -EINVAL;
	c->ring_size = round_up(LINUX_AIO_RING_HEADER + (events + 2) * entry, GUEST_PAGE_SIZE);
	c->ring_count = (uint32_t)((c->ring_size - LINUX_AIO_RING_HEADER) / entry);
	batch = MAX((c->ring_count - 1) / (cpus * 4), 1);
	c->capacity = (uint32_t)((c->ring_count - 1) / batch * batch);
	return 0;
}

int aio_context_new(uint32_t count, unsigned cpus, struct aio_context **out)
{
	AUTO_FREE struct aio_context *c = calloc(1, sizeof(*c));
	int rc = c ? size_ring(c, count, cpus) : -ENOMEM;

	if (rc == 0)
		rc = charge(count);
	if (rc < 0)
		return rc;
	refcount_init(&c->refs);
	c->charged = count;
	mutex_init(&c->lock, LOCK_RANK_FS_PRIVATE);
	list_init(&c->done);
	list_init(&c->polls);
	wait_queue_init(&c->queue);
	*out = move_ptr(c);
	return 0;
}

void aio_context_put(struct aio_context *c)
{
	if (!c || !refcount_put(&c->refs))
		return;
	aio_taken_free(c, &c->done);
	atomic_fetch_sub(&contexts_charged, c->charged);
	wait_queue_destroy(&c->queue);
	mutex_destroy(&c->lock);
	free(c);
}

/* --- the table -------------------------------------------------------------------------- */

static struct aio_table *table_of(struct mm *mm)
{
	return __atomic_load_n(&mm->aio, __ATOMIC_ACQUIRE);
}

static struct aio_table *table_make(struct mm *mm)
{
	struct aio_table *table = table_of(mm), *fresh;

	if (table)
		return table;
	fresh = calloc(1, sizeof(*fresh));
	if (!fresh)
		return NULL;
	mutex_init(&fresh->lock, LOCK_RANK_FS_PRIVATE);
	list_init(&fresh->contexts);
	mutex_lock(&mm->lock);
	table = mm->aio;
	if (!table)
		__atomic_store_n(&mm->aio, table = move_ptr(fresh), __ATOMIC_RELEASE);
	mutex_unlock(&mm->lock);
	free(fresh);
	return table;
}

static struct aio_context *find_locked(struct aio_table *table, uint64_t id)
{
	struct aio_context *c;

	list_for_each(c, &table->contexts, node)
		if (c->id == id)
			return c;
	return NULL;
}

int aio_context_publish(struct mm *mm, struct aio_context *c, uint64_t id)
{
	struct aio_table *table = table_make(mm);
	int rc = 0;

	if (!table)
		return -ENOMEM;
	c->id = id;
	mutex_lock(&table->lock);
	/* Its page was unmapped behind its back. */
	if (find_locked(table, id))
		rc = -EAGAIN;
	else
		list_add_head(&table->contexts, &c->node);
	mutex_unlock(&table->lock);
	return rc;
}

struct aio_context *aio_context_lookup(struct mm *mm, uint64_t id)
{
	struct aio_table *table = table_of(mm);
	struct aio_context *c;

	if (!table)
		return NULL;
	mutex_lock(&table->lock);
	c = find_locked(table, id);
	if (c)
		refcount_get(&c->refs);
	mutex_unlock(&table->lock);
	return c;
}

bool aio_context_kill(struct mm *mm, struct aio_context *c)
{
	struct aio_table *table = table_of(mm);

	if (!aio_poll_end(c))
		return false;
	mutex_lock(&table->lock);
	list_remove(&c->node);
	mutex_unlock(&table->lock);
	wait_queue_wake_all(&c->queue, ~0U);
	aio_context_put(c); /* the table's */
	return true;
}

void aio_mm_exit(struct mm *mm)
{
	struct aio_table *table = mm->aio;
	struct aio_context *c, *next;

	if (!table)
		return;
	mm->aio = NULL; /* nobody is left to look */
	list_for_each_safe(c, next, &table->contexts, node) {
		list_remove(&c->node);
		aio_poll_end(c);
		aio_context_put(c);
	}
	mutex_destroy(&table->lock);
	free(table);
}

/* --- requests ------------------------------------------------------------------------------ */

static void request_free(struct aio_request *r)
{
	file_put(r->eventfd);
	file_put(r->file);
	free(r);
	atomic_fetch_sub(&requests_in_use, 1);
}

/* One more in @counter, which stays at or below @max. */
static bool take_place(_Atomic uint32_t *counter, uint32_t max)
{
	if (atomic_fetch_add(counter, 1) < max)
		return true;
	atomic_fetch_sub(counter, 1);
	return false;
}

int aio_request_new(struct aio_context *c, struct aio_request **out)
{
	struct aio_request *r;

	if (!take_place(&c->requests, c->capacity))
		return -EAGAIN;
	r = take_place(&requests_in_use, SANDBOX_REQUESTS_MAX) ? calloc(1, sizeof(*r)) : NULL;
	if (!r) {
		atomic_fetch_sub(&c->requests, 1);
		return -EAGAIN;
	}
	r->context = c;
	*out = r;
	return 0;
}

void aio_request_drop(struct aio_request *r)
{
	atomic_fetch_sub(&r->context->requests, 1);
	request_free(r);
}

void aio_request_complete(struct aio_request *r, int64_t result)
{
	struct aio_context *c = r->context;
	struct file *eventfd = move_ptr(r->eventfd);

	r->event.res = result;
	mutex_lock(&c->lock);
	list_add_tail(&c->done, &r->node);
	mutex_unlock(&c->lock);
	wait_queue_wake(&c->queue, LINUX_EPOLLIN);
	if (eventfd)
		eventfd_signal(eventfd);
	file_put(eventfd);
}

unsigned aio_take(struct aio_context *c, struct list_node *out, unsigned max)
{
	unsigned count = 0;

	mutex_lock(&c->lock);
	for (; count < max && !list_empty(&c->done); count++) {
		struct aio_request *r = list_first(&c->done, struct aio_request, node);

		list_remove(&r->node);
		list_add_tail(out, &r->node);
	}
	mutex_unlock(&c->lock);
	return count;
}

void aio_taken_free(struct aio_context *c, struct list_node *taken)
{
	struct aio_request *r, *next;

	list_for_each_safe(r, next, taken, node) {
		list_remove(&r->node);
		atomic_fetch_sub(&c->requests, 1);
		request_free(r);
	}
}

void aio_taken_return(struct aio_context *c, struct list_node *taken)
{
	mutex_lock(&c->lock);
	while (!list_empty(taken)) {
		struct aio_request *r = list_last(taken, struct aio_request, node);

		list_remove(&r->node);
		list_add_head(&c->done, &r->node);
	}
	mutex_unlock(&c->lock);
	wait_queue_wake(&c->queue, LINUX_EPOLLIN);
}
