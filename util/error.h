/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors of the command line, OCI and gofer set-up code: a chain of "what was
 * being done" ending in a cause.  Functions return 0 or a negative errno and
 * take a `struct error **err` last, which is set exactly when they fail; a
 * caller that does not care passes NULL.  Only main() prints:
 *   moat create web: mount /proc: permission denied
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "util/compiler.h"

struct error;

/*
 * Starts a chain.  @code is a negative errno and is returned, so that
 * `return error_set(err, -EINVAL, ...)` reads well.  When the message should
 * end in the errno's text use error_set_errno.
 */
int error_set(struct error **err, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);
/* As error_set, and appends ": " and the text of @code. */
int error_set_errno(struct error **err, int code, const char *fmt, ...) PRINTF_LIKE(3, 4);
#ifdef __clang_analyzer__
/* What is written above, for a checker that does not see the functions: @code is negative. */
#define error_set(err, code, ...) error_negative((error_set)(err, code, __VA_ARGS__))
#define error_set_errno(err, code, ...) error_negative((error_set_errno)(err, code, __VA_ARGS__))
static inline int error_negative(int code)
{
	__builtin_assume(code < 0);
	return code;
}
#endif
/* Prefixes the chain with what the caller was doing; returns the chain's code. */
int error_wrap(struct error **err, const char *fmt, ...) PRINTF_LIKE(2, 3);

/* What @code (a negative errno) means, in lower case as error lines are. */
void error_errno_text(int code, char *text, size_t size);

int error_code(const struct error *err);
/* One line, without a newline; owned by the error. */
const char *error_message(const struct error *err);
/* NULL is a no-op. */
void error_free(struct error *err);

static inline void cleanup_error(struct error **err)
{
	error_free(*err);
}

#define AUTO_ERROR __attribute__((cleanup(cleanup_error)))
