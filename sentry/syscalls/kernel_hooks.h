/* SPDX-License-Identifier: Apache-2.0 */
/* Gives sentry/kernel what it needs of the layers above it; once, at boot. */
#pragma once

void kernel_hooks_register(void);
