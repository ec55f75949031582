/* SPDX-License-Identifier: Apache-2.0 */
/* What systemd is asked for: names of units, values of properties, and where the cgroups are. */
#include "tests/unit/unit.h"

#include <sched.h>

#include "runtime/cgroup/cgroup.h"
#include "runtime/systemd/unit_name.h"
#include "runtime/systemd/unit_properties.h"
#include "runtime/systemd/value_text.h"
#include "util/parse.h"

static void check_slice(const char *slice, const char *expected)
{
	struct error *err = NULL;
	char *path = NULL;
	int ret = unit_slice_expand(slice, &path, &err);

	if (expected) {
		assert_int_equal(ret, 0);
		assert_string_equal(path, expected);
	} else {
		assert_int_equal(ret, -EINVAL);
		assert_null(path);
		error_free(err);
	}
	free(path);
}

static void test_slices(void **state)
{
	check_slice("system.slice", "/system.slice");
	check_slice("a-b-c.slice", "/a.slice/a-b.slice/a-b-c.slice");
	check_slice("-.slice", "");
	check_slice("a.b.slice", "/a.b.slice");
	check_slice(".slice", NULL);
	check_slice("--.slice", NULL);
	check_slice("a-.slice", NULL);
	check_slice("-a.slice", NULL);
	check_slice("a--b.slice", NULL);
	check_slice("a/b.slice", NULL);
	check_slice("../a.slice", NULL);
	check_slice("system", NULL);
	check_slice("", NULL);
}

static void check_unit(const char *path, bool user, const char *slice, const char *unit)
{
	struct error *err = NULL;
	struct unit_name name;
	int ret = unit_name_parse(path, "id1", user, &name, &err);

	if (!unit) {
		assert_int_equal(ret, -EINVAL);
		assert_null(name.unit);
		error_free(err);
		return;
	}
	assert_int_equal(ret, 0);
	assert_string_equal(name.slice, slice);
	assert_string_equal(name.unit, unit);
	unit_name_free(&name);
}

static void test_units(void **state)
{
	char longest[300], unit[sizeof(longest) + 8];

	check_unit(NULL, false, "system.slice", "runc-id1.scope");
	check_unit("", true, "user.slice", "runc-id1.scope");
	check_unit("a-b.slice:docker:x", true, "a-b.slice", "docker-x.scope");
	check_unit("::", false, "system.slice", "-.scope");
	check_unit(":p:n.slice", false, "system.slice", "n.slice");
	check_unit("a.slice:b", false, NULL, NULL);
	check_unit("a.slice:b:c:d", false, NULL, NULL);
	check_unit("/a/b", false, NULL, NULL);
	check_unit("a:b:c", false, NULL, NULL);
	check_unit("a.slice:b:c/d", false, NULL, NULL);
	check_unit("a.slice:b:../../c", false, NULL, NULL);
	check_unit("a.slice:b/:c", false, NULL, NULL);
	check_unit("a.slice:b:c d", false, NULL, NULL);
	check_unit("a.slice:b:c\n", false, NULL, NULL);
	check_unit("a b.slice:b:c", false, NULL, NULL);
	memset(longest, 'x', sizeof(longest));
	memcpy(longest, "::", 2);
	/* "-" and ".scope" are added. */
	longest[2 + 255 - 7 + 1] = '\0';
	check_unit(longest, false, NULL, NULL);
	longest[2 + 255 - 7] = '\0';
	snprintf(unit, sizeof(unit), "-%s.scope", longest + 2);
	check_unit(longest, false, "system.slice", unit);
}

/* As the host's own reading of such lists. */
static void test_cpu_lists(void **state)
{
	static const char *const lists[] = { "0", "7", "8", "0-1", "9", "0,8,16", "3-12,1", "1023" };
	static const char *const bad[] = { "", ",", "x", "1-0", "1-", "-1", "1 2", "8192", "0-8192",
					   "99999999999999999999", "0x1", "1-2-3" };
	uint8_t *bits = NULL;
	size_t count;

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		cpu_set_t set;

		assert_int_equal(parse_cpu_list(lists[i], &set), 0);
		assert_int_equal(unit_cpu_list_bits(lists[i], &bits, &count), 0);
		assert_true(count <= sizeof(set));
		assert_memory_equal(bits, &set, count);
		assert_int_not_equal(bits[count - 1], 0);
		for (size_t j = count; j < sizeof(set); j++)
			assert_int_equal(((uint8_t *)&set)[j], 0);
		free(bits);
	}
	assert_int_equal(unit_cpu_list_bits(" 0 ,, 1\n", &bits, &count), 0);
	assert_int_equal(count, 1);
	assert_int_equal(bits[0], 3);
	free(bits);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_true(unit_cpu_list_bits(bad[i], &bits, &count) < 0);
}

static void check_value(const char *text, const char *signature)
{
	struct error *err = NULL;
	struct value value = { 0 };
	int ret = value_text_parse(text, &value, &err);
	char *found;

	if (!signature) {
		if (ret == 0)
			fail_msg("accepted: %s", text);
		error_free(err);
		return;
	}
	if (ret < 0)
		fail_msg("%s: %s", text, error_message(err));
	found = value_signature(&value);
	assert_string_equal(found, signature);
	free(found);
	value_free(&value);
}

static void test_values(void **state)
{
	static const struct {
		const char *text, *signature;
	} rows[] = {
		{ "1", "i" }, { " -1 ", "i" }, { "1.5", "d" }, { "1e3", "d" }, { "byte 255", "y" },
		{ "byte 256", NULL }, { "int16 -32768", "n" }, { "int16 32768", NULL }, { "uint16 65535", "q" },
		{ "int64 -9223372036854775808", "x" }, { "uint64 18446744073709551615", "t" },
		{ "uint64 18446744073709551616", NULL }, { "double 1", "d" }, { "1.2.3", NULL }, { "2147483648", NULL },
		{ "0x7fffffff", "i" }, { "0x80000000", NULL }, { "017", "i" }, { "08", NULL }, { "1x", NULL },
		{ "true", "b" }, { "boolean true", "b" }, { "truex", NULL }, { "uint32 true", NULL },
		{ "'a'", "s" }, { "\"a'b\"", "s" }, { "'a\\'b'", "s" }, { "'\\u00e4\\U0001f600'", "s" },
		{ "'\\ud800'", NULL }, { "'\\u0000'", NULL }, { "'\\U00110000'", NULL }, { "'\\u12'", NULL },
		{ "'a", NULL }, { "'a\\", NULL }, { "objectpath '/a'", "o" }, { "signature 'as'", "g" },
		{ "string 1", NULL }, { "b'ab'", "ay" }, { "@ay b'ab'", "ay" }, { "@as b'ab'", NULL },
		{ "[1, 2]", "ai" }, { "[1, 2.5]", "ad" }, { "[uint32 1, 2]", "au" }, { "[1, uint32 2]", "au" },
		{ "[byte 1, uint32 2]", NULL }, { "['a', 1]", NULL }, { "[]", NULL }, { "@as []", "as" },
		{ "@at [1]", "at" }, { "@t 1", "t" }, { "[[1], [2, 3]]", "aai" }, { "[1", NULL }, { "[1 2]", NULL },
		{ "[,]", NULL }, { "<1>", "v" }, { "[<1>, <'a'>]", "av" }, { "<1", NULL }, { "@v <1>", "v" },
		{ "@a{sv} {}", NULL }, { "{'a': 1}", NULL }, { "(1, 2)", NULL }, { "@zz 1", NULL }, { "@ 1", NULL },
		{ "@a 1", NULL }, { "uint32 uint32 1", NULL }, { "@u @u 1", NULL }, { "", NULL }, { "1 2", NULL },
		{ "nothing", NULL }, { "-", NULL }, { "inf", NULL }, { "nan", NULL }, { "1e999", NULL },
		{ "[[[[[[[[[[[[1]]]]]]]]]]]]", NULL }, { "<<<<<<<<<<<<1>>>>>>>>>>>>", NULL },
		{ "00000000000000000000000000000000000000000000000000000000000000000001", NULL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		check_value(rows[i].text, rows[i].signature);
}

#define V1_MOUNTS                                                                            \
	"31 30 0:27 / /sys/fs/cgroup/systemd rw shared:10 - cgroup cgroup rw,name=systemd\n" \
	"34 30 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
#define HYBRID_MOUNT "37 30 0:33 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
#define V2_MOUNT "36 24 0:32 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"

static void locate(const char *below, const char *mounts, const char *membership, struct cgroup_set *set,
		   int expected)
{
	char *m = strdup(mounts), *own = strdup(membership);

	memset(set, 0, sizeof(*set));
	assert_int_equal(cgroup_locate_unit_in(below, m, own, set), expected);
	free(m);
	free(own);
}

static void test_locate(void **state)
{
	struct cgroup_set set;

	locate("/a.slice/x.scope", V1_MOUNTS HYBRID_MOUNT,
	       "3:memory:/init.scope\n1:name=systemd:/init.scope\n0::/init.scope\n", &set, 0);
	assert_int_equal(set.count, 3);
	assert_false(cgroup_set_is_v2(&set));
	assert_string_equal(cgroup_dir_find(&set, "memory")->path, "/sys/fs/cgroup/memory/a.slice/x.scope");
	assert_string_equal(cgroup_dir_find(&set, "name=systemd")->path,
			    "/sys/fs/cgroup/systemd/a.slice/x.scope");
	assert_string_equal(cgroup_dir_find(&set, "none")->path, "/sys/fs/cgroup/unified/a.slice/x.scope");
	cgroup_set_free(&set);

	/* A systemd that is itself in a container's cgroup. */
	locate("/a.slice/x.scope", V1_MOUNTS, "3:memory:/docker/y\n1:name=systemd:/docker/y/init.scope\n", &set, 0);
	assert_int_equal(set.count, 2);
	assert_string_equal(cgroup_dir_find(&set, "memory")->path,
			    "/sys/fs/cgroup/memory/docker/y/a.slice/x.scope");
	assert_string_equal(cgroup_dir_find(&set, "name=systemd")->path,
			    "/sys/fs/cgroup/systemd/docker/y/a.slice/x.scope");
	cgroup_set_free(&set);

	locate("/a.slice/x.scope", V2_MOUNT, "0::/init.scope\n", &set, 0);
	assert_true(cgroup_set_is_v2(&set));
	assert_string_equal(cgroup_dir_find(&set, "memory")->path, "/sys/fs/cgroup/a.slice/x.scope");
	cgroup_set_free(&set);

	/* A hierarchy of v1 that somebody has beside. */
	locate("/a.slice/x.scope", V2_MOUNT "40 36 0:35 / /sys/fs/cgroup/net_cls rw - cgroup net_cls rw,net_cls\n",
	       "1:net_cls:/init.scope\n0::/init.scope\n", &set, 0);
	assert_int_equal(set.count, 1);
	assert_true(cgroup_set_is_v2(&set));
	cgroup_set_free(&set);

	locate("/a.slice/x.scope", V1_MOUNTS, "3:memory:/../..\n", &set, -EXDEV);
	cgroup_set_free(&set);
	locate("/../x.scope", V2_MOUNT, "0::/\n", &set, -EXDEV);
	cgroup_set_free(&set);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slices),	  cmocka_unit_test(test_units),
		cmocka_unit_test(test_cpu_lists), cmocka_unit_test(test_values),
		cmocka_unit_test(test_locate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
