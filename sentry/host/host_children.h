/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who lives in the sentry's PID namespace, from its own procfs.  Every process there but
 * the sentry is a child of it, a zombie too until it is reaped.
 * Host calls: openat (O_RDONLY|O_DIRECTORY), fstat, fcntl(F_GETFL), getdents64, read, close.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/compiler.h"

/* A malloc'ed array of the pids of all children, in no order. */
int host_children_list(pid_t **out, size_t *count) MUST_CHECK;

/* The number of the host call that a sleeping process is in; negative: it runs, sleeps in a
 * fault, or is gone. */
int64_t host_child_sleeps_in(pid_t pid);
