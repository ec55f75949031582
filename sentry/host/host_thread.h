/* SPDX-License-Identifier: Apache-2.0 */
/* Service threads of the sentry: detached, small stack, every signal blocked. */
#pragma once

#include "util/compiler.h"

/* @name: static, at most 15 characters.  0 or a negative errno. */
int host_thread_start(const char *name, void *(*fn)(void *), void *arg) MUST_CHECK;

/* Before confinement: on which CPUs threads may run. */
int host_thread_learn_cpus(void) MUST_CHECK;
/* The calling thread leaves @cpu.  -EINVAL: there is no other. */
int host_thread_avoid_cpu(int cpu) MUST_CHECK;
int host_thread_any_cpu(void) MUST_CHECK;
