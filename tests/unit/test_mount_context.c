/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Contexts of fsopen and fspick: every sequence of a few operations, after each of which the
 * context is closed, on tmpfs and on a type whose operations fail one after the other.  What leaks
 * is found by the type's own count, by the fixture, and by a sanitizer.
 */
#include "tests/unit/vfs_fixture.h"

#include "sentry/vfs/mount_context.h"

static struct vfs_fixture fx;

/* --- a type that fails ---------------------------------------------------------------------- */

enum failing { BEGIN, SET, CREATE, RECONFIGURE, NOTHING, FAILING_COUNT };

static enum failing failing;
static int live_options, begun;

static int fake_begin(struct fs_config *c)
{
	/* The first to open it must succeed, or there is nothing to try. */
	if (failing == BEGIN && begun++ > 0)
		return -ENOMEM;
	c->options = malloc(1);
	assert_non_null(c->options);
	live_options++;
	return 0;
}

static int fake_set(struct fs_config *c, const struct fs_option_value *v)
{
	assert_non_null(c->options);
	assert_int_equal(v->number, 5);
	return failing == SET ? fs_config_invalid(c, "no") : 0;
}

static int fake_create(struct fs_config *c, struct super_block **out)
{
	assert_non_null(c->options);
	return failing == CREATE ? -EIO : tmpfs_new(NULL, c->user_ns, out);
}

static int fake_reconfigure(struct fs_config *c)
{
	assert_non_null(c->options);
	assert_non_null(c->sb);
	return failing == RECONFIGURE ? -EIO : 0;
}

static void fake_end(struct fs_config *c)
{
	live_options--;
	free(c->options);
}

static const struct fs_option fake_options[] = { { "size", FS_OPTION_NUMBER, 0, NULL } };

static const struct file_system_type fake_type = {
	.name = "fake",
	.options = fake_options,
	.option_count = ARRAY_SIZE(fake_options),
	.begin = fake_begin,
	.set = fake_set,
	.create = fake_create,
	.reconfigure = fake_reconfigure,
	.end = fake_end,
};

/* --- sequences ------------------------------------------------------------------------------ */

#define LENGTH 5

enum operation { GOOD, BAD, SOURCE, FLAG, MAKE, CHANGE, MOUNT, READ, OPERATIONS };

struct run {
	struct file *context, *trees[LENGTH];
	int made, mounted, changed;
};

static int set(struct run *r, const char *key, const char *value)
{
	const struct fs_parameter p = { key, value ? FS_VALUE_STRING : FS_VALUE_NONE, value };

	return mount_context_set(r->context, fx.root, &p);
}

static void operate(struct run *r, enum operation operation)
{
	char text[100];

	switch (operation) {
	case GOOD:
		set(r, "size", "5");
		break;
	case BAD:
		assert_int_not_equal(set(r, "nosuch", NULL), 0);
		break;
	case SOURCE:
		set(r, "source", "somewhere");
		break;
	case FLAG:
		set(r, "dirsync", NULL);
		break;
	case MAKE:
		r->made += mount_context_create(r->context, fx.root, false) == 0;
		break;
	case CHANGE:
		r->changed += mount_context_reconfigure(r->context, fx.root) == 0;
		break;
	case MOUNT:
		r->mounted +=
			mount_context_mount(r->context, fx.mounts, 0, &r->trees[r->mounted]) == 0;
		break;
	case READ:
		fx_pread(r->context, text, sizeof(text), 0);
		break;
	case OPERATIONS:
		fail();
	}
}

static int all_mounted, all_changed; /* of one test's sequences */

static void run_sequence(struct run *r, unsigned int sequence)
{
	for (int i = 0; i < LENGTH; i++) {
		operate(r, (enum operation)(sequence % OPERATIONS));
		sequence /= OPERATIONS;
	}
	assert_true(r->made <= 1);
	assert_true(r->mounted <= r->made);
	all_mounted += r->mounted;
	all_changed += r->changed;
	file_put(r->context);
	for (int i = 0; i < r->mounted; i++)
		file_put(r->trees[i]);
}

static unsigned int sequence_count(void)
{
	unsigned int count = 1;

	for (int i = 0; i < LENGTH; i++)
		count *= OPERATIONS;
	return count;
}

static int setup(void **state)
{
	vfs_fixture_start(&fx, NULL);
	all_mounted = all_changed = 0;
	return 0;
}

static int teardown(void **state)
{
	vfs_fixture_end(&fx);
	return 0;
}

static void test_tmpfs(void **state)
{
	const struct file_system_type *type = file_system_find("tmpfs");

	assert_non_null(type);
	for (unsigned int i = 0; i < sequence_count(); i++) {
		struct run r = { 0 };

		assert_int_equal(mount_context_open(type, fx.root, &r.context), 0);
		run_sequence(&r, i);
	}
	assert_true(all_mounted > 0);
	assert_true(all_changed > 0);
}

static void test_failures(void **state)
{
	for (failing = BEGIN; failing < FAILING_COUNT; failing++) {
		for (unsigned int i = 0; i < sequence_count(); i++) {
			struct run r = { 0 };

			begun = 0;
			assert_int_equal(mount_context_open(&fake_type, fx.root, &r.context), 0);
			run_sequence(&r, i);
			assert_int_equal(live_options, 0);
		}
	}
	failing = BEGIN;
	begun = 1;
	assert_int_equal(mount_context_open(&fake_type, fx.root, &(struct file *){ NULL }),
			 -ENOMEM);
	assert_int_equal(live_options, 0);
}

static void test_pick(void **state)
{
	struct path root;

	mount_namespace_root(fx.mounts, &root);
	for (unsigned int i = 0; i < sequence_count(); i++) {
		struct run r = { 0 };

		assert_int_equal(mount_context_pick(&root, fx.root, &r.context), 0);
		run_sequence(&r, i);
		assert_int_equal(r.made, 0);
	}
	path_put(&root);
}

/* --- the log -------------------------------------------------------------------------------- */

static void test_log(void **state)
{
	char text[100];
	struct run r = { 0 };

	assert_int_equal(mount_context_open(file_system_find("tmpfs"), fx.root, &r.context), 0);
	assert_int_equal(fx_pread(r.context, text, sizeof(text), 0), -ENODATA);
	for (int round = 0; round < 30; round++) {
		for (int i = 0; i <= round; i++) {
			snprintf(text, sizeof(text), "unknown%d", i);
			assert_int_equal(set(&r, text, NULL), -EINVAL);
		}
		assert_int_equal(fx_pread(r.context, text, 5, 0), -EMSGSIZE);
		for (int i = round < FS_LOG_MESSAGES ? 0 : round + 1 - FS_LOG_MESSAGES; i <= round;
		     i++) {
			char expected[100];
			int size = snprintf(expected, sizeof(expected),
					    "e tmpfs: Unknown parameter 'unknown%d'\n", i);

			assert_int_equal(fx_pread(r.context, text, sizeof(text), 0), size);
			assert_memory_equal(text, expected, size);
		}
		assert_int_equal(fx_pread(r.context, text, sizeof(text), 0), -ENODATA);
	}
	file_put(r.context);
}

static void test_numbers(void **state)
{
	static const struct {
		const char *text;
		unsigned base;
		int rc;
		uint64_t value;
	} rows[] = {
		{ "0", 0, 0, 0 },	 { "10", 0, 0, 10 },	     { "010", 0, 0, 8 },
		{ "0x10", 0, 0, 16 },	 { "0XfF", 0, 0, 255 },	     { "+7\n", 0, 0, 7 },
		{ "755", 8, 0, 0755 },	 { "100", 0, 0, 100 },	     { "256", 0, -EINVAL, 0 },
		{ "", 0, -EINVAL, 0 },	 { "+", 0, -EINVAL, 0 },     { "\n", 0, -EINVAL, 0 },
		{ "0x", 0, -EINVAL, 0 }, { "-1", 0, -EINVAL, 0 },    { "++1", 0, -EINVAL, 0 },
		{ "08", 0, -EINVAL, 0 }, { "1\n\n", 0, -EINVAL, 0 }, { " 1", 0, -EINVAL, 0 },
		{ "1 ", 0, -EINVAL, 0 }, { "8", 8, -EINVAL, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		uint64_t value = 0;

		assert_int_equal(fs_parse_number(rows[i].text, rows[i].base,
						 rows[i].base ? UINT32_MAX : 255, &value),
				 rows[i].rc);
		if (!rows[i].rc)
			assert_int_equal(value, rows[i].value);
	}
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(test_tmpfs), CASE(test_failures), CASE(test_pick),
		CASE(test_log),	  CASE(test_numbers),
	};
	struct user_namespace *ns;

	if (vfs_init() < 0 || user_namespace_new_root(&ns) < 0 || tmpfs_init(UINT64_MAX, ns) < 0)
		return 1;
	user_namespace_put(ns);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
