/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON reader's limits and errors, and the writer's layout. */
#include "tests/unit/unit.h"

#include "oci/json.h"
#include "oci/json_write.h"
#include "util/compiler.h"

static int parse(const char *text, size_t size, struct error **err)
{
	struct json_document *d = NULL;
	int error = json_parse(text, size, "f", &d, err);

	assert_true(error ? !d : d != NULL);
	json_document_free(d);
	return error;
}

static void test_accepts(void **state)
{
	static const char *const rows[] = {
		"{}", "[]", "null", " [1,2.5,-3e10,\"\\u00e9\\n\",true,false,null] ", "\"\"",
		"99999999999999999999999999999999999999", "{\"a\":{\"b\":[{}]}}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		assert_int_equal(parse(rows[i], strlen(rows[i]), NULL), 0);
}

static void test_refuses(void **state)
{
	static const char *const rows[] = {
		"", " ", "{", "[", "{]", "[}", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "[1,]", "[1 2]",
		"{a:1}", "'a'", "\"a", "\"\\x\"", "\"\\u12\"", "tru", "nul", "01", "+1", "1.", ".5",
		"-", "1e", "{}{}", "[] x", "// c\n{}", "/* c */{}", "\"\xff\"", "\"\xc0\x80\"",
		"\"a\nb\"", "\"\\u0000\"", "{\"a\\u0000b\":1}", "NaN", "Infinity", "\xef\xbb\xbf{}",
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error *err = NULL;

		if (!parse(rows[i], strlen(rows[i]), &err))
			fail_msg("accepted: %s", rows[i]);
		assert_ptr_equal(strstr(error_message(err), "f:"), error_message(err));
		assert_null(strchr(error_message(err), '\n'));
		error_free(err);
	}
	assert_int_equal(parse("{}\0", 3, NULL), -EINVAL);
}

static void test_places(void **state)
{
	struct error *err = NULL;

	parse("{\n  \"a\": \"\\u0000\"\n}", 19, &err);
	assert_non_null(strstr(error_message(err), "f:2:"));
	assert_non_null(strstr(error_message(err), "NUL character"));
	error_free(err);
}

/* Ten million brackets: refused at the limit, in no time, and without recursion. */
static void test_depth(void **state)
{
	size_t size = 10000000;
	char *text = malloc(size);
	struct error *err = NULL;

	memset(text, '[', size);
	assert_int_equal(parse(text, size, &err), -E2BIG);
	assert_non_null(strstr(error_message(err), "nested too deeply"));
	error_free(err);
	for (size_t i = 0; i < JSON_DEPTH_MAX; i++)
		text[JSON_DEPTH_MAX + i] = ']';
	assert_int_equal(parse(text, (size_t)2 * JSON_DEPTH_MAX, NULL), 0);
	free(text);
}

static void test_too_many_values(void **state)
{
	size_t size = (size_t)2 * JSON_VALUES_MAX + 3;
	char *text = malloc(size);

	for (size_t i = 0; i < size; i++)
		text[i] = i % 2 ? '1' : ',';
	text[0] = '[';
	text[size - 1] = ']';
	assert_int_equal(parse(text, size, NULL), -E2BIG);
	free(text);
}

static void test_tree(void **state)
{
	static const char text[] = "{\"a\":[1,\"x\"],\"b\":true}";
	struct json_document *d;
	const struct json_value *v;

	assert_int_equal(json_parse(text, sizeof(text) - 1, "f", &d, NULL), 0);
	v = json_root(d);
	assert_int_equal(v->kind, JSON_OBJECT);
	assert_int_equal(v->count, 2);
	assert_string_equal(v->first->key, "a");
	assert_int_equal(v->first->count, 2);
	assert_string_equal(v->first->first->text, "1");
	assert_null(v->first->first->key);
	assert_string_equal(v->first->last->text, "x");
	assert_true(v->last->boolean);
	json_document_free(d);
}

static void write_sample(struct json_writer *w)
{
	json_write_object_begin(w);
	json_put_string(w, "s", "a\"\xff");
	json_put_string(w, "n", NULL);
	json_put_array(w, "empty");
	json_write_array_end(w);
	json_put_object(w, "o");
	json_put_int(w, "i", INT64_MIN);
	json_put_uint(w, "u", UINT64_MAX);
	json_write_object_end(w);
	json_put_array(w, "a");
	json_write_bool(w, true);
	json_write_object_begin(w);
	json_write_object_end(w);
	json_write_array_end(w);
	json_write_object_end(w);
}

static void test_writer(void **state)
{
	struct json_writer w;
	char *text;

	json_writer_init(&w, NULL);
	write_sample(&w);
	text = json_writer_finish(&w);
	assert_string_equal(text, "{\"s\":\"a\\\"\xef\xbf\xbd\",\"n\":null,\"empty\":[],"
				  "\"o\":{\"i\":-9223372036854775808,\"u\":18446744073709551615},"
				  "\"a\":[true,{}]}");
	assert_int_equal(parse(text, strlen(text), NULL), 0);
	free(text);
	json_writer_init(&w, "  ");
	write_sample(&w);
	text = json_writer_finish(&w);
	assert_non_null(strstr(text, "{\n  \"s\": "));
	assert_non_null(strstr(text, "  \"empty\": [],\n  \"o\": {\n    \"i\": -"));
	assert_non_null(strstr(text, "  \"a\": [\n    true,\n    {}\n  ]\n}"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_accepts),	 cmocka_unit_test(test_refuses),
		cmocka_unit_test(test_places),	 cmocka_unit_test(test_depth),
		cmocka_unit_test(test_too_many_values),
		cmocka_unit_test(test_tree),	 cmocka_unit_test(test_writer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
