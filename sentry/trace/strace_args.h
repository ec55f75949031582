/* SPDX-License-Identifier: Apache-2.0 */
/* Text of one typed argument or result. */
#pragma once

#include "sentry/kernel/kernel.h"
#include "sentry/syscalls/syscall.h"
#include "util/checked.h"

#define STRACE_ARG 256

void strace_format_argument(struct task *t, const struct syscall_entry *entry,
			    const struct syscall_args *a, unsigned i, char *buf, size_t size);
/* The data that a read-like call returned. */
void strace_format_output(struct task *t, const struct syscall_entry *entry,
			  const struct syscall_args *a, int64_t result, char *buf, size_t size);
void strace_format_result(int64_t result, char *buf, size_t size);
