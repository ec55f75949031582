/* SPDX-License-Identifier: Apache-2.0 */
/* Prototypes of every handler, from syscalls.def. */
#pragma once

#include "sentry/syscalls/syscall.h"

#define SYSCALL(nr, name, flags, ...) int64_t sys_##name(struct task *t, const struct syscall_args *a);
#define SYSCALL_NONE(nr, name)
#include "sentry/syscalls/syscalls.def"
#undef SYSCALL
#undef SYSCALL_NONE
