/* SPDX-License-Identifier: Apache-2.0 */
/*
 * moat update: other limits for a container that exists, from options or from a resources object.
 * They go into the host's cgroups first; the sentry is told after that, which shows them to the guest
 * and keeps the limit of tasks.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "oci/spec.h"
#include "runtime/byte_size.h"
#include "runtime/cgroup/cgroup.h"
#include "runtime/command.h"
#include "runtime/container/container.h"
#include "runtime/control_client.h"
#include "runtime/go_number.h"
#include "runtime/systemd/container_unit.h"
#include "util/cleanup.h"
#include "util/file.h"
#include "util/log.h"
#include "util/parse.h"

#define RESOURCES_SIZE_MAX (1u << 20)
#define CPU_FILE_MAX 4096
#define WORD_SIZE 24

struct options {
	const char *resources;
	int64_t blkio_weight, pids_limit;
	const char *cpu_period, *cpu_quota, *cpu_share, *cpu_rt_period, *cpu_rt_runtime;
	const char *cpuset_cpus, *cpuset_mems;
	const char *memory, *memory_reservation, *memory_swap;
	const char *kernel_memory, *kernel_memory_tcp;
	const char *l3_cache_schema, *mem_bw_schema;
};

#define FIELD(member) offsetof(struct options, member)

static const struct option_row rows[] = {
	{ "resources", "r", OPTION_STRING, FIELD(resources),
	  "path to the file containing the resources to update or '-' to read from the standard input: "
	  "a linux.resources object as in config.json; all other options are ignored" },
	{ "blkio-weight", NULL, OPTION_INT, FIELD(blkio_weight),
	  "Specifies per cgroup weight, range is from 10 to 1000", "0" },
	{ "cpu-period", NULL, OPTION_STRING, FIELD(cpu_period),
	  "CPU CFS period to be used for hardcapping (in usecs). 0 to use system default" },
	{ "cpu-quota", NULL, OPTION_STRING, FIELD(cpu_quota),
	  "CPU CFS hardcap limit (in usecs). Allowed cpu time in a given period" },
	{ "cpu-share", NULL, OPTION_STRING, FIELD(cpu_share),
	  "CPU shares (relative weight vs. other containers)" },
	{ "cpu-rt-period", NULL, OPTION_STRING, FIELD(cpu_rt_period),
	  "CPU realtime period to be used for hardcapping (in usecs)" },
	{ "cpu-rt-runtime", NULL, OPTION_STRING, FIELD(cpu_rt_runtime),
	  "CPU realtime hardcap limit (in usecs)" },
	{ "cpuset-cpus", NULL, OPTION_STRING, FIELD(cpuset_cpus), "CPU(s) to use" },
	{ "cpuset-mems", NULL, OPTION_STRING, FIELD(cpuset_mems), "Memory node(s) to use" },
	{ "memory", NULL, OPTION_STRING, FIELD(memory), "Memory limit (in bytes)" },
	{ "memory-reservation", NULL, OPTION_STRING, FIELD(memory_reservation),
	  "Memory reservation or soft_limit (in bytes)" },
	{ "memory-swap", NULL, OPTION_STRING, FIELD(memory_swap),
	  "Total memory usage (memory + swap); set '-1' to enable unlimited swap" },
	{ "kernel-memory", NULL, OPTION_STRING, FIELD(kernel_memory), NULL },
	{ "kernel-memory-tcp", NULL, OPTION_STRING, FIELD(kernel_memory_tcp), NULL },
	{ "pids-limit", NULL, OPTION_INT, FIELD(pids_limit),
	  "Maximum number of pids allowed in the container", "0" },
	{ "l3-cache-schema", NULL, OPTION_STRING, FIELD(l3_cache_schema), "as with runc where the host does not have it: refused" },
	{ "mem-bw-schema", NULL, OPTION_STRING, FIELD(mem_bw_schema),
	  "as with runc where the host does not have it: refused" },
};

/* --- what is wanted ------------------------------------------------------------------- */

static int read_resources(const char *path, struct spec_resources **out, struct error **err)
{
	AUTO_FREE char *text = NULL;
	size_t size;
	int ret;

	if (!strcmp(path, "-"))
		path = "/dev/stdin";
	ret = file_read_all(AT_FDCWD, path, RESOURCES_SIZE_MAX, &text, &size);
	if (ret < 0)
		return error_set_errno(err, ret, "%s %s", ret == -EISDIR ? "read" : "open", path);
	return spec_parse_resources(text, size, path, out, err);
}

/* An option that is not given, or empty, changes nothing. */
static bool given(const char *text)
{
	return text && *text;
}

static int option_i64(const char *name, const char *text, struct opt_i64 *out, struct error **err)
{
	if (!given(text))
		return 0;
	if (go_parse_int("ParseInt", text, &out->value, err) < 0)
		return error_wrap(err, "invalid value for %s", name);
	out->set = true;
	return 0;
}

static int option_u64(const char *name, const char *text, struct opt_u64 *out, struct error **err)
{
	if (!given(text))
		return 0;
	if (go_parse_uint(text, &out->value, err) < 0)
		return error_wrap(err, "invalid value for %s", name);
	out->set = true;
	return 0;
}

static int option_weight(int64_t weight, struct opt_u16 *out, struct error **err)
{
	if (weight < 0 || weight > UINT16_MAX)
		return error_set(err, -ERANGE, "invalid value for blkio-weight: %" PRId64, weight);
	out->set = weight != 0;
	out->value = (uint16_t)weight;
	return 0;
}

static int option_bytes(const char *name, const char *text, struct opt_i64 *out, struct error **err)
{
	if (!given(text))
		return 0;
	if (!strcmp(text, "-1"))
		out->value = -1;
	else if (byte_size_parse(text, &out->value) < 0)
		return error_set(err, -EINVAL, "invalid value for %s: invalid size: '%s'", name, text);
	out->set = true;
	return 0;
}

static int option_text(const char *text, char **out, struct error **err)
{
	if (!given(text))
		return 0;
	*out = strdup(text);
	return *out ? 0 : error_set(err, -ENOMEM, "out of memory");
}

static int check_refused(const struct options *o, struct error **err)
{
	const struct {
		const char *why, *value;
	} refused[] = {
		{ "Intel RDT/CAT: l3 cache schema is not enabled", o->l3_cache_schema },
		{ "Intel RDT/MBA: memory bandwidth schema is not enabled", o->mem_bw_schema },
	};

	for (size_t i = 0; i < ARRAY_SIZE(refused); i++)
		if (given(refused[i].value))
			return error_set(err, -EOPNOTSUPP, "%s", refused[i].why);
	return 0;
}

/* Checked and left alone, as by runc, which hides them from its help. */
static int check_kernel_memory(const struct options *o, struct error **err)
{
	struct opt_i64 kernel = { 0 }, tcp = { 0 };

	if (option_bytes("kernel-memory", o->kernel_memory, &kernel, err) < 0 ||
	    option_bytes("kernel-memory-tcp", o->kernel_memory_tcp, &tcp, err) < 0)
		return error_code(*err);
	if (kernel.value != 0 || tcp.value != 0)
		log_warning("Kernel memory settings are ignored and will be removed");
	return 0;
}

static int fill_resources(const struct options *o, struct spec_resources *r, struct error **err)
{
	r->memory = calloc(1, sizeof(*r->memory));
	r->cpu = calloc(1, sizeof(*r->cpu));
	r->pids = calloc(1, sizeof(*r->pids));
	r->block_io = calloc(1, sizeof(*r->block_io));
	if (!r->memory || !r->cpu || !r->pids || !r->block_io)
		return error_set(err, -ENOMEM, "out of memory");
	if (check_refused(o, err) < 0 || check_kernel_memory(o, err) < 0 ||
	    option_weight(o->blkio_weight, &r->block_io->weight, err) < 0 ||
	    option_u64("cpu-rt-period", o->cpu_rt_period, &r->cpu->realtime_period, err) < 0 ||
	    option_i64("cpu-rt-runtime", o->cpu_rt_runtime, &r->cpu->realtime_runtime, err) < 0 ||
	    option_u64("cpu-period", o->cpu_period, &r->cpu->period, err) < 0 ||
	    option_i64("cpu-quota", o->cpu_quota, &r->cpu->quota, err) < 0 ||
	    option_u64("cpu-share", o->cpu_share, &r->cpu->shares, err) < 0 ||
	    option_text(o->cpuset_cpus, &r->cpu->cpus, err) < 0 ||
	    option_text(o->cpuset_mems, &r->cpu->mems, err) < 0 ||
	    option_bytes("memory", o->memory, &r->memory->limit, err) < 0 ||
	    option_bytes("memory-reservation", o->memory_reservation, &r->memory->reservation, err) < 0 ||
	    option_bytes("memory-swap", o->memory_swap, &r->memory->swap, err) < 0)
		return error_code(*err);
	r->pids->limit = (struct opt_i64){ .set = o->pids_limit != 0, .value = o->pids_limit };
	return 0;
}

static int options_to_resources(const struct options *o, struct spec_resources **out,
				struct error **err)
{
	struct spec_resources *r = calloc(1, sizeof(*r));

	if (!r)
		return error_set(err, -ENOMEM, "out of memory");
	if (fill_resources(o, r, err) < 0) {
		spec_resources_free(r);
		return error_code(*err);
	}
	*out = r;
	return 0;
}

/* --- the host's side -------------------------------------------------------------------- */

/* The file's words, up to @count; fewer are an error. */
static int read_words(const struct cgroup_dir *dir, const char *name, char words[][WORD_SIZE], int count,
		      struct error **err)
{
	AUTO_FREE char *file = NULL;
	AUTO_FREE char *text = NULL;
	char *save;
	size_t size;
	int ret;

	if (asprintf(&file, "%s/%s", dir->path, name) < 0) {
		file = NULL;
		return error_set(err, -ENOMEM, "out of memory");
	}
	ret = file_read_all(AT_FDCWD, file, CPU_FILE_MAX, &text, &size);
	if (ret < 0)
		return error_set_errno(err, ret, "read %s", file);
	for (int i = 0; i < count; i++) {
		const char *word = strtok_r(i == 0 ? text : NULL, " \n", &save);

		if (!word || strlen(word) >= WORD_SIZE)
			return error_set(err, -EIO, "%s: unexpected text", file);
		snprintf(words[i], WORD_SIZE, "%s", word);
	}
	return 0;
}

/* v2 has both in one file, and systemd must be told both: a new one of them keeps the other. */
static int keep_quota(const struct cgroup_set *set, bool of_systemd, struct spec_cpu *cpu,
		      struct error **err)
{
	const struct cgroup_dir *dir = cgroup_dir_find(set, "cpu");
	bool quota_given = cpu->quota.set && cpu->quota.value;
	bool period_given = cpu->period.set && cpu->period.value;
	char words[2][WORD_SIZE]; /* quota, period */

	if (!dir || quota_given == period_given || (!dir->unified && !of_systemd))
		return 0;
	if (dir->unified ? read_words(dir, "cpu.max", words, 2, err) < 0
			 : read_words(dir, "cpu.cfs_quota_us", words, 1, err) < 0 ||
				   read_words(dir, "cpu.cfs_period_us", words + 1, 1, err) < 0)
		return error_code(*err);
	if (period_given)
		cpu->quota.set = parse_i64(words[0], 1, INT64_MAX, &cpu->quota.value) == 0;
	else
		cpu->period.set = parse_u64(words[1], 10, UINT64_MAX, &cpu->period.value) == 0;
	return 0;
}

static int write_cgroups(const struct container *c, struct spec_resources *r, struct error **err)
{
	struct cgroup_set set;
	int ret;

	/* Without a limit for memory there is none for memory and swap. */
	if (r->memory && r->memory->limit.set && r->memory->limit.value < 0 && !r->memory->swap.set)
		r->memory->swap = (struct opt_i64){ .set = true, .value = -1 };
	if (cgroup_locate_recorded(&c->cgroups, &set, err) < 0)
		return error_code(*err);
	ret = r->cpu ? keep_quota(&set, c->systemd_unit != NULL, r->cpu, err) : 0;
	if (ret == 0)
		ret = container_unit_set_limits(c, r, &set, err);
	if (ret == 0)
		ret = cgroup_write_limits(&set, r, err);
	cgroup_set_free(&set);
	return ret;
}

/* --- the sentry's ------------------------------------------------------------------------ */

/* As with cgroups, 0 changes nothing. */
static bool changes(const struct opt_i64 *number)
{
	return number->set && number->value != 0;
}

static uint64_t limit_of(const struct opt_i64 *number)
{
	return number->value > 0 ? (uint64_t)number->value : 0;
}

static void convert_memory(const struct spec_memory *m, struct control_update_request *u)
{
	if (changes(&m->limit)) {
		u->fields |= CONTROL_UPDATE_MEMORY;
		u->memory_limit = limit_of(&m->limit);
	}
	if (changes(&m->swap)) {
		u->fields |= CONTROL_UPDATE_SWAP;
		u->swap_limit = limit_of(&m->swap);
	}
}

static void convert_cpu(const struct spec_cpu *cpu, struct control_update_request *u)
{
	if (cpu->shares.set && cpu->shares.value) {
		u->fields |= CONTROL_UPDATE_SHARES;
		u->cpu_shares = cpu->shares.value;
	}
	if (changes(&cpu->quota)) {
		u->fields |= CONTROL_UPDATE_QUOTA;
		u->cpu_quota_us = cpu->quota.value;
	}
	if (cpu->period.set && cpu->period.value) {
		u->fields |= CONTROL_UPDATE_PERIOD;
		u->cpu_period_us = cpu->period.value;
	}
}

static int tell_sentry(const struct container *c, const struct spec_resources *r, struct error **err)
{
	struct control_update_request u = { 0 };

	if (r->memory)
		convert_memory(r->memory, &u);
	if (r->cpu)
		convert_cpu(r->cpu, &u);
	if (r->pids && changes(&r->pids->limit)) {
		u.fields |= CONTROL_UPDATE_PIDS;
		u.pids_limit = limit_of(&r->pids->limit);
	}
	if (!u.fields)
		return 0;
	return control_call_once(c, CONTROL_CALL(CONTROL_UPDATE, &u), err);
}

static int update(const struct container *c, struct spec_resources *r, struct error **err)
{
	if (container_check_alive(c, err) < 0)
		return error_code(*err);
	if (write_cgroups(c, r, err) < 0)
		return error_code(*err);
	return tell_sentry(c, r, err);
}

static int run(const struct globals *globals, void *options, int argc, char **argv,
	       struct error **err)
{
	const struct options *o = options;
	AUTO_CONTAINER struct container *container = NULL;
	struct spec_resources *r = NULL;
	int ret;

	if (container_open(globals, argv[0], &container, err) < 0)
		return error_code(*err);
	ret = given(o->resources) ? read_resources(o->resources, &r, err) :
				    options_to_resources(o, &r, err);
	if (ret == 0 && r)
		ret = update(container, r, err);
	spec_resources_free(r);
	return ret;
}

const struct command command_update = {
	.name = "update",
	.summary = "update container resource constraints",
	.usage = "<container-id>",
	.options = OPTION_TABLE(rows),
	.options_size = sizeof(struct options),
	.arguments_min = 1,
	.arguments_max = 1,
	.failure_status = 1,
	.run = run,
};
