/* SPDX-License-Identifier: Apache-2.0 */
/* Contexts of asynchronous I/O: their sizes, their table, places and events, polls. */
#include "tests/unit/unit.h"

#include <errno.h>
#include <sched.h>

#include "sentry/abi/epoll.h"
#include "sentry/abi/fs.h"
#include "sentry/fs/aio/aio.h"
#include "sentry/fs/anon/epoll.h"
#include "sentry/fs/anon/eventfd.h"
#include "sentry/mm/mm.h"
#include "sentry/mm/usercopy.h"
#include "sentry/vfs/vfs.h"

static struct mm mm; /* nothing but its table and lock is looked at */

static int setup_all(void **state)
{
	assert_int_equal(vfs_init(), 0);
	epoll_init();
	mutex_init(&mm.lock, LOCK_RANK_MM);
	return 0;
}

static struct aio_context *new_context(uint32_t count)
{
	struct aio_context *c;

	assert_int_equal(aio_context_new(count, 2, &c), 0);
	return c;
}

static struct file *new_event(uint32_t count)
{
	struct file *file;

	assert_int_equal(eventfd_file_new(count, false, 0, &file), 0);
	return file;
}

static void add_value(struct file *event, uint64_t value)
{
	struct io_iter it;

	io_iter_init_buffer(&it, &value, sizeof(value));
	assert_int_equal(vfs_write(event, &it, NULL, UINT64_MAX), sizeof(value));
}

static void test_sizes(void **state)
{
	static const uint32_t refused[] = { 4194305, 8388608, UINT32_MAX };
	struct aio_context *c = new_context(1), *other;

	assert_int_equal(c->ring_size, 4096);
	assert_int_equal(c->ring_count, 127);
	assert_int_equal(c->capacity, 120);
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		assert_int_equal(aio_context_new(refused[i], 2, &other), -EINVAL);
	assert_int_equal(aio_count(), 1);
	assert_int_equal(aio_context_new(65536, 2, &other), -EAGAIN);
	assert_int_equal(aio_context_new(65535, 2, &other), 0);
	assert_true(other->capacity >= 65535);
	aio_context_put(other);
	aio_set_max(1);
	assert_int_equal(aio_context_new(1, 2, &other), -EAGAIN);
	assert_int_equal(aio_count(), 1);
	aio_context_put(c);
	assert_int_equal(aio_count(), 0);
	aio_set_max(65536);
}

static void test_table(void **state)
{
	struct aio_context *c = new_context(1), *twin = new_context(1), *found;

	assert_null(aio_context_lookup(&mm, 0x1000));
	assert_int_equal(aio_context_publish(&mm, c, 0x1000), 0);
	assert_int_equal(aio_context_publish(&mm, twin, 0x1000), -EAGAIN);
	assert_int_equal(aio_context_publish(&mm, twin, 0x2000), 0);
	assert_null(aio_context_lookup(&mm, 0x1001));
	found = aio_context_lookup(&mm, 0x1000);
	assert_ptr_equal(found, c);
	assert_true(aio_context_kill(&mm, found));
	assert_false(aio_context_kill(&mm, found));
	assert_null(aio_context_lookup(&mm, 0x1000));
	aio_context_put(found);
	aio_mm_exit(&mm);
	assert_null(mm.aio);
	assert_int_equal(aio_count(), 0);
}

static void test_places(void **state)
{
	struct aio_context *c = new_context(1);
	struct file *event = new_event(0);
	struct list_node taken;
	struct aio_request *r;

	for (uint32_t i = 0; i < c->capacity; i++) {
		assert_int_equal(aio_request_new(c, &r), 0);
		r->event.data = i;
		r->eventfd = file_get(event);
		aio_request_complete(r, -(int64_t)i);
	}
	assert_int_equal(aio_request_new(c, &r), -EAGAIN);
	assert_int_equal(vfs_poll(event) & LINUX_EPOLLIN, LINUX_EPOLLIN);
	list_init(&taken);
	assert_int_equal(aio_take(c, &taken, 3), 3);
	aio_taken_return(c, &taken);
	assert_true(list_empty(&taken));
	assert_int_equal(aio_request_new(c, &r), -EAGAIN);
	assert_int_equal(aio_take(c, &taken, 2), 2);
	r = list_first(&taken, struct aio_request, node);
	assert_int_equal(r->event.data, 0);
	r = list_last(&taken, struct aio_request, node);
	assert_int_equal(r->event.data, 1);
	assert_int_equal(r->event.res, -1);
	aio_taken_free(c, &taken);
	assert_int_equal(aio_request_new(c, &r), 0);
	aio_request_drop(r);
	assert_int_equal(aio_request_new(c, &r), 0);
	aio_request_drop(r);
	aio_context_put(c);
	assert_int_equal(refcount_read(&event->refs), 1);
	file_put(event);
}

static struct aio_request *new_poll(struct aio_context *c, struct file *file, uint64_t obj)
{
	struct aio_request *r;

	assert_int_equal(aio_request_new(c, &r), 0);
	r->file = file_get(file);
	r->events = LINUX_EPOLLIN | LINUX_EPOLLERR | LINUX_EPOLLHUP;
	r->event.obj = obj;
	return r;
}

/* The next event, which comes by itself. */
static struct linux_io_event next_event(struct aio_context *c)
{
	struct linux_io_event event;
	struct list_node taken;

	list_init(&taken);
	while (!aio_take(c, &taken, 1))
		sched_yield();
	event = list_first(&taken, struct aio_request, node)->event;
	aio_taken_free(c, &taken);
	return event;
}

static void test_polls(void **state)
{
	struct file *quiet = new_event(0), *ready = new_event(1);
	struct aio_context *c = new_context(1);
	struct list_node taken;
	struct aio_request *r;

	list_init(&taken);
	assert_int_equal(aio_poll_submit(new_poll(c, ready, 1)), 0);
	assert_int_equal(next_event(c).res, LINUX_EPOLLIN);
	assert_int_equal(aio_poll_submit(new_poll(c, quiet, 2)), 0);
	assert_int_equal(aio_poll_submit(new_poll(c, quiet, 3)), 0);
	assert_int_equal(aio_take(c, &taken, 1), 0);
	assert_false(aio_poll_cancel(c, 1));
	assert_true(aio_poll_cancel(c, 3));
	assert_int_equal(next_event(c).obj, 3);
	add_value(quiet, 1);
	assert_int_equal(next_event(c).obj, 2);
	file_put(quiet);
	/* What waits when the context ends is over, and nothing begins after. */
	quiet = new_event(0);
	assert_int_equal(aio_poll_submit(new_poll(c, quiet, 4)), 0);
	assert_true(aio_poll_end(c));
	assert_false(aio_poll_end(c));
	assert_int_equal(next_event(c).res, 0);
	r = new_poll(c, ready, 5);
	assert_int_equal(aio_poll_submit(r), -EINVAL);
	aio_request_drop(r);
	assert_int_equal(refcount_read(&quiet->refs), 1);
	add_value(quiet, 1);
	file_put(quiet);
	file_put(ready);
	aio_context_put(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_polls),
	};

	return cmocka_run_group_tests(tests, setup_all, NULL);
}
