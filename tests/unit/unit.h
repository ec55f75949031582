/* SPDX-License-Identifier: Apache-2.0 */
/* cmocka with what it needs before it, and a few asserts of our own. */
#pragma once

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "util/error.h"

/* Asserts that @fn ends its process by abort(), in a child with stderr closed. */
static inline void assert_aborts(void (*fn)(void))
{
	int status;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (!pid) {
		int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

		dup2(null, STDERR_FILENO);
		dup2(null, STDOUT_FILENO);
		signal(SIGABRT, SIG_DFL);
		fn();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
}

/* Asserts the message of @err, and frees it. */
#define assert_error(err, text)                                 \
	do {                                                    \
		assert_non_null(err);                           \
		assert_string_equal(error_message(err), text);  \
		error_free(err);                                \
		(err) = NULL;                                   \
	} while (0)

/* A temporary directory for one test program. */
static inline int unit_directory(char path[64])
{
	snprintf(path, 64, "/tmp/moat-unit-XXXXXX");
	assert_non_null(mkdtemp(path));
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}
