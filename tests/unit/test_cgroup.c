/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Control groups on hosts that this one is not: where a container's directories are, by the
 * texts of /proc, and what is written there, into a folder that stands for a hierarchy.
 */
#include "tests/unit/unit.h"

#include "runtime/cgroup/cgroup.h"
#include "util/file.h"

#define V1_MOUNTS                                                                             \
	"30 24 0:26 / /sys/fs/cgroup ro,nosuid shared:9 - tmpfs tmpfs ro,mode=755\n"          \
	"31 30 0:27 / /sys/fs/cgroup/systemd rw shared:10 - cgroup cgroup rw,name=systemd\n"  \
	"33 30 0:29 / /sys/fs/cgroup/cpu,cpuacct rw shared:11 - cgroup cgroup rw,cpu,cpuacct\n" \
	"34 30 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"                   \
	"35 30 0:31 / /sys/fs/cgroup/pids rw - cgroup cgroup rw,pids\n"
#define V2_MOUNT "36 24 0:32 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n"
#define HYBRID_MOUNT "37 30 0:33 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
#define V1_MEMBERSHIP                                                \
	"4:pids:/user.slice\n3:memory:/user.slice/s\n2:cpu,cpuacct:/\n" \
	"1:name=systemd:/user.slice/session.scope\n"
#define V2_MEMBERSHIP "0::/user.slice/session.scope\n"

static void locate(const char *wanted, bool with_v1, const char *mounts, const char *membership,
		   struct cgroup_set *set)
{
	char *m = strdup(mounts), *own = strdup(membership);

	memset(set, 0, sizeof(*set));
	assert_int_equal(cgroup_locate_in(wanted, with_v1, m, own, set), 0);
	free(m);
	free(own);
}

/* What create recorded is found again, from wherever the caller's own cgroup is. */
static void test_locate_recorded(void **state)
{
	char *mounts = strdup(V1_MOUNTS HYBRID_MOUNT), *own = strdup("4:pids:/elsewhere\n3:memory:/else/where\n"
								     "2:cpu,cpuacct:/e\n0::/\n");
	struct string_list paths = STRING_LIST_INIT;
	struct cgroup_set set = { .count = 0 };

	assert_int_equal(string_list_add(&paths, "/sys/fs/cgroup/memory/docker/x"), 0);
	assert_int_equal(string_list_add(&paths, "/sys/fs/cgroup/unified/docker/x"), 0);
	assert_int_equal(string_list_add(&paths, "/sys/fs/cgroup/memory2/docker/x"), 0);
	assert_int_equal(cgroup_locate_recorded_in(&paths, mounts, own, &set), 0);
	assert_int_equal(set.count, 2);
	assert_string_equal(cgroup_dir_find(&set, "memory")->path, "/sys/fs/cgroup/memory/docker/x");
	assert_false(cgroup_dir_find(&set, "memory")->unified);
	assert_string_equal(cgroup_dir_find(&set, "cpu")->path, "/sys/fs/cgroup/unified/docker/x");
	assert_true(cgroup_dir_find(&set, "cpu")->unified);
	cgroup_set_free(&set);
	string_list_free(&paths);
	free(mounts);
	free(own);
}

static void test_locate_v1(void **state)
{
	struct cgroup_set set;

	locate("/docker/x", true, V1_MOUNTS, V1_MEMBERSHIP, &set);
	assert_int_equal(set.count, 4);
	assert_string_equal(cgroup_dir_find(&set, "memory")->path, "/sys/fs/cgroup/memory/docker/x");
	assert_string_equal(cgroup_dir_find(&set, "cpuacct")->path,
			    "/sys/fs/cgroup/cpu,cpuacct/docker/x");
	assert_ptr_equal(cgroup_dir_find(&set, "cpu"), cgroup_dir_find(&set, "cpuacct"));
	assert_null(cgroup_dir_find(&set, "hugetlb"));
	assert_int_equal(cgroup_unified_fd(&set), -1);
	cgroup_set_free(&set);

	/* A relative path starts at our own cgroup. */
	locate("x", true, V1_MOUNTS, V1_MEMBERSHIP, &set);
	assert_string_equal(cgroup_dir_find(&set, "memory")->path,
			    "/sys/fs/cgroup/memory/user.slice/s/x");
	assert_string_equal(cgroup_dir_find(&set, "cpu")->path, "/sys/fs/cgroup/cpu,cpuacct/x");
	cgroup_set_free(&set);

	/* Without limits none is used. */
	locate("x", false, V1_MOUNTS, V1_MEMBERSHIP, &set);
	assert_int_equal(set.count, 0);
	cgroup_set_free(&set);
}

static void test_locate_v2(void **state)
{
	struct cgroup_set set;

	locate("/docker/x", true, V2_MOUNT, V2_MEMBERSHIP, &set);
	assert_int_equal(set.count, 1);
	assert_true(set.dirs[0].unified);
	assert_string_equal(set.dirs[0].path, "/sys/fs/cgroup/docker/x");
	assert_ptr_equal(cgroup_dir_find(&set, "memory"), &set.dirs[0]);
	cgroup_set_free(&set);

	/* Beside our own: one with processes has no children with controllers. */
	locate("x", false, V2_MOUNT, V2_MEMBERSHIP, &set);
	assert_string_equal(set.dirs[0].path, "/sys/fs/cgroup/user.slice/x");
	cgroup_set_free(&set);
	locate("x", false, V2_MOUNT, "0::/\n", &set);
	assert_string_equal(set.dirs[0].path, "/sys/fs/cgroup/x");
	cgroup_set_free(&set);
}

static void test_locate_hybrid(void **state)
{
	struct cgroup_set set;

	locate("/docker/x", true, V1_MOUNTS HYBRID_MOUNT, V1_MEMBERSHIP V2_MEMBERSHIP, &set);
	assert_int_equal(set.count, 5);
	assert_false(cgroup_dir_find(&set, "pids")->unified);
	assert_string_equal(cgroup_dir_find(&set, "")->path, "/sys/fs/cgroup/unified/docker/x");
	/* What no v1 hierarchy has may be in the unified one. */
	assert_true(cgroup_dir_find(&set, "hugetlb")->unified);
	cgroup_set_free(&set);
}

/* In a container of the host's runtime the mount shows a part of the hierarchy. */
static void test_locate_nested(void **state)
{
	struct cgroup_set set;

	locate("x", true, "34 30 0:30 /docker/outer /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n",
	       "3:memory:/docker/outer\n", &set);
	assert_string_equal(set.dirs[0].path, "/sys/fs/cgroup/memory/x");
	cgroup_set_free(&set);
}

static void test_locate_garbage(void **state)
{
	struct cgroup_set set;

	locate("x", true, "", "", &set);
	assert_int_equal(set.count, 0);
	cgroup_set_free(&set);
	locate("x", true, "1 2 - cgroup\n - cgroup2\n" V2_MOUNT, "nonsense\n0:\n" V2_MEMBERSHIP, &set);
	assert_int_equal(set.count, 1);
	cgroup_set_free(&set);
}

/* --- limits ------------------------------------------------------------------------------- */

static const char *const files[] = {
	"memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "memory.soft_limit_in_bytes",
	"memory.max", "memory.swap.max", "memory.low", "cpu.shares", "cpu.cfs_period_us",
	"cpu.cfs_quota_us", "cpu.weight", "cpu.max", "cpu.idle", "cpuset.cpus", "cpuset.mems",
	"pids.max", "memory.high", "memory.swappiness", "memory.oom_control",
	"memory.kmem.tcp.limit_in_bytes", "cpu.cfs_burst_us", "cpu.max.burst", "cpu.rt_period_us",
	"cpu.rt_runtime_us", "blkio.weight", "blkio.weight_device", "blkio.leaf_weight",
	"blkio.throttle.read_bps_device", "blkio.throttle.write_iops_device", "io.weight", "io.max",
	"hugetlb.2MB.limit_in_bytes", "hugetlb.2MB.rsvd.limit_in_bytes", "hugetlb.2MB.max",
	"net_cls.classid", "net_prio.ifpriomap", "rdma.max",
};

static char dir_path[64];
static int dir = -1;

static int set_up(void **state)
{
	dir = unit_directory(dir_path);
	return dir < 0;
}

static int tear_down(void **state)
{
	close(dir);
	return rmdir(dir_path);
}

static void make_files(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		close(openat(dir, files[i], O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600));
}

static void remove_files(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		unlinkat(dir, files[i], 0);
}

static void assert_file(const char *name, const char *wanted)
{
	char *text;
	size_t size;

	assert_int_equal(file_read_all(dir, name, 100, &text, &size), 0);
	assert_string_equal(text, wanted);
	free(text);
}

/* As the host's: one v1 directory with all controllers, or the unified one. */
static int write_limits(bool unified, const struct spec_resources *r, struct error **err)
{
	char controllers[] = "blkio,cpu,cpuset,hugetlb,memory,net_cls,net_prio,pids,rdma";
	struct cgroup_set set = {
		.dirs = { { .path = dir_path, .mount_point = dir_path,
			    .controllers = unified ? controllers + strlen(controllers) : controllers,
			    .unified = unified } },
		.count = 1,
	};

	make_files();
	return cgroup_write_limits(&set, r, err);
}

#define I64(v) { .set = true, .value = (v) }
#define U64(v) { .set = true, .value = (v) }

static void test_limits(void **state)
{
	struct spec_memory memory = { .limit = I64(100 << 20), .swap = I64(300 << 20),
				      .reservation = I64(50 << 20) };
	struct spec_cpu cpu = { .shares = U64(512), .quota = I64(50000), .period = U64(200000),
				.cpus = (char[]){ "0-1" }, .mems = (char[]){ "0" } };
	struct spec_pids pids = { .limit = I64(10) };
	struct spec_resources r = { .memory = &memory, .cpu = &cpu, .pids = &pids };
	struct error *err = NULL;

	assert_int_equal(write_limits(false, &r, &err), 0);
	assert_file("memory.limit_in_bytes", "104857600");
	assert_file("memory.memsw.limit_in_bytes", "314572800");
	assert_file("memory.soft_limit_in_bytes", "52428800");
	assert_file("memory.max", "");
	assert_file("cpu.shares", "512");
	assert_file("cpu.cfs_quota_us", "50000");
	assert_file("cpu.cfs_period_us", "200000");
	assert_file("cpuset.cpus", "0-1");
	assert_file("cpuset.mems", "0");
	/* Room for the sandbox's own threads and processes. */
	assert_file("pids.max", "148");

	assert_int_equal(write_limits(true, &r, &err), 0);
	assert_file("memory.limit_in_bytes", "");
	assert_file("memory.max", "104857600");
	assert_file("memory.swap.max", "209715200");
	assert_file("memory.low", "52428800");
	assert_file("cpu.weight", "20");
	assert_file("cpu.max", "50000 200000");
	assert_file("cpuset.cpus", "0-1");
	assert_file("pids.max", "148");
	remove_files();
}

static void test_rare_limits(void **state)
{
	struct spec_memory memory = { .swappiness = U64(0), .kernel_tcp = I64(4096),
				      .disable_oom_killer = { .set = true, .value = true } };
	struct spec_cpu cpu = { .burst = U64(1000), .realtime_runtime = I64(5000),
				.realtime_period = U64(10000) };
	struct spec_resources r = { .memory = &memory, .cpu = &cpu };
	struct error *err = NULL;

	assert_int_equal(write_limits(false, &r, &err), 0);
	assert_file("memory.swappiness", "0");
	assert_file("memory.kmem.tcp.limit_in_bytes", "4096");
	assert_file("memory.oom_control", "1");
	assert_file("cpu.cfs_burst_us", "1000");
	assert_file("cpu.rt_period_us", "10000");
	assert_file("cpu.rt_runtime_us", "5000");
	assert_int_equal(write_limits(true, &r, &err), 0);
	assert_file("cpu.max.burst", "1000");
	remove_files();
}

static void test_lists(void **state)
{
	struct spec_weight_device weights[] = { { .major = 8, .minor = 16, .weight = U64(500) } };
	struct spec_throttle_device reads[] = { { 8, 0, 1 << 20 } }, writes[] = { { 8, 0, 0 } };
	struct spec_block_io block = {
		.weight = U64(1000),
		.weight_device = { weights, 1 },
		.throttle_read_bps_device = { reads, 1 },
		.throttle_write_iops_device = { writes, 1 },
	};
	struct spec_hugepage_limit pages[] = { { (char[]){ "2MB" }, 4 << 20 } };
	struct spec_interface_priority priorities[] = { { (char[]){ "eth0" }, 5 } };
	struct spec_network network = { .class_id = U64(0x100001), .priorities = { priorities, 1 } };
	struct spec_rdma rdma[] = { { (char[]){ "mlx5_1" }, U64(3), U64(10000) } };
	struct spec_resources r = { .block_io = &block, .hugepage_limits = { pages, 1 },
				    .network = &network, .rdma = { rdma, 1 } };
	struct error *err = NULL;

	assert_true(cgroup_lists_wanted(&r));
	assert_int_equal(write_limits(false, &r, &err), 0);
	assert_file("blkio.weight", "1000");
	assert_file("blkio.weight_device", "8:16 500");
	assert_file("blkio.throttle.read_bps_device", "8:0 1048576");
	assert_file("blkio.throttle.write_iops_device", "8:0 0");
	assert_file("hugetlb.2MB.limit_in_bytes", "4194304");
	assert_file("hugetlb.2MB.rsvd.limit_in_bytes", "4194304");
	assert_file("net_cls.classid", "1048577");
	assert_file("net_prio.ifpriomap", "eth0 5");
	assert_file("rdma.max", "mlx5_1 hca_handle=3 hca_object=10000");

	/* v2 has no classes of packets: refused, not forgotten. */
	assert_int_equal(write_limits(true, &r, &err), -EOPNOTSUPP);
	error_free(err);
	err = NULL;
	r.network = NULL;
	block.weight_device.count = block.throttle_read_bps_device.count = 0; /* one line to a file */
	assert_int_equal(write_limits(true, &r, &err), 0);
	assert_file("io.weight", "default 10000");
	assert_file("io.max", "8:0 wiops=max");
	assert_file("hugetlb.2MB.max", "4194304");

	block.leaf_weight = (struct opt_u16)U64(10);
	assert_int_equal(write_limits(true, &r, &err), -EOPNOTSUPP);
	error_free(err);
	err = NULL;
	pages[0].page_size = (char[]){ "../x" };
	r.block_io = NULL;
	assert_int_equal(write_limits(false, &r, &err), -EINVAL);
	error_free(err);
	remove_files();
}

static void test_no_limits(void **state)
{
	struct spec_memory memory = { .limit = I64(0), .swap = I64(0) };
	struct spec_cpu cpu = { .shares = U64(0), .quota = I64(0), .period = U64(0) };
	struct spec_pids pids = { .limit = I64(0) };
	struct spec_resources r = { .memory = &memory, .cpu = &cpu, .pids = &pids };
	struct error *err = NULL;

	for (int unified = 0; unified < 2; unified++) {
		assert_int_equal(write_limits(unified, &r, &err), 0);
		for (size_t i = 0; i < ARRAY_SIZE(files); i++)
			assert_file(files[i], "");
	}
	remove_files();
}

static void test_unlimited(void **state)
{
	struct spec_memory memory = { .limit = I64(-1) };
	struct spec_cpu cpu = { .quota = I64(-1) };
	struct spec_pids pids = { .limit = I64(-1) };
	struct spec_resources r = { .memory = &memory, .cpu = &cpu, .pids = &pids };
	struct error *err = NULL;

	assert_int_equal(write_limits(false, &r, &err), 0);
	assert_file("memory.limit_in_bytes", "-1");
	assert_file("memory.memsw.limit_in_bytes", "");
	assert_file("cpu.cfs_quota_us", "-1");
	assert_file("pids.max", "max");
	assert_int_equal(write_limits(true, &r, &err), 0);
	assert_file("memory.max", "max");
	assert_file("memory.swap.max", "max");
	assert_file("cpu.max", "max 100000");
	remove_files();
}

static void test_swap_without_sense(void **state)
{
	struct spec_memory memory = { .swap = I64(1 << 20) };
	struct spec_resources r = { .memory = &memory };
	struct error *err = NULL;

	assert_int_equal(write_limits(true, &r, &err), -EINVAL);
	error_free(err);
	err = NULL;
	memory.limit = (struct opt_i64)I64(2 << 20);
	assert_int_equal(write_limits(true, &r, &err), -EINVAL);
	error_free(err);
	remove_files();
}

static void test_shares_to_weight(void **state)
{
	static const struct {
		uint64_t shares;
		const char *weight;
	} rows[] = { { 1, "1" }, { 2, "1" }, { 1024, "39" }, { 262144, "10000" }, { 1 << 20, "10000" } };
	struct spec_cpu cpu = { 0 };
	struct spec_resources r = { .cpu = &cpu };
	struct error *err = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		cpu.shares.set = true;
		cpu.shares.value = rows[i].shares;
		assert_int_equal(write_limits(true, &r, &err), 0);
		assert_file("cpu.weight", rows[i].weight);
	}
	remove_files();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_locate_recorded), cmocka_unit_test(test_locate_v1),
		cmocka_unit_test(test_locate_v2),
		cmocka_unit_test(test_locate_hybrid),
		cmocka_unit_test(test_locate_nested),
		cmocka_unit_test(test_locate_garbage),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_rare_limits),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_no_limits),
		cmocka_unit_test(test_unlimited),
		cmocka_unit_test(test_swap_without_sense),
		cmocka_unit_test(test_shares_to_weight),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
