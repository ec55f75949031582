/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/byte_size.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The factor of the unit at @text, which is all that is left; 0: it is none. */
static double unit_factor(const char *text)
{
	static const char units[] = "kmgtp";
	const char *unit = *text ? strchr(units, tolower((unsigned char)*text)) : NULL;
	double factor = 1;

	if (unit) {
		for (const char *u = units; u <= unit; u++)
			factor *= 1024;
		text++;
		if (tolower((unsigned char)*text) == 'i' && tolower((unsigned char)text[1]) == 'b')
			text++;
	}
	if (tolower((unsigned char)*text) == 'b')
		text++;
	return *text ? 0 : factor;
}

int byte_size_parse(const char *text, int64_t *out)
{
	double number, factor;
	char *end;

	/* strtod takes more: signs, spaces, hexadecimal, exponents, infinity. */
	number = strtod(text, &end);
	if (end == text || end != text + strspn(text, "0123456789."))
		return -EINVAL;
	if (*end == ' ')
		end++;
	factor = unit_factor(end);
	if (factor == 0 || number * factor >= (double)INT64_MAX)
		return -EINVAL;
	*out = (int64_t)(number * factor);
	return 0;
}
