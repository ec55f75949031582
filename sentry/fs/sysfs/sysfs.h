/* SPDX-License-Identifier: Apache-2.0 */
/* sysfs: the processors, the loopback interface, and the directories programs expect. */
#pragma once

#include "util/compiler.h"

struct kernel;

/* Registers the type; once, at boot, after kernel_new. */
int sysfs_init(struct kernel *k) MUST_CHECK;
