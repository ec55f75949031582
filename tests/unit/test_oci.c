/* SPDX-License-Identifier: Apache-2.0 */
/* Defaults, features, state, and the name tables. */
#include "tests/unit/unit.h"

#include <sys/mount.h>

#include "oci/capability.h"
#include "oci/features.h"
#include "oci/json.h"
#include "oci/mount_option.h"
#include "oci/namespace.h"
#include "oci/rlimit.h"
#include "oci/spec.h"
#include "oci/state.h"

static void test_default_is_valid(void **state)
{
	for (int rootless = 0; rootless < 2; rootless++) {
		char *text = spec_default_json(rootless, 1000, 1001);
		struct error *err = NULL;
		struct spec *spec = NULL;

		assert_non_null(text);
		assert_int_equal(spec_parse(text, strlen(text), "default", &spec, &err), 0);
		if (spec_validate(spec, &err))
			fail_msg("%s", error_message(err));
		assert_int_equal(spec->warnings.count, 0);
		assert_int_equal(spec->mounts.count, 7);
		if (rootless)
			assert_int_equal(spec->linux_config->gid_mappings.items[0].host_id, 1001);
		spec_free(spec);
		free(text);
	}
}

/* Where runc 1.1 is installed its output is the oracle. */
static void test_default_is_runcs(void **state)
{
	char command[160], dir[64], text[16384];
	int dir_fd = unit_directory(dir);
	bool compared = false;

	for (int rootless = 0; rootless < 2; rootless++) {
		char *ours = spec_default_json(rootless, geteuid(), getegid());
		int fd;
		ssize_t n;

		snprintf(command, sizeof(command), "cd %s && rm -f config.json && runc spec %s 2>/dev/null",
			 dir, rootless ? "--rootless" : "");
		if (system(command) == 0) {
			fd = openat(dir_fd, "config.json", O_RDONLY | O_CLOEXEC);
			n = read(fd, text, sizeof(text) - 1);
			text[n > 0 ? n : 0] = '\0';
			close(fd);
			if (strstr(text, "\"" OCI_VERSION "\"")) {
				assert_string_equal(ours, text);
				compared = true;
			}
		}
		free(ours);
	}
	unlinkat(dir_fd, "config.json", 0);
	close(dir_fd);
	rmdir(dir);
	if (!compared)
		print_message("# no runc with spec version " OCI_VERSION " here\n");
}

static void test_features(void **state)
{
	char *text = features_json();
	struct json_document *d;
	struct error *err = NULL;

	assert_int_equal(json_parse(text, strlen(text), "features", &d, &err), 0);
	assert_string_equal(json_root(d)->first->key, "ociVersionMin");
	assert_non_null(strstr(text, "\"rsymfollow\""));
	assert_non_null(strstr(text, "\"CAP_CHECKPOINT_RESTORE\""));
	json_document_free(d);
	free(text);
}

static void test_state(void **state)
{
	struct string_pair pair = { (char *)(uintptr_t)"k", (char *)(uintptr_t)"v" };
	struct string_map annotations = { &pair, 1 };
	struct oci_state s = { OCI_VERSION, "web", OCI_RUNNING, 7, "/b", &annotations };
	char *text = oci_state_json(&s);

	assert_string_equal(text, "{\"ociVersion\":\"1.0.2-dev\",\"id\":\"web\",\"status\":\"running\","
				  "\"pid\":7,\"bundle\":\"/b\",\"annotations\":{\"k\":\"v\"}}");
	free(text);
	s.pid = 0;
	s.status = OCI_STOPPED;
	s.annotations = NULL;
	text = oci_state_json(&s);
	assert_string_equal(text, "{\"ociVersion\":\"1.0.2-dev\",\"id\":\"web\",\"status\":\"stopped\","
				  "\"bundle\":\"/b\"}");
	free(text);
}

/* No holes, no duplicates, and each name leads back to its number. */
static void test_tables(void **state)
{
	for (unsigned i = 0; i < OCI_CAPABILITY_COUNT; i++)
		assert_int_equal(oci_capability_number(oci_capability_name(i)), i);
	assert_null(oci_capability_name(OCI_CAPABILITY_COUNT));
	assert_int_equal(oci_capability_number("CAP_NONE"), -1);
	for (unsigned i = 0; i < OCI_RLIMIT_COUNT; i++)
		assert_int_equal(oci_rlimit_number(oci_rlimit_name(i)), i);
	assert_int_equal(oci_rlimit_number("RLIMIT_NOFILE"), 7);
	assert_int_equal(oci_rlimit_number("RLIMIT_"), -1);
	for (int i = 0; i < OCI_NAMESPACE_COUNT; i++)
		assert_int_equal(oci_namespace_number(oci_namespaces[i].name), i);
	for (size_t i = 0; i < mount_option_count; i++) {
		assert_ptr_equal(mount_option_find(mount_options[i].name), &mount_options[i]);
		if (i)
			assert_true(strcmp(mount_options[i - 1].name, mount_options[i].name) < 0);
	}
	assert_null(mount_option_find("mode=755"));
}

static void test_capability_set(void **state)
{
	struct string_list names = STRING_LIST_INIT;
	size_t unknown;

	assert_int_equal(string_list_add(&names, "CAP_CHOWN"), 0);
	assert_int_equal(string_list_add(&names, "CAP_FROM_THE_FUTURE"), 0);
	assert_int_equal(string_list_add(&names, "CAP_CHECKPOINT_RESTORE"), 0);
	assert_true(oci_capability_set(&names, &unknown) == (1ull | 1ull << 40));
	assert_int_equal(unknown, 1);
	string_list_free(&names);
}

static void test_mount_flags(void **state)
{
	static const char *const options[] = { "ro",	 "nosuid", "mode=755", "rw",  "rbind",
						"rslave", "size=1", "suid",	"rro", "tmpcopyup",
						"rnoatime", "rstrictatime" };
	struct string_list list = STRING_LIST_INIT;
	struct mount_flags flags;

	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		assert_int_equal(string_list_add(&list, options[i]), 0);
	assert_int_equal(mount_flags_parse(&list, &flags, NULL), 0);
	assert_true(flags.flags == (MS_BIND | MS_REC));
	assert_true(flags.cleared == (MS_RDONLY | MS_NOSUID));
	assert_true(flags.propagation == (MS_SLAVE | MS_REC));
	assert_true(flags.rec_set == (0x1 | 0x20));
	assert_true(flags.rec_clear == 0x70);
	assert_true(flags.tmpcopyup);
	assert_string_equal(flags.data, "mode=755,size=1");
	mount_flags_free(&flags);
	string_list_free(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_default_is_valid), cmocka_unit_test(test_default_is_runcs),
		cmocka_unit_test(test_features),	 cmocka_unit_test(test_state),
		cmocka_unit_test(test_tables),		 cmocka_unit_test(test_capability_set),
		cmocka_unit_test(test_mount_flags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
