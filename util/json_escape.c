/* SPDX-License-Identifier: Apache-2.0 */
/* Escaping for JSON strings: no allocation, output always valid UTF-8. */
#include "util/json_escape.h"

#include <stdio.h>
#include <string.h>

#include "util/utf8.h"

/* Returns the length of the escape, or 0 when @c stands for itself. */
static size_t escape_control(unsigned char c, char escape[8])
{
	static const char shorthand[32] = {
		['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r',
	};

	if (c == '"' || c == '\\')
		return (size_t)snprintf(escape, 8, "\\%c", c);
	if (c < 32 && shorthand[c])
		return (size_t)snprintf(escape, 8, "\\%c", shorthand[c]);
	if (c < 32 || c == 127)
		return (size_t)snprintf(escape, 8, "\\u%04x", c);
	return 0;
}

size_t json_escape(char *out, size_t size, const char *text)
{
	static const char replacement[] = "\xef\xbf\xbd";
	size_t length = 0, left = strlen(text);

	while (left) {
		size_t taken = utf8_sequence_length(text, left), put;
		char escape[8];
		const char *from = text;

		if (!taken) {
			taken = 1;
			from = replacement;
			put = sizeof(replacement) - 1;
		} else if (taken > 1 || !(put = escape_control((unsigned char)*text, escape))) {
			put = taken;
		} else {
			from = escape;
		}
		if (length + put + 1 > size)
			break;
		memcpy(out + length, from, put);
		length += put;
		text += taken;
		left -= taken;
	}
	out[length] = '\0';
	return length;
}
