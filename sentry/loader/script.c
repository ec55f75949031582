/* SPDX-License-Identifier: Apache-2.0 */
/* The first line of a #! script, by the rules of Linux's binfmt_script. */
#include "config.h"

#include <errno.h>
#include <string.h>

#include "sentry/loader/loader_private.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* The first character in [at, end) that is not a blank, or @end. */
static size_t skip_blanks(const char *buf, size_t at, size_t end)
{
	while (at < end && is_blank(buf[at]))
		at++;
	return at;
}

/* The first blank or NUL in [at, end), or @end. */
static size_t word_end(const char *buf, size_t at, size_t end)
{
	while (at < end && !is_blank(buf[at]) && buf[at])
		at++;
	return at;
}

/* The end of the line; the last byte of the buffer is no part of it (Linux's buf_end). */
static int line_end(const char *buf, size_t *end)
{
	const char *newline = memchr(buf, '\n', BINPRM_SIZE);
	size_t last = BINPRM_SIZE - 1, name;

	if (newline && !memchr(buf, '\0', (size_t)(newline - buf))) {
		*end = (size_t)(newline - buf);
		return 0;
	}
	name = skip_blanks(buf, 2, last + 1);
	if (name > last)
		return -ENOEXEC;
	/* Without a terminator the interpreter's path may have been cut. */
	if (word_end(buf, name, last + 1) > last)
		return -ENOEXEC;
	*end = last;
	return 0;
}

int script_parse(const uint8_t start[BINPRM_SIZE], struct script *out)
{
	char buf[BINPRM_SIZE];
	size_t end, name, stop, argument;

	memcpy(buf, start, sizeof(buf));
	*out = (struct script){ .has_argument = false };
	if (line_end(buf, &end) < 0)
		return -ENOEXEC;
	while (end > 2 && is_blank(buf[end - 1]))
		end--;
	name = skip_blanks(buf, 2, end);
	if (name == end)
		return -ENOEXEC;
	stop = word_end(buf, name, end);
	/* Linux opens the empty path, which names the directory. */
	if (stop == name || !buf[name])
		return -EACCES;
	memcpy(out->interpreter, buf + name, stop - name);
	if (stop < end && buf[stop]) {
		argument = skip_blanks(buf, stop, end);
		out->has_argument = argument < end;
		memcpy(out->argument, buf + argument, strnlen(buf + argument, end - argument));
	}
	return 0;
}
