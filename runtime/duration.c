/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/duration.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* The units, longer names before those they begin with. */
static const struct {
	const char *name;
	double ns;
} units[] = {
	{ "ns", 1 }, { "us", 1e3 }, { "µs", 1e3 }, { "ms", 1e6 }, { "s", 1e9 }, { "m", 60e9 }, { "h", 3600e9 },
};

/* One number with its unit; 0, or -EINVAL. */
static int parse_part(const char **text, double *sum)
{
	double number;
	char *end;

	/* strtod takes more: signs, spaces, hexadecimal, exponents, infinity. */
	number = strtod(*text, &end);
	if (end == *text || end != *text + strspn(*text, "0123456789."))
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		size_t length = strlen(units[i].name);

		if (strncmp(end, units[i].name, length) != 0)
			continue;
		*sum += number * units[i].ns;
		*text = end + length;
		return 0;
	}
	return -EINVAL;
}

int duration_parse(const char *text, int64_t *out)
{
	bool negative = *text == '-';
	double sum = 0;

	text += *text == '-' || *text == '+';
	if (!strcmp(text, "0")) {
		*out = 0;
		return 0;
	}
	do
		if (parse_part(&text, &sum) < 0)
			return -EINVAL;
	while (*text);
	if (sum >= (double)INT64_MAX)
		return -EINVAL;
	*out = negative ? -(int64_t)sum : (int64_t)sum;
	return 0;
}
