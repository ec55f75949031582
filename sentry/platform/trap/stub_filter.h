/* SPDX-License-Identifier: Apache-2.0 */
/* Builds the stubs' seccomp filter. */
#pragma once

#include <linux/filter.h>
#include <stdbool.h>
#include <stdint.h>

#define STUB_FILTER_MAX 256

struct stub_filter {
	unsigned count;
	struct sock_filter insns[STUB_FILTER_MAX];
};

struct stub_filter_options {
	bool (*needs_registers)(uint64_t nr); /* asked for every number below @limit */
	unsigned limit;
	bool strict; /* notify the memory calls of the stub's text too */
};

void stub_filter_build(struct stub_filter *f, const struct stub_filter_options *options);
