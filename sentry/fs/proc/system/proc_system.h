/* SPDX-License-Identifier: Apache-2.0 */
/* Figures of the whole sandbox, shared by the files of the system and by sysinfo(2). */
#pragma once

#include <stdint.h>

struct kernel;

struct system_memory { /* bytes */
	uint64_t total, free, shared, swap_total, swap_free;
	uint64_t anonymous, mapped; /* of the guest's processes */
};
void system_memory_read(struct kernel *k, struct system_memory *out);

struct system_cpu {
	uint64_t user_ns, system_ns, idle_ns; /* of all CPUs since boot */
	uint32_t processes, threads, running;
};
void system_cpu_read(struct kernel *k, struct system_cpu *out);
/* Remembers counter and time, to tell the frequency later; at boot. */
void system_cpu_init(void);
