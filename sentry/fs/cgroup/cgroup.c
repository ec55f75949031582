/* SPDX-License-Identifier: Apache-2.0 */
/* See cgroup.h.  Limits are shown as they are when the file is read: `moat update` changes them. */
#include "sentry/fs/cgroup/cgroup.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#include "sentry/abi/capability.h"
#include "sentry/abi/fs.h"
#include "sentry/cred/credentials.h"
#include "sentry/fs/proc/system/proc_system.h"
#include "sentry/fs/sysfs/tree_fs.h"
#include "sentry/kernel/kernel.h"
#include "sentry/kernel/task_cgroup.h"
#include "sentry/vfs/fs_config.h"
#include "util/strbuf.h"

#define CGROUP_MAGIC 0x27e0eb
#define CGROUP2_MAGIC 0x63677270
#define DEFAULT_PERIOD_US 100000
#define DEFAULT_SHARES 1024
#define V1_UNLIMITED UINT64_C(0x7ffffffffffff000)
#define TEXT_SIZE 96

static int layout = 2; /* does not change after boot */

/* Of the container that looks. */
static struct container_limits current_limits(void)
{
	return task_container_limits(task_container_current());
}

/* Of cgroup v1, in the order of runc's mounts on a hybrid host. */
static const char *const v1_hierarchies[] = { "pids", "memory", "cpu,cpuacct", "cpuset", "freezer",
					      "devices", "blkio" };

/* --- what is used ------------------------------------------------------------------------ */

static uint64_t memory_used(void)
{
	struct system_memory m;

	system_memory_read(kernel_get(), &m);
	return m.anonymous;
}

static void show_memory_used(struct strbuf *out)
{
	strbuf_addf(out, "%" PRIu64 "\n", memory_used());
}

static void show_memory_stat(struct strbuf *out)
{
	struct system_memory m;

	system_memory_read(kernel_get(), &m);
	strbuf_addf(out, "anon %" PRIu64 "\nfile 0\nkernel 0\nfile_mapped %" PRIu64 "\n", m.anonymous,
		    m.mapped);
	strbuf_add(out, "inactive_file 0\nactive_file 0\n");
}

static void show_pids_used(struct strbuf *out)
{
	strbuf_addf(out, "%lld\n", (long long)task_container_current()->task_count);
}

static void show_cpu_stat(struct strbuf *out)
{
	struct system_cpu s;

	system_cpu_read(kernel_get(), &s);
	strbuf_addf(out, "usage_usec %" PRIu64 "\nuser_usec %" PRIu64 "\nsystem_usec %" PRIu64 "\n",
		    (s.user_ns + s.system_ns) / 1000, s.user_ns / 1000, s.system_ns / 1000);
	strbuf_add(out, "nr_periods 0\nnr_throttled 0\nthrottled_usec 0\n");
}

static void show_cpu_usage(struct strbuf *out)
{
	struct system_cpu s;

	system_cpu_read(kernel_get(), &s);
	strbuf_addf(out, "%" PRIu64 "\n", s.user_ns + s.system_ns);
}

/* The processes the reader's pid namespace shows. */
static void show_procs(struct strbuf *out)
{
	struct task *caller = task_current();
	struct pid_namespace *ns = caller ? task_pid_namespace(caller) : kernel_get()->root_pid_ns;
	int32_t tgid = 0;
	struct task *t;

	while ((t = task_next_group(ns, tgid + 1, &tgid))) {
		strbuf_addf(out, "%d\n", tgid);
		task_put(t);
	}
}

static void show_threads(struct strbuf *out)
{
	struct task *caller = task_current();
	struct pid_namespace *ns = caller ? task_pid_namespace(caller) : kernel_get()->root_pid_ns;
	int32_t tgid = 0, tid;
	struct task *leader, *t;

	while ((leader = task_next_group(ns, tgid + 1, &tgid))) {
		for (tid = 0; (t = task_next_thread(leader->group, ns, tid + 1, &tid));) {
			strbuf_addf(out, "%d\n", tid);
			task_put(t);
		}
		task_put(leader);
	}
}

/* --- v2 --------------------------------------------------------------------------------------- */

static void show_limit(struct strbuf *out, uint64_t value)
{
	if (value)
		strbuf_addf(out, "%" PRIu64 "\n", value);
	else
		strbuf_add(out, "max\n");
}

static void show_memory_max(struct strbuf *out)
{
	show_limit(out, current_limits().memory_limit);
}

static void show_swap_max(struct strbuf *out)
{
	struct container_limits now = current_limits();

	if (now.swap_limit && now.swap_limit <= now.memory_limit)
		strbuf_add(out, "0\n");
	else
		show_limit(out, now.swap_limit ? now.swap_limit - now.memory_limit : 0);
}

static void show_pids_max(struct strbuf *out)
{
	show_limit(out, current_limits().pids_limit);
}

static uint64_t period_of(const struct container_limits *c)
{
	return c->cpu_period_us ? c->cpu_period_us : DEFAULT_PERIOD_US;
}

static void show_cpu_max(struct strbuf *out)
{
	struct container_limits now = current_limits();

	if (now.cpu_quota_us > 0)
		strbuf_addf(out, "%" PRId64 " %" PRIu64 "\n", now.cpu_quota_us, period_of(&now));
	else
		strbuf_addf(out, "max %" PRIu64 "\n", period_of(&now));
}

/* runc's conversion of shares (2 to 262144) to weight (1 to 10000) */
static void show_cpu_weight(struct strbuf *out)
{
	uint64_t shares = current_limits().cpu_shares;

	if (shares)
		strbuf_addf(out, "%" PRIu64 "\n", 1 + ((shares < 2 ? 0 : shares - 2) * 9999) / 262142);
	else
		strbuf_add(out, "100\n");
}

static void build_v2(struct tree_node *root)
{
	char cpus[TEXT_SIZE];

	snprintf(cpus, sizeof(cpus), kernel_get()->cpus > 1 ? "0-%u\n" : "0\n", kernel_get()->cpus - 1);
	tree_text(root, "cgroup.controllers", 0444, "cpuset cpu memory pids\n");
	tree_text(root, "cgroup.subtree_control", 0644, "");
	tree_text(root, "cgroup.type", 0644, "domain\n");
	tree_text(root, "cgroup.events", 0444, "populated 1\nfrozen 0\n");
	tree_text(root, "cgroup.freeze", 0644, "0\n");
	tree_text(root, "cgroup.max.depth", 0644, "max\n");
	tree_text(root, "cgroup.max.descendants", 0644, "max\n");
	tree_text(root, "cgroup.stat", 0444, "nr_descendants 0\nnr_dying_descendants 0\n");
	tree_file(root, "cgroup.procs", 0644, show_procs);
	tree_file(root, "cgroup.threads", 0644, show_threads);
	tree_file(root, "cpu.max", 0644, show_cpu_max);
	tree_file(root, "cpu.weight", 0644, show_cpu_weight);
	tree_file(root, "cpu.stat", 0444, show_cpu_stat);
	tree_text(root, "cpuset.cpus", 0644, "\n");
	tree_text(root, "cpuset.cpus.effective", 0444, cpus);
	tree_text(root, "cpuset.mems", 0644, "\n");
	tree_text(root, "cpuset.mems.effective", 0444, "0\n");
	tree_file(root, "memory.current", 0444, show_memory_used);
	tree_text(root, "memory.events", 0444, "low 0\nhigh 0\nmax 0\noom 0\noom_kill 0\noom_group_kill 0\n");
	tree_text(root, "memory.high", 0644, "max\n");
	tree_text(root, "memory.low", 0644, "0\n");
	tree_file(root, "memory.max", 0644, show_memory_max);
	tree_text(root, "memory.min", 0644, "0\n");
	tree_text(root, "memory.oom.group", 0644, "0\n");
	tree_file(root, "memory.stat", 0444, show_memory_stat);
	tree_text(root, "memory.swap.current", 0444, "0\n");
	tree_file(root, "memory.swap.max", 0644, show_swap_max);
	tree_file(root, "pids.current", 0444, show_pids_used);
	tree_file(root, "pids.max", 0644, show_pids_max);
}

/* --- v1 --------------------------------------------------------------------------------------- */

static void add_number(struct tree_node *dir, const char *name, int64_t value)
{
	char text[TEXT_SIZE];

	snprintf(text, sizeof(text), "%" PRId64 "\n", value);
	tree_text(dir, name, 0644, text);
}

static void add_v1_common(struct tree_node *dir)
{
	tree_file(dir, "cgroup.procs", 0644, show_procs);
	tree_file(dir, "tasks", 0644, show_threads);
	tree_text(dir, "cgroup.clone_children", 0644, "0\n");
	tree_text(dir, "notify_on_release", 0644, "0\n");
}

static void show_v1_memory_limit(struct strbuf *out)
{
	uint64_t limit = current_limits().memory_limit;

	strbuf_addf(out, "%" PRIu64 "\n", limit ? limit : V1_UNLIMITED);
}

static void show_v1_swap_limit(struct strbuf *out)
{
	uint64_t limit = current_limits().swap_limit;

	strbuf_addf(out, "%" PRIu64 "\n", limit ? limit : V1_UNLIMITED);
}

static void show_v1_shares(struct strbuf *out)
{
	uint64_t shares = current_limits().cpu_shares;

	strbuf_addf(out, "%" PRIu64 "\n", shares ? shares : DEFAULT_SHARES);
}

static void show_v1_quota(struct strbuf *out)
{
	int64_t quota = current_limits().cpu_quota_us;

	strbuf_addf(out, "%" PRId64 "\n", quota > 0 ? quota : -1);
}

static void show_v1_period(struct strbuf *out)
{
	struct container_limits now = current_limits();

	strbuf_addf(out, "%" PRIu64 "\n", period_of(&now));
}

static void build_memory_v1(struct tree_node *dir)
{
	tree_file(dir, "memory.limit_in_bytes", 0644, show_v1_memory_limit);
	tree_file(dir, "memory.memsw.limit_in_bytes", 0644, show_v1_swap_limit);
	add_number(dir, "memory.soft_limit_in_bytes", (int64_t)V1_UNLIMITED);
	tree_file(dir, "memory.usage_in_bytes", 0444, show_memory_used);
	tree_text(dir, "memory.failcnt", 0644, "0\n");
	tree_text(dir, "memory.use_hierarchy", 0644, "1\n");
	tree_text(dir, "memory.swappiness", 0644, "60\n");
	tree_text(dir, "memory.oom_control", 0644, "oom_kill_disable 0\nunder_oom 0\noom_kill 0\n");
	tree_file(dir, "memory.stat", 0444, show_memory_stat);
}

static void build_cpu_v1(struct tree_node *dir)
{
	tree_file(dir, "cpu.shares", 0644, show_v1_shares);
	tree_file(dir, "cpu.cfs_quota_us", 0644, show_v1_quota);
	tree_file(dir, "cpu.cfs_period_us", 0644, show_v1_period);
	tree_text(dir, "cpu.stat", 0444, "nr_periods 0\nnr_throttled 0\nthrottled_time 0\n");
	tree_file(dir, "cpuacct.usage", 0444, show_cpu_usage);
}

static void build_v1(struct tree_node *root)
{
	for (size_t i = 0; i < ARRAY_SIZE(v1_hierarchies); i++) {
		struct tree_node *dir = tree_dir(root, v1_hierarchies[i]);
		char cpus[TEXT_SIZE];

		add_v1_common(dir);
		switch (i) {
		case 0:
			tree_file(dir, "pids.max", 0644, show_pids_max);
			tree_file(dir, "pids.current", 0444, show_pids_used);
			break;
		case 1:
			build_memory_v1(dir);
			break;
		case 2:
			build_cpu_v1(dir);
			break;
		case 3:
			snprintf(cpus, sizeof(cpus), kernel_get()->cpus > 1 ? "0-%u\n" : "0\n",
				 kernel_get()->cpus - 1);
			tree_text(dir, "cpuset.cpus", 0644, cpus);
			tree_text(dir, "cpuset.mems", 0644, "0\n");
			break;
		default:
			break;
		}
	}
	tree_link(root, "cpu", "cpu,cpuacct");
	tree_link(root, "cpuacct", "cpu,cpuacct");
}

/* --- mounting --------------------------------------------------------------------------------- */

static int create_layout(int version, struct fs_config *c, struct super_block **out)
{
	const struct tree_fs_config fs = {
		.type = version == 1 ? "cgroup" : "cgroup2",
		.magic = version == 1 ? CGROUP_MAGIC : CGROUP2_MAGIC,
		.user_ns = c->user_ns,
	};
	struct tree_node *root = tree_new(0555);

	if (root && version == 1)
		build_v1(root);
	else if (root)
		build_v2(root);
	return tree_fs_finish(root, &fs, out);
}

/* config.json's "cgroup": whatever layout the container has. */
static int cgroup_create(struct fs_config *c, struct super_block **out)
{
	return create_layout(layout, c, out);
}

static int cgroup2_create(struct fs_config *c, struct super_block **out)
{
	return layout == 2 ? create_layout(2, c, out) : -EBUSY;
}

/* Ways to share out what is not shared out here. */
static const struct fs_option cgroup2_options[] = {
	{ "nsdelegate", FS_OPTION_FLAG, 0, NULL },
	{ "favordynmods", FS_OPTION_FLAG, 0, NULL },
	{ "memory_localevents", FS_OPTION_FLAG, 0, NULL },
	{ "memory_recursiveprot", FS_OPTION_FLAG, 0, NULL },
	{ "memory_hugetlb_accounting", FS_OPTION_FLAG, 0, NULL },
	{ "pids_localevents", FS_OPTION_FLAG, 0, NULL },
};

static int cgroup2_set(struct fs_config *c, const struct fs_option_value *v)
{
	(void)c;
	(void)v;
	return 0;
}

static const struct file_system_type cgroup_type = {
	.name = "cgroup",
	.shared = true,
	.any_option = true,
	.create = cgroup_create,
};
static const struct file_system_type cgroup2_type = {
	.name = "cgroup2",
	.shared = true,
	.options = cgroup2_options,
	.option_count = ARRAY_SIZE(cgroup2_options),
	.set = cgroup2_set,
	.create = cgroup2_create,
};

void cgroup_set_layout(int number)
{
	layout = number;
}

int cgroup_init(struct kernel *k)
{
	int rc = file_system_register(&cgroup_type);

	(void)k;
	return rc < 0 ? rc : file_system_register(&cgroup2_type);
}

/* Who may write cgroup.procs, which belongs to root. */
int cgroup_may_join(struct file *file, const struct credentials *cred)
{
	struct inode *inode = file->inode;

	if (inode->sb->magic != CGROUP2_MAGIC || inode_type(inode) != LINUX_S_IFDIR)
		return -EBADF;
	return cred->fsuid == 0 || credentials_root_capable(cred, LINUX_CAP_DAC_OVERRIDE) ? 0 : -EACCES;
}

/* --- for proc --------------------------------------------------------------------------------- */

void cgroup_show_membership(const struct task_cgroup *cgroup, struct strbuf *out)
{
	if (layout == 2) {
		strbuf_addf(out, "0::%s\n", task_cgroup_path(cgroup, ""));
		return;
	}
	for (size_t i = ARRAY_SIZE(v1_hierarchies); i-- > 0;)
		strbuf_addf(out, "%zu:%s:%s\n", i + 1, v1_hierarchies[i],
			    task_cgroup_path(cgroup, v1_hierarchies[i]));
}

void cgroup_show_cpuset(const struct task_cgroup *cgroup, struct strbuf *out)
{
	strbuf_addf(out, "%s\n", task_cgroup_path(cgroup, layout == 2 ? "" : "cpuset"));
}

void cgroup_show_controllers(struct strbuf *out)
{
	static const struct {
		const char *name;
		unsigned hierarchy;
	} rows[] = { { "cpuset", 4 }, { "cpu", 3 },	{ "cpuacct", 3 }, { "blkio", 7 },
		     { "memory", 2 }, { "devices", 6 }, { "freezer", 5 }, { "pids", 1 } };

	strbuf_add(out, "#subsys_name\thierarchy\tnum_cgroups\tenabled\n");
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		strbuf_addf(out, "%s\t%u\t1\t1\n", rows[i].name,
			    layout == 2 ? 0 : rows[i].hierarchy);
}
