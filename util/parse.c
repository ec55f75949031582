/* SPDX-License-Identifier: Apache-2.0 */
/* Strict number parsing; strtol and friends forgive too much. */
#include "util/parse.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "util/checked.h"

static unsigned digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return (unsigned)(c - '0');
	if (c >= 'a' && c <= 'f')
		return (unsigned)(c - 'a') + 10;
	if (c >= 'A' && c <= 'F')
		return (unsigned)(c - 'A') + 10;
	return 16;
}

int parse_u64(const char *text, unsigned base, uint64_t max, uint64_t *out)
{
	bool too_large = false;
	uint64_t value = 0;

	if (!*text)
		return -EINVAL;
	/* Go on after an overflow: "99999999999999999999x" is no number at all. */
	for (; *text; text++) {
		unsigned digit = digit_value(*text);

		if (digit >= base)
			return -EINVAL;
		if (mul_overflows(value, base, &value) || add_overflows(value, digit, &value))
			too_large = true;
	}
	if (too_large || value > max)
		return -ERANGE;
	*out = value;
	return 0;
}

int parse_i64(const char *text, int64_t min, int64_t max, int64_t *out)
{
	bool negative = *text == '-';
	uint64_t limit = negative ? (uint64_t)INT64_MAX + 1 : (uint64_t)INT64_MAX;
	uint64_t magnitude;
	int64_t value;
	int error = parse_u64(text + negative, 10, limit, &magnitude);

	if (error)
		return error;
	value = negative ? (int64_t)(0 - magnitude) : (int64_t)magnitude;
	if (value < min || value > max)
		return -ERANGE;
	*out = value;
	return 0;
}

int parse_u32(const char *text, uint32_t *out)
{
	uint64_t value;
	int error = parse_u64(text, 10, UINT32_MAX, &value);

	if (!error)
		*out = (uint32_t)value;
	return error;
}

int parse_int(const char *text, int min, int max, int *out)
{
	int64_t value;
	int error = parse_i64(text, min, max, &value);

	if (!error)
		*out = (int)value;
	return error;
}

/* "3" or "0-3" */
static int parse_cpu_range(char *text, cpu_set_t *set)
{
	char *dash = strchr(text, '-');
	int first, last, rc;

	if (dash)
		*dash++ = '\0';
	rc = parse_int(text, 0, CPU_SETSIZE - 1, &first);
	if (!rc)
		rc = parse_int(dash ? dash : text, 0, CPU_SETSIZE - 1, &last);
	if (rc)
		return rc;
	if (last < first)
		return -EINVAL;
	for (int cpu = first; cpu <= last; cpu++)
		CPU_SET((size_t)cpu, set);
	return 0;
}

int parse_cpu_list(const char *text, cpu_set_t *out)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (;;) {
		size_t length = strcspn(text, ",");
		char range[32];
		int rc;

		if (length >= sizeof(range))
			return -EINVAL;
		memcpy(range, text, length);
		range[length] = '\0';
		rc = parse_cpu_range(range, &set);
		if (rc)
			return rc;
		if (!text[length])
			break;
		text += length + 1;
	}
	*out = set;
	return 0;
}
