/* SPDX-License-Identifier: Apache-2.0 */
/* The guest vDSO's image, embedded in the binary; loader/vdso.c fills in its table. */
#pragma once

#include <stdint.h>

extern const uint8_t vdso_image_start[], vdso_image_end[];

/* Offsets fixed by vdso.lds. */
#define VDSO_SIGRETURN_OFFSET 0xfc0
#define VDSO_DATA_OFFSET 0x1000
