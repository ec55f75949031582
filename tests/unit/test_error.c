/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

static void test_chain(void **state)
{
	struct error *err = NULL;

	assert_int_equal(error_set_errno(&err, -EACCES, "mount %s", "/proc"), -EACCES);
	assert_int_equal(error_wrap(&err, "create %s", "web"), -EACCES);
	assert_int_equal(error_code(err), -EACCES);
	assert_error(err, "create web: mount /proc: permission denied");
}

static void test_plain(void **state)
{
	struct error *err = NULL;

	assert_int_equal(error_set(&err, -EINVAL, "args must not be empty"), -EINVAL);
	assert_error(err, "args must not be empty");
}

static void test_nobody_asks(void **state)
{
	assert_int_equal(error_set(NULL, -EINVAL, "unheard"), -EINVAL);
	assert_int_equal(error_set_errno(NULL, -EIO, "unheard"), -EIO);
	error_free(NULL);
	assert_int_equal(error_code(NULL), 0);
}

static void test_long_message(void **state)
{
	struct error *err = NULL;
	char text[5001];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	error_set(&err, -EINVAL, "%s", text);
	assert_error(err, text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chain),
		cmocka_unit_test(test_plain),
		cmocka_unit_test(test_nobody_asks),
		cmocka_unit_test(test_long_message),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
