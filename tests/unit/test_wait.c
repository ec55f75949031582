/* SPDX-License-Identifier: Apache-2.0 */
/* Sleepers that are shelved: each wake is seen once, by the shelver or by unshelve(). */
#include "config.h"

#include "tests/unit/unit.h"

#include <pthread.h>
#include <sched.h>
#include <time.h>

#include "sentry/wait/wait.h"

#define ROUNDS 100000

struct shelf {
	struct sleeper sleeper;
	struct wait_queue queue;
	_Atomic int state;
	_Atomic unsigned unshelved;
	_Atomic bool stop;
};

static void unshelve(struct sleeper *s)
{
	struct shelf *shelf = container_of(s, struct shelf, sleeper);

	assert_int_equal(atomic_load(&shelf->state), 'R');
	atomic_fetch_add(&shelf->unshelved, 1);
}

static void shelf_init(struct shelf *s)
{
	*s = (struct shelf){ .state = 'R' };
	sleeper_init(&s->sleeper);
	s->sleeper.state = &s->state;
	s->sleeper.unshelve = unshelve;
	wait_queue_init(&s->queue);
}

static void test_wake(void **state)
{
	struct shelf s;

	shelf_init(&s);
	assert_true(sleeper_shelve(&s.sleeper));
	assert_int_equal(s.state, 'S');
	sleeper_wake(&s.sleeper);
	sleeper_wake(&s.sleeper);
	assert_int_equal(s.unshelved, 1);
	/* The second wake came while it was awake. */
	assert_false(sleeper_shelve(&s.sleeper));
	assert_int_equal(s.state, 'R');
	assert_true(sleeper_shelve(&s.sleeper));
	sleeper_wake(&s.sleeper);
	assert_int_equal(s.unshelved, 2);
}

static void test_interrupt(void **state)
{
	struct shelf s;

	shelf_init(&s);
	assert_true(sleeper_shelve(&s.sleeper));
	sleeper_interrupt(&s.sleeper);
	assert_int_equal(s.unshelved, 1);
	/* Sticky. */
	assert_false(sleeper_shelve(&s.sleeper));
	assert_false(sleeper_shelve(&s.sleeper));
	sleeper_clear_interrupt(&s.sleeper);
	assert_true(sleeper_shelve(&s.sleeper));
	sleeper_kill(&s.sleeper);
	assert_int_equal(s.unshelved, 2);
	sleeper_clear_interrupt(&s.sleeper);
	assert_false(sleeper_shelve(&s.sleeper));
}

/* What was in a queue before it was shelved is woken through it. */
static void test_queue(void **state)
{
	struct wait_entry e;
	struct shelf s;

	shelf_init(&s);
	sleeper_set_current(&s.sleeper);
	assert_false(wait_interrupted());
	wait_begin(&e, &s.queue, 1);
	sleeper_set_current(NULL);
	assert_true(sleeper_shelve(&s.sleeper));
	wait_queue_wake(&s.queue, 2);
	assert_int_equal(s.unshelved, 0);
	wait_queue_wake(&s.queue, 1);
	assert_int_equal(s.unshelved, 1);
	wait_end(&e);
	wait_queue_destroy(&s.queue);
}

static void *waker(void *arg)
{
	struct shelf *s = arg;

	while (!atomic_load(&s->stop)) {
		sleeper_wake(&s->sleeper);
		sched_yield();
	}
	return NULL;
}

static bool time_is_up(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec > start->tv_sec + 1;
}

/* While another thread wakes it all the time: of each shelving there is one unshelve(). */
static void test_race(void **state)
{
	unsigned shelved = 0;
	struct timespec start;
	struct shelf s;
	pthread_t thread;

	shelf_init(&s);
	clock_gettime(CLOCK_MONOTONIC, &start);
	assert_int_equal(pthread_create(&thread, NULL, waker, &s), 0);
	for (unsigned i = 0; i < ROUNDS && !time_is_up(&start); i++) {
		if (!sleeper_shelve(&s.sleeper))
			continue;
		shelved++;
		while (atomic_load(&s.unshelved) != shelved)
			sched_yield();
	}
	atomic_store(&s.stop, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(s.unshelved, shelved);
	assert_true(shelved > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_wake),
		cmocka_unit_test(test_interrupt),
		cmocka_unit_test(test_queue),
		cmocka_unit_test(test_race),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
