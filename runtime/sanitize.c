/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/sanitize.h"

#include <string.h>

#include "util/utf8.h"

#define DELETE 0x7f

/* C1 controls are two bytes in UTF-8: c2 80 to c2 9f. */
static int is_c1_control(const char *p)
{
	return (unsigned char)p[0] == 0xc2 && (unsigned char)p[1] < 0xa0;
}

void sanitize_text(char *text)
{
	size_t left = strlen(text);

	while (left > 0) {
		size_t length = utf8_sequence_length(text, left);
		unsigned char c = (unsigned char)*text;

		if (length == 0)
			length = 1;
		if (length == 1 && (c < ' ' || c >= DELETE))
			*text = '?';
		else if (length == 2 && is_c1_control(text))
			memset(text, '?', 2);
		text += length;
		left -= length;
	}
}
