/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cgroup/cgroup_stats.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/file.h"
#include "util/parse.h"

#define FILE_SIZE_MAX (1u << 20)
#define NSEC_PER_USEC 1000
#define NSEC_PER_SEC 1000000000ULL
#define CPUS_MAX 8192

/* --- files ------------------------------------------------------------------------------ */

/* malloc'ed text, or NULL. */
static char *read_text(const struct cgroup_dir *dir, const char *file)
{
	AUTO_FREE char *path = NULL;
	char *text;
	size_t size;

	if (!dir || asprintf(&path, "%s/%s", dir->path, file) < 0) {
		path = NULL;
		return NULL;
	}
	return file_read_all(AT_FDCWD, path, FILE_SIZE_MAX, &text, &size) < 0 ? NULL : text;
}

/* One number; "max" is UINT64_MAX. */
static uint64_t read_number(const struct cgroup_dir *dir, const char *file)
{
	AUTO_FREE char *text = read_text(dir, file);
	uint64_t value = 0;

	if (!text)
		return 0;
	text[strcspn(text, " \n")] = '\0';
	if (!strcmp(text, "max"))
		return UINT64_MAX;
	return parse_u64(text, 10, UINT64_MAX, &value) < 0 ? 0 : value;
}

/* The next line of *at, cut off; NULL at the end. */
static char *next_line(char **at)
{
	return strsep(at, "\n");
}

/* The value of "@key value" in a flat keyed file. */
static uint64_t keyed(const char *text, const char *key)
{
	size_t length = strlen(key);

	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, key, length) && line[length] == ' ')
			return strtoull(line + length + 1, NULL, 10);
	}
	return 0;
}

/* As Go's omitempty. */
static void put_if_set(struct json_writer *w, const char *key, uint64_t value)
{
	if (value)
		json_put_uint(w, key, value);
}

/* --- cpu -------------------------------------------------------------------------------- */

/* Numbers separated by spaces; nothing is written where there is none. */
static void put_numbers(struct json_writer *w, const char *key, const char *text)
{
	bool any = false;

	while (text && *(text += strspn(text, " \n"))) {
		char *end;
		uint64_t value = strtoull(text, &end, 10);

		if (end == text)
			break;
		if (!any)
			json_put_array(w, key);
		any = true;
		json_write_uint(w, value);
		text = end;
	}
	if (any)
		json_write_array_end(w);
}

/* One column of cpuacct.usage_all: "cpu user system" and a line for each CPU. */
static void put_column(struct json_writer *w, const char *key, const char *all, unsigned column)
{
	AUTO_FREE char *text = all ? strdup(all) : NULL;
	char *at = text, *line;
	bool any = false;

	(void)next_line(&at);
	while (at && (line = next_line(&at)) && *line) {
		uint64_t values[3] = { 0 };
		char *end = line;

		for (unsigned i = 0; i < ARRAY_SIZE(values); i++)
			values[i] = strtoull(end, &end, 10);
		if (!any)
			json_put_array(w, key);
		any = true;
		json_write_uint(w, values[column]);
	}
	if (any)
		json_write_array_end(w);
}

static void write_usage_v1(const struct cgroup_set *set, struct json_writer *w)
{
	const struct cgroup_dir *dir = cgroup_dir_find(set, "cpuacct");
	AUTO_FREE char *all = read_text(dir, "cpuacct.usage_all");
	AUTO_FREE char *each = read_text(dir, "cpuacct.usage_percpu");
	AUTO_FREE char *stat = read_text(dir, "cpuacct.stat");
	uint64_t tick = NSEC_PER_SEC / (uint64_t)sysconf(_SC_CLK_TCK);

	put_if_set(w, "total", read_number(dir, "cpuacct.usage"));
	put_numbers(w, "percpu", each);
	put_column(w, "percpu_kernel", all, 2);
	put_column(w, "percpu_user", all, 1);
	json_put_uint(w, "kernel", keyed(stat, "system") * tick);
	json_put_uint(w, "user", keyed(stat, "user") * tick);
}

static void write_usage_v2(const char *stat, struct json_writer *w)
{
	put_if_set(w, "total", keyed(stat, "usage_usec") * NSEC_PER_USEC);
	json_put_uint(w, "kernel", keyed(stat, "system_usec") * NSEC_PER_USEC);
	json_put_uint(w, "user", keyed(stat, "user_usec") * NSEC_PER_USEC);
}

static void write_cpu(const struct cgroup_set *set, struct json_writer *w)
{
	const struct cgroup_dir *dir = cgroup_dir_find(set, "cpu");
	AUTO_FREE char *stat = read_text(dir, "cpu.stat");
	bool v2 = dir && dir->unified;

	json_put_object(w, "cpu");
	json_put_object(w, "usage");
	if (v2)
		write_usage_v2(stat, w);
	else
		write_usage_v1(set, w);
	json_write_object_end(w);
	json_put_object(w, "throttling");
	put_if_set(w, "periods", keyed(stat, "nr_periods"));
	put_if_set(w, "throttledPeriods", keyed(stat, "nr_throttled"));
	put_if_set(w, "throttledTime", v2 ? keyed(stat, "throttled_usec") * NSEC_PER_USEC :
					    keyed(stat, "throttled_time"));
	json_write_object_end(w);
	json_write_object_end(w);
}

/* "0-2,5" as numbers. */
static void put_list(struct json_writer *w, const char *key, const char *text)
{
	bool any = false;

	while (text && isdigit((unsigned char)*text)) {
		char *end;
		uint64_t first = strtoull(text, &end, 10), last = first;

		if (*end == '-')
			last = strtoull(end + 1, &end, 10);
		for (uint64_t n = first; n <= last && n < CPUS_MAX; n++) {
			if (!any)
				json_put_array(w, key);
			any = true;
			json_write_uint(w, n);
		}
		text = end + (*end == ',');
	}
	if (any)
		json_write_array_end(w);
}

static void write_cpuset(const struct cgroup_set *set, struct json_writer *w)
{
	static const struct {
		const char *key, *file;
	} rows[] = {
		{ "mem_hardwall", "cpuset.mem_hardwall" },
		{ "mem_exclusive", "cpuset.mem_exclusive" },
		{ "memory_migrate", "cpuset.memory_migrate" },
		{ "memory_spread_page", "cpuset.memory_spread_page" },
		{ "memory_spread_slab", "cpuset.memory_spread_slab" },
		{ "memory_pressure", "cpuset.memory_pressure" },
		{ "sched_load_balance", "cpuset.sched_load_balance" },
	};
	const struct cgroup_dir *dir = cgroup_dir_find(set, "cpuset");
	const struct cgroup_dir *v1 = dir && !dir->unified ? dir : NULL;
	AUTO_FREE char *cpus = read_text(v1, "cpuset.cpus");
	AUTO_FREE char *mems = read_text(v1, "cpuset.mems");
	AUTO_FREE char *level = read_text(v1, "cpuset.sched_relax_domain_level");

	json_put_object(w, "cpuset");
	put_list(w, "cpus", cpus);
	json_put_uint(w, "cpu_exclusive", read_number(v1, "cpuset.cpu_exclusive"));
	put_list(w, "mems", mems);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		json_put_uint(w, rows[i].key, read_number(v1, rows[i].file));
	json_put_int(w, "sched_relax_domain_level", level ? strtoll(level, NULL, 10) : 0);
	json_write_object_end(w);
}

/* --- memory --------------------------------------------------------------------------------- */

static void write_memory_entry(struct json_writer *w, const char *key, uint64_t limit, uint64_t usage,
			       uint64_t max, uint64_t failures)
{
	json_put_object(w, key);
	json_put_uint(w, "limit", limit);
	put_if_set(w, "usage", usage);
	put_if_set(w, "max", max);
	json_put_uint(w, "failcnt", failures);
	json_write_object_end(w);
}

/* @kind: "memory", "memory.memsw", "memory.kmem", "memory.kmem.tcp". */
static void write_v1_entry(struct json_writer *w, const char *key, const struct cgroup_dir *dir,
			   const char *kind)
{
	static const char *const leaves[] = { "limit_in_bytes", "usage_in_bytes",
					      "max_usage_in_bytes", "failcnt" };
	uint64_t values[ARRAY_SIZE(leaves)];

	for (size_t i = 0; i < ARRAY_SIZE(leaves); i++) {
		char file[64];

		snprintf(file, sizeof(file), "%s.%s", kind, leaves[i]);
		values[i] = read_number(dir, file);
	}
	write_memory_entry(w, key, values[0], values[1], values[2], values[3]);
}

static void write_memory_v1(const struct cgroup_dir *dir, const char *stat, struct json_writer *w)
{
	put_if_set(w, "cache", keyed(stat, "cache"));
	write_v1_entry(w, "usage", dir, "memory");
	write_v1_entry(w, "swap", dir, "memory.memsw");
	write_v1_entry(w, "kernel", dir, "memory.kmem");
	write_v1_entry(w, "kernelTCP", dir, "memory.kmem.tcp");
}

/* The sum of memory and swap, as v1 has it. */
static uint64_t with_swap(uint64_t memory, uint64_t swap)
{
	return memory > UINT64_MAX - swap ? UINT64_MAX : memory + swap;
}

static void write_memory_v2(const struct cgroup_dir *dir, const char *stat, struct json_writer *w)
{
	uint64_t usage = read_number(dir, "memory.current"), limit = read_number(dir, "memory.max");

	put_if_set(w, "cache", keyed(stat, "file"));
	write_memory_entry(w, "usage", limit, usage, read_number(dir, "memory.peak"), 0);
	write_memory_entry(w, "swap", with_swap(limit, read_number(dir, "memory.swap.max")),
			   with_swap(usage, read_number(dir, "memory.swap.current")), 0, 0);
	write_memory_entry(w, "kernel", 0, 0, 0, 0);
	write_memory_entry(w, "kernelTCP", 0, 0, 0, 0);
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The keys of a flat keyed file, in order, as Go writes a map. */
static void write_raw(const char *stat, struct json_writer *w)
{
	AUTO_FREE char *text = stat ? strdup(stat) : NULL;
	char *lines[512], *at = text, *line;
	size_t count = 0;

	while (at && (line = next_line(&at)) && count < ARRAY_SIZE(lines))
		if (strchr(line, ' '))
			lines[count++] = line;
	if (count == 0)
		return;
	qsort(lines, count, sizeof(lines[0]), compare_lines);
	json_put_object(w, "raw");
	for (size_t i = 0; i < count; i++) {
		char *value = strchr(lines[i], ' ');

		*value = '\0';
		json_put_uint(w, lines[i], strtoull(value + 1, NULL, 10));
	}
	json_write_object_end(w);
}

static void write_memory(const struct cgroup_set *set, struct json_writer *w)
{
	const struct cgroup_dir *dir = cgroup_dir_find(set, "memory");
	AUTO_FREE char *stat = read_text(dir, "memory.stat");

	json_put_object(w, "memory");
	if (dir && dir->unified)
		write_memory_v2(dir, stat, w);
	else
		write_memory_v1(dir, stat, w);
	write_raw(stat, w);
	json_write_object_end(w);
}

/* --- input and output ----------------------------------------------------------------------- */

struct io_array {
	struct json_writer *w;
	const char *key;
	bool any;
};

static void io_add(struct io_array *a, uint64_t major, uint64_t minor, const char *op, uint64_t value)
{
	if (!a->any)
		json_put_array(a->w, a->key);
	a->any = true;
	json_write_object_begin(a->w);
	put_if_set(a->w, "major", major);
	put_if_set(a->w, "minor", minor);
	json_put_string(a->w, "op", op);
	put_if_set(a->w, "value", value);
	json_write_object_end(a->w);
}

static void io_end(struct io_array *a)
{
	if (a->any)
		json_write_array_end(a->w);
}

/* "8:0 Read 4096"; the line of the total has no device. */
static void write_io_v1(const struct cgroup_dir *dir, const char *key, const char *file,
			struct json_writer *w)
{
	AUTO_FREE char *text = read_text(dir, file);
	struct io_array a = { w, key, false };
	char *at = text, *line;

	while (at && (line = next_line(&at))) {
		char *end, *op;
		uint64_t major = strtoull(line, &end, 10), minor;

		if (*end != ':')
			continue;
		minor = strtoull(end + 1, &end, 10);
		op = end + (*end == ' ');
		end = strchr(op, ' ');
		if (!end)
			continue;
		*end = '\0';
		io_add(&a, major, minor, op, strtoull(end + 1, NULL, 10));
	}
	io_end(&a);
}

/* "8:0 rbytes=1 wbytes=2 rios=3 wios=4 ...": @read and @write are the two that count. */
static void write_io_v2(const char *stat, const char *key, const char *read, const char *write,
			struct json_writer *w)
{
	AUTO_FREE char *text = stat ? strdup(stat) : NULL;
	struct io_array a = { w, key, false };
	char *at = text, *line;

	while (at && (line = next_line(&at))) {
		char *end;
		uint64_t major = strtoull(line, &end, 10), minor;

		if (*end != ':')
			continue;
		minor = strtoull(end + 1, &end, 10);
		for (char *word = strsep(&end, " "); word; word = strsep(&end, " ")) {
			char *value = strchr(word, '=');

			if (!value)
				continue;
			*value++ = '\0';
			if (!strcmp(word, read))
				io_add(&a, major, minor, "Read", strtoull(value, NULL, 10));
			else if (!strcmp(word, write))
				io_add(&a, major, minor, "Write", strtoull(value, NULL, 10));
		}
	}
	io_end(&a);
}

static void write_io(const struct cgroup_set *set, struct json_writer *w)
{
	const struct cgroup_dir *v1 = cgroup_dir_find(set, "blkio");
	AUTO_FREE char *stat = v1 && v1->unified ? read_text(v1, "io.stat") : NULL;

	json_put_object(w, "blkio");
	if (v1 && v1->unified) {
		write_io_v2(stat, "ioServiceBytesRecursive", "rbytes", "wbytes", w);
		write_io_v2(stat, "ioServicedRecursive", "rios", "wios", w);
	} else {
		write_io_v1(v1, "ioServiceBytesRecursive",
			    "blkio.throttle.io_service_bytes_recursive", w);
		write_io_v1(v1, "ioServicedRecursive", "blkio.throttle.io_serviced_recursive", w);
	}
	json_write_object_end(w);
}

/* --- everything ------------------------------------------------------------------------------- */

void cgroup_stats_write(const struct cgroup_set *set, uint64_t tasks, uint64_t limit,
			struct json_writer *w)
{
	json_write_object_begin(w);
	write_cpu(set, w);
	write_cpuset(set, w);
	write_memory(set, w);
	json_put_object(w, "pids");
	put_if_set(w, "current", tasks);
	put_if_set(w, "limit", limit);
	json_write_object_end(w);
	write_io(set, w);
	json_put_object(w, "hugetlb");
	json_write_object_end(w);
	json_put_object(w, "intel_rdt");
	json_write_object_end(w);
	json_write_key(w, "network_interfaces");
	json_write_null(w);
	json_write_object_end(w);
}
