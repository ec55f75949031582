/* SPDX-License-Identifier: Apache-2.0 */
/* The command line's tables and the small parts it is made of. */
#include "tests/unit/unit.h"

#include "runtime/byte_size.h"
#include "runtime/command.h"
#include "runtime/control_client.h"
#include "runtime/container/container.h"
#include "runtime/duration.h"
#include "runtime/options.h"
#include "runtime/sanitize.h"
#include "runtime/signal_name.h"

struct sample {
	bool flag;
	const char *text;
	unsigned count;
	struct string_list list;
};

static const struct option_row sample_rows[] = {
	{ "flag", "f", OPTION_BOOL, offsetof(struct sample, flag), "a flag" },
	{ "text", "t", OPTION_STRING, offsetof(struct sample, text), "a text", "initial" },
	{ "count", NULL, OPTION_COUNT, offsetof(struct sample, count), "a count", "3" },
	{ "list", "l", OPTION_STRINGS, offsetof(struct sample, list), "a list" },
};
static const struct option_table sample_table = OPTION_TABLE(sample_rows);

/* Parses the words after the command's name; *used counts from it. */
static int parse(struct sample *s, char **argv, int *used, struct error **err)
{
	int argc = 0;

	memset(s, 0, sizeof(*s));
	options_init(&sample_table, s);
	while (argv[argc])
		argc++;
	return options_parse(&sample_table, s, argc, argv, used, err);
}

#define WORDS(...) ((char *[]){ (char[]){ "name" }, __VA_ARGS__, NULL })
#define W(text) ((char[]){ text })

static void test_options(void **state)
{
	struct error *err = NULL;
	struct sample s;
	int used;

	assert_int_equal(parse(&s, WORDS(W("-f"), W("--text=a=b"), W("-count"), W("7"), W("-l"), W("x"),
					 W("--list=y"), W("rest"), W("-f")),
			       &used, &err), 0);
	assert_true(s.flag);
	assert_string_equal(s.text, "a=b");
	assert_int_equal(s.count, 7);
	assert_int_equal(s.list.count, 2);
	assert_int_equal(used, 8);
	options_free(&sample_table, &s);

	assert_int_equal(parse(&s, WORDS(W("--flag=false"), W("--"), W("-f")), &used, &err), 0);
	assert_false(s.flag);
	assert_string_equal(s.text, "initial");
	assert_int_equal(s.count, 3);
	assert_int_equal(used, 3);
}

static void test_option_errors(void **state)
{
	struct error *err = NULL;
	struct sample s;
	int used;

	assert_int_equal(parse(&s, WORDS(W("--nosuch=1")), &used, &err), -EINVAL);
	assert_error(err, "flag provided but not defined: -nosuch");
	assert_int_equal(parse(&s, WORDS(W("-t")), &used, &err), -EINVAL);
	assert_error(err, "flag needs an argument: -t");
	assert_int_equal(parse(&s, WORDS(W("--count=-1")), &used, &err), -EINVAL);
	assert_error(err, "invalid value \"-1\" for flag -count: parse error");
	assert_int_equal(parse(&s, WORDS(W("--count=2147483648")), &used, &err), -ERANGE);
	assert_error(err, "invalid value \"2147483648\" for flag -count: value out of range");
	assert_int_equal(parse(&s, WORDS(W("--flag=maybe")), &used, &err), -EINVAL);
	assert_error(err, "invalid boolean value \"maybe\" for -flag: parse error");
	assert_int_equal(parse(&s, WORDS(W("---flag")), &used, &err), -EINVAL);
	assert_error(err, "bad flag syntax: ---flag");
}

static void check_table(const struct option_table *table, size_t size)
{
	for (size_t i = 0; i < table->count; i++) {
		const struct option_row *row = &table->rows[i];

		assert_non_null(row->name);
		assert_true(row->offset < size);
		assert_true(!row->alias || strlen(row->alias) == 1);
		for (size_t k = 0; k < i; k++) {
			assert_string_not_equal(row->name, table->rows[k].name);
			assert_true(row->offset != table->rows[k].offset);
			if (row->alias && table->rows[k].alias)
				assert_string_not_equal(row->alias, table->rows[k].alias);
		}
	}
}

static void test_command_tables(void **state)
{
	check_table(&globals_table, sizeof(struct globals));
	for (size_t i = 0; i < command_count; i++) {
		const struct command *c = commands[i];

		assert_ptr_equal(command_find(c->name), c);
		assert_non_null(c->summary);
		assert_non_null(c->usage);
		assert_non_null(c->run);
		assert_true(c->failure_status > 0);
		check_table(&c->options, c->options_size);
	}
	assert_null(command_find("nosuch"));
}

static void test_byte_sizes(void **state)
{
	static const struct {
		const char *text;
		int64_t bytes; /* -1: refused */
	} rows[] = {
		{ "0", 0 }, { "1048576", 1048576 }, { "32b", 32 }, { "4k", 4096 }, { "4K", 4096 },
		{ "4KB", 4096 }, { "4KiB", 4096 }, { "512 m", 512 << 20 }, { "1.5g", 3LL << 29 },
		{ "2T", 2LL << 40 }, { "1p", 1LL << 50 }, { "", -1 }, { "-1", -1 }, { "+1", -1 },
		{ " 1", -1 }, { "1x", -1 }, { "1kx", -1 }, { "1e3", -1 }, { "0x10", -1 }, { "inf", -1 },
		{ "nan", -1 }, { "1  k", -1 }, { "1ki", -1 }, { "9000p", -1 }, { "m", -1 },
		{ "99999999999999999999", -1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int64_t bytes = 77;
		int ret = byte_size_parse(rows[i].text, &bytes);

		if (ret != (rows[i].bytes < 0 ? -EINVAL : 0) ||
		    bytes != (rows[i].bytes < 0 ? 77 : rows[i].bytes))
			fail_msg("\"%s\": %d, %lld", rows[i].text, ret, (long long)bytes);
	}
}

static void test_durations(void **state)
{
	static const struct {
		const char *text;
		int64_t ns; /* 7: refused */
	} rows[] = {
		{ "0", 0 }, { "5s", 5000000000 }, { "300ms", 300000000 }, { "1h2m0.5s", 3720500000000 },
		{ "-2us", -2000 }, { "+1\302\265s", 1000 }, { "10ns", 10 }, { ".5s", 500000000 }, { "", 7 },
		{ "5", 7 }, { "s", 7 }, { "1e3s", 7 }, { "0x1s", 7 }, { " 1s", 7 }, { "1s ", 7 }, { "1s2", 7 },
		{ "--1s", 7 }, { "infs", 7 }, { "9999999999h", 7 }, { "1d", 7 }, { "1..5s", 7 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int64_t ns = 7;
		int ret = duration_parse(rows[i].text, &ns);

		if (ret != (rows[i].ns == 7 ? -EINVAL : 0) || ns != rows[i].ns)
			fail_msg("\"%s\": %d, %lld", rows[i].text, ret, (long long)ns);
	}
}

static void test_signals(void **state)
{
	static const struct {
		const char *text;
		int number; /* or the error */
	} rows[] = {
		{ "+9", 9 },	     { "++9", -EINVAL }, { "99999999999", -ERANGE },
		{ "KILL", 9 },	     { "SIGKILL", 9 }, { "sigkill", 9 },  { "9", 9 },
		{ "0", 0 },	     { "TERM", 15 },   { "SIGIOT", 6 },	  { "RTMIN", 34 },
		{ "SIGRTMIN+3", 37 }, { "RTMAX", 64 },  { "RTMAX-14", 50 }, { "64", 64 },
		{ "65", -ERANGE },   { "-1", -ERANGE }, { "", -EINVAL },  { "SIG", -EINVAL },
		{ "FOO", -EINVAL },  { "RTMIN+16", -EINVAL }, { "9x", -EINVAL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		int number = -1;
		int ret = signal_parse(rows[i].text, &number);

		assert_int_equal(ret, rows[i].number < 0 ? rows[i].number : 0);
		assert_int_equal(number, rows[i].number < 0 ? -1 : rows[i].number);
	}
}

static void test_sanitize(void **state)
{
	static const struct {
		const char *text;
		const char *safe;
	} rows[] = {
		{ "plain text", "plain text" },
		{ "a\nb\tc\x1b[31m\x7f", "a?b?c?[31m?" },
		{ "\xc3\xa4\xe2\x82\xac", "\xc3\xa4\xe2\x82\xac" },
		{ "x\xc2\x9by", "x??y" },
		{ "bad\xff\xc3", "bad??" },
		{ "", "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		char *copy = strdup(rows[i].text);

		sanitize_text(copy);
		assert_string_equal(copy, rows[i].safe);
		free(copy);
	}
}

static void test_ids(void **state)
{
	static const char *const good[] = { "a", "A-b_c.d+1", "...", "-x" };
	static const char *const bad[] = { "", ".", "..", "a/b", "a b", "a\n", "\xc3\xa4", "a:b" };
	char longest[CONTAINER_ID_MAX + 2];
	struct error *err = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_int_equal(container_check_id(good[i], &err), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(container_check_id(bad[i], &err), -EINVAL);
		error_free(err);
		err = NULL;
	}
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(container_check_id(longest, &err), -EINVAL);
	error_free(err);
}

static void test_exit_codes(void **state)
{
	assert_int_equal(control_exit_code(0), 0);
	assert_int_equal(control_exit_code(42 << 8), 42);
	assert_int_equal(control_exit_code(255 << 8), 255);
	assert_int_equal(control_exit_code(9), 137);
	assert_int_equal(control_exit_code(11 | 0x80), 139);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),	  cmocka_unit_test(test_option_errors),
		cmocka_unit_test(test_command_tables), cmocka_unit_test(test_signals),
		cmocka_unit_test(test_byte_sizes), cmocka_unit_test(test_durations),
		cmocka_unit_test(test_sanitize),  cmocka_unit_test(test_ids),
		cmocka_unit_test(test_exit_codes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
