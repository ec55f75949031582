/* SPDX-License-Identifier: Apache-2.0 */
/* Service threads of the sentry: detached, small stack, every signal blocked. */
#pragma once

#include "util/compiler.h"

/* @name: static, at most 15 characters.  0 or a negative errno. */
int host_thread_start(const char *name, void *(*fn)(void *), void *arg) MUST_CHECK;
