/* SPDX-License-Identifier: Apache-2.0 */
/* clone(2) and its family: decoded and validated arguments. */
#pragma once

#include <stdint.h>

#include "sentry/abi/sched.h"
#include "util/compiler.h"

struct task;

#define CLONE_SET_TID_MAX 32

struct clone_request {
	uint64_t flags;	      /* LINUX_CLONE_*, without the exit signal */
	uint64_t pidfd, child_tid, parent_tid; /* guest addresses */
	int exit_signal;
	uint64_t stack;	      /* the new stack pointer; 0: the parent's */
	uint64_t tls;
	int32_t set_tid[CLONE_SET_TID_MAX]; /* innermost first */
	uint32_t set_tid_count;
};

/* The child's tid in the caller's pid namespace, or a negative errno. */
int64_t task_clone(struct task *parent, const struct clone_request *rq);
