/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits as properties.  systemd sets them again whenever it likes, so that they hold only if it knows them;
 * what it rounds, or does not know, is written to the cgroup's files after it has set them.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/cgroup/cgroup.h"
#include "runtime/systemd/unit_properties.h"
#include "util/checked.h"
#include "util/cleanup.h"
#include "util/log.h"
#include "util/parse.h"

#define CPUS_MAX 8192
#define DEFAULT_PERIOD_US 100000u
#define QUOTA_STEP_US 10000u /* a percent of a second */
#define USEC_PER_SEC 1000000u
#define UNLIMITED UINT64_MAX

/* The first versions that have them. */
#define VERSION_OF_PERIOD 242
#define VERSION_OF_CPUS 244

struct limit_target {
	struct property_list *list;
	int version;
	struct error **err;
};

/* --- CPUs ----------------------------------------------------------------------------------- */

/* Cuts @range: "3" or "3-5". */
static int parse_range(char *range, uint64_t *first, uint64_t *last)
{
	char *dash = strchr(range, '-');
	int ret;

	if (dash)
		*dash = '\0';
	ret = parse_u64(range, 10, CPUS_MAX - 1, first);
	if (ret == 0)
		ret = parse_u64(dash ? dash + 1 : range, 10, CPUS_MAX - 1, last);
	return ret == 0 && *first > *last ? -EINVAL : ret;
}

int unit_cpu_list_bits(const char *text, uint8_t **out, size_t *count)
{
	AUTO_FREE uint8_t *bits = calloc(1, CPUS_MAX / 8);
	AUTO_FREE char *copy = strdup(text);
	char *save, *inner;
	size_t size = 0;

	if (!bits || !copy)
		return -ENOMEM;
	for (char *item = strtok_r(copy, ",", &save); item; item = strtok_r(NULL, ",", &save)) {
		uint64_t first, last;
		char *range = strtok_r(item, " \t\n", &inner);
		int ret;

		if (!range)
			continue;
		ret = strtok_r(NULL, " \t\n", &inner) ? -EINVAL : parse_range(range, &first, &last);
		if (ret < 0)
			return ret;
		for (uint64_t i = first; i <= last; i++)
			bits[i / 8] |= (uint8_t)(1u << (i % 8));
		size = last / 8 + 1 > size ? last / 8 + 1 : size;
	}
	if (size == 0)
		return -EINVAL;
	*out = move_ptr(bits);
	*count = size;
	return 0;
}

static int add_cpus(const struct limit_target *t, const char *property, const char *text)
{
	AUTO_FREE uint8_t *bits = NULL;
	size_t count;
	int ret = unit_cpu_list_bits(text, &bits, &count);

	if (ret < 0)
		return error_set_errno(t->err, ret, "%s=\"%s\" conversion error", property, text);
	if (t->version >= VERSION_OF_CPUS)
		property_add_bytes(t->list, property, bits, count);
	else
		log_debug("systemd v%d is too old for %s, which the cgroup alone gets", t->version,
			  property);
	return 0;
}

/* --- numbers -------------------------------------------------------------------------------- */

/* As the cgroup's file has it. */
static int add_number(const struct limit_target *t, const char *property, const char *text)
{
	uint64_t number = UNLIMITED;
	int ret = !strcmp(text, "max") || !strcmp(text, "-1") ? 0 : parse_u64(text, 10, UINT64_MAX, &number);

	if (ret < 0)
		return error_set_errno(t->err, ret, "%s: value conversion error: \"%s\"", property, text);
	property_add_u64(t->list, property, number);
	return 0;
}

static bool is_cpu_list(const char *property)
{
	return !strcmp(property, "AllowedCPUs") || !strcmp(property, "AllowedMemoryNodes");
}

static int add_limit(void *arg, const char *property, const char *value)
{
	return is_cpu_list(property) ? add_cpus(arg, property, value) : add_number(arg, property, value);
}

/* systemd keeps whole percents; a child of the cgroup must be able to have the quota as given. */
static uint64_t quota_per_second(int64_t quota, uint64_t period)
{
	uint64_t usec, rest;

	/* More than the host's scheduler takes, by far: it refuses the quota. */
	if (quota <= 0 || mul_overflows((uint64_t)quota, USEC_PER_SEC, &usec))
		return UNLIMITED;
	usec /= period ? period : DEFAULT_PERIOD_US;
	rest = usec % QUOTA_STEP_US;
	if (rest && add_overflows(usec, QUOTA_STEP_US - rest, &usec))
		return UNLIMITED;
	return usec;
}

/* 0: not set. */
static void add_quota(const struct limit_target *t, int64_t quota, uint64_t period)
{
	if (period && t->version >= VERSION_OF_PERIOD)
		property_add_u64(t->list, "CPUQuotaPeriodUSec", period);
	else if (period)
		log_debug("systemd v%d is too old for CPUQuotaPeriodUSec, which the cgroup alone gets",
			  t->version);
	if (quota || period)
		property_add_u64(t->list, "CPUQuotaPerSecUSec", quota_per_second(quota, period));
}

/* --- files of v2 ------------------------------------------------------------------------------ */

static const struct {
	const char *file, *property;
} unified_rows[] = {
	{ "cpu.weight", "CPUWeight" },
	{ "cpuset.cpus", "AllowedCPUs" },
	{ "cpuset.mems", "AllowedMemoryNodes" },
	{ "memory.high", "MemoryHigh" },
	{ "memory.low", "MemoryLow" },
	{ "memory.max", "MemoryMax" },
	{ "memory.min", "MemoryMin" },
	{ "memory.swap.max", "MemorySwapMax" },
	{ "pids.max", "TasksMax" },
};

/* "QUOTA [PERIOD]"; cuts @value. */
static int add_cpu_max(const struct limit_target *t, char *value)
{
	char *save, *word = strtok_r(value, " \t\n", &save);
	char *period_word = strtok_r(NULL, " \t\n", &save);
	uint64_t period = DEFAULT_PERIOD_US;
	int64_t quota = 0;

	if (!word || strtok_r(NULL, " \t\n", &save) ||
	    (strcmp(word, "max") != 0 && parse_i64(word, INT64_MIN, INT64_MAX, &quota) < 0) ||
	    (period_word && parse_u64(period_word, 10, UINT64_MAX, &period) < 0))
		return error_set(t->err, -EINVAL, "unified resource \"cpu.max\" value invalid");
	add_quota(t, quota, period);
	return 0;
}

static int add_unified(const struct limit_target *t, const char *file, const char *given)
{
	AUTO_FREE char *value = strdup(given + strspn(given, " \t\n"));
	size_t length;

	if (!value)
		return error_set(t->err, -ENOMEM, "out of memory");
	if (strchr(file, '/'))
		return error_set(t->err, -EINVAL,
				 "unified resource \"%s\" must be a file name (no slashes)", file);
	if (!strchr(file, '.'))
		return error_set(t->err, -EINVAL, "unified resource \"%s\" must be in the form "
				 "CONTROLLER.PARAMETER", file);
	if (!strcmp(file, "cpu.max"))
		return add_cpu_max(t, value);
	length = strlen(value);
	while (length > 0 && strchr(" \t\n", value[length - 1]))
		value[--length] = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(unified_rows); i++) {
		if (!strcmp(file, unified_rows[i].file))
			return add_limit((void *)(uintptr_t)t, unified_rows[i].property, value) < 0
				       ? error_wrap(t->err, "unified resource \"%s\"", file)
				       : 0;
	}
	return 0;
}

/* --- all -------------------------------------------------------------------------------------- */

int unit_limit_properties(const struct spec_resources *r, bool v2, int version,
			  struct property_list *list, struct error **err)
{
	struct limit_target t = { list, version, err };

	if (cgroup_limits_for_systemd(r, v2, add_limit, &t, err) < 0)
		return error_code(*err);
	if (r->cpu)
		add_quota(&t, r->cpu->quota.set ? r->cpu->quota.value : 0,
			  r->cpu->period.set ? r->cpu->period.value : 0);
	if (!v2 && r->block_io && r->block_io->weight.value)
		property_add_u64(list, "BlockIOWeight", r->block_io->weight.value);
	for (size_t i = 0; v2 && i < r->unified.count; i++) {
		if (add_unified(&t, r->unified.items[i].key, r->unified.items[i].value) < 0)
			return error_code(*err);
	}
	return 0;
}
