/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --strace: one line per system call to the debug log, decoded from the types in
 * syscalls.def in the manner of strace(1):
 *
 *	[   12] python3 openat(AT_FDCWD, "/etc/passwd", O_RDONLY|O_CLOEXEC, 0000) = 3
 *
 * Input arguments are read from guest memory on entry, once, for the line only.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sentry/syscalls/syscall.h"

#define STRACE_LINE 1024

struct strace_call {
	const struct syscall_entry *entry;
	struct syscall_args args;
	size_t size;
	char line[STRACE_LINE]; /* arguments that are known on entry */
};

/* @fd: borrowed for life; -1 ends it.  Any thread. */
void strace_enable(int fd);
bool strace_enabled(void);
void strace_enter(struct strace_call *call, struct task *t, const struct syscall_entry *entry,
		  const struct syscall_args *a);
void strace_exit(struct strace_call *call, struct task *t, int64_t result);
void strace_missing(struct task *t, uint64_t nr, const struct syscall_args *a, int64_t result);
