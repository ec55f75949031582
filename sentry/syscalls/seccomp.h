/* SPDX-License-Identifier: Apache-2.0 */
/* PR_SET_SECCOMP, which is seccomp(2) without flags. */
#pragma once

#include "sentry/syscalls/syscall.h"

int64_t seccomp_prctl(struct task *t, uint64_t mode, guest_addr_t filter);
