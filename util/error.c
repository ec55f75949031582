/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Error chains.  The whole chain is kept as one finished line: wrapping
 * prefixes it, so nothing is formatted, and nothing can fail, at print time.
 * When memory runs out while an error is built, a static error stands in.
 */
#include "util/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#undef error_set /* a checker's view, for callers */
#undef error_set_errno

struct error {
	int code;
	char *message;
};

/* Never freed and never changed. */
static struct error out_of_memory = { -ENOMEM, (char *)(uintptr_t) "out of memory" };

/* The C library's texts are capitalised; error lines are not, as in runc. */
void error_errno_text(int code, char *text, size_t size)
{
	char buffer[128];
	const char *s = strerror_r(-code, buffer, sizeof(buffer));

	snprintf(text, size, "%s", s);
	/* "Is a directory", but not "RPC version wrong". */
	if (text[0] >= 'A' && text[0] <= 'Z' && !(text[1] >= 'A' && text[1] <= 'Z'))
		text[0] = (char)(text[0] - 'A' + 'a');
}

/* Takes ownership of @message (NULL: out of memory). */
static void error_store(struct error **err, int code, char *message)
{
	struct error *e = message ? malloc(sizeof(*e)) : NULL;

	if (!e) {
		free(message);
		e = &out_of_memory;
	} else {
		e->code = code;
		e->message = message;
	}
	*err = e;
}

int error_set(struct error **err, int code, const char *fmt, ...)
{
	va_list args;
	char *message;

	if (!err)
		return code;
	va_start(args, fmt);
	if (vasprintf(&message, fmt, args) < 0)
		message = NULL;
	va_end(args);
	error_store(err, code, message);
	return code;
}

int error_set_errno(struct error **err, int code, const char *fmt, ...)
{
	char *what, *message, text[128];
	va_list args;
	int n;

	if (!err)
		return code;
	va_start(args, fmt);
	n = vasprintf(&what, fmt, args);
	va_end(args);
	message = NULL;
	if (n >= 0) {
		error_errno_text(code, text, sizeof(text));
		if (asprintf(&message, "%s: %s", what, text) < 0)
			message = NULL;
		free(what);
	}
	error_store(err, code, message);
	return code;
}

int error_wrap(struct error **err, const char *fmt, ...)
{
	char *prefix, *message;
	struct error *e;
	va_list args;
	int n;

	if (!err || !*err)
		return -EINVAL;
	e = *err;
	if (e == &out_of_memory)
		return e->code;
	va_start(args, fmt);
	n = vasprintf(&prefix, fmt, args);
	va_end(args);
	if (n < 0)
		return e->code;
	if (asprintf(&message, "%s: %s", prefix, e->message) >= 0) {
		free(e->message);
		e->message = message;
	}
	free(prefix);
	return e->code;
}

int error_code(const struct error *err)
{
	return err ? err->code : 0;
}

const char *error_message(const struct error *err)
{
	return err ? err->message : "no error";
}

void error_free(struct error *err)
{
	if (!err || err == &out_of_memory)
		return;
	free(err->message);
	free(err);
}
