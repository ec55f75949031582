/* SPDX-License-Identifier: Apache-2.0 */
/* The encoded boot configuration: what goes in comes out, and nothing else is accepted. */
#include "tests/unit/unit.h"

#include <sys/mman.h>

#include "sentry/control/boot_config.h"

static struct boot_config sample(void)
{
	static char *args[] = { (char *)"sh", (char *)"-c", (char *)"", NULL };
	static char *none[] = { NULL };
	static char *pairs[] = { (char *)"key", (char *)"value", NULL };
	static uint32_t gids[] = { 1, 2, 3 };
	static struct boot_rlimit rlimits[] = { { 7, 1024, 4096 } };
	static uint64_t within[] = { 9, 10 };
	static struct boot_mount mounts[] = {
		{ (char *)"/proc", (char *)"proc", (char *)"", (char *)"", 14, 0, -1 },
		{ (char *)"/data", (char *)"bind", (char *)"/srv", (char *)"", 1, 0, 1, 0, 7, 8, within, 2 },
	};
	static char *cgroups[] = { (char *)"cpu", (char *)"/sub", NULL };
	static struct boot_device devices[] = { { (char *)"/dev/x", 0020000, 1, 3, 0666, 0, 0 } };
	static struct boot_id_map maps[] = { { 0, 1000, 1 } };

	return (struct boot_config){
		.id = (char *)"c1",
		.hostname = (char *)"host",
		.domainname = (char *)"",
		.cgroups_path = (char *)"/c1",
		.process = {
			.program = (char *)"",
			.args = { args, 3 },
			.env = { none, 0 },
			.cgroups = { cgroups, 2 },
			.cwd = (char *)"/",
			.uid = 5,
			.additional_gids = gids,
			.additional_gid_count = 3,
			.capabilities = { 1, 2, 3, 4, 5 },
			.rlimits = rlimits,
			.rlimit_count = 1,
			.no_new_privileges = true,
		},
		.mounts = mounts,
		.mount_count = 2,
		.attach_count = 2,
		.masked_paths = { none, 0 },
		.readonly_paths = { none, 0 },
		.devices = devices,
		.device_count = 1,
		.uid_maps = maps,
		.uid_map_count = 1,
		.annotations = { pairs, 2 },
		.sysctl = { none, 0 },
		.cpu_count = 2,
	};
}

/* The result of reading @size bytes of @blob as a configuration. */
static int read_blob(const void *blob, size_t size, struct boot_config *out)
{
	int fd = memfd_create("test", MFD_CLOEXEC);
	int ret;

	assert_int_equal(write(fd, blob, size), size);
	lseek(fd, 0, SEEK_SET);
	ret = boot_config_read(fd, out);
	close(fd);
	return ret;
}

static void encode_sample(char **blob, size_t *size)
{
	struct boot_config config = sample();
	void *encoded;

	assert_int_equal(boot_config_encode(&config, &encoded, size), 0);
	*blob = encoded;
}

static void test_round_trip(void **state)
{
	struct boot_config out;
	char *blob;
	size_t size;

	encode_sample(&blob, &size);
	assert_int_equal(read_blob(blob, size, &out), 0);
	assert_string_equal(out.id, "c1");
	assert_string_equal(out.domainname, "");
	assert_int_equal(out.process.args.count, 3);
	assert_string_equal(out.process.args.items[1], "-c");
	assert_string_equal(out.process.args.items[2], "");
	assert_null(out.process.args.items[3]);
	assert_null(out.process.env.items[0]);
	assert_int_equal(out.process.cgroups.count, 2);
	assert_string_equal(out.process.cgroups.items[1], "/sub");
	assert_int_equal(out.process.additional_gids[2], 3);
	assert_int_equal(out.process.rlimits[0].hard, 4096);
	assert_int_equal(out.process.capabilities[4], 5);
	assert_true(out.process.no_new_privileges);
	assert_string_equal(out.mounts[1].source, "/srv");
	assert_int_equal(out.mounts[1].attach, 1);
	assert_int_equal(out.mounts[1].volume_dev, 7);
	assert_int_equal(out.mounts[1].volume_ino, 8);
	assert_int_equal(out.mounts[1].volume_within_count, 2);
	assert_int_equal(out.mounts[1].volume_within[1], 10);
	assert_int_equal(out.mounts[0].copy_up, 0);
	assert_string_equal(out.devices[0].path, "/dev/x");
	assert_string_equal(out.annotations.items[1], "value");
	assert_null(out.gid_maps);
	boot_config_destroy(&out);
	free(blob);
}

/* Any single changed byte is refused, or gives a configuration that can be read through. */
static void test_changed_bytes(void **state)
{
	char *blob;
	size_t size;

	encode_sample(&blob, &size);
	for (size_t i = 0; i < size; i++) {
		static const unsigned char changes[] = { 0x01, 0x80, 0xff };

		for (size_t k = 0; k < ARRAY_SIZE(changes); k++) {
			struct boot_config out;
			int ret;

			blob[i] = (char)(blob[i] ^ (char)changes[k]);
			ret = read_blob(blob, size, &out);
			blob[i] = (char)(blob[i] ^ (char)changes[k]);
			assert_true(ret == 0 || ret == -EPROTO);
			if (ret < 0)
				continue;
			for (uint32_t m = 0; m < out.mount_count; m++)
				assert_true(strlen(out.mounts[m].destination) < size);
			boot_config_destroy(&out);
		}
	}
	free(blob);
}

static void test_truncated(void **state)
{
	struct boot_config out;
	char *blob;
	size_t size;

	encode_sample(&blob, &size);
	for (size_t i = 0; i < size; i++)
		assert_int_equal(read_blob(blob, i, &out), -EPROTO);
	free(blob);
}

static void test_invalid(void **state)
{
	struct boot_config config = sample();
	void *blob;
	size_t size;

	config.process.args.count = 0;
	config.process.args.items = config.process.env.items;
	assert_int_equal(boot_config_encode(&config, &blob, &size), -EINVAL);
	config = sample();
	config.id = NULL;
	assert_int_equal(boot_config_encode(&config, &blob, &size), -EINVAL);
	config = sample();
	config.attach_count = 1;
	assert_int_equal(boot_config_encode(&config, &blob, &size), -EINVAL);
	config = sample();
	config.platform = BOOT_PLATFORM_COUNT;
	assert_int_equal(boot_config_encode(&config, &blob, &size), -EINVAL);
}

static void test_kinds(void **state)
{
	struct boot_config config = sample();
	struct boot_config out;
	void *blob;
	size_t size;

	assert_int_equal(boot_process_encode(&config.process, &blob, &size), 0);
	assert_int_equal(read_blob(blob, size, &out), -EPROTO);
	free(blob);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip), cmocka_unit_test(test_changed_bytes),
		cmocka_unit_test(test_truncated),  cmocka_unit_test(test_invalid),
		cmocka_unit_test(test_kinds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
