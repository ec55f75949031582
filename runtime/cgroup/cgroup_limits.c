/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The limits of config.json as files of v1 and v2 cgroups: one row per limit.  The pids limit
 * counts guest tasks in the sentry; the host's gets room for our own threads and processes.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "runtime/cgroup/cgroup.h"
#include "util/cleanup.h"
#include "util/file.h"
#include "util/parse.h"

#define PIDS_FACTOR 2
#define PIDS_EXTRA 128
#define DEFAULT_PERIOD 100000u
#define VALUE_SIZE 256

static const struct spec_memory no_memory;
static const struct spec_cpu no_cpu;
static const struct spec_pids no_pids;

struct limits {
	const struct spec_memory *memory;
	const struct spec_cpu *cpu;
	const struct spec_pids *pids;
};

/* Writes the file's text; false: the limit is not set. */
typedef bool limit_format(const struct limits *l, bool v2, char *out);

static bool format_i64(struct opt_i64 number, bool v2, char *out)
{
	if (!number.set)
		return false;
	if (number.value < 0 && v2)
		snprintf(out, VALUE_SIZE, "max");
	else
		snprintf(out, VALUE_SIZE, "%" PRId64, number.value);
	return true;
}

static bool format_u64(struct opt_u64 number, char *out)
{
	if (number.set)
		snprintf(out, VALUE_SIZE, "%" PRIu64, number.value);
	return number.set;
}

static bool format_text(const char *text, char *out)
{
	return text && *text && snprintf(out, VALUE_SIZE, "%s", text) < VALUE_SIZE;
}

/* As with runc, 0 is no limit at all. */
static bool format_bytes(struct opt_i64 number, bool v2, char *out)
{
	return number.value != 0 && format_i64(number, v2, out);
}

static bool memory_limit(const struct limits *l, bool v2, char *out)
{
	return format_bytes(l->memory->limit, v2, out);
}

/* v1 limits memory + swap, v2 swap alone; check_swap sees to it that the sum is more. */
static bool memory_swap(const struct limits *l, bool v2, char *out)
{
	struct opt_i64 swap = l->memory->swap, limit = l->memory->limit;

	if (!v2)
		return format_bytes(swap, false, out);
	if (limit.set && limit.value < 0 && (!swap.set || swap.value == 0))
		swap = (struct opt_i64){ .set = true, .value = -1 };
	if (!swap.set || swap.value == 0)
		return false;
	if (swap.value > 0)
		swap.value -= limit.value;
	return format_i64(swap, true, out);
}

static bool memory_reservation(const struct limits *l, bool v2, char *out)
{
	return format_bytes(l->memory->reservation, v2, out);
}

static bool memory_kernel_tcp(const struct limits *l, bool v2, char *out)
{
	return format_bytes(l->memory->kernel_tcp, v2, out);
}

static bool memory_swappiness(const struct limits *l, bool v2, char *out)
{
	return format_u64(l->memory->swappiness, out);
}

/* The host does not kill then, it stops who wants more; this is what v1 alone offers. */
static bool memory_no_oom_killer(const struct limits *l, bool v2, char *out)
{
	if (!l->memory->disable_oom_killer.value)
		return false;
	snprintf(out, VALUE_SIZE, "1");
	return true;
}

/* 2..262144 maps onto 1..10000. */
static bool cpu_shares(const struct limits *l, bool v2, char *out)
{
	uint64_t shares = l->cpu->shares.value;

	if (!l->cpu->shares.set || shares == 0)
		return false;
	if (v2) {
		shares = shares < 2 ? 2 : shares > 262144 ? 262144 : shares;
		shares = 1 + (shares - 2) * 9999 / 262142;
	}
	snprintf(out, VALUE_SIZE, "%" PRIu64, shares);
	return true;
}

static bool cpu_period(const struct limits *l, bool v2, char *out)
{
	if (v2 || !l->cpu->period.set || l->cpu->period.value == 0)
		return false;
	snprintf(out, VALUE_SIZE, "%" PRIu64, l->cpu->period.value);
	return true;
}

static bool cpu_quota(const struct limits *l, bool v2, char *out)
{
	uint64_t period = l->cpu->period.set && l->cpu->period.value ? l->cpu->period.value
								      : DEFAULT_PERIOD;

	bool quota = l->cpu->quota.set && l->cpu->quota.value != 0;

	if (!quota && !(v2 && l->cpu->period.set && l->cpu->period.value))
		return false;
	if (!v2)
		snprintf(out, VALUE_SIZE, "%" PRId64, l->cpu->quota.value);
	else if (!l->cpu->quota.set || l->cpu->quota.value <= 0)
		snprintf(out, VALUE_SIZE, "max %" PRIu64, period);
	else
		snprintf(out, VALUE_SIZE, "%" PRId64 " %" PRIu64, l->cpu->quota.value, period);
	return true;
}

static bool cpu_burst(const struct limits *l, bool v2, char *out)
{
	return format_u64(l->cpu->burst, out);
}

static bool cpu_realtime_period(const struct limits *l, bool v2, char *out)
{
	return l->cpu->realtime_period.value != 0 && format_u64(l->cpu->realtime_period, out);
}

static bool cpu_realtime_runtime(const struct limits *l, bool v2, char *out)
{
	return l->cpu->realtime_runtime.value != 0 && format_i64(l->cpu->realtime_runtime, v2, out);
}

static bool cpu_idle(const struct limits *l, bool v2, char *out)
{
	return format_i64(l->cpu->idle, v2, out);
}

static bool cpuset_cpus(const struct limits *l, bool v2, char *out)
{
	return format_text(l->cpu->cpus, out);
}

static bool cpuset_mems(const struct limits *l, bool v2, char *out)
{
	return format_text(l->cpu->mems, out);
}

static bool pids_limit(const struct limits *l, bool v2, char *out)
{
	int64_t limit = l->pids->limit.value;

	if (!l->pids->limit.set || limit == 0)
		return false;
	if (limit < 0 || limit > INT32_MAX / 4)
		snprintf(out, VALUE_SIZE, "max");
	else
		snprintf(out, VALUE_SIZE, "%" PRId64, limit * PIDS_FACTOR + PIDS_EXTRA);
	return true;
}

static const struct limit_row {
	const char *controller;
	const char *v1_file; /* NULL: does not exist there */
	const char *v2_file;
	limit_format *format;
	const char *v1_property; /* of systemd; NULL: it does not know the limit */
	const char *v2_property;
} limit_rows[] = {
	{ "memory", "memory.limit_in_bytes", "memory.max", memory_limit, "MemoryLimit", "MemoryMax" },
	{ "memory", "memory.memsw.limit_in_bytes", "memory.swap.max", memory_swap, NULL,
	  "MemorySwapMax" },
	{ "memory", "memory.soft_limit_in_bytes", "memory.low", memory_reservation, NULL, "MemoryLow" },
	{ "memory", "memory.kmem.tcp.limit_in_bytes", NULL, memory_kernel_tcp },
	{ "memory", "memory.swappiness", NULL, memory_swappiness },
	{ "memory", "memory.oom_control", NULL, memory_no_oom_killer },
	{ "cpu", "cpu.shares", "cpu.weight", cpu_shares, "CPUShares", "CPUWeight" },
	{ "cpu", "cpu.cfs_period_us", NULL, cpu_period },
	{ "cpu", "cpu.cfs_quota_us", "cpu.max", cpu_quota },
	{ "cpu", "cpu.cfs_burst_us", "cpu.max.burst", cpu_burst },
	{ "cpu", "cpu.rt_period_us", NULL, cpu_realtime_period },
	{ "cpu", "cpu.rt_runtime_us", NULL, cpu_realtime_runtime },
	{ "cpu", "cpu.idle", "cpu.idle", cpu_idle },
	{ "cpuset", "cpuset.cpus", "cpuset.cpus", cpuset_cpus, "AllowedCPUs", "AllowedCPUs" },
	{ "cpuset", "cpuset.mems", "cpuset.mems", cpuset_mems, "AllowedMemoryNodes",
	  "AllowedMemoryNodes" },
	{ "pids", "pids.max", "pids.max", pids_limit, "TasksMax", "TasksMax" },
};

static struct limits limits_of(const struct spec_resources *r)
{
	return (struct limits){
		.memory = r && r->memory ? r->memory : &no_memory,
		.cpu = r && r->cpu ? r->cpu : &no_cpu,
		.pids = r && r->pids ? r->pids : &no_pids,
	};
}

bool cgroup_limits_wanted(const struct spec *spec)
{
	const struct spec_resources *r = spec->linux_config ? spec->linux_config->resources : NULL;
	struct limits l = limits_of(r);
	char value[VALUE_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(limit_rows); i++) {
		if (limit_rows[i].format(&l, false, value))
			return true;
	}
	return r && (r->unified.count > 0 || cgroup_lists_wanted(r));
}

int cgroup_write_file(const struct cgroup_dir *dir, const char *file, const char *value,
		      struct error **err)
{
	char path[8192];
	int ret;

	snprintf(path, sizeof(path), "%s/%s", dir->path, file);
	ret = file_write_text(AT_FDCWD, path, value);
	/* Swap accounting may be off on this host; the memory limit itself holds all the same. */
	if (ret == -ENOENT && (strstr(file, "memsw") || strstr(file, "swap")))
		return 0;
	if (ret < 0)
		return error_set_errno(err, ret, "write \"%s\" to %s", value, path);
	return 0;
}

static int write_unified(const struct cgroup_set *set, const struct string_map *unified,
			 struct error **err)
{
	const struct cgroup_dir *dir = cgroup_dir_find(set, "");

	if (unified->count > 0 && !dir)
		return error_set(err, -EINVAL,
				 "linux.resources.unified: this host has no cgroup v2 hierarchy");
	for (size_t i = 0; i < unified->count; i++) {
		if (strchr(unified->items[i].key, '/'))
			return error_set(err, -EINVAL, "linux.resources.unified: \"%s\" is no file "
					 "name", unified->items[i].key);
		if (cgroup_write_file(dir, unified->items[i].key, unified->items[i].value, err) < 0)
			return error_code(*err);
	}
	return 0;
}

/* What has no meaning in v2, whose swap limit is for swap alone. */
static int check_swap(const struct spec_memory *memory, struct error **err)
{
	int64_t limit = memory->limit.set ? memory->limit.value : 0;

	if (!memory->swap.set || memory->swap.value <= 0)
		return 0;
	if (limit <= 0)
		return error_set(err, -EINVAL,
				 "linux.resources.memory.swap: unable to set swap limit without memory limit");
	if (memory->swap.value < limit)
		return error_set(err, -EINVAL,
				 "linux.resources.memory.swap: memory+swap limit should be >= memory limit");
	return 0;
}

int cgroup_limits_for_systemd(const struct spec_resources *resources, bool v2,
			      int (*each)(void *arg, const char *property, const char *value), void *arg,
			      struct error **err)
{
	struct limits l = limits_of(resources);

	if (v2 && check_swap(l.memory, err) < 0)
		return error_code(*err);
	for (size_t i = 0; i < ARRAY_SIZE(limit_rows); i++) {
		const struct limit_row *row = &limit_rows[i];
		const char *property = v2 ? row->v2_property : row->v1_property;
		char value[VALUE_SIZE];
		int ret;

		if (!property || !row->format(&l, v2, value))
			continue;
		ret = each(arg, property, value);
		if (ret < 0)
			return ret;
	}
	return 0;
}

/* v1 takes any number, and keeps the nearest it can: in runc's words. */
static int check_shares(const struct cgroup_dir *dir, uint64_t wanted, struct error **err)
{
	AUTO_FREE char *path = NULL;
	AUTO_FREE char *text = NULL;
	uint64_t kept = 0;
	size_t size;
	int ret;

	if (asprintf(&path, "%s/cpu.shares", dir->path) < 0) {
		path = NULL;
		return error_set(err, -ENOMEM, "out of memory");
	}
	ret = file_read_all(AT_FDCWD, path, VALUE_SIZE, &text, &size);
	if (ret == 0) {
		text[strcspn(text, "\n")] = '\0';
		ret = parse_u64(text, 10, UINT64_MAX, &kept);
	}
	if (ret < 0)
		return error_set_errno(err, ret, "read %s", path);
	if (wanted == kept)
		return 0;
	return error_set(err, -ERANGE, "the %s allowed cpu-shares is %" PRIu64,
			 wanted > kept ? "maximum" : "minimum", kept);
}

static int write_row(const struct cgroup_set *set, const struct limit_row *row,
		     const struct limits *l, struct error **err)
{
	const struct cgroup_dir *dir = cgroup_dir_find(set, row->controller);
	const char *file = dir && dir->unified ? row->v2_file : row->v1_file;
	char value[VALUE_SIZE];

	if (!file || !row->format(l, dir && dir->unified, value))
		return 0;
	if (!dir)
		return error_set(err, -ENOENT, "no %s cgroup for the limits in linux.resources",
				 row->controller);
	if (cgroup_write_file(dir, file, value, err) < 0)
		return error_code(*err);
	return row->format == cpu_shares && !dir->unified ? check_shares(dir, l->cpu->shares.value, err) : 0;
}

int cgroup_write_limits(const struct cgroup_set *set, const struct spec_resources *resources,
			struct error **err)
{
	const struct cgroup_dir *memory = cgroup_dir_find(set, "memory");
	struct limits l = limits_of(resources);
	bool again[ARRAY_SIZE(limit_rows)] = { false };

	if (memory && memory->unified && check_swap(l.memory, err) < 0)
		return error_code(*err);
	for (size_t i = 0; i < ARRAY_SIZE(limit_rows); i++) {
		struct error *refused = NULL;
		int ret = write_row(set, &limit_rows[i], &l, &refused);

		again[i] = ret == -EINVAL;
		if (ret < 0 && !again[i]) {
			*err = refused;
			return ret;
		}
		error_free(refused);
	}
	for (size_t i = 0; i < ARRAY_SIZE(limit_rows); i++) {
		if (again[i] && write_row(set, &limit_rows[i], &l, err) < 0)
			return error_code(*err);
	}
	if (!resources)
		return 0;
	if (cgroup_write_lists(set, resources, err) < 0)
		return error_code(*err);
	return write_unified(set, &resources->unified, err);
}
