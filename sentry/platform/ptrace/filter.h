/* SPDX-License-Identifier: Apache-2.0 */
/* Builds the stubs' seccomp filter. */
#pragma once

#include <linux/filter.h>

#define PTRACE_FILTER_MAX 64

struct ptrace_filter {
	unsigned count;
	struct sock_filter insns[PTRACE_FILTER_MAX];
};

void ptrace_filter_build(struct ptrace_filter *f);
