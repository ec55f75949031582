/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ptrace(2) and the waiting that goes with it, as negative errno.  Every request
 * must come from the thread that is the tracer of @tid.
 * Host calls: ptrace, waitid(P_PID).
 */
#pragma once

#include <linux/ptrace.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/compiler.h"

/* A PTRACE_* request of <linux/ptrace.h> that returns no more than success.
 * -ESRCH: the tracee is not stopped, which means that it was killed. */
int host_ptrace(unsigned request, pid_t tid, uint64_t addr, uint64_t data) MUST_CHECK;

struct host_trace_stop {
	bool dead;
	int status; /* dead: in wait4(2) form; stopped: signal | event << 8 */
};

/*
 * Waits for @tid to stop or die.  @keep: a death is reported and not reaped, for
 * the leader of a thread group, whose pid names the whole process.  A leader's
 * death shows only when every other thread of its group is gone.
 */
int host_trace_wait(pid_t tid, bool keep, struct host_trace_stop *out) MUST_CHECK;
