/* SPDX-License-Identifier: Apache-2.0 */
/* Lock ranks and reference counts: what must abort does, what may happen does not. */
#include "config.h"

#include "tests/unit/unit.h"

#include "util/lock.h"
#include "util/refcount.h"

static struct mutex task = MUTEX_INIT(LOCK_RANK_TASK);
static struct mutex futex_a = MUTEX_INIT(LOCK_RANK_FUTEX);
static struct mutex futex_b = MUTEX_INIT(LOCK_RANK_FUTEX);

static void test_order(void **state) NO_LOCK_ANALYSIS
{
	mutex_lock(&task);
	mutex_lock(&futex_a);
	mutex_lock_nested(&futex_b);
	/* not the order of locking */
	mutex_unlock(&futex_a);
	mutex_unlock(&task);
	mutex_unlock(&futex_b);
	lock_assert_none_held();
}

static void test_trylock(void **state) NO_LOCK_ANALYSIS
{
	mutex_lock(&futex_a);
	assert_true(mutex_trylock(&task)); /* against the order, but never waits */
	assert_false(mutex_trylock(&futex_a));
	mutex_unlock(&task);
	mutex_unlock(&futex_a);
}

static void test_rwlock(void **state) NO_LOCK_ANALYSIS
{
	struct rwlock l;

	rwlock_init(&l, LOCK_RANK_MOUNT);
	rwlock_read_lock(&l);
	mutex_lock(&task);
	mutex_unlock(&task);
	rwlock_read_unlock(&l);
	rwlock_write_lock(&l);
	rwlock_write_unlock(&l);
	rwlock_destroy(&l);
	lock_assert_none_held();
}

#ifdef MOAT_DEBUG
static void inversion(void) NO_LOCK_ANALYSIS
{
	mutex_lock(&futex_a);
	mutex_lock(&task);
}

static void same_rank(void) NO_LOCK_ANALYSIS
{
	mutex_lock(&futex_a);
	mutex_lock(&futex_b);
}

static void recursion(void) NO_LOCK_ANALYSIS
{
	mutex_lock(&futex_a);
	mutex_lock_nested(&futex_a);
}

static void unlock_of_free(void) NO_LOCK_ANALYSIS
{
	mutex_unlock(&futex_a);
}

static void held_at_check(void) NO_LOCK_ANALYSIS
{
	mutex_lock(&futex_a);
	lock_assert_none_held();
}
#endif

static void test_inversions_abort(void **state)
{
#ifdef MOAT_DEBUG
	assert_aborts(inversion);
	assert_aborts(same_rank);
	assert_aborts(recursion);
	assert_aborts(unlock_of_free);
	assert_aborts(held_at_check);
#endif
}

static void get_of_dead(void)
{
	struct refcount r = { 0 };

	refcount_get(&r);
}

static void put_of_dead(void)
{
	struct refcount r = { 0 };

	(void)!refcount_put(&r);
}

static void test_refcount(void **state)
{
	struct refcount r;

	refcount_init(&r);
	refcount_get(&r);
	assert_false(refcount_put(&r));
	assert_true(refcount_put(&r));
	assert_false(refcount_get_unless_zero(&r));
	assert_aborts(get_of_dead);
	assert_aborts(put_of_dead);
}

static void test_refcount_saturates(void **state)
{
	struct refcount r = { REFCOUNT_SATURATED };

	refcount_get(&r);
	assert_int_equal(refcount_read(&r), REFCOUNT_SATURATED);
	assert_false(refcount_put(&r));
	assert_int_equal(refcount_read(&r), REFCOUNT_SATURATED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_trylock),
		cmocka_unit_test(test_rwlock),
		cmocka_unit_test(test_inversions_abort),
		cmocka_unit_test(test_refcount),
		cmocka_unit_test(test_refcount_saturates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
