/* SPDX-License-Identifier: Apache-2.0 */
/* Barriers in other threads.  Host call: membarrier (QUERY, GLOBAL). */
#pragma once

#include <stdbool.h>

#include "util/compiler.h"

/* Not on hosts with isolated (nohz_full) CPUs. */
bool host_membarrier_has_global(void);
/* Every running thread of the machine has passed a full barrier on return.  Milliseconds. */
int host_membarrier_global(void) MUST_CHECK;
