/* SPDX-License-Identifier: Apache-2.0 */
/* See sysfs.h. */
#include "sentry/fs/sysfs/sysfs.h"

#include <errno.h>
#include <stdio.h>

#include "sentry/abi/capability.h"
#include "sentry/cred/credentials.h"
#include "sentry/fs/sysfs/tree_fs.h"
#include "sentry/kernel/kernel.h"
#include "sentry/kernel/namespaces.h"
#include "sentry/kernel/task.h"
#include "sentry/net/net_namespace.h"
#include "sentry/vfs/fs_config.h"

#define SYSFS_MAGIC 0x62656572
#define TEXT_SIZE 128

/* "0-3", or "0" of one. */
static void cpu_range(unsigned cpus, char *buf, size_t size)
{
	if (cpus > 1)
		snprintf(buf, size, "0-%u\n", cpus - 1);
	else
		snprintf(buf, size, "0\n");
}

/* A mask of CPUs as words of 32 bits, the highest first. */
static void cpu_mask(unsigned first, unsigned count, unsigned cpus, char *buf, size_t size)
{
	unsigned words = (cpus + 31) / 32;
	size_t used = 0;

	for (unsigned i = words; i-- > 0 && used < size;) {
		unsigned bits = i == words - 1 ? cpus - i * 32 : 32;
		uint32_t word = 0;

		for (unsigned b = 0; b < bits; b++)
			if (i * 32 + b >= first && i * 32 + b < first + count)
				word |= 1U << b;
		used += (size_t)snprintf(buf + used, size - used, "%0*x%s", (int)(bits + 3) / 4, word,
					 i ? "," : "\n");
	}
}

static void add_topology(struct tree_node *cpu, unsigned number, unsigned cpus)
{
	struct tree_node *t = tree_dir(cpu, "topology");
	char text[TEXT_SIZE];

	snprintf(text, sizeof(text), "%u\n", number);
	tree_text(t, "core_id", 0444, text);
	tree_text(t, "core_cpus_list", 0444, text);
	tree_text(t, "thread_siblings_list", 0444, text);
	tree_text(t, "physical_package_id", 0444, "0\n");
	tree_text(t, "die_id", 0444, "0\n");
	cpu_range(cpus, text, sizeof(text));
	tree_text(t, "core_siblings_list", 0444, text);
	tree_text(t, "package_cpus_list", 0444, text);
	cpu_mask(number, 1, cpus, text, sizeof(text));
	tree_text(t, "thread_siblings", 0444, text);
	tree_text(t, "core_cpus", 0444, text);
	cpu_mask(0, cpus, cpus, text, sizeof(text));
	tree_text(t, "core_siblings", 0444, text);
	tree_text(t, "package_cpus", 0444, text);
}

static void add_cpus(struct tree_node *system, unsigned cpus)
{
	struct tree_node *dir = tree_dir(system, "cpu");
	char text[TEXT_SIZE];

	cpu_range(cpus, text, sizeof(text));
	tree_text(dir, "online", 0444, text);
	tree_text(dir, "possible", 0444, text);
	tree_text(dir, "present", 0444, text);
	tree_text(dir, "offline", 0444, "\n");
	tree_text(dir, "isolated", 0444, "\n");
	snprintf(text, sizeof(text), "%u\n", cpus - 1);
	tree_text(dir, "kernel_max", 0444, text);
	for (unsigned i = 0; i < cpus; i++) {
		struct tree_node *cpu;

		snprintf(text, sizeof(text), "cpu%u", i);
		cpu = tree_dir(dir, text);
		if (i)
			tree_text(cpu, "online", 0444, "1\n");
		add_topology(cpu, i, cpus);
	}
}

static void add_node(struct tree_node *system, unsigned cpus)
{
	struct tree_node *dir = tree_dir(system, "node"), *node;
	char text[TEXT_SIZE];

	tree_text(dir, "online", 0444, "0\n");
	tree_text(dir, "possible", 0444, "0\n");
	tree_text(dir, "has_cpu", 0444, "0\n");
	tree_text(dir, "has_memory", 0444, "0\n");
	node = tree_dir(dir, "node0");
	cpu_range(cpus, text, sizeof(text));
	tree_text(node, "cpulist", 0444, text);
	cpu_mask(0, cpus, cpus, text, sizeof(text));
	tree_text(node, "cpumap", 0444, text);
	tree_text(node, "distance", 0444, "10\n");
}

static void add_loopback(struct tree_node *virtual)
{
	static const struct {
		const char *name, *text;
	} files[] = {
		{ "addr_len", "6\n" },	  { "address", "00:00:00:00:00:00\n" },
		{ "broadcast", "00:00:00:00:00:00\n" }, { "carrier", "1\n" },
		{ "dev_id", "0x0\n" },	  { "flags", "0x9\n" },
		{ "ifindex", "1\n" },	  { "iflink", "1\n" },
		{ "mtu", "65536\n" },	  { "operstate", "unknown\n" },
		{ "tx_queue_len", "1000\n" }, { "type", "772\n" },
	};
	static const char *const counters[] = { "rx_bytes", "rx_packets", "rx_errors", "rx_dropped",
						"tx_bytes", "tx_packets", "tx_errors", "tx_dropped" };
	struct tree_node *lo = tree_dir(tree_dir(virtual, "net"), "lo"), *statistics;

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		tree_text(lo, files[i].name, 0444, files[i].text);
	statistics = tree_dir(lo, "statistics");
	for (size_t i = 0; i < ARRAY_SIZE(counters); i++)
		tree_text(statistics, counters[i], 0444, "0\n");
}

static void add_kernel(struct tree_node *root)
{
	struct tree_node *kernel = tree_dir(root, "kernel");
	struct tree_node *mm = tree_dir(kernel, "mm");
	struct tree_node *huge = tree_dir(mm, "transparent_hugepage");

	tree_text(huge, "enabled", 0444, "always [madvise] never\n");
	tree_text(huge, "defrag", 0444, "always defer defer+madvise [madvise] never\n");
	tree_text(huge, "shmem_enabled", 0444, "always within_size advise [never] deny force\n");
	tree_text(huge, "hpage_pmd_size", 0444, "2097152\n");
	tree_text(huge, "use_zero_page", 0444, "1\n");
	tree_dir(mm, "hugepages");
	tree_mount_point(kernel, "debug");
	tree_mount_point(kernel, "security");
	tree_mount_point(kernel, "tracing");
}

static void build(struct tree_node *root, unsigned cpus)
{
	struct tree_node *devices, *system, *class, *fs;

	tree_dir(root, "block");
	tree_dir(root, "bus");
	class = tree_dir(root, "class");
	tree_link(tree_dir(class, "net"), "lo", "../../devices/virtual/net/lo");
	tree_dir(class, "block");
	tree_dir(class, "power_supply");
	tree_dir(class, "thermal");
	tree_dir(class, "tty");
	tree_dir(root, "dev");
	devices = tree_dir(root, "devices");
	system = tree_dir(devices, "system");
	add_cpus(system, cpus);
	add_node(system, cpus);
	add_loopback(tree_dir(devices, "virtual"));
	tree_dir(root, "firmware");
	fs = tree_dir(root, "fs");
	tree_mount_point(fs, "cgroup");
	add_kernel(root);
	tree_dir(root, "module");
	tree_dir(root, "power");
}

/* What it has of networks is for who administers one. */
static int sysfs_begin(struct fs_config *c)
{
	const struct task *t = task_current();
	const struct net_namespace *net = t ? t->namespaces->net : NULL;

	return net && !credentials_ns_capable(c->cred, net->user_ns, LINUX_CAP_SYS_ADMIN) ? -EPERM : 0;
}

static int sysfs_create(struct fs_config *c, struct super_block **out)
{
	const struct tree_fs_config config = { .type = "sysfs", .magic = SYSFS_MAGIC, .user_ns = c->user_ns };
	struct tree_node *root = tree_new(0555);

	if (root)
		build(root, kernel_get()->cpus);
	return tree_fs_finish(root, &config, out);
}

static const struct file_system_type sysfs_type = {
	.name = "sysfs",
	.user_mountable = true,
	.revealing = true,
	.begin = sysfs_begin,
	.create = sysfs_create,
};

int sysfs_init(struct kernel *k)
{
	return file_system_register(&sysfs_type);
}
