/* SPDX-License-Identifier: Apache-2.0 */
/* Which numbers of a pid namespace are in use: a bitmap in pages made on demand. */
#pragma once

#include <stdint.h>

#include "util/compiler.h"

#define PID_MAX_LIMIT 4194304
#define PID_RESERVED 300 /* numbers below are not used again after a wrap-around */
#define PID_BITMAP_PAGE_BITS 32768
#define PID_BITMAP_PAGES (PID_MAX_LIMIT / PID_BITMAP_PAGE_BITS)

struct pid_bitmap {
	uint64_t *pages[PID_BITMAP_PAGES];
	uint32_t used[PID_BITMAP_PAGES]; /* numbers in use in the page */
	int32_t last;			 /* the number given out last */
	int32_t max;			 /* numbers are below it */
};

void pid_bitmap_init(struct pid_bitmap *b, int32_t max);
void pid_bitmap_destroy(struct pid_bitmap *b);
/* The next free number after the last, wrapping; -EAGAIN when full, -ENOMEM. */
int32_t pid_bitmap_alloc(struct pid_bitmap *b) MUST_CHECK;
/* Exactly @number (1 <= number < max): 0, -EEXIST, -ENOMEM. */
int pid_bitmap_take(struct pid_bitmap *b, int32_t number) MUST_CHECK;
void pid_bitmap_free(struct pid_bitmap *b, int32_t number);
/* The first number in use >= @from, or 0. */
int32_t pid_bitmap_next(const struct pid_bitmap *b, int32_t from);
