/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/signal_name.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <strings.h>

#include "util/parse.h"

#define LAST_SIGNAL 64
#define FIRST_REALTIME 34 /* of the C library, which keeps 32 and 33 */

static int parse_realtime(const char *text, int *out)
{
	int offset;

	if (!strncasecmp(text, "RTMIN", 5) &&
	    (!text[5] || (text[5] == '+' && parse_int(text + 6, 0, 15, &offset) == 0))) {
		*out = FIRST_REALTIME + (text[5] ? offset : 0);
		return 0;
	}
	if (!strncasecmp(text, "RTMAX", 5) &&
	    (!text[5] || (text[5] == '-' && parse_int(text + 6, 0, 14, &offset) == 0))) {
		*out = LAST_SIGNAL - (text[5] ? offset : 0);
		return 0;
	}
	return -EINVAL;
}

int signal_parse(const char *text, int *out)
{
	int ret = parse_int(*text == '+' ? text + 1 : text, 0, LAST_SIGNAL, out);

	if (ret != -EINVAL)
		return ret;
	if (!strncasecmp(text, "SIG", 3))
		text += 3;
	for (int number = 1; number < 32; number++) {
		const char *name = sigabbrev_np(number);

		if (name && !strcasecmp(name, text)) {
			*out = number;
			return 0;
		}
	}
	if (!strcasecmp(text, "IOT") || !strcasecmp(text, "CLD")) {
		*out = !strcasecmp(text, "IOT") ? SIGABRT : SIGCHLD;
		return 0;
	}
	return parse_realtime(text, out);
}
