/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sentry/abi/sched.h"
#include "util/compiler.h"

struct task;

/*
 * sched_setattr(2) on @target by one who may do anything.  -EINVAL; -EOPNOTSUPP: utilization is not
 * clamped; -EPERM, -EBUSY: no such deadline can be kept.
 */
int sched_attr_apply(struct task *target, const struct linux_sched_attr *attr) MUST_CHECK;
