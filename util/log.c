/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The log.  A line is built in a buffer on the stack and leaves in one write,
 * so there is no lock and nothing is lost at a crash; a line that does not fit
 * is cut and ends in "...".  The format follows logrus, which runc's callers
 * parse: the last {"level":"error"} line of --log is what Docker shows.
 */
#include "util/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "util/json_escape.h"

/* Small enough for the stack of any thread. */
#define LOG_MESSAGE_MAX 2048
#define LOG_LINE_MAX 3072
/* Room for what follows the message in a line: quote, time, newline. */
#define LOG_TAIL_MAX 64

/* Written by log_set_output before threads start, hence only atomic, not locked. */
static _Atomic int log_fd = STDERR_FILENO;
static _Atomic enum log_format log_format_used = LOG_FORMAT_TEXT;
static _Atomic enum log_level log_max_level = LOG_LEVEL_WARNING;

static const char *const level_names[] = {
	[LOG_LEVEL_ERROR] = "error",
	[LOG_LEVEL_WARNING] = "warning",
	[LOG_LEVEL_INFO] = "info",
	[LOG_LEVEL_DEBUG] = "debug",
};

void log_set_output(int fd, enum log_format format, enum log_level max_level)
{
	atomic_store(&log_format_used, format);
	atomic_store(&log_max_level, max_level);
	atomic_store(&log_fd, fd);
}

bool log_enabled(enum log_level level)
{
	return level <= atomic_load_explicit(&log_max_level, memory_order_relaxed) &&
	       atomic_load_explicit(&log_fd, memory_order_relaxed) >= 0;
}

/* Returns the length of the line, which ends in a newline. */
static size_t format_line(char *line, size_t size, enum log_format format, enum log_level level,
			  const char *message)
{
	char stamp[40];
	struct tm tm;
	time_t now = time(NULL);
	size_t length;

	if (!gmtime_r(&now, &tm) || !strftime(stamp, sizeof(stamp), "%Y-%m-%dT%H:%M:%SZ", &tm))
		stamp[0] = '\0';
	if (format == LOG_FORMAT_JSON)
		length = (size_t)snprintf(line, size, "{\"level\":\"%s\",\"msg\":\"",
					  level_names[level]);
	else
		length = (size_t)snprintf(line, size, "time=\"%s\" level=%s msg=\"", stamp,
					  level_names[level]);
	length += json_escape(line + length, size - length - LOG_TAIL_MAX, message);
	if (format == LOG_FORMAT_JSON)
		length += (size_t)snprintf(line + length, size - length, "\",\"time\":\"%s\"}\n",
					   stamp);
	else
		length += (size_t)snprintf(line + length, size - length, "\"\n");
	return length;
}

static PRINTF_LIKE(3, 0) void log_vwrite(int fd, enum log_level level, const char *fmt,
					 va_list args)
{
	char message[LOG_MESSAGE_MAX], line[LOG_LINE_MAX];
	int n = vsnprintf(message, sizeof(message), fmt, args);
	size_t length;
	ssize_t written;

	if (n < 0)
		snprintf(message, sizeof(message), "(unprintable)");
	else if ((size_t)n >= sizeof(message))
		memcpy(message + sizeof(message) - 4, "...", 4);
	length = format_line(line, sizeof(line), atomic_load(&log_format_used), level, message);
	do {
		written = write(fd, line, length);
	} while (written < 0 && errno == EINTR);
}

void log_write(enum log_level level, const char *fmt, ...)
{
	int saved_errno = errno;
	va_list args;

	if (!log_enabled(level))
		return;
	va_start(args, fmt);
	log_vwrite(atomic_load(&log_fd), level, fmt, args);
	va_end(args);
	errno = saved_errno;
}

void panic(const char *fmt, ...)
{
	int fd = atomic_load(&log_fd);
	va_list args;

	va_start(args, fmt);
	log_vwrite(fd >= 0 ? fd : STDERR_FILENO, LOG_LEVEL_ERROR, fmt, args);
	va_end(args);
	abort();
}
