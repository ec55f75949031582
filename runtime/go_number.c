/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/go_number.h"

#include <errno.h>

#include "util/parse.h"

static int refuse(const char *function, const char *text, int ret, struct error **err)
{
	return error_set(err, ret, "strconv.%s: parsing \"%s\": %s", function, text,
			 ret == -ERANGE ? "value out of range" : "invalid syntax");
}

int go_parse_int(const char *function, const char *text, int64_t *out, struct error **err)
{
	const char *digits = text[0] == '+' && text[1] != '-' ? text + 1 : text;
	int ret = parse_i64(digits, INT64_MIN, INT64_MAX, out);

	return ret < 0 ? refuse(function, text, ret, err) : 0;
}

int go_parse_uint(const char *text, uint64_t *out, struct error **err)
{
	int ret = parse_u64(text, 10, UINT64_MAX, out);

	return ret < 0 ? refuse("ParseUint", text, ret, err) : 0;
}
