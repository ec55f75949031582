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

/* @needs_registers is asked for every number below @limit. */
void stub_filter_build(struct stub_filter *f, bool (*needs_registers)(uint64_t nr), unsigned limit);
