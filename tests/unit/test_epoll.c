/* SPDX-License-Identifier: Apache-2.0 */
/* epoll over eventfds: triggering modes, fairness, nesting, closing, waking; timerfd. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sentry/abi/fs.h"
#include "sentry/fs/anon/epoll.h"
#include "sentry/fs/anon/eventfd.h"
#include "sentry/fs/anon/timerfd.h"
#include "sentry/kernel/timer.h"
#include "sentry/mm/usercopy.h"
#include "sentry/vfs/vfs.h"

static int setup_all(void **state)
{
	assert_int_equal(vfs_init(), 0);
	assert_int_equal(timer_service_start(), 0);
	epoll_init();
	return 0;
}

static struct file *new_epoll(void)
{
	struct file *file;

	assert_int_equal(epoll_file_new(0, &file), 0);
	return file;
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

static ssize_t take_value(struct file *event, uint64_t *value)
{
	struct io_iter it;

	io_iter_init_buffer(&it, value, sizeof(*value));
	return vfs_read(event, &it, NULL);
}

static int control(struct file *ep, int op, struct file *target, int fd, uint32_t events)
{
	struct linux_epoll_event event = { .events = events, .data = (uint64_t)fd };

	return epoll_control(ep, op, target, fd, &event);
}

static int collect(struct file *ep, struct epoll_ready *out, int max)
{
	return epoll_wait_collect(epoll_from_file(ep), out, max, 0);
}

static void test_level(void **state)
{
	struct file *ep = new_epoll(), *event = new_event(0);
	struct epoll_ready out[4];
	uint64_t value;

	assert_int_equal(control(ep, LINUX_EPOLL_CTL_ADD, event, 5, LINUX_EPOLLIN), 0);
	assert_int_equal(control(ep, LINUX_EPOLL_CTL_ADD, event, 5, LINUX_EPOLLIN), -EEXIST);
	assert_int_equal(control(ep, LINUX_EPOLL_CTL_MOD, event, 6, LINUX_EPOLLIN), -ENOENT);
	assert_int_equal(collect(ep, out, 4), 0);
	add_value(event, 3);
	assert_int_equal(collect(ep, out, 4), 1);
	assert_int_equal(out[0].event.events, LINUX_EPOLLIN);
	assert_int_equal(out[0].event.data, 5);
	assert_int_equal(collect(ep, out, 4), 1);
	assert_int_equal(take_value(event, &value), 8);
	assert_int_equal(value, 3);
	assert_int_equal(collect(ep, out, 4), 0);
	assert_int_equal(control(ep, LINUX_EPOLL_CTL_DEL, event, 5, 0), 0);
	assert_int_equal(control(ep, LINUX_EPOLL_CTL_DEL, event, 5, 0), -ENOENT);
	file_put(event);
	file_put(ep);
}

static void test_edge_and_oneshot(void **state)
{
	struct file *ep = new_epoll(), *event = new_event(1);
	struct epoll_ready out[4];

	assert_int_equal(control(ep, LINUX_EPOLL_CTL_ADD, event, 1, LINUX_EPOLLIN | LINUX_EPOLLET), 0);
	assert_int_equal(collect(ep, out, 4), 1);
	assert_int_equal(collect(ep, out, 4), 0);
	add_value(event, 1);
	assert_int_equal(collect(ep, out, 4), 1);
	assert_int_equal(control(ep, LINUX_EPOLL_CTL_MOD, event, 1,
				 LINUX_EPOLLIN | LINUX_EPOLLONESHOT), 0);
	assert_int_equal(collect(ep, out, 4), 1);
	add_value(event, 1);
	assert_int_equal(collect(ep, out, 4), 0);
	/* An event that was not delivered comes again, even a one-shot. */
	assert_int_equal(control(ep, LINUX_EPOLL_CTL_MOD, event, 1,
				 LINUX_EPOLLIN | LINUX_EPOLLONESHOT), 0);
	assert_int_equal(collect(ep, out, 4), 1);
	epoll_give_back(epoll_from_file(ep), out, 1);
	assert_int_equal(collect(ep, out, 4), 1);
	assert_int_equal(collect(ep, out, 4), 0);
	file_put(ep);
	file_put(event);
}

static void test_fair(void **state)
{
	struct file *ep = new_epoll(), *events[8];
	struct epoll_ready out[3];
	unsigned seen[8] = { 0 };

	for (int i = 0; i < 8; i++) {
		events[i] = new_event(1);
		assert_int_equal(control(ep, LINUX_EPOLL_CTL_ADD, events[i], i, LINUX_EPOLLIN), 0);
	}
	for (int round = 0; round < 8; round++) {
		assert_int_equal(collect(ep, out, 3), 3);
		for (int i = 0; i < 3; i++)
			seen[out[i].event.data]++;
	}
	for (int i = 0; i < 8; i++) {
		assert_int_equal(seen[i], 3);
		file_put(events[i]); /* closing takes them out */
	}
	assert_int_equal(epoll_item_count(epoll_from_file(ep)), 0);
	assert_int_equal(collect(ep, out, 3), 0);
	file_put(ep);
}

static void test_nesting(void **state)
{
	struct file *chain[7], *event = new_event(0);
	struct epoll_ready out[2];

	for (int i = 0; i < 7; i++)
		chain[i] = new_epoll();
	assert_int_equal(control(chain[0], LINUX_EPOLL_CTL_ADD, chain[0], 0, LINUX_EPOLLIN), -EINVAL);
	for (int i = 0; i < 4; i++)
		assert_int_equal(control(chain[i], LINUX_EPOLL_CTL_ADD, chain[i + 1], i, LINUX_EPOLLIN), 0);
	assert_int_equal(control(chain[4], LINUX_EPOLL_CTL_ADD, chain[5], 4, LINUX_EPOLLIN), -ELOOP);
	assert_int_equal(control(chain[4], LINUX_EPOLL_CTL_ADD, chain[0], 4, LINUX_EPOLLIN), -ELOOP);
	assert_int_equal(control(chain[4], LINUX_EPOLL_CTL_ADD, event, 9, LINUX_EPOLLIN), 0);
	assert_int_equal(collect(chain[0], out, 2), 0);
	add_value(event, 1);
	assert_int_equal(collect(chain[0], out, 2), 1);
	assert_int_equal(vfs_poll(chain[2]), LINUX_EPOLLIN | LINUX_EPOLLRDNORM);
	for (int i = 6; i >= 0; i--)
		file_put(chain[i]);
	file_put(event);
}

static void *poke_later(void *arg)
{
	struct file *event = arg;

	add_value(event, 1);
	return NULL;
}

static void test_wake(void **state)
{
	struct file *ep = new_epoll(), *event = new_event(0);
	struct epoll_ready out;
	pthread_t thread;
	uint64_t value;

	assert_int_equal(control(ep, LINUX_EPOLL_CTL_ADD, event, 1,
				 LINUX_EPOLLIN | LINUX_EPOLLEXCLUSIVE), 0);
	assert_int_equal(control(ep, LINUX_EPOLL_CTL_MOD, event, 1, LINUX_EPOLLIN), -EINVAL);
	for (int i = 0; i < 2000; i++) {
		assert_int_equal(pthread_create(&thread, NULL, poke_later, event), 0);
		assert_int_equal(epoll_wait_collect(epoll_from_file(ep), &out, 1, DEADLINE_NONE), 1);
		assert_int_equal(take_value(event, &value), 8);
		pthread_join(thread, NULL);
	}
	file_put(ep);
	file_put(event);
}

static void test_timerfd(void **state)
{
	struct file *ep = new_epoll(), *timer;
	uint64_t value, interval, ticks;
	struct epoll_ready out;

	assert_int_equal(timerfd_file_new(LINUX_CLOCK_MONOTONIC, 0, &timer), 0);
	assert_int_equal(control(ep, LINUX_EPOLL_CTL_ADD, timer, 1, LINUX_EPOLLIN), 0);
	assert_int_equal(take_value(timer, &ticks), -EAGAIN);
	assert_int_equal(timerfd_set(timer, 0, 2000000, 1000000, &value, &interval), 0);
	assert_int_equal(value, 0);
	assert_int_equal(epoll_wait_collect(epoll_from_file(ep), &out, 1, DEADLINE_NONE), 1);
	assert_int_equal(take_value(timer, &ticks), 8);
	assert_true(ticks >= 1);
	assert_int_equal(epoll_wait_collect(epoll_from_file(ep), &out, 1, DEADLINE_NONE), 1);
	assert_int_equal(timerfd_set(timer, 0, 0, 0, &value, &interval), 0);
	assert_int_equal(interval, 1000000);
	assert_int_equal(take_value(timer, &ticks), -EAGAIN);
	file_put(timer);
	file_put(ep);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_level),	cmocka_unit_test(test_edge_and_oneshot),
		cmocka_unit_test(test_fair),	cmocka_unit_test(test_nesting),
		cmocka_unit_test(test_wake),	cmocka_unit_test(test_timerfd),
	};

	return cmocka_run_group_tests(tests, setup_all, NULL);
}
