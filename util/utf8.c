/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 validation by the well-formed byte ranges of Unicode's table 3-7. */
#include "util/utf8.h"

size_t utf8_sequence_length(const char *text, size_t size)
{
	const unsigned char *s = (const unsigned char *)text;
	unsigned char low = 0x80, high = 0xbf;
	size_t length;

	if (s[0] < 0x80)
		return 1;
	if (s[0] >= 0xc2 && s[0] <= 0xdf)
		length = 2;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		length = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		length = 4;
	else
		return 0;
	if (length > size)
		return 0;
	/* The second byte alone tells overlong forms, surrogates and the end of the range. */
	if (s[0] == 0xe0)
		low = 0xa0;
	else if (s[0] == 0xed)
		high = 0x9f;
	else if (s[0] == 0xf0)
		low = 0x90;
	else if (s[0] == 0xf4)
		high = 0x8f;
	if (s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	return length;
}

bool utf8_valid(const char *text, size_t size)
{
	while (size) {
		size_t taken = utf8_sequence_length(text, size);

		if (!taken)
			return false;
		text += taken;
		size -= taken;
	}
	return true;
}
