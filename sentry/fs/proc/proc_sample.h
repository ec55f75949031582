/* SPDX-License-Identifier: Apache-2.0 */
/* What stat, status and their like show of a process, sampled once for one text. */
#pragma once

#include "sentry/fs/proc/proc_internal.h"

struct proc_signals {
	uint64_t pending, shared, blocked, ignored, caught;
	uint32_t queued;
	uint32_t threads; /* not yet exited */
	int exit_code;
	int stop_signal;
};
void proc_sample_signals(struct task *t, struct proc_signals *out);

struct proc_memory {
	bool present; /* false: exited, all zero */
	uint64_t size, locked, data, stack, text, library; /* bytes */
	uint64_t start_code, end_code, start_data, end_data, start_stack, brk_start;
	uint64_t arg_start, arg_end, env_start, env_end;
	uint64_t rss_pages, shared_pages;
};
void proc_sample_memory(struct task *t, struct proc_memory *out);

/* CPU use of the thread, or of its process. */
struct proc_times {
	uint64_t user_ns, system_ns, child_user_ns, child_system_ns;
	uint64_t minor_faults, major_faults, child_minor_faults, child_major_faults;
};
void proc_sample_times(struct task *t, bool whole, struct proc_times *out);
/* comm, NUL-terminated. */
void proc_sample_comm(struct task *t, char out[TASK_COMM_SIZE]);
/* Nanoseconds since the sandbox booted. */
uint64_t proc_since_boot(uint64_t monotonic_ns);
