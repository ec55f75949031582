/* SPDX-License-Identifier: Apache-2.0 */
/* The system call table, from syscalls.def.  Holes are unused numbers. */
#include "sentry/syscalls/handlers.h"

/* The letters of syscalls.def; names of one letter live only in this file. */
#define O 0
#define R SYSCALL_REGS
#define B SYSCALL_BLOCKS

#define ARG_COUNT(...) ARG_COUNT_(0 __VA_OPT__(, ) __VA_ARGS__, 6, 5, 4, 3, 2, 1, 0)
#define ARG_COUNT_(zero, a, b, c, d, e, f, n, ...) n

#define TYPES_0()
#define TYPES_1(a) ARG_##a
#define TYPES_2(a, b) ARG_##a, ARG_##b
#define TYPES_3(a, b, c) TYPES_2(a, b), ARG_##c
#define TYPES_4(a, b, c, d) TYPES_3(a, b, c), ARG_##d
#define TYPES_5(a, b, c, d, e) TYPES_4(a, b, c, d), ARG_##e
#define TYPES_6(a, b, c, d, e, f) TYPES_5(a, b, c, d, e), ARG_##f
#define JOIN(a, b) JOIN_(a, b)
#define JOIN_(a, b) a##b
#define TYPES(...) JOIN(TYPES_, ARG_COUNT(__VA_ARGS__))(__VA_ARGS__)

#define SYSCALL(nr, n, f, ...)                                                          \
	[nr] = { .name = #n,                                                            \
		 .fn = sys_##n,                                                         \
		 .flags = (f),                                                          \
		 .arg_count = ARG_COUNT(__VA_ARGS__),                                   \
		 .arg_types = { TYPES(__VA_ARGS__) } },
#define SYSCALL_NONE(nr, n) [nr] = { .name = #n },

const struct syscall_entry syscall_table[SYSCALL_TABLE_SIZE] = {
#include "sentry/syscalls/syscalls.def"
};
