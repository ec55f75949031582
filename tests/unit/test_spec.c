/* SPDX-License-Identifier: Apache-2.0 */
/* config.json: every property is read, and what is wrong is named. */
#include "tests/unit/unit.h"

#include "oci/spec.h"
#include "oci/spec_types.h"
#include "tests/unit/full_config.h"
#include "util/compiler.h"

static char *written(const struct json_struct *type, const void *object)
{
	struct json_writer w;

	json_writer_init(&w, NULL);
	json_write_object(&w, type, object);
	return json_writer_finish(&w);
}

static struct spec *parsed(const char *json)
{
	struct error *err = NULL;
	struct spec *spec = NULL;

	if (spec_parse(json, strlen(json), "config.json", &spec, &err))
		fail_msg("%s", error_message(err));
	return spec;
}

/* Reading and writing again gives the same text: no property is lost or misplaced. */
static void test_full(void **state)
{
	struct error *err = NULL;
	struct spec *spec = parsed(FULL_CONFIG);
	char *text = written(&spec_type, spec);

	assert_string_equal(text, FULL_CONFIG);
	free(text);
	assert_int_equal(spec->warnings.count, 0);
	if (spec_validate(spec, &err))
		fail_msg("%s", error_message(err));
	assert_int_equal(spec->process->rlimits.items[0].hard, UINT64_MAX);
	assert_int_equal(spec->process->user.additional_gids.items[1], INT32_MAX);
	assert_string_equal(spec_annotation(spec, "a.b/c"), "1");
	assert_null(spec_annotation(spec, "absent"));
	assert_string_equal(spec_namespace_find(spec, "network")->path, "/run/ns");
	assert_string_equal(string_map_get(&spec->linux_config->sysctl, "net.core.somaxconn"), "2");
	assert_string_equal(spec->linux_config->resources->rdma.items[1].device, "mlx5_1");
	spec_free(spec);
	spec_free(NULL);
}

/* Every prefix is an error, and frees what it had. */
static void test_truncated(void **state)
{
	for (size_t size = 0; size < sizeof(FULL_CONFIG) - 1; size++) {
		struct error *err = NULL;
		struct spec *spec = NULL;
		char *exact = malloc(size ? size : 1); /* for the sanitizer to see overreads */

		memcpy(exact, FULL_CONFIG, size);
		assert_true(spec_parse(exact, size, "config.json", &spec, &err) < 0);
		assert_null(spec);
		assert_non_null(err);
		error_free(err);
		free(exact);
	}
}

/* Each byte spoilt in turn: an error or not, but never a crash or a leak. */
static void test_spoilt(void **state)
{
	static const char spoilers[] = { '"', '{', ']', ',', '0', 'x', '\0', '\xff' };
	char text[] = FULL_CONFIG;

	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		char saved = text[i];

		for (size_t s = 0; s < sizeof(spoilers); s++) {
			struct error *err = NULL;
			struct spec *spec = NULL;

			text[i] = spoilers[s];
			if (!spec_parse(text, sizeof(text) - 1, "config.json", &spec, &err))
				(void)!spec_validate(spec, &err);
			spec_free(spec);
			error_free(err);
		}
		text[i] = saved;
	}
}

static void test_wrong_types(void **state)
{
	static const char *const rows[][2] = {
		{ "[]", "config.json: expected an object, found an array" },
		{ "null", "config.json: expected an object, found null" },
		{ "{}", "config.json: ociVersion: is required, and missing" },
		{ "{\"ociVersion\":null}", "config.json: ociVersion: is required, and missing" },
		{ "{\"ociVersion\":1}", "config.json: ociVersion: expected a string, found a number" },
		{ "{\"process\":{\"args\":[\"a\",\"b\",3]}}",
		  "config.json: process.args[2]: expected a string, found a number" },
		{ "{\"process\":{\"args\":\"sh\"}}",
		  "config.json: process.args: expected an array, found a string" },
		{ "{\"process\":{\"args\":[null]}}",
		  "config.json: process.args[0]: expected a string, found null" },
		{ "{\"process\":{\"user\":{\"uid\":-1}}}",
		  "config.json: process.user.uid: expected an integer from 0 to 4294967295, found -1" },
		{ "{\"process\":{\"user\":{\"uid\":4294967296}}}",
		  "config.json: process.user.uid: expected an integer from 0 to 4294967295, found 4294967296" },
		{ "{\"process\":{\"user\":{\"additionalGids\":[1,true]}}}",
		  "config.json: process.user.additionalGids[1]: expected a number, found a boolean" },
		{ "{\"process\":{\"oomScoreAdj\":1.5}}",
		  "config.json: process.oomScoreAdj: expected an integer from -2147483648 to 2147483647, found 1.5" },
		{ "{\"process\":{\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"hard\":18446744073709551616,\"soft\":1}]}}",
		  "config.json: process.rlimits[0].hard: expected an integer from 0 to 18446744073709551615, found 18446744073709551616" },
		{ "{\"process\":{\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"hard\":1}]}}",
		  "config.json: process.rlimits[0].soft: is required, and missing" },
		{ "{\"process\":{\"terminal\":\"yes\"}}",
		  "config.json: process.terminal: expected a boolean, found a string" },
		{ "{\"process\":{\"cwd\":\"/\",\"cwd\":\"/tmp\"}}",
		  "config.json: process.cwd: duplicate property" },
		{ "{\"annotations\":{\"b\":\"1\",\"a\":\"2\",\"b\":\"3\"}}",
		  "config.json: annotations: duplicate property \"b\"" },
		{ "{\"annotations\":{\"a.b\":1}}",
		  "config.json: annotations[\"a.b\"]: expected a string, found a number" },
		{ "{\"linux\":{\"resources\":{\"blockIO\":{\"weight\":65536}}}}",
		  "config.json: linux.resources.blockIO.weight: expected an integer from 0 to 65535, found 65536" },
		{ "{\"linux\":{\"resources\":{\"rdma\":{\"m\":{\"hcaHandles\":\"x\"}}}}}",
		  "config.json: linux.resources.rdma[\"m\"].hcaHandles: expected a number, found a string" },
		{ "{\"linux\":{\"resources\":{\"memory\":{\"limit\":9223372036854775808}}}}",
		  "config.json: linux.resources.memory.limit: expected an integer from -9223372036854775808 to 9223372036854775807, found 9223372036854775808" },
		{ "{\"linux\":{\"timeOffsets\":{\"monotonic\":1}}}",
		  "config.json: linux.timeOffsets[\"monotonic\"]: expected an object, found a number" },
		{ "{\"linux\":{\"namespaces\":[{}]}}",
		  "config.json: linux.namespaces[0].type: is required, and missing" },
		{ "{\"mounts\":{}}", "config.json: mounts: expected an array, found an object" },
		{ "{\"ociVersion\":\"1.0.0\",\"mounts\":[{\"destination\":\"\"}]}",
		  "config.json: mounts[0].destination: is empty" },
		{ "{\"root\":{}}", "config.json: root.path: is required, and missing" },
		{ "{\"hooks\":{\"poststop\":[{\"args\":[]}]}}",
		  "config.json: hooks.poststop[0].path: is required, and missing" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct error *err = NULL;
		struct spec *spec = NULL;

		assert_int_equal(spec_parse(rows[i][0], strlen(rows[i][0]), "config.json", &spec, &err),
				 -EINVAL);
		assert_null(spec);
		assert_error(err, rows[i][1]);
	}
}

static void test_unknown_and_null(void **state)
{
	struct spec *spec = parsed("{\"ociVersion\":\"1.0.0\",\"new\":{\"x\":[1]},\"vm\":{},"
				   "\"process\":{\"cwd\":null,\"args\":null,\"later\":1},"
				   "\"linux\":null,\"hostname\":null,\"mounts\":["
				   "{\"destination\":\"proc\",\"type\":\"proc\"}]}");

	assert_int_equal(spec->warnings.count, 3);
	assert_string_equal(spec->warnings.items[0], "config.json: new: unknown property ignored");
	assert_string_equal(spec->warnings.items[1],
			    "config.json: process.later: unknown property ignored");
	assert_null(spec->process->cwd);
	assert_null(spec->linux_config);
	assert_string_equal(spec->mounts.items[0].destination, "/proc");
	spec_free(spec);
}

/* Around a minimal valid configuration, one thing made wrong. */
#define PROCESS "\"process\":{\"cwd\":\"/\",\"args\":[\"sh\"]}"
#define ROOT "\"root\":{\"path\":\"r\"}"
#define BASE(more) "{\"ociVersion\":\"1.0.2\"," PROCESS "," ROOT more "}"
#define WITH_PROCESS(more) \
	"{\"ociVersion\":\"1.0.2\",\"process\":{\"cwd\":\"/\",\"args\":[\"sh\"]" more "}," ROOT "}"
#define WITH_LINUX(inside) BASE(",\"linux\":{" inside "}")
#define RLIMIT(type) "{\"type\":\"" type "\",\"hard\":1,\"soft\":1}"
#define SECCOMP(inside) WITH_LINUX("\"seccomp\":{" inside "}")

static void test_validation(void **state)
{
	static const char *const rows[][2] = {
		{ BASE(""), NULL },
		{ "{\"ociVersion\":\"2.0.0\"," PROCESS "," ROOT "}",
		  "ociVersion: expected a 1.x version, found \"2.0.0\"" },
		{ "{\"ociVersion\":\"1.\"," PROCESS "," ROOT "}",
		  "ociVersion: expected a 1.x version, found \"1.\"" },
		{ "{\"ociVersion\":\"1.2.0-rc.1+dev\"," PROCESS "," ROOT "}", NULL },
		{ "{\"ociVersion\":\"1.0.0\"," ROOT "}", "process property must not be empty" },
		{ "{\"ociVersion\":\"1.0.0\"," PROCESS "}", "root must be specified" },
		{ "{\"ociVersion\":\"1.0.0\",\"process\":{\"args\":[\"a\"]}," ROOT "}",
		  "Cwd property must not be empty" },
		{ "{\"ociVersion\":\"1.0.0\",\"process\":{\"cwd\":\"x\",\"args\":[\"a\"]}," ROOT "}",
		  "Cwd must be an absolute path" },
		{ "{\"ociVersion\":\"1.0.0\",\"process\":{\"cwd\":\"/\",\"args\":[]}," ROOT "}",
		  "args must not be empty" },
		{ WITH_PROCESS(",\"rlimits\":[" RLIMIT("RLIMIT_FOO") "]"),
		  "invalid rlimit type: RLIMIT_FOO" },
		{ WITH_PROCESS(",\"rlimits\":[" RLIMIT("RLIMIT_CPU") "," RLIMIT("RLIMIT_CPU") "]"),
		  "process.rlimits[1]: duplicate type RLIMIT_CPU" },
		{ WITH_PROCESS(",\"rlimits\":[{\"type\":\"RLIMIT_CPU\",\"hard\":1,\"soft\":2}]"),
		  "process.rlimits[0]: RLIMIT_CPU: soft limit 2 exceeds hard limit 1" },
		{ WITH_PROCESS(",\"oomScoreAdj\":1001"),
		  "process.oomScoreAdj: expected an integer from -1000 to 1000, found 1001" },
		{ WITH_PROCESS(",\"env\":[\"A\"]"),
		  "unable to start container process: invalid environment variable: \"A\"" },
		{ WITH_PROCESS(",\"env\":[\"A=\",\"=b\"]"),
		  "unable to start container process: environment variable name can't be empty: \"=b\"" },
		{ WITH_PROCESS(",\"scheduler\":{\"policy\":\"X\"}"),
		  "process.scheduler.policy: \"X\" is unknown" },
		{ WITH_PROCESS(",\"ioPriority\":{\"class\":\"IOPRIO_CLASS_RT\",\"priority\":8}"),
		  "process.ioPriority.priority: expected an integer from 0 to 7, found 8" },
		{ WITH_PROCESS(",\"user\":{\"umask\":512}"),
		  "process.user.umask: expected an integer from 0 to 511, found 512" },
		{ WITH_PROCESS(",\"capabilities\":{\"bounding\":[\"CAP_FROM_THE_FUTURE\"]}"), NULL },
		{ WITH_LINUX("\"namespaces\":[{\"type\":\"pid\"},{\"type\":\"pid\"}]"),
		  "malformed spec file: duplicate ns {\"pid\" \"\"}" },
		{ WITH_LINUX("\"namespaces\":[{\"type\":\"foo\"}]"),
		  "namespace {\"foo\" \"\"} does not exist" },
		{ WITH_LINUX("\"namespaces\":[{\"type\":\"pid\",\"path\":\"x\"}]"),
		  "linux.namespaces[0].path: \"x\" is not absolute" },
		{ BASE(",\"hostname\":\"h\""),
		  "unable to set hostname without a private UTS namespace" },
		{ BASE(",\"hostname\":\"\""), NULL },
		{ WITH_LINUX("\"uidMappings\":[{\"containerID\":0,\"hostID\":1,\"size\":1}]"), NULL },
		{ WITH_LINUX("\"namespaces\":[{\"type\":\"user\"}]"),
		  "User namespaces enabled, but no uid mappings found." },
		{ WITH_LINUX("\"namespaces\":[{\"type\":\"user\"}],\"uidMappings\":[{\"containerID\":0,\"hostID\":9,\"size\":9}]"),
		  "User namespaces enabled, but no gid mappings found." },
		{ WITH_LINUX("\"namespaces\":[{\"type\":\"user\"}],\"gidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":1}],"
			     "\"uidMappings\":[{\"containerID\":1,\"hostID\":9,\"size\":9},{\"containerID\":0,\"hostID\":1,\"size\":0}]"),
		  "User namespaces enabled, but no user mapping found." },
		{ WITH_LINUX("\"namespaces\":[{\"type\":\"user\"}],\"gidMappings\":[{\"containerID\":3,\"hostID\":0,\"size\":1}],"
			     "\"uidMappings\":[{\"containerID\":0,\"hostID\":9,\"size\":9}]"),
		  "User namespaces enabled, but no group mapping found." },
		{ WITH_LINUX("\"namespaces\":[{\"type\":\"user\"}],\"gidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":1}],"
			     "\"uidMappings\":[{\"containerID\":0,\"hostID\":9,\"size\":9},{\"containerID\":8,\"hostID\":99,\"size\":1}]"),
		  "linux.uidMappings[1]: overlaps [0]" },
		{ WITH_LINUX("\"namespaces\":[{\"type\":\"user\"}],\"gidMappings\":[{\"containerID\":0,\"hostID\":0,\"size\":1}],"
			     "\"uidMappings\":[{\"containerID\":0,\"hostID\":9,\"size\":1},{\"containerID\":1,\"hostID\":9,\"size\":4294967295}]"),
		  "linux.uidMappings[1]: not a range of ids" },
		{ BASE(",\"hooks\":{\"prestart\":[{\"path\":\"x\"}]}"),
		  "hooks.prestart[0].path: \"x\" is not absolute" },
		{ BASE(",\"hooks\":{\"poststop\":[{\"path\":\"/x\",\"timeout\":0}]}"),
		  "hooks.poststop[0].timeout: must be greater than zero" },
		{ WITH_LINUX("\"sysctl\":{\"kernel.shmmax\":\"1\"}"),
		  "sysctl \"kernel.shmmax\" is not allowed in the hosts ipc namespace" },
		{ WITH_LINUX("\"sysctl\":{\"net/ipv4/ip_forward\":\"1\"},\"namespaces\":[{\"type\":\"network\"}]"),
		  NULL },
		{ WITH_LINUX("\"sysctl\":{\"net.ipv4.ip_forward\":\"1\"}"),
		  "sysctl \"net.ipv4.ip_forward\" not allowed in host network namespace" },
		{ WITH_LINUX("\"sysctl\":{\"vm.swappiness\":\"1\"}"),
		  "sysctl \"vm.swappiness\" is not in a separate kernel namespace" },
		{ WITH_LINUX("\"sysctl\":{\"net/../vm/swappiness\":\"1\"},\"namespaces\":[{\"type\":\"network\"}]"),
		  "sysctl \"net/../vm/swappiness\" is not a valid name" },
		{ WITH_LINUX("\"resources\":{\"unified\":{\"../x\":\"1\"}}"),
		  "unified resource \"../x\" must be a file name (no slashes)" },
		{ WITH_LINUX("\"resources\":{\"memory\":{\"swappiness\":101}}"),
		  "invalid memory swappiness value: 101 (valid range is 0-100)" },
		{ WITH_LINUX("\"resources\":{\"devices\":[{\"allow\":true,\"access\":\"rx\"}]}"),
		  "linux.resources.devices[0]: invalid access \"rx\"" },
		{ WITH_LINUX("\"devices\":[{\"path\":\"/dev/x\",\"type\":\"z\"}]"),
		  "linux.devices[0]: invalid type \"z\"" },
		{ WITH_LINUX("\"rootfsPropagation\":\"x\""),
		  "rootfsPropagation=x is not supported" },
		{ WITH_LINUX("\"maskedPaths\":[\"x\"]"), "linux.maskedPaths[0]: \"x\" is not absolute" },
		{ WITH_LINUX("\"personality\":{\"domain\":\"BSD\"}"),
		  "linux.personality.domain: \"BSD\" is unknown" },
		{ WITH_LINUX("\"timeOffsets\":{\"monotonic\":{}}"),
		  "time namespace offsets specified, but time namespace isn't enabled in the config" },
		{ WITH_LINUX("\"namespaces\":[{\"type\":\"time\"}],\"timeOffsets\":{\"realtime\":{}}"),
		  "linux.timeOffsets: clock \"realtime\" is unknown" },
		{ SECCOMP("\"defaultAction\":\"X\""),
		  "linux.seccomp.defaultAction: \"X\" is unknown" },
		{ SECCOMP("\"defaultAction\":\"SCMP_ACT_KILL\",\"architectures\":[\"X\"]"),
		  "linux.seccomp.architectures[0]: \"X\" is unknown" },
		{ SECCOMP("\"defaultAction\":\"SCMP_ACT_KILL\",\"syscalls\":[{\"names\":[],\"action\":\"SCMP_ACT_LOG\"}]"),
		  "linux.seccomp.syscalls[0].names: is empty" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct spec *spec = parsed(rows[i][0]);
		struct error *err = NULL;
		int error = spec_validate(spec, &err);

		if (rows[i][1]) {
			assert_int_equal(error, -EINVAL);
			assert_error(err, rows[i][1]);
		} else if (error) {
			fail_msg("%s: %s", rows[i][0], error_message(err));
		}
		spec_free(spec);
	}
}

static void test_files(void **state)
{
	struct spec_process *process = NULL;
	struct error *err = NULL;
	struct spec *spec = NULL;
	char dir[64], path[96];
	int fd, dir_fd = unit_directory(dir);

	snprintf(path, sizeof(path), "%s/config.json", dir);
	assert_int_equal(spec_load(path, &spec, &err), -ENOENT);
	assert_non_null(strstr(error_message(err), "open "));
	assert_non_null(strstr(error_message(err), "config.json: no such file or directory"));
	error_free(err);
	err = NULL;

	/* 100 MB: refused by its size alone. */
	fd = openat(dir_fd, "config.json", O_CREAT | O_RDWR | O_CLOEXEC, 0600);
	assert_int_equal(ftruncate(fd, 100 << 20), 0);
	assert_int_equal(spec_load(path, &spec, &err), -EFBIG);
	assert_non_null(strstr(error_message(err), "larger than 16 MiB"));
	error_free(err);
	err = NULL;

	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(pwrite(fd, FULL_CONFIG, sizeof(FULL_CONFIG) - 1, 0), sizeof(FULL_CONFIG) - 1);
	assert_int_equal(spec_load(path, &spec, &err), 0);
	spec_free(spec);

	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(pwrite(fd, FULL_PROCESS, sizeof(FULL_PROCESS) - 1, 0), sizeof(FULL_PROCESS) - 1);
	assert_int_equal(spec_load_process(path, &process, &err), 0);
	assert_string_equal(process->args.items[0], "sh");
	spec_process_free(process);
	assert_int_equal(spec_parse_process("{}", 2, "p", &process, &err), -EINVAL);
	assert_error(err, "Cwd property must not be empty");
	close(fd);
	unlinkat(dir_fd, "config.json", 0);
	close(dir_fd);
	rmdir(dir);
}

static void test_resources(void **state)
{
	struct spec_resources *r = NULL;
	char *text;

	assert_int_equal(spec_parse_resources(FULL_RESOURCES, strlen(FULL_RESOURCES), "r", &r, NULL), 0);
	text = written(&spec_resources_type, r);
	assert_string_equal(text, FULL_RESOURCES);
	free(text);
	spec_resources_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_full),	    cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_spoilt),	    cmocka_unit_test(test_wrong_types),
		cmocka_unit_test(test_unknown_and_null), cmocka_unit_test(test_validation),
		cmocka_unit_test(test_files),	    cmocka_unit_test(test_resources),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
