/* SPDX-License-Identifier: Apache-2.0 */
/* I/O priorities, which are kept and have no effect. */
#pragma once

#include <stdint.h>

#include "util/compiler.h"

struct task;

/* Whether @t may use @value (Linux's ioprio_check_cap): -EPERM, -EINVAL. */
int ioprio_check(struct task *t, uint32_t value) MUST_CHECK;
