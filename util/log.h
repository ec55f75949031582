/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Levelled log to one file descriptor, as text or as one JSON object a line in
 * runc's form ({"level":"error","msg":"...","time":"..."}).  A line is written
 * with one write(2), so processes may share the file.  Thread-safe; keeps errno.
 */
#pragma once

#include <stdbool.h>

#include "util/compiler.h"

enum log_level { LOG_LEVEL_ERROR, LOG_LEVEL_WARNING, LOG_LEVEL_INFO, LOG_LEVEL_DEBUG };
enum log_format { LOG_FORMAT_TEXT, LOG_FORMAT_JSON };

/* @fd is borrowed and stays open; -1 silences the log. */
void log_set_output(int fd, enum log_format format, enum log_level max_level);
bool log_enabled(enum log_level level);
void log_write(enum log_level level, const char *fmt, ...) PRINTF_LIKE(2, 3);

#define log_error(...) log_write(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_write(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_info(...) log_write(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...)                                                  \
	do {                                                            \
		if (log_enabled(LOG_LEVEL_DEBUG))                       \
			log_write(LOG_LEVEL_DEBUG, __VA_ARGS__);        \
	} while (0)

/* A bug of ours: logs and aborts, in release builds too. */
NORETURN COLD void panic(const char *fmt, ...) PRINTF_LIKE(1, 2);
#define ASSERT(cond)                                                            \
	do {                                                                    \
		if (unlikely(!(cond)))                                          \
			panic("%s:%d: assertion failed: %s", __FILE__, __LINE__, #cond); \
	} while (0)
