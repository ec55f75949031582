/* SPDX-License-Identifier: Apache-2.0 */
/* mqueue: mountable and empty; there are no POSIX message queues yet. */
#pragma once

#include "util/compiler.h"

struct kernel;

/* Registers the type; once, at boot. */
int mqueue_init(struct kernel *k) MUST_CHECK;
