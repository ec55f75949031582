/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table at the end of the guest vDSO's image, filled once at boot: where the
 * stub's host vDSO has its functions.  Zero: absent, make the system call.
 */
#pragma once

#include <stdint.h>

/* Marks the table in the image; never a valid address. */
#define VDSO_DATA_MAGIC 0x6d6f61742d766473ULL

struct vdso_data {
	uint64_t magic;
	uint64_t clock_gettime, gettimeofday, time, clock_getres, getcpu;
};
