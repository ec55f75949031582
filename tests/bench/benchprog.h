/* SPDX-License-Identifier: Apache-2.0
 *
 * Shared by the parts of benchprog.
 */
#pragma once

#include <stdint.h>

/* Monotonic nanoseconds. */
int64_t bench_now(void);

/* Prints what failed with errno's text, exits 1. */
_Noreturn void bench_die(const char *what);

/* How long a thread computes before a call that finds whoever serves it asleep. */
#define BENCH_PAUSE_NS 500000

/* Nanoseconds of a system call that a seccomp listener answers after such a pause. */
double bench_notification(int64_t pause_ns);

/* `benchprog pss`; argv is the command. */
int bench_pss(char **argv);
