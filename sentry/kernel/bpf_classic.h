/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Classic BPF over a struct seccomp_data: the programs of seccomp filters.  A program
 * is checked once, as Linux checks it; a checked one only jumps forward, so that it
 * ends after at most its own length, and reads nothing but its input and cells it
 * wrote before.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "sentry/abi/seccomp.h"
#include "util/compiler.h"

/* -EINVAL as seccomp(2).  Rewrites loads of the input's length into constants. */
int bpf_check(struct linux_sock_filter *insns, uint32_t count) MUST_CHECK;
/* The value returned; @insns passed bpf_check(). */
uint32_t bpf_run(const struct linux_sock_filter *insns, const struct linux_seccomp_data *data);
/*
 * Whether the program's answer depends on nothing but @nr and @arch; then it is in
 * *value.  @insns passed bpf_check().
 */
bool bpf_constant(const struct linux_sock_filter *insns, int32_t nr, uint32_t arch, uint32_t *value);
/* How long Linux's own form of the program is, which is what it limits. */
uint32_t bpf_converted_count(const struct linux_sock_filter *insns, uint32_t count);
