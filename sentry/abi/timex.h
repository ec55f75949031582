/* SPDX-License-Identifier: Apache-2.0 */
/* adjtimex(2). */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define LINUX_ADJ_OFFSET_READONLY 0x2000
#define LINUX_ADJ_ADJTIME 0x8000 /* "single shot": the old adjtime(3) */
#define LINUX_ADJ_OFFSET_SINGLESHOT 0x0001
#define LINUX_STA_UNSYNC 0x0040
#define LINUX_TIME_ERROR 5

struct linux_timex {
	uint32_t modes;
	uint32_t pad0;
	int64_t offset, freq, maxerror, esterror;
	int32_t status;
	int32_t pad1;
	int64_t constant, precision, tolerance;
	int64_t time_sec, time_usec;
	int64_t tick, ppsfreq, jitter;
	int32_t shift;
	int32_t pad2;
	int64_t stabil, jitcnt, calcnt, errcnt, stbcnt;
	int32_t tai;
	int32_t reserved[11];
};
_Static_assert(sizeof(struct linux_timex) == 208, "timex");
_Static_assert(offsetof(struct linux_timex, tai) == 160, "timex.tai");
