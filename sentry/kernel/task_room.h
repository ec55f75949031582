/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include <stdint.h>

struct mm;

/* The buffer a task last had pages for: while nothing was discarded from its memory. */
struct task_room {
	const struct mm *mm; /* compared only */
	uint64_t start, end;
	uint32_t discards;
};

/* At boot: copies to the guest's memory have its pages made by the guest's own thread. */
void task_room_init(void);
