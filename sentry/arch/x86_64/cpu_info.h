/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The processor as CPUID describes it to any program here, the guest's included:
 * the instruction is not intercepted, so this is what the guest has.
 */
#pragma once

#include <stdint.h>

struct strbuf;

struct cpu_info {
	char vendor[13], model_name[49];
	uint32_t family, model, stepping;
	uint32_t cpuid_level;
	uint32_t clflush_size, physical_bits, virtual_bits;
	uint32_t cache_kb; /* of the largest cache */
	uint32_t mhz;	   /* nominal; 0: not told */
};
void cpu_info_read(struct cpu_info *out);
/* Linux's names of the features, each followed by a space. */
void cpu_info_flags(struct strbuf *out);
/* The time stamp counter. */
uint64_t cpu_info_ticks(void);
