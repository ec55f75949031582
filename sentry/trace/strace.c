/* SPDX-License-Identifier: Apache-2.0 */
/* See strace.h.  No locks: a line is written with one write(2). */
#include "sentry/trace/strace.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sentry/kernel/restart.h"
#include "sentry/trace/strace_args.h"

static _Atomic int strace_fd = -1;

void strace_enable(int fd)
{
	atomic_store_explicit(&strace_fd, fd, memory_order_relaxed);
}

bool strace_enabled(void)
{
	return atomic_load_explicit(&strace_fd, memory_order_relaxed) >= 0;
}

static void append(struct strace_call *call, const char *fmt, ...) PRINTF_LIKE(2, 3);

static void append(struct strace_call *call, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (call->size >= sizeof(call->line) - 1)
		return;
	va_start(ap, fmt);
	n = vsnprintf(call->line + call->size, sizeof(call->line) - call->size, fmt, ap);
	va_end(ap);
	if (n > 0)
		call->size = MIN(call->size + (size_t)n, sizeof(call->line) - 1);
}

void strace_enter(struct strace_call *call, struct task *t, const struct syscall_entry *entry,
		  const struct syscall_args *a)
{
	char text[STRACE_ARG];

	call->entry = entry;
	call->args = *a;
	call->size = 0;
	append(call, "[%5d] %s %s(", task_tid_in(t, t->kernel->root_pid_ns), t->comm, entry->name);
	for (unsigned i = 0; i < entry->arg_count; i++) {
		/* What the call fills in is shown by address, except a read's data, on exit. */
		if (entry->arg_types[i] == ARG_BUF_OUT && i + 1 < entry->arg_count &&
		    entry->arg_types[i + 1] == ARG_SIZE) {
			append(call, "%s\001", i ? ", " : "");
			continue;
		}
		strace_format_argument(t, entry, a, i, text, sizeof(text));
		append(call, "%s%s", i ? ", " : "", text);
	}
	append(call, ")");
}

static void write_line(const char *line, size_t size)
{
	int fd = atomic_load_explicit(&strace_fd, memory_order_relaxed);

	/* Switched off in the middle of a call. */
	if (fd < 0 || write(fd, line, size) < 0)
		return; /* a full log must not stop a guest */
}

/* The line with its placeholder for returned data filled in. */
void strace_exit(struct strace_call *call, struct task *t, int64_t result)
{
	char line[STRACE_LINE + STRACE_ARG + 64], data[STRACE_ARG] = "", text[STRACE_ARG];
	char *mark = memchr(call->line, '\001', call->size);
	size_t head = mark ? (size_t)(mark - call->line) : call->size;
	int n;

	/* It is made again. */
	if (result == -SYSCALL_SHELVED)
		return;
	if (mark)
		strace_format_output(t, call->entry, &call->args, result, data, sizeof(data));
	strace_format_result(result, text, sizeof(text));
	n = snprintf(line, sizeof(line), "%.*s%s%.*s = %s\n", (int)head, call->line, data,
		     mark ? (int)(call->size - head - 1) : 0, mark ? mark + 1 : "", text);
	write_line(line, MIN((size_t)n, sizeof(line) - 1));
}

void strace_missing(struct task *t, uint64_t nr, const struct syscall_args *a, int64_t result)
{
	const char *name = nr < SYSCALL_TABLE_SIZE ? syscall_table[nr].name : NULL;
	char line[STRACE_ARG], number[32], text[STRACE_ARG];
	int n;

	if (!strace_enabled())
		return;
	snprintf(number, sizeof(number), "syscall_%llu", (unsigned long long)nr);
	strace_format_result(result, text, sizeof(text));
	n = snprintf(line, sizeof(line), "[%5d] %s %s(%#llx, %#llx, %#llx) = %s\n",
		     task_tid_in(t, t->kernel->root_pid_ns), t->comm, name ? name : number,
		     (unsigned long long)a->v[0], (unsigned long long)a->v[1],
		     (unsigned long long)a->v[2], text);
	write_line(line, MIN((size_t)n, sizeof(line) - 1));
}
