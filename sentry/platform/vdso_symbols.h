/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "sentry/platform/platform.h"

/* Where the host's vDSO functions are in a process that has it at @base; 0: none. */
void vdso_symbols_at(uint64_t base, struct platform_vdso_table *out);
