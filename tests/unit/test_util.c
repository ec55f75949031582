/* SPDX-License-Identifier: Apache-2.0 */
/* Strings, numbers, hashes and lists. */
#include "tests/unit/unit.h"

#include "util/checked.h"
#include "util/hash.h"
#include "util/hash_table.h"
#include "util/json_escape.h"
#include "util/list.h"
#include "util/parse.h"
#include "util/strbuf.h"
#include "util/string_list.h"
#include "util/utf8.h"

static void test_parse_u64(void **state)
{
	static const struct {
		const char *text;
		unsigned base;
		uint64_t max;
		int error;
		uint64_t value;
	} rows[] = {
		{ "0", 10, UINT64_MAX, 0, 0 },
		{ "18446744073709551615", 10, UINT64_MAX, 0, UINT64_MAX },
		{ "18446744073709551616", 10, UINT64_MAX, -ERANGE, 0 },
		{ "99999999999999999999999x", 10, UINT64_MAX, -EINVAL, 0 },
		{ "256", 10, 255, -ERANGE, 0 },
		{ "007", 10, 7, 0, 7 },
		{ "0777", 8, 0777, 0, 0777 },
		{ "8", 8, 100, -EINVAL, 0 },
		{ "fF", 16, 255, 0, 255 },
		{ "", 10, 1, -EINVAL, 0 },
		{ " 1", 10, 1, -EINVAL, 0 },
		{ "1 ", 10, 1, -EINVAL, 0 },
		{ "+1", 10, 1, -EINVAL, 0 },
		{ "-1", 10, 1, -EINVAL, 0 },
		{ "0x1", 16, 1, -EINVAL, 0 },
		{ "1.0", 10, 1, -EINVAL, 0 },
		{ "1e3", 10, 9999, -EINVAL, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t value = 0;

		assert_int_equal(parse_u64(rows[i].text, rows[i].base, rows[i].max, &value),
				 rows[i].error);
		assert_true(value == rows[i].value);
	}
}

static void test_parse_i64(void **state)
{
	int64_t value = 7;
	int small;

	assert_int_equal(parse_i64("-9223372036854775808", INT64_MIN, INT64_MAX, &value), 0);
	assert_true(value == INT64_MIN);
	assert_int_equal(parse_i64("9223372036854775807", INT64_MIN, INT64_MAX, &value), 0);
	assert_true(value == INT64_MAX);
	assert_int_equal(parse_i64("9223372036854775808", INT64_MIN, INT64_MAX, &value), -ERANGE);
	assert_int_equal(parse_i64("-9223372036854775809", INT64_MIN, INT64_MAX, &value), -ERANGE);
	assert_int_equal(parse_i64("-", -1, 1, &value), -EINVAL);
	assert_int_equal(parse_i64("--1", -1, 1, &value), -EINVAL);
	assert_int_equal(parse_int("-2", -1, 1, &small), -ERANGE);
	assert_int_equal(parse_int("-1", -1, 1, &small), 0);
	assert_int_equal(small, -1);
}

static void test_parse_cpu_list(void **state)
{
	cpu_set_t set;

	assert_int_equal(parse_cpu_list("0", &set), 0);
	assert_int_equal(CPU_COUNT(&set), 1);
	assert_int_equal(parse_cpu_list("1-3,7,7", &set), 0);
	assert_int_equal(CPU_COUNT(&set), 4);
	assert_false(CPU_ISSET(0, &set));
	assert_true(CPU_ISSET(3, &set) && CPU_ISSET(7, &set));
	assert_int_equal(parse_cpu_list("", &set), -EINVAL);
	assert_int_equal(parse_cpu_list("1,", &set), -EINVAL);
	assert_int_equal(parse_cpu_list("3-1", &set), -EINVAL);
	assert_int_equal(parse_cpu_list("-1", &set), -EINVAL);
	assert_int_equal(parse_cpu_list("0-", &set), -EINVAL);
	assert_int_equal(parse_cpu_list("0-1000000", &set), -ERANGE);
	assert_int_equal(parse_cpu_list("0-100000000000000000000000000000000000000", &set), -EINVAL);
	/* Untouched by what failed. */
	assert_int_equal(CPU_COUNT(&set), 4);
}

static void test_strbuf(void **state)
{
	struct strbuf s = STRBUF_INIT;
	char *text;

	assert_string_equal(strbuf_text(&s), "");
	for (int i = 0; i < 100; i++)
		strbuf_addf(&s, "%d,", i);
	strbuf_truncate(&s, 4);
	strbuf_add_char(&s, '!');
	assert_string_equal(strbuf_text(&s), "0,1,!");
	text = strbuf_detach(&s);
	assert_string_equal(text, "0,1,!");
	free(text);
	text = strbuf_detach(&s);
	assert_string_equal(text, "");
	free(text);
	strbuf_add_bytes(&s, NULL, SIZE_MAX);
	strbuf_add(&s, "after a failure");
	assert_null(strbuf_detach(&s));
}

static void test_string_list(void **state)
{
	struct string_list list = STRING_LIST_INIT, copy = STRING_LIST_INIT;

	for (int i = 0; i < 20; i++)
		assert_int_equal(string_list_addf(&list, "K%d=v%d", i, i), 0);
	assert_int_equal(string_list_add(&list, "K1=last"), 0);
	assert_int_equal(list.count, 21);
	assert_null(list.items[21]);
	assert_string_equal(string_list_env_get(&list, "K1"), "last");
	assert_null(string_list_env_get(&list, "K"));
	assert_true(string_list_contains(&list, "K7=v7"));
	assert_int_equal(string_list_append(&copy, &list), 0);
	assert_int_equal(copy.count, 21);
	assert_int_equal(string_list_take(&copy, NULL), -ENOMEM);
	string_list_free(&list);
	string_list_free(&copy);
	string_list_free(&copy);
}

static void test_utf8(void **state)
{
	static const struct {
		const char *text;
		bool valid;
	} rows[] = {
		{ "plain", true },
		{ "\xc3\xa9", true },
		{ "\xe2\x82\xac", true },
		{ "\xf0\x9f\x90\xb3", true },
		{ "\xf4\x8f\xbf\xbf", true },
		{ "\x80", false },
		{ "\xc0\x80", false },
		{ "\xc1\xbf", false },
		{ "\xe0\x80\x80", false },
		{ "\xed\xa0\x80", false },
		{ "\xf0\x80\x80\x80", false },
		{ "\xf4\x90\x80\x80", false },
		{ "\xff", false },
		{ "\xc3", false },
		{ "\xe2\x82", false },
		{ "\xe2\x82x", false },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(utf8_valid(rows[i].text, strlen(rows[i].text)), rows[i].valid);
}

static void test_json_escape(void **state)
{
	char out[64];

	assert_int_equal(json_escape(out, sizeof(out), "a\"b\\c\n\x01\x7f"), 21);
	assert_string_equal(out, "a\\\"b\\\\c\\n\\u0001\\u007f");
	json_escape(out, sizeof(out), "x\xffy\xc3\xa9");
	assert_string_equal(out, "x\xef\xbf\xbdy\xc3\xa9");
	assert_int_equal(json_escape(out, 1, "abc"), 0);
	assert_string_equal(out, "");
	/* Cut before a character, never inside. */
	assert_int_equal(json_escape(out, 4, "ab\xc3\xa9"), 2);
	assert_int_equal(json_escape(out, 7, "a\x01z"), 1);
}

static void test_round(void **state)
{
	assert_true(round_up(1, 4096) == 4096);
	assert_true(round_up(4096, 4096) == 4096);
	assert_true(round_up(UINT64_MAX, 4096) == 0);
	assert_true(round_down(4097, 4096) == 4096);
	assert_true(is_power_of_two(1) && is_power_of_two(1ull << 63));
	assert_false(is_power_of_two(0) || is_power_of_two(6));
}

struct item {
	struct hash_node node;
	struct list_node link;
	unsigned value;
};

static void test_hash_table(void **state)
{
	enum { COUNT = 5000 };
	struct item *items = calloc(COUNT, sizeof(*items));
	struct hash_table t;
	struct hash_node *node;

	hash_table_init(&t);
	for (unsigned i = 0; i < COUNT; i++) {
		items[i].value = i;
		hash_table_insert(&t, &items[i].node, hash_u64(i / 2)); /* pairs share a hash */
	}
	for (unsigned i = 0; i < COUNT; i += 2) {
		unsigned found = 0;

		hash_table_for_each_hash(node, &t, hash_u64(i / 2))
			found += container_of(node, struct item, node)->value / 2 == i / 2;
		assert_int_equal(found, 2);
	}
	for (unsigned i = 0; i < COUNT; i += 2)
		hash_table_remove(&t, &items[i].node);
	assert_int_equal(t.count, COUNT / 2);
	while ((node = hash_table_any(&t)))
		hash_table_remove(&t, node);
	assert_int_equal(t.count, 0);
	assert_null(hash_table_find(&t, hash_u64(0)));
	hash_table_destroy(&t);
	free(items);
}

static void test_hash(void **state)
{
	assert_true(hash_string("abc") == hash_bytes("abc", 3));
	assert_true(hash_string("abc") != hash_string("abd"));
	assert_true(hash_bytes("a\0", 2) != hash_bytes("a", 1));
	assert_true(hash_bytes("12345678", 8) != hash_bytes("123456789", 9));
}

static void test_list(void **state)
{
	struct item a = { .value = 1 }, b = { .value = 2 }, c = { .value = 3 };
	struct list_node head = LIST_HEAD_INIT(head), other = LIST_HEAD_INIT(other);
	struct item *pos, *tmp;
	unsigned sum = 0;

	list_add_tail(&head, &b.link);
	list_add_head(&head, &a.link);
	list_add_tail(&other, &c.link);
	list_splice_tail(&head, &other);
	assert_true(list_empty(&other));
	list_for_each(pos, &head, link)
		sum = sum * 10 + pos->value;
	assert_int_equal(sum, 123);
	assert_ptr_equal(list_first(&head, struct item, link), &a);
	assert_ptr_equal(list_last(&head, struct item, link), &c);
	list_for_each_safe(pos, tmp, &head, link)
		list_remove(&pos->link);
	assert_true(list_empty(&head));
	assert_false(list_linked(&a.link));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_u64),   cmocka_unit_test(test_parse_i64),
		cmocka_unit_test(test_parse_cpu_list),
		cmocka_unit_test(test_strbuf),	    cmocka_unit_test(test_string_list),
		cmocka_unit_test(test_utf8),	    cmocka_unit_test(test_json_escape),
		cmocka_unit_test(test_round),	    cmocka_unit_test(test_hash_table),
		cmocka_unit_test(test_hash),	    cmocka_unit_test(test_list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
