/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Syscall user dispatch: a task asks for SIGSYS instead of the system calls that it makes outside a
 * range of its code, while a byte of its memory says so.  Neither inherited nor kept by exec.
 * Only the task itself touches its state, and its tracer while it is stopped (its signal lock held).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "util/compiler.h"

struct task;

struct user_dispatch {
	bool on;
	uint64_t offset, length; /* code whose calls are made */
	uint64_t selector;	 /* guest address of the byte, 0: calls are always caught */
};

/* prctl(PR_SET_SYSCALL_USER_DISPATCH); -EINVAL, -EFAULT. */
int user_dispatch_set(struct task *t, uint64_t mode, uint64_t offset, uint64_t length,
		      uint64_t selector) MUST_CHECK;

/*
 * Whether the call in t->syscall_nr is not made: its signal is sent, or the task ends.  What is left
 * in rax, the number, goes to @result.
 */
bool user_dispatch_catches(struct task *t, int64_t *result) MUST_CHECK;
