/* SPDX-License-Identifier: Apache-2.0 */
/* wait4(2) and waitid(2): waiting for children. */
#pragma once

#include <stdint.h>

#include "sentry/abi/resource.h"
#include "sentry/abi/wait.h"
#include "util/compiler.h"

struct linux_siginfo;
struct task;
struct thread_group;

struct wait_request {
	int which;	 /* LINUX_P_ALL, P_PID, P_PGID, P_PIDFD (by @group) */
	int32_t id;	 /* in the caller's pid namespace; P_PGID 0: the caller's own */
	struct thread_group *group; /* P_PIDFD: borrowed */
	uint32_t options; /* LINUX_W* with WEXITED explicit */
	/* results */
	int32_t pid;	 /* 0: WNOHANG and nothing to report */
	int32_t status;	 /* wait4 form */
	int32_t code;	 /* LINUX_CLD_* */
	int32_t cause;	 /* waitid's si_status */
	uint32_t uid;
	struct linux_rusage usage;
};

/* 0 or -ECHILD, -ERESTARTSYS, -SYSCALL_SHELVED. */
int task_wait(struct task *t, struct wait_request *rq) MUST_CHECK;
